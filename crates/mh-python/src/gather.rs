//! A whole map's answers, put in their places.

use std::collections::HashMap;

use mh_runtime::{Index, Outcome};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::hooks::Hooks;

/// The answers that came so far.
#[derive(Default)]
pub struct Gathered<'py> {
    values: Vec<Option<Bound<'py, PyAny>>>,
    failures: HashMap<Index, Bound<'py, PyAny>>,
    /// Answered, and failed among them, since they were last reported.
    count: usize,
    failed: usize,
}

impl<'py> Gathered<'py> {
    pub fn add(&mut self, index: Index, ok: bool, value: Bound<'py, PyAny>) {
        let place = index as usize;
        if self.values.len() <= place {
            self.values.resize(place + 1, None);
        }
        self.count += 1;
        if !ok {
            self.failed += 1;
            self.failures.insert(index, value.clone());
        }
        self.values[place] = Some(value);
    }

    /// Calls `progress` with (answered, failed among them) since the last call.
    pub fn report(&mut self, progress: Option<&Bound<'py, PyAny>>) -> PyResult<()> {
        let news = (std::mem::take(&mut self.count), std::mem::take(&mut self.failed));
        progress.map_or(Ok(()), |progress| progress.call1(news).map(drop))
    }

    /// The list of results, or the error of the job that ended so. `failed_indices` gets those of failed items, ascending;
    /// else, unless failures are answers like others, the one of lowest index is raised.
    pub fn finish(
        mut self,
        py: Python<'py>,
        outcome: Outcome,
        hooks: &Hooks<'py>,
        return_errors: bool,
        failed_indices: Option<Bound<'py, PyList>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let lost = |what: &str| PyRuntimeError::new_err(format!("{what}; please report this"));
        match outcome {
            Outcome::Complete => {
                if let Some(list) = failed_indices {
                    let mut indices: Vec<u64> = self.failures.into_keys().collect();
                    indices.sort_unstable();
                    indices.into_iter().try_for_each(|index| list.append(index))?;
                } else if let Some(lowest) = self.failures.keys().min().filter(|_| !return_errors) {
                    // It succeeded in its worker, and could not be rebuilt here.
                    return Err(PyErr::from_value(self.failures[lowest].clone()));
                }
                let values: Option<Vec<_>> = self.values.into_iter().collect();
                let values = values.ok_or_else(|| lost("an item was left without an answer"))?;
                Ok(PyList::new(py, values)?.into_any())
            }
            Outcome::Failed { index } => {
                let failure = self.failures.remove(&index);
                Err(PyErr::from_value(failure.ok_or_else(|| lost("a failure was lost"))?))
            }
            Outcome::Cancelled => Err(PyErr::from_value(hooks.0.call_method0("terminated")?)),
            Outcome::Broken => Err(PyErr::from_value(hooks.0.call_method0("broken")?)),
        }
    }
}
