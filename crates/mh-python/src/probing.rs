//! `Neighbours`, the machine's roof, and what a tree of processes has computed: what measurements are made beside.

use std::sync::{Mutex, MutexGuard, PoisonError};

use mh_runtime::{Work, computed_by_descendants};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Threads that work beside whatever is measured.
#[pyclass(frozen, module = "manyhands._native")]
pub struct Neighbours(Mutex<Option<mh_runtime::Neighbours>>);

impl Neighbours {
    fn held(&self) -> MutexGuard<'_, Option<mh_runtime::Neighbours>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Neighbours {
    /// So many, at rest. OSError where there is no room for arrays that no cache holds.
    #[new]
    fn new(py: Python<'_>, count: usize) -> PyResult<Self> {
        Ok(Self(Mutex::new(Some(py.detach(|| mh_runtime::Neighbours::start(count))?))))
    }

    /// From now on all of them "rest", "compute" or "stream".
    fn work(&self, py: Python<'_>, what: &str) -> PyResult<()> {
        let work = match what {
            "rest" => Work::Rest,
            "compute" => Work::Compute,
            "stream" => Work::Stream,
            _ => return Err(PyValueError::new_err(format!("neighbours cannot {what}"))),
        };
        py.detach(|| self.held().as_ref().map(|neighbours| neighbours.work(work)));
        Ok(())
    }

    /// They end.
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.held().take()));
    }
}

/// (Number of threads, bytes per second that they move together), measured when first asked for; empty where it cannot be.
#[pyfunction]
pub fn memory_roof(py: Python<'_>) -> Vec<(u32, f64)> {
    py.detach(mh_runtime::memory_roof).to_vec()
}

/// Seconds that the living descendants of this process, and what these have waited for, have computed: in steps of the system's ticks.
#[pyfunction]
pub fn computed_by_children(py: Python<'_>) -> f64 {
    py.detach(|| computed_by_descendants(std::process::id()))
}
