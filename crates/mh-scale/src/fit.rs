//! Laws of scaling, fitted to times by number of workers.
//!
//! Least squares on the logarithms of medians. Intervals are those of profile likelihood: the values of a parameter for which the
//! others can be chosen so that the fit is not much worse. They need no symmetric error, and end at a parameter's bound where that
//! fits as well. An interval of a prediction is found in the same way, from one more observation that is moved up and down.

mod data;
mod interval;
mod solver;

use data::Data;
pub use data::Point;
use solver::{Bound, MOST, Residual, minimise};

use crate::law::{Law, Scaling};

/// Below so many numbers of workers only Amdahl's law is fitted: two parameters more than there are differences tell nothing.
pub const FEW: usize = 4;
/// A law is left for one with more parameters, or a predicted interval is widened by another one's, only beyond or up to this
/// difference of AICc: with it the better one is e^2 times as likely (Burnham and Anderson, 2002, 2.6).
const CLEARLY: f64 = 4.0;

/// Why nothing can be fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    #[error("a law of scaling needs times for at least two numbers of workers")]
    TooFew,
    #[error("a number of workers is at least 1")]
    NoWorkers,
    #[error("one number of workers was given twice")]
    Twice,
    #[error("a measured time must be a finite number of seconds, more than 0")]
    NotATime,
}

/// A parameter, with its 95% interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    pub name: &'static str,
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// One law as it fits best.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    pub law: Law,
    pub parameters: Vec<Parameter>,
    /// Seconds of one worker, by the law.
    pub one_worker: f64,
    /// Akaike's criterion, corrected for few measurements: the least is the best.
    pub aicc: f64,
    /// The measurements lie further from the law than they scatter by themselves (F test, 1%).
    pub misfit: bool,
    /// The least sum of squares, and how far above it an interval reaches.
    cost: f64,
    reach: f64,
}

impl Fitted {
    pub fn values(&self) -> Vec<f64> {
        self.parameters.iter().map(|parameter| parameter.value).collect()
    }

    pub fn speedup(&self, workers: f64) -> f64 {
        self.law.speedup(workers, &self.values())
    }
}

/// What a law expects with a number of workers that was not tried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    pub seconds: f64,
    /// 95% of medians, measured as often as the others were, lie between these.
    pub low: f64,
    pub high: f64,
}

/// All laws that were fitted, and the one to go by.
#[derive(Debug, Clone)]
pub struct Fit {
    data: Data,
    /// The one to go by first, then by `aicc`.
    pub laws: Vec<Fitted>,
}

impl Fit {
    pub fn of(scaling: Scaling, points: &[Point]) -> Result<Self, FitError> {
        let data = Data::of(scaling, points)?;
        let tried: &[Law] = if data.points.len() < FEW { &[Law::Amdahl] } else { &Law::ALL };
        let mut laws: Vec<Fitted> = tried.iter().map(|law| fitted(&data, *law)).collect();
        laws.sort_by(|one, other| one.aicc.total_cmp(&other.aicc));
        // The fewer parameters, the more is known of each: where a simple law is nearly as good, it is the one to go by. Of two
        // simple ones, Amdahl's is meant where the work stays, Gustafson's where it grows.
        let home = if scaling == Scaling::Strong { Law::Amdahl } else { Law::Gustafson };
        let near = |fitted: &Fitted| fitted.aicc - laws[0].aicc < CLEARLY / 2.0;
        let choice = laws.iter().position(|fitted| fitted.law == home && near(fitted));
        let choice =
            choice.or_else(|| laws.iter().position(|fitted| fitted.parameters.len() == 1 && near(fitted)));
        laws[..=choice.unwrap_or(0)].rotate_right(1);
        Ok(Self { data, laws })
    }

    /// The law to go by.
    pub fn best(&self) -> &Fitted {
        &self.laws[0]
    }

