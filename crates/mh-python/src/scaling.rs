//! Laws of scaling, and why it stops.

use mh_scale::fit::{self, Point};
use mh_scale::law::{self, Scaling};
use mh_scale::why::{self, Measured, Observed};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A parameter with its 95% interval: (name, value, low, high).
type Parameter = (&'static str, f64, f64, f64);

/// Laws fitted to times by number of workers.
#[pyclass(frozen)]
pub struct Fit(fit::Fit);

#[pymethods]
impl Fit {
    /// `points`: (workers, seconds of each run).
    #[new]
    fn new(points: Vec<(u32, Vec<f64>)>, weak: bool) -> PyResult<Self> {
        let points: Vec<Point> =
            points.into_iter().map(|(workers, samples)| Point { workers, samples }).collect();
        let scaling = if weak { Scaling::Weak } else { Scaling::Strong };
        fit::Fit::of(scaling, &points).map(Self).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// (name, parameters, seconds of one worker, AICc, whether it misses the measurements) of each law, the one to go by first.
    #[getter]
    fn laws(&self) -> Vec<(&'static str, Vec<Parameter>, f64, f64, bool)> {
        let parameter = |found: &fit::Parameter| (found.name, found.value, found.low, found.high);
        let law = |fitted: &fit::Fitted| {
            let parameters = fitted.parameters.iter().map(parameter).collect();
            (fitted.law.name(), parameters, fitted.one_worker, fitted.aicc, fitted.misfit)
        };
        self.0.laws.iter().map(law).collect()
    }

    /// Were there enough numbers of workers to tell laws apart?
    #[getter]
    fn told(&self) -> bool {
        self.0.is_told()
    }

    /// (number of workers of the greatest speed-up, or None; what no number exceeds, or None) by the best law.
    #[getter]
    fn limits(&self) -> (Option<f64>, Option<f64>) {
        let best = self.0.best();
        (best.law.peak(&best.values()), best.law.limit(&best.values()))
    }

    /// (seconds, low, high) with so many workers.
    fn predict(&self, workers: u32) -> (f64, f64, f64) {
        let expected = self.0.predict(workers);
        (expected.seconds, expected.low, expected.high)
    }
}

/// The share of the work that seems to be serial, from one speed-up alone (Karp and Flatt).
#[pyfunction]
pub fn karp_flatt(speedup: f64, workers: u32) -> f64 {
    law::karp_flatt(speedup, f64::from(workers))
}

/// What a function needs of the machine's memory.
#[pyclass(frozen)]
pub struct Memory(why::Memory);

#[pymethods]
impl Memory {
    /// `roof` as `memory_roof` gives it; seconds of the function beside `workers - 1` threads that compute, and beside as many that
    /// stream. None where that surely makes no difference, or the memory is no limit for so many.
    #[staticmethod]
    fn of(
        roof: Vec<(u32, f64)>,
        workers: u32,
        computing: Vec<f64>,
        streaming: Vec<f64>,
    ) -> PyResult<Option<Self>> {
        let refused = |said: String| PyValueError::new_err(said);
        let roof = why::Roof::of(&roof).ok_or_else(|| refused("a roof begins with one thread".into()))?;
        let found = why::Memory::of(&roof, workers, &computing, &streaming);
        found.map(|memory| memory.map(Self)).map_err(|error| refused(error.to_string()))
    }

    /// The share of its time in which the function needs the memory, with its 95% interval.
    #[getter]
    fn needs(&self) -> (f64, f64, f64) {
        let why::Estimate { value, low, high } = self.0.needs;
        (value, low, high)
    }

    /// By so much of its time alone it takes longer with so many workers, with its 95% interval.
    #[getter]
    fn longer(&self) -> (f64, f64, f64) {
        let why::Estimate { value, low, high } = self.0.longer;
        (value, low, high)
    }
}

/// Where the wall time went.
#[pyclass(frozen)]
pub struct Account(why::Account);

#[pymethods]
impl Account {
    /// Seconds, those of workers summed over all of them.
    #[new]
    #[pyo3(signature = (workers, wall, *, items, run, cpu, transfer, dispatch, start, idle, end, alone, alone_cpu, alone_ready, interpreter, memory=None))]
    #[allow(clippy::too_many_arguments)] // All by keyword.
    fn new(
        workers: u32,
        wall: f64,
        items: u64,
        run: f64,
        cpu: Option<f64>,
        transfer: f64,
        dispatch: f64,
        start: f64,
        idle: f64,
        end: f64,
        alone: f64,
        alone_cpu: Option<f64>,
        alone_ready: f64,
        interpreter: bool,
        memory: Option<PyRef<'_, Memory>>,
    ) -> PyResult<Self> {
        let seen = Observed {
            workers,
            items,
            wall,
            run,
            cpu,
            transfer,
            dispatch,
            start,
            idle,
            end,
            alone,
            alone_cpu,
            alone_ready,
            interpreter,
            memory: memory.map(|memory| memory.0.longer),
        };
        why::Account::of(&seen).map(Self).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// Of a call that was only seen from outside.
    #[staticmethod]
    #[pyo3(signature = (workers, wall, *, cpu, alone_cpu, memory=None))]
    fn outside(
        workers: u32,
        wall: f64,
        cpu: f64,
        alone_cpu: f64,
        memory: Option<PyRef<'_, Memory>>,
    ) -> PyResult<Self> {
        let longer = memory.map(|memory| memory.0.longer);
        let account = why::Account::outside(workers, wall, cpu, alone_cpu, longer);
        account.map(Self).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// The share of the wall time for which workers computed longer than one does alone.
    #[getter]
    fn slower(&self) -> f64 {
        self.0.slower
    }

    /// The mean of several runs; ValueError for none.
    #[staticmethod]
    fn together(runs: Vec<PyRef<'_, Self>>) -> PyResult<Self> {
        let runs: Vec<why::Account> = runs.iter().map(|run| run.0.clone()).collect();
        why::Account::together(&runs).map(Self).ok_or_else(|| PyValueError::new_err("there are no runs"))
    }

    /// (part, share of the wall time, low, high); the shares are 1 together.
    #[getter]
    fn shares(&self) -> Vec<(&'static str, f64, f64, f64)> {
        let row = |&(part, share): &(why::Part, f64)| {
            let (low, high) = self.0.interval(part);
            (part.name(), share, low, high)
        };
        self.0.shares.iter().map(row).collect()
    }
}

/// (cause, text) of what is lost with the largest number of workers; `best` is (workers, speed-up) of the fastest.
#[pyfunction]
#[pyo3(signature = (*, cores, workers, plain, speedup, best, waits=false, fit=None, account=None, memory=None))]
#[allow(clippy::too_many_arguments)] // All by keyword.
pub fn verdict(
    cores: u32,
    workers: u32,
    plain: bool,
    speedup: f64,
    best: (u32, f64),
    waits: bool,
    fit: Option<PyRef<'_, Fit>>,
    account: Option<PyRef<'_, Account>>,
    memory: Option<PyRef<'_, Memory>>,
) -> PyResult<(&'static str, String)> {
    if workers == 0 {
        return Err(PyValueError::new_err("a number of workers is at least 1"));
    }
    let (fit, account) = (fit.as_ref().map(|fit| &fit.0), account.as_ref().map(|account| &account.0));
    let memory = memory.as_ref().map(|memory| &memory.0);
    let said = why::verdict(&Measured { cores, workers, plain, speedup, best, waits, fit, account, memory });
    Ok((said.cause.name(), said.text))
}
