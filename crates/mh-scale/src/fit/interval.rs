//! How sure a fit is.

use statrs::distribution::{ContinuousCDF, FisherSnedecor, StudentsT};

use super::data::Data;
use super::solver::MOST;
use super::{Fitted, best_of, bounds_of};

/// Criterion of a fit with so many parameters, whether it misses the measurements, and by how much the sum of squares may grow
/// within a 95% interval.
pub fn weigh(data: &Data, parameters: usize, cost: f64) -> (f64, bool, f64) {
    let points = data.points.len();
    let left = points.saturating_sub(parameters);
    let (k, runs) = (parameters as f64, data.runs as f64);
    // The errors' own size is one parameter more where only the fit tells it.
    let correction =
        |k: f64| if runs > k + 1.0 { 2.0 * k * (k + 1.0) / (runs - k - 1.0) } else { f64::INFINITY };
    if data.freedom == 0 {
        if left == 0 {
            return (f64::INFINITY, false, f64::INFINITY);
        }
        let mean = (cost / points as f64).max(f64::MIN_POSITIVE);
        return (
            runs * mean.ln() + 2.0 * (k + 1.0) + correction(k + 1.0),
            false,
            cost / left as f64 * student(left).powi(2),
        );
    }
    let freedom = data.freedom;
    let aicc = cost + 2.0 * k + correction(k);
    let excess = if left > 0 { cost / left as f64 } else { 0.0 };
    let misfit = left > 0
        && FisherSnedecor::new(left as f64, freedom as f64).is_ok_and(|f| excess > f.inverse_cdf(0.99));
    // Where the law misses, its distance from the points tells more about the error than their scatter does. Else both do.
    let reach = match misfit {
        true => excess * student(left).powi(2),
        false => {
            let pooled = (freedom as f64 + cost) / (freedom + left) as f64;
            pooled.max(1.0) * student(freedom + left).powi(2)
        }
    };
    (aicc, misfit, reach)
}

/// The two-sided 95% point of Student's distribution.
fn student(freedom: usize) -> f64 {
    StudentsT::new(0.0, 1.0, freedom as f64).map_or(f64::INFINITY, |student| student.inverse_cdf(0.975))
}

/// Parameter `which` of the best fit `at`: from where to where the others can make up for it.
pub fn of_parameter(data: &Data, fitted: &Fitted, at: [f64; MOST], which: usize) -> (f64, f64) {
    let mut bounds = bounds_of(fitted.law);
    let (low, high) = (bounds[which].low, bounds[which].high);
    bounds[which].fixed = true;
    let fits = |value: f64| {
        let mut start = at;
        start[which] = value;
        // Besides the best fit a start without the other parameter, which it may have stood in for.
        let mut other = start;
        other[3 - which] = 0.0;
        best_of(data, fitted.law, &bounds, &[start, other], None).1 - fitted.cost <= fitted.reach
    };
    let first = (0.05 * at[which]).max(1e-7);
    (edge(at[which], -first, low, fits), edge(at[which], first, high, fits))
}

/// From where to where a further median with `workers` workers could lie, in seconds.
pub fn of_prediction(data: &Data, fitted: &Fitted, workers: f64) -> (f64, f64) {
    let bounds = bounds_of(fitted.law);
    let error = data.usual_error();
    let mut at = [fitted.one_worker.ln(), 0.0, 0.0];
    at[1..].iter_mut().zip(fitted.values()).for_each(|(place, value)| *place = value);
    let expected = at[0] + fitted.law.log_time(data.scaling, workers, &at[1..]);
    let fits = |log: f64| {
        best_of(data, fitted.law, &bounds, &[at], Some((workers, log, error))).1 - fitted.cost <= fitted.reach
    };
    // No further than a factor of a million: where nothing is known, that says so.
    let far = 1e6_f64.ln();
    let low = edge(expected, -0.5 * error.min(1.0), expected - far, fits);
    let high = edge(expected, 0.5 * error.min(1.0), expected + far, fits);
    (low.exp(), high.exp())
}

/// How far from `inside`, in steps that begin with `step` and grow, it still fits; no further than `bound`.
fn edge(inside: f64, step: f64, bound: f64, fits: impl Fn(f64) -> bool) -> f64 {
    let within = |value: f64| if step < 0.0 { value.max(bound) } else { value.min(bound) };
    let (mut near, mut step) = (inside, step);
    let mut far = loop {
        let next = within(near + step);
        if !fits(next) {
            break next;
        }
        if next == bound {
            return bound;
        }
        near = next;
        step *= 2.0;
    };
    for _ in 0..30 {
        let middle = near.midpoint(far);
        if fits(middle) { near = middle } else { far = middle }
    }
    far
}
