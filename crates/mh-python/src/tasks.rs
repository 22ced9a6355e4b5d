//! Tasks: calls that were not made yet, each with a function of its own.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyFunction, PyTuple};

use crate::codec::{encode_call, encode_call_with_keywords, start_pickled_call};

/// Functions of one call whose numbers are remembered.
const KNOWN: usize = 256;
/// Functions that were brought along once and may come again.
const MET: usize = 8;

/// `delayed(function)(arguments)` makes a task of a call, for `Parallel`: the tuple `(function, args, kwargs)`.
///
/// joblib's tasks are the same, and either's `Parallel` runs both. Serves as a decorator, too. TypeError for what
/// cannot be called.
///
/// >>> from manyhands import delayed
/// >>> delayed(pow)(2, 5)
/// (<built-in function pow>, (2, 5), {})
#[pyclass(frozen, module = "manyhands", name = "delayed")]
pub struct Delayed {
    function: Py<PyAny>,
}

#[pymethods]
impl Delayed {
    #[new]
    #[pyo3(signature = (function, /))]
    fn new(function: Bound<'_, PyAny>) -> PyResult<Delayed> {
        if !function.is_callable() {
            let kind = function.get_type().qualname()?;
            let hint = "write delayed(function)(arguments), not delayed(function(arguments))";
            return Err(PyTypeError::new_err(format!("delayed takes a function, not {kind}: {hint}")));
        }
        Ok(Delayed { function: function.unbind() })
    }

    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        args: Bound<'py, PyTuple>,
        kwargs: Option<Bound<'py, PyDict>>,
    ) -> (Bound<'py, PyAny>, Bound<'py, PyTuple>, Bound<'py, PyDict>) {
        (self.function.bind(py).clone(), args, kwargs.unwrap_or_else(|| PyDict::new(py)))
    }

    /// Used as a decorator in a class it is a method there.
    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        instance: &Bound<'py, PyAny>,
        _owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if instance.is_none() {
            return Ok(slf.clone().into_any());
        }
        slf.py().import("types")?.getattr("MethodType")?.call1((slf, instance))
    }

    #[getter]
    fn __wrapped__(&self, py: Python<'_>) -> Py<PyAny> {
        self.function.clone_ref(py)
    }

    /// The function's name and what else it has.
    fn __getattr__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        self.function.bind(py).getattr(name)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyAny>, (Py<PyAny>,)) {
        (slf.get_type().into_any(), (slf.get().function.clone_ref(slf.py()),))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("delayed({})", self.function.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)
    }
}

/// One task, taken apart.
pub struct Task<'py> {
    pub function: Bound<'py, PyAny>,
    pub args: Bound<'py, PyTuple>,
    pub kwargs: Bound<'py, PyDict>,
}

impl<'py> Task<'py> {
    /// What `delayed(function)(...)` gave, or any three things of that kind in a row.
    pub fn of(value: &Bound<'py, PyAny>) -> PyResult<Task<'py>> {
        Task::parts(value).ok_or_else(|| {
            let kind = value.get_type().qualname().map_or_else(|_| "this".into(), |name| name.to_string());
            PyTypeError::new_err(format!(
                "Parallel takes tasks, which delayed(function)(arguments) makes, not {kind}"
            ))
        })
    }

    fn parts(value: &Bound<'py, PyAny>) -> Option<Task<'py>> {
        let py = value.py();
        let tuple = match value.cast::<PyTuple>() {
            Ok(tuple) => tuple.clone(),
            Err(_) => as_tuple(value)?,
        };
        let [function, args, kwargs] = tuple.as_slice() else { return None };
        let args = match args.cast::<PyTuple>() {
            Ok(args) => args.clone(),
            Err(_) => as_tuple(args)?,
        };
        let kwargs = match kwargs.cast::<PyDict>() {
            Ok(kwargs) => kwargs.clone(),
            Err(_) => py.get_type::<PyDict>().call1((kwargs,)).ok()?.cast_into().ok()?,
        };
        Some(Task { function: function.clone(), args, kwargs })
    }

    /// Writes the task as a call of object `number`; `false`, with nothing written, when its arguments are not plain.
    pub fn encode_plain(&self, number: u64, out: &mut Vec<u8>) -> bool {
        if self.kwargs.is_empty() {
            encode_call(number, &self.args, out)
        } else {
            encode_call_with_keywords(number, &self.args, &self.kwargs, out)
        }
    }

    /// Begins a call of object `number`, whose `arguments` follow.
    pub fn encode_head(&self, number: u64, out: &mut Vec<u8>) {
        start_pickled_call(number, out);
    }

    /// (args, kwargs).
    pub fn arguments(&self) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(self.args.py(), [self.args.as_any(), self.kwargs.as_any()])
    }

    /// (function, args, kwargs).
    pub fn whole(&self) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(self.args.py(), [&self.function, self.args.as_any(), self.kwargs.as_any()])
    }
}

fn as_tuple<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyTuple>> {
    let elements: PyResult<Vec<_>> = value.try_iter().ok()?.collect();
    PyTuple::new(value.py(), elements.ok()?).ok()
}

/// The numbers under which workers know the functions of one job's tasks.
#[derive(Default)]
pub struct Callees {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The one met last, which is mostly the next one too.
    last: Option<(usize, u64)>,
    numbers: HashMap<usize, Callee>,
    /// Functions that were met and brought along. Few, as what they refer to is kept with them.
    met: VecDeque<Py<PyAny>>,
}

struct Callee {
    /// Keeps the address from becoming another function's.
    _function: Py<PyAny>,
    number: u64,
}

impl Callees {
    /// The function's number, or None where the task brings it along. The session is asked when a function is first met
    /// and when it comes again. Other callables are part of their tasks, and not kept.
    pub fn number_of(
        &self,
        function: &Bound<'_, PyAny>,
        session: &Bound<'_, PyAny>,
    ) -> PyResult<Option<u64>> {
        let own = function.cast_exact::<PyFunction>().is_ok();
        if !own && function.cast_exact::<PyCFunction>().is_err() {
            return Ok(None);
        }
        let address = function.as_ptr() as usize;
        let again = {
            let mut known = self.lock();
            match known.last {
                Some((last, number)) if last == address => return Ok(Some(number)),
                _ => {}
            }
            if let Some(number) = known.numbers.get(&address).map(|callee| callee.number) {
                known.last = Some((address, number));
                return Ok(Some(number));
            }
            known.met.iter().any(|met| met.is(function))
        };
        let number: Option<u64> = session.call_method1("number_of", (function, again))?.extract()?;
        // What is let go of may run code of its own: only after the lock.
        let mut unused = Vec::new();
        let mut known = self.lock();
        match number {
            Some(number) => {
                if known.numbers.len() >= KNOWN {
                    unused.extend(known.numbers.drain().map(|(_, callee)| callee._function));
                }
                let callee = Callee { _function: function.clone().unbind(), number };
                known.numbers.insert(address, callee);
                known.last = Some((address, number));
            }
            None if own && !again => {
                if known.met.len() >= MET {
                    unused.extend(known.met.pop_front());
                }
                known.met.push_back(function.clone().unbind());
            }
            None => {}
        }
        drop(known);
        drop(unused);
        Ok(number)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
