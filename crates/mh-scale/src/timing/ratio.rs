//! How many times as fast.

use super::summary::CONFIDENCE;
use super::{Interval, Summary, TimingError};

/// The ratio of two medians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    pub value: f64,
    pub interval: Interval,
}

impl Ratio {
    /// `above` by `below`, from independent measurements. The interval is put together from those of the two medians, on the
    /// logarithmic scale, each side by itself (MOVER: Zou and Donner, Statistics in Medicine 27, 2008), so that it leans as they do.
    pub fn of(above: &Summary, below: &Summary) -> Result<Self, TimingError> {
        if [above, below].iter().any(|summary| summary.best <= 0.0) {
            return Err(TimingError::NoTime);
        }
        let value = above.median / below.median;
        let apart = |one: f64, other: f64| (one / other).ln();
        let low = apart(above.median, above.interval.low).hypot(apart(below.interval.high, below.median));
        let high = apart(above.interval.high, above.median).hypot(apart(below.median, below.interval.low));
        let confidence = above.interval.confidence.min(below.interval.confidence);
        Ok(Self {
            value,
            interval: Interval { low: value * (-low).exp(), high: value * high.exp(), confidence },
        })
    }

    /// From enough measurements for an interval of 95%?
    pub fn is_sure(&self) -> bool {
        self.interval.confidence >= CONFIDENCE
    }

    /// Surely more than 1?
    pub fn is_more(&self) -> bool {
        self.interval.low > 1.0
    }

    /// Surely less than 1?
    pub fn is_less(&self) -> bool {
        self.interval.high < 1.0
    }
}
