//! What repeated measurements of one thing say.

use statrs::distribution::{ContinuousCDF, Normal};

use super::TimingError;

/// How sure intervals are meant to be.
pub const CONFIDENCE: f64 = 0.95;

/// Where a value lies, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
    /// The share of such intervals that hold the true value: at least 0.95, less where there are too few measurements for that.
    pub confidence: f64,
}

impl Interval {
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Half the width, as a share of `value`.
    pub fn half_width(&self, value: f64) -> f64 {
        (self.high - self.low) / (2.0 * value)
    }
}

/// A measurement outside of Tukey's fences: further from the middle half than 1.5 times its width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlier {
    /// Which measurement, in the order in which they were taken.
    pub index: usize,
    pub seconds: f64,
    /// Further than 3 times that width.
    pub far: bool,
}

/// Measurements of one thing, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// As they were taken.
    pub samples: Vec<f64>,
    pub mean: f64,
    /// Of the sample (n - 1); 0 for a single measurement.
    pub deviation: f64,
    pub median: f64,
    /// Of the median.
    pub interval: Interval,
    pub best: f64,
    pub worst: f64,
    pub outliers: Vec<Outlier>,
}

impl Summary {
    pub fn of(samples: &[f64]) -> Result<Self, TimingError> {
        if samples.is_empty() {
            return Err(TimingError::None);
        }
        if samples.iter().any(|seconds| !seconds.is_finite() || *seconds < 0.0) {
            return Err(TimingError::NotATime);
        }
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let count = samples.len() as f64;
        let mean = samples.iter().sum::<f64>() / count;
        let squares: f64 = samples.iter().map(|seconds| (seconds - mean).powi(2)).sum();
        Ok(Self {
            mean,
            deviation: if samples.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 },
            median: quantile(&sorted, 0.5),
            interval: of_median(&sorted),
            best: sorted[0],
            worst: sorted[sorted.len() - 1],
            outliers: outliers(samples, &sorted),
            samples: samples.to_vec(),
        })
    }

    /// Is the median known to this share of itself, at 95%?
    pub fn is_narrow(&self, share: f64) -> bool {
        self.interval.confidence >= CONFIDENCE
            && self.interval.high - self.interval.low <= 2.0 * share * self.median
    }
}

/// The value with this share of the sorted ones below it, between neighbours by a straight line (Hyndman and Fan's definition 7).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}

/// An interval of the median for any distribution: between the k-th smallest and the k-th largest value, for the largest k that
/// keeps 95%. The number of values below the median is binomial with p = 1/2 (Conover, Practical Nonparametric Statistics, 3.2).
/// Up to five values their whole range holds the median less often than that, and the confidence says so.
fn of_median(sorted: &[f64]) -> Interval {
    let count = sorted.len();
    // P(at most `rank` values lie below the median), term by term; the first term is no longer a number past a thousand values,
    // where the normal distribution is as good.
    let below = |rank: usize| match count {
        ..=1000 => {
            let mut term = 0.5_f64.powi(count as i32);
            let mut sum = term;
            for i in 0..rank {
                term *= (count - i) as f64 / (i + 1) as f64;
                sum += term;
            }
            sum
        }
        _ => Normal::standard().cdf((2.0 * rank as f64 + 1.0 - count as f64) / (count as f64).sqrt()),
    };
    let keeps = |rank: &usize| 1.0 - 2.0 * below(*rank) >= CONFIDENCE;
    let rank = partition(0, count.div_ceil(2), keeps).saturating_sub(1);
    let confidence = (1.0 - 2.0 * below(rank)).max(0.0);
    Interval { low: sorted[rank], high: sorted[count - 1 - rank], confidence }
}

/// The first number from `from` to `to` for which `holds` no longer holds; it holds up to there.
fn partition(mut from: usize, mut to: usize, holds: impl Fn(&usize) -> bool) -> usize {
    while from < to {
        let middle = from.midpoint(to);
        if holds(&middle) { from = middle + 1 } else { to = middle }
    }
    from
}

/// Tukey's fences (Exploratory Data Analysis, 1977). Below four values there is no middle half to speak of.
fn outliers(samples: &[f64], sorted: &[f64]) -> Vec<Outlier> {
    if samples.len() < 4 {
        return Vec::new();
    }
    let (first, third) = (quantile(sorted, 0.25), quantile(sorted, 0.75));
    let width = third - first;
    let beyond =
        |seconds: f64, widths: f64| seconds < first - widths * width || seconds > third + widths * width;
    samples
        .iter()
        .enumerate()
        .filter(|(_, seconds)| beyond(**seconds, 1.5))
        .map(|(index, &seconds)| Outlier { index, seconds, far: beyond(seconds, 3.0) })
        .collect()
}
