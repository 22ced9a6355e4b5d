//! Repeated measurements of a time: how often to measure, and what the measurements say.
//!
//! The distribution of run times has a hard lower end and a long upper one, and differs from machine to machine, so nothing here
//! assumes its form: intervals come from order statistics, outliers from quartiles.

mod ratio;
mod repetition;
mod summary;
mod sweep;

pub use ratio::Ratio;
pub use repetition::{Enough, Repetition, Step};
pub use summary::{Interval, Outlier, Summary};
pub use sweep::{Sweep, Turn};

/// What is wrong with a set of measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    #[error("there are no measurements")]
    None,
    #[error("a measured time must be a finite number of seconds, not negative")]
    NotATime,
    #[error("a ratio needs times that are more than 0")]
    NoTime,
}

/// When to stop measuring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patience {
    /// Seconds that all measurements may take together.
    pub budget: f64,
    /// The interval of a median is narrow when its half-width is this share of the median.
    pub narrow: f64,
    /// Never fewer samples than this, while the budget lasts.
    pub least: usize,
    /// Never more.
    pub most: usize,
}

impl Patience {
    /// To a hundredth of the median, with at least nine samples: the first number for which the interval leaves out the fastest and
    /// the slowest.
    pub fn of(budget: f64) -> Self {
        Self { budget, narrow: 0.01, least: 9, most: 200 }
    }
}

#[cfg(test)]
mod tests;
