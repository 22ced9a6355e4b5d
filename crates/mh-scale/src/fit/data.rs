//! Measured times by number of workers, as the laws are fitted to them.

use super::FitError;
use crate::law::Scaling;

/// Times closer to each other than this share are the same: no clock and no machine is better than that.
const LEAST_SPREAD: f64 = 1e-4;

/// The measurements with so many workers.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    pub workers: u32,
    /// Seconds, one for each run.
    pub samples: Vec<f64>,
}

/// Medians on the logarithmic scale. Their errors are taken to be shares of the time, alike for all numbers of workers: with a few
/// runs of each, only all together tell how large they are.
#[derive(Debug, Clone)]
pub struct Data {
    pub scaling: Scaling,
    /// (workers, ln of the median in seconds, standard error of that).
    pub points: Vec<(f64, f64, f64)>,
    /// How many runs there were in all.
    pub runs: usize,
    /// Degrees of freedom of the errors; 0 where nothing was run twice, and the errors are then 1.
    pub freedom: usize,
}

impl Data {
    pub fn of(scaling: Scaling, points: &[Point]) -> Result<Self, FitError> {
        let mut points: Vec<&Point> = points.iter().collect();
        points.sort_by_key(|point| point.workers);
        if points.windows(2).any(|pair| pair[0].workers == pair[1].workers) {
            return Err(FitError::Twice);
        }
        if points.len() < 2 {
            return Err(FitError::TooFew);
        }
        if points.iter().any(|point| point.workers == 0) {
            return Err(FitError::NoWorkers);
        }
        let samples = points.iter().flat_map(|point| &point.samples);
        if points.iter().any(|point| point.samples.is_empty())
            || samples.clone().any(|s| !(s.is_finite() && *s > 0.0))
        {
            return Err(FitError::NotATime);
        }
        let runs = samples.count();
        let freedom = runs - points.len();
        let squares: f64 = points.iter().map(|point| squares(&point.samples)).sum();
        let spread = if freedom > 0 { (squares / freedom as f64).sqrt().max(LEAST_SPREAD) } else { 1.0 };
        let points = points
            .iter()
            .map(|point| {
                (f64::from(point.workers), median_log(&point.samples), spread * error_of(point.samples.len()))
            })
            .collect();
        Ok(Self { scaling, points, runs, freedom })
    }

    /// The standard error of a median of as many runs as are usual here.
    pub fn usual_error(&self) -> f64 {
        self.points.iter().map(|point| point.2).sum::<f64>() / self.points.len() as f64
    }
}

/// The sum of squared distances of the logarithms from their mean.
fn squares(samples: &[f64]) -> f64 {
    let mean = samples.iter().map(|seconds| seconds.ln()).sum::<f64>() / samples.len() as f64;
    samples.iter().map(|seconds| (seconds.ln() - mean).powi(2)).sum()
}

fn median_log(samples: &[f64]) -> f64 {
    let mut logs: Vec<f64> = samples.iter().map(|seconds| seconds.ln()).collect();
    logs.sort_by(f64::total_cmp);
    (logs[(logs.len() - 1) / 2] + logs[logs.len() / 2]) / 2.0
}

/// The standard error of the median of so many normal values, whose own deviation is 1 (within two hundredths).
fn error_of(runs: usize) -> f64 {
    use std::f64::consts::FRAC_PI_2;
    let n = runs as f64;
    if runs <= 2 { (1.0 / n).sqrt() } else { (FRAC_PI_2 / (n + FRAC_PI_2 - 1.0)).sqrt() }
}
