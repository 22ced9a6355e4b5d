//! Measurements: `Repetition`, `Sweep`, and what they say.

use mh_scale::timing::{self, Enough, Patience, Ratio, Step, Turn};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Measurements of one thing, in seconds.
#[pyclass(frozen, get_all)]
pub struct Summary {
    samples: Vec<f64>,
    mean: f64,
    deviation: f64,
    median: f64,
    /// (low, high) of the median.
    interval: (f64, f64),
    confidence: f64,
    best: f64,
    worst: f64,
    /// (index, seconds, far) of each.
    outliers: Vec<(usize, f64, bool)>,
}

#[pymethods]
impl Summary {
    #[new]
    fn new(samples: Vec<f64>) -> PyResult<Self> {
        let summary = timing::Summary::of(&samples).map_err(refused)?;
        let outliers =
            summary.outliers.iter().map(|outlier| (outlier.index, outlier.seconds, outlier.far)).collect();
        Ok(Self {
            mean: summary.mean,
            deviation: summary.deviation,
            median: summary.median,
            interval: (summary.interval.low, summary.interval.high),
            confidence: summary.interval.confidence,
            best: summary.best,
            worst: summary.worst,
            outliers,
            samples,
        })
    }
}

/// How many times as long the samples `above` took as those `below`: (ratio of medians, low, high, confidence).
#[pyfunction]
pub fn ratio(above: Vec<f64>, below: Vec<f64>) -> PyResult<(f64, f64, f64, f64)> {
    let summary = |samples: &[f64]| timing::Summary::of(samples).map_err(refused);
    let ratio = Ratio::of(&summary(&above)?, &summary(&below)?).map_err(refused)?;
    Ok((ratio.value, ratio.interval.low, ratio.interval.high, ratio.interval.confidence))
}

/// How often one thing is measured.
#[pyclass]
pub struct Repetition(timing::Repetition);

#[pymethods]
impl Repetition {
    #[new]
    #[pyo3(signature = (now, *, budget, granularity, narrow=None, least=None, most=None))]
    fn new(
        now: f64,
        budget: f64,
        granularity: f64,
        narrow: Option<f64>,
        least: Option<usize>,
        most: Option<usize>,
    ) -> Self {
        Self(timing::Repetition::new(patience(budget, narrow, least, most), granularity, now))
    }

    /// ("probe" or "sample", loops), or ("narrow", "spent" or "many", 0) when it is enough.
    fn step(&self) -> (&'static str, u64) {
        match self.0.step() {
            Step::Probe { loops } => ("probe", loops),
            Step::Sample { loops } => ("sample", loops),
            Step::Stop(why) => (word(why), 0),
        }
    }

    /// What was asked for took `seconds` in all, and ended at `now`.
    fn record(&mut self, seconds: f64, now: f64) {
        self.0.record(seconds, now);
    }

    #[getter]
    fn loops(&self) -> u64 {
        self.0.loops()
    }

    /// Seconds of one call, by sample.
    #[getter]
    fn times(&self) -> Vec<f64> {
        self.0.times().to_vec()
    }
}

/// Several things measured in turn, in rounds of random order.
#[pyclass]
pub struct Sweep {
    sweep: timing::Sweep,
    things: usize,
    turn: Turn,
}

#[pymethods]
impl Sweep {
    #[new]
    #[pyo3(signature = (things, now, *, budget, seed=0, narrow=None, least=None, most=None))]
    fn new(
        things: usize,
        now: f64,
        budget: f64,
        seed: u64,
        narrow: Option<f64>,
        least: Option<usize>,
        most: Option<usize>,
    ) -> Self {
        let sweep = timing::Sweep::new(things, patience(budget, narrow, least, most), seed, now);
        Self { sweep, things, turn: Turn::Stop(Enough::Spent) }
    }

    /// ("warm" or "run", which), or ("narrow", "spent" or "many", 0) when it is enough.
    fn turn(&mut self) -> (&'static str, usize) {
        self.turn = self.sweep.turn();
        match self.turn {
            Turn::Warm(thing) => ("warm", thing),
            Turn::Run(thing) => ("run", thing),
            Turn::Stop(why) => (word(why), 0),
        }
    }

    /// The turn that was asked for took `seconds`, and ended at `now`.
    fn record(&mut self, seconds: f64, now: f64) {
        self.sweep.record(self.turn, seconds, now);
    }

    /// Seconds by run of one thing; of its warm-up where there was time for no other.
    fn samples(&self, thing: usize) -> PyResult<Vec<f64>> {
        if thing >= self.things {
            return Err(PyValueError::new_err("there is no such thing"));
        }
        Ok(self.sweep.samples(thing))
    }

    /// Were all run at least once?
    #[getter]
    fn whole(&self) -> bool {
        self.sweep.is_whole()
    }
}

fn patience(budget: f64, narrow: Option<f64>, least: Option<usize>, most: Option<usize>) -> Patience {
    let usual = Patience::of(budget);
    Patience {
        narrow: narrow.unwrap_or(usual.narrow),
        least: least.unwrap_or(usual.least),
        most: most.unwrap_or(usual.most),
        ..usual
    }
}

fn word(why: Enough) -> &'static str {
    match why {
        Enough::Narrow => "narrow",
        Enough::Spent => "spent",
        Enough::Many => "many",
    }
}

fn refused(error: timing::TimingError) -> PyErr {
    PyValueError::new_err(error.to_string())
}