    /// Were there enough numbers of workers to tell laws apart?
    pub fn is_told(&self) -> bool {
        self.data.points.len() >= FEW
    }

    /// The time with so many workers, by the best law. The interval covers those of the laws that are nearly as good.
    pub fn predict(&self, workers: u32) -> Prediction {
        let n = f64::from(workers.max(1));
        let least = self.laws.iter().map(|fitted| fitted.aicc).fold(f64::INFINITY, f64::min);
        let best = self.best();
        let seconds = best.one_worker * best.law.log_time(self.data.scaling, n, &best.values()).exp();
        let mut prediction = Prediction { seconds, low: seconds, high: seconds };
        for fitted in &self.laws {
            if fitted.law == best.law || fitted.aicc - least <= CLEARLY {
                let (low, high) = interval::of_prediction(&self.data, fitted, n);
                prediction.low = prediction.low.min(low);
                prediction.high = prediction.high.max(high);
            }
        }
        prediction
    }
}

/// The first parameter is ln T(1), the others are the law's.
fn bounds_of(law: Law) -> [Bound; MOST] {
    let mut bounds = [Bound { low: 0.0, high: 0.0, fixed: true }; MOST];
    bounds[0] = Bound { low: f64::NEG_INFINITY, high: f64::INFINITY, fixed: false };
    for (bound, (_, low, high)) in bounds[1..].iter_mut().zip(law.parameters()) {
        *bound = Bound { low: *low, high: *high, fixed: false };
    }
    bounds
}

/// The best parameters near one of several starts, and their sum of squares. `extra` is one more observation.
fn best_of(
    data: &Data,
    law: Law,
    bounds: &[Bound; MOST],
    starts: &[[f64; MOST]],
    extra: Option<(f64, f64, f64)>,
) -> ([f64; MOST], f64) {
    let residual = |i: usize, at: &[f64; MOST]| {
        let (workers, log, error) =
            data.points.get(i).copied().or(extra).unwrap_or((1.0, 0.0, f64::INFINITY));
        let slopes = law.slopes(workers, &at[1..]);
        let expected = at[0] + law.log_time(data.scaling, workers, &at[1..]);
        Residual {
            value: (log - expected) / error,
            slopes: [-1.0 / error, slopes[0] / error, slopes[1] / error],
        }
    };
    let observations = data.points.len() + usize::from(extra.is_some());
    let tried = starts.iter().map(|start| minimise(*start, bounds, observations, residual));
    tried.min_by(|one, other| one.1.total_cmp(&other.1)).unwrap_or(([0.0; MOST], f64::INFINITY))
}

/// Starts from little to much of what keeps from scaling.
fn starts(data: &Data, law: Law) -> Vec<[f64; MOST]> {
    let first = data.points[0];
    let with =
        |one: f64, other: f64| [first.1 - law.log_time(data.scaling, first.0, &[one, other]), one, other];
    match law {
        Law::Universal => vec![with(0.01, 1e-5), with(0.2, 1e-3), with(0.9, 0.1), with(0.0, 0.01)],
        _ => vec![with(0.02, 0.0), with(0.3, 0.0), with(0.9, 0.0)],
    }
}

fn fitted(data: &Data, law: Law) -> Fitted {
    let bounds = bounds_of(law);
    let (at, cost) = best_of(data, law, &bounds, &starts(data, law), None);
    let count = law.parameters().len();
    let (aicc, misfit, reach) = interval::weigh(data, count + 1, cost);
    let mut fitted =
        Fitted { law, parameters: Vec::new(), one_worker: at[0].exp(), aicc, misfit, cost, reach };
    fitted.parameters = (0..count)
        .map(|i| {
            let (low, high) = interval::of_parameter(data, &fitted, at, i + 1);
            Parameter { name: law.parameters()[i].0, value: at[i + 1], low, high }
        })
        .collect();
    fitted
}

#[cfg(test)]
mod tests;
