//! What the binding asks of the Python side: errors in the users' own classes, prints in the caller's own streams.

use mh_runtime::{Death, Fault, Index, Print};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::codec::Pickled;

/// The Python object (`manyhands._workers.Hooks`) that answers these questions.
pub struct Hooks<'py>(pub Bound<'py, PyAny>);

impl<'py> Hooks<'py> {
    /// Shows what a worker printed.
    pub fn emit(&self, print: &Print) -> PyResult<()> {
        let bytes = PyBytes::new(self.0.py(), &print.bytes);
        self.0.call_method1("emit", (print.stream, bytes)).map(drop)
    }

    /// The exception that a worker described.
    pub fn failure(&self, description: &[u8], index: Index) -> PyResult<Bound<'py, PyAny>> {
        self.0.call_method1("failure", (PyBytes::new(self.0.py(), description), index))
    }

    /// The exception for an item whose worker died or was killed; `item` is the item, where it is known.
    pub fn lost(
        &self,
        index: Index,
        fault: &Fault,
        pid: u32,
        item: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match *fault {
            Fault::Died { death, attempts } => {
                let (signal, code, memory) = death_parts(death);
                self.0.call_method1("died", (index, item, pid, signal, code, memory, attempts))
            }
            Fault::TimedOut { after, attempts } => {
                self.0.call_method1("timed_out", (index, item, after as f64 / 1e9, attempts))
            }
            Fault::Cancelled => self.0.call_method0("cancelled"),
        }
    }

    /// What an item's pickle holds, as far as that can be shown without running code of the user's: loading it may be what
    /// its worker died of.
    pub fn glimpse(&self, pickled: Pickled<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
        let bytes = PyBytes::new(self.0.py(), pickled.bytes);
        self.0.call_method1("glimpse", (bytes, pickled.buffers))
    }

    /// The error for a result that cannot be rebuilt in this process, with a note about whose it was.
    pub fn unreadable(&self, error: PyErr, index: Index) -> PyResult<Bound<'py, PyAny>> {
        self.0.call_method1("unreadable", (error.into_value(self.0.py()), index))
    }

    /// The error for an item that cannot be sent: the one that was raised, with a note about which item it was.
    pub fn unsendable(&self, error: PyErr, index: Index, item: &Bound<'py, PyAny>) -> PyErr {
        let py = self.0.py();
        match self.0.call_method1("unsendable", (error.value(py), index, item)) {
            Ok(found) => PyErr::from_value(found),
            Err(other) => other,
        }
    }
}

/// A death as Python takes it: signal, exit code, whether the kernel killed for memory.
pub fn death_parts(death: Death) -> (Option<i32>, Option<i32>, bool) {
    match death {
        Death::Signal { number, out_of_memory } => (Some(number), None, out_of_memory),
        Death::Exit { code } => (None, Some(code), false),
        Death::Unknown => (None, None, false),
    }
}
