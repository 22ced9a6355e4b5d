//! `SemLock`: what multiprocessing's locks, semaphores and conditions stand on, over a semaphore without a name.

use std::os::fd::AsRawFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{ThreadId, current};
use std::time::{Duration, Instant};

use mh_runtime::{Semaphore, SemaphoreTaken as Taken};
use pyo3::exceptions::{PyAssertionError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::ffi::duplicate;

/// As multiprocessing numbers them: a mutex that its owner may take again; a semaphore.
const RECURSIVE: u8 = 0;

/// What this process knows of who holds it.
#[derive(Default)]
struct Held {
    /// How often it was taken here, less how often it was given back.
    count: i64,
    last: Option<ThreadId>,
}

/// The calls of `_multiprocessing.SemLock`.
#[pyclass(frozen, module = "manyhands._native")]
pub struct SemLock {
    semaphore: Semaphore,
    /// 0: a mutex that its owner may take again; 1: a semaphore.
    #[pyo3(get)]
    kind: u8,
    #[pyo3(get)]
    maxvalue: u32,
    held: Mutex<Held>,
}

#[pymethods]
impl SemLock {
    #[new]
    fn new(kind: u8, value: u32, maxvalue: u32) -> PyResult<SemLock> {
        if value > maxvalue {
            return Err(PyValueError::new_err("the value is larger than the largest value"));
        }
        Ok(SemLock { semaphore: Semaphore::create(value)?, kind, maxvalue, held: Mutex::default() })
    }

    /// The one that another process has under `fd` (which stays open) and `place`.
    #[staticmethod]
    fn open(fd: i32, place: usize, kind: u8, maxvalue: u32) -> PyResult<SemLock> {
        let semaphore = Semaphore::open(duplicate(fd)?, place)?;
        Ok(SemLock { semaphore, kind, maxvalue, held: Mutex::default() })
    }

    #[getter]
    fn handle(&self) -> i32 {
        self.semaphore.fd().as_raw_fd()
    }

    #[getter]
    fn place(&self) -> usize {
        self.semaphore.place()
    }

    #[pyo3(signature = (block=true, timeout=None))]
    fn acquire(&self, py: Python<'_>, block: bool, timeout: Option<f64>) -> PyResult<bool> {
        if self.kind == RECURSIVE && self.is_mine() {
            self.held().count += 1;
            return Ok(true);
        }
        // One that is out of range is as good as none.
        let timeout = match timeout {
            _ if !block => Some(Duration::ZERO),
            Some(timeout) => Duration::try_from_secs_f64(timeout.max(0.0)).ok(),
            None => None,
        };
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut taken = self.semaphore.take(Some(Duration::ZERO));
        while taken != Taken::Yes {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(false);
            }
            taken = py.detach(|| self.semaphore.take(left));
            if taken == Taken::Interrupted {
                py.check_signals()?;
            }
        }
        let mut held = self.held();
        held.count += 1;
        held.last = Some(current().id());
        Ok(true)
    }

    fn release(&self) -> PyResult<()> {
        if self.kind == RECURSIVE {
            if !self.is_mine() {
                let text = "attempt to release recursive lock not owned by thread";
                return Err(PyAssertionError::new_err(text));
            }
            let mut held = self.held();
            if held.count > 1 {
                held.count -= 1;
                return Ok(());
            }
        }
        // Before the release: another thread of this process may have it the moment after.
        self.held().count -= 1;
        if !self.semaphore.release(self.maxvalue) {
            self.held().count += 1;
            return Err(PyValueError::new_err("semaphore or lock released too many times"));
        }
        Ok(())
    }

    fn __enter__(&self, py: Python<'_>) -> PyResult<bool> {
        self.acquire(py, true, None)
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, _error: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.release()
    }

    fn _count(&self) -> i64 {
        self.held().count
    }

    fn _is_mine(&self) -> bool {
        self.is_mine()
    }

    fn _get_value(&self) -> u32 {
        self.semaphore.value()
    }

    fn _is_zero(&self) -> bool {
        self.semaphore.value() == 0
    }

    /// In a forked child: what the parent's threads hold, this process does not.
    fn _after_fork(&self) {
        *self.held() = Held::default();
    }
}

impl SemLock {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_mine(&self) -> bool {
        let held = self.held();
        held.count > 0 && held.last == Some(current().id())
    }
}
