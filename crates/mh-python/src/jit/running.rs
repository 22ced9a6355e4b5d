//! A compiled version, and one call of it.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mh_compile::call::{Kernel, Stopped};
use mh_compile::compile::{Argument, Info};
use mh_runtime::{now, recorder, thread, thread_cpu};
use mh_trace::{Event, Stint};
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::arguments::fill;
use super::failures;
use super::guards::{Guard, Guards, Hidden};
use super::results;
use crate::ffi::kernel::{Asked, Frame};

/// Code for some types of arguments, with what it leans on.
pub struct Compiled {
    kernel: Kernel,
    guards: Guards,
    hidden: Vec<Hidden>,
    /// Objects of the program by the compiler's numbers, for the exceptions that it raises.
    objects: Vec<Py<PyAny>>,
    /// Takes arrays of any layout where it was compiled for such: made ahead of time, it has no versions beside it.
    loose: bool,
    /// Of the frame: arguments, hidden ones, results.
    pub slots: usize,
    /// For each of `info.notices`: was it said?
    noticed: Vec<AtomicBool>,
}

impl Compiled {
    pub fn new(
        py: Python<'_>,
        kernel: Kernel,
        guards: Vec<Guard>,
        hidden: Vec<Hidden>,
        objects: Vec<Py<PyAny>>,
    ) -> Compiled {
        let info = kernel.info();
        let arguments: usize = info.arguments.iter().map(super::arguments::slots_of).sum();
        let of_hidden: usize =
            hidden.iter().map(|hidden| super::arguments::slots_of(&Argument::Array(hidden.array))).sum();
        let slots = arguments + of_hidden + results::slots_of(&info.result);
        let noticed = info.notices.iter().map(|_| AtomicBool::new(false)).collect();
        let guards = Guards::new(py, guards);
        Compiled { kernel, guards, hidden, objects, loose: false, slots, noticed }
    }

    pub fn loose(self) -> Compiled {
        Compiled { loose: true, ..self }
    }

    fn info(&self) -> &Info {
        self.kernel.info()
    }

    pub fn arguments(&self) -> &[Argument] {
        &self.info().arguments
    }

    /// `(int, array(float64, 1d, C))`.
    pub fn signature(&self) -> String {
        let arguments: Vec<_> = self.info().arguments.iter().map(ToString::to_string).collect();
        format!("({})", arguments.join(", "))
    }

    /// Puts a call's values into a frame. False where this is not the version for them.
    #[inline]
    pub fn accepts<'py>(
        &self,
        py: Python<'py>,
        values: &[Bound<'py, PyAny>],
        frame: &mut Frame<'py>,
    ) -> PyResult<bool> {
        if values.len() != self.info().arguments.len() {
            return Ok(false);
        }
        for (argument, value) in self.info().arguments.iter().zip(values) {
            if !fill(frame, argument, value, self.loose) {
                return Ok(false);
            }
        }
        if !self.guards.hold(py)? {
            return Ok(false);
        }
        for hidden in &self.hidden {
            match hidden.place.value(py)? {
                Some(value) if fill(frame, &Argument::Array(hidden.array), &value, false) => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// What of the surroundings is not as it was when this was compiled.
    pub fn changed(&self, py: Python<'_>) -> PyResult<Option<String>> {
        if let Some(name) = self.guards.changed(py)? {
            return Ok(Some(name));
        }
        Ok(self.hidden.first().map(|hidden| hidden.name.clone()))
    }

    /// Runs it with what `accepts` has put into the frame.
    #[inline]
    pub fn run<'py>(&self, py: Python<'py>, frame: &mut Frame<'py>) -> PyResult<Bound<'py, PyAny>> {
        let key = if self.info().random { next_key(py)? } else { 0 };
        let caller = Caller {
            compiled: self,
            failed: Mutex::new(None),
            threads: AtomicU32::new(1),
            blocks: AtomicU64::new(0),
            stints: recorder().on().then(Mutex::default),
        };
        let noted = caller.stints.is_some().then(now);
        let called = frame.call(py, &self.kernel, key, &caller);
        if let Some(from) = noted {
            self.note(&caller, from);
        }
        let outcome = match called {
            Ok(mut results) => results::build(py, &self.info().result, &mut results),
            Err(Stopped::Raised { site, values }) => {
                Err(failures::raised(py, self.info(), &self.objects, site, &values))
            }
            Err(Stopped::Interrupted) => return Err(caller.error()),
        };
        // What came up while it printed or warned.
        match caller.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => outcome,
        }
    }

    /// For a trace.
    fn note(&self, caller: &Caller<'_>, from: u64) {
        recorder().add(Event::Kernel {
            name: self
                .info()
                .sources
                .first()
                .map_or_else(|| "compiled".into(), |source| source.function.clone()),
            thread: thread(),
            from,
            to: now(),
            threads: caller.threads.load(Ordering::Relaxed),
            blocks: caller.blocks.load(Ordering::Relaxed),
            stints: caller.stints().map_or_else(Vec::new, |mut stints| std::mem::take(&mut *stints)),
        });
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.guards.traverse(visit)?;
        self.hidden.iter().try_for_each(|hidden| hidden.place.traverse(visit))?;
        self.objects.iter().try_for_each(|object| visit.call(object))
    }
}

/// Of one call, in a trace: further ones are not kept.
const MOST_STINTS: usize = 1_000_000;

/// What a kernel asks of Python while it runs.
struct Caller<'a> {
    compiled: &'a Compiled,
    /// Why it was told to stop.
    failed: Mutex<Option<PyErr>>,
    /// Most threads that ran blocks of one loop, and how many blocks all loops had.
    threads: AtomicU32,
    blocks: AtomicU64,
    /// Which thread ran blocks when, where somebody wants to know.
    stints: Option<Mutex<Vec<Stint>>>,
}

impl Caller<'_> {
    fn stints(&self) -> Option<MutexGuard<'_, Vec<Stint>>> {
        Some(self.stints.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps an exception, the first of them. True: there was one.
    fn stop(&self, result: PyResult<()>) -> bool {
        let Err(error) = result else { return false };
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        true
    }

    fn error(&self) -> PyErr {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        failed.unwrap_or_else(|| super::broken("a compiled function was stopped by nobody".to_owned()))
    }
}

impl Asked for Caller<'_> {
    /// Only the main thread hears of signals; elsewhere this asks for nothing.
    fn poll(&self, py: Python<'_>) -> bool {
        self.stop(py.check_signals())
    }

    fn print(&self, py: Python<'_>, text: &str) {
        let shown =
            py.import("sys").and_then(|sys| sys.getattr("stdout")).and_then(|out| match out.is_none() {
                true => Ok(()),
                false => out.call_method1("write", (text,)).map(drop),
            });
        self.stop(shown);
    }

    fn shared(&self, threads: u32, blocks: u64) {
        self.threads.fetch_max(threads, Ordering::Relaxed);
        self.blocks.fetch_add(blocks, Ordering::Relaxed);
    }

    fn joined(&self) -> [u64; 2] {
        if self.stints.is_some() { [now(), thread_cpu()] } else { [0; 2] }
    }

    fn left(&self, [from, computed]: [u64; 2], number: u64, blocks: u64) {
        if let Some(mut stints) = self.stints()
            && stints.len() < MOST_STINTS
        {
            let cpu = thread_cpu().saturating_sub(computed);
            stints.push(Stint { thread: thread(), number, from, to: now(), cpu, blocks });
        }
    }

    fn notice(&self, py: Python<'_>, number: u32) {
        let number = number as usize;
        let (Some(notice), Some(said)) =
            (self.compiled.info().notices.get(number), self.compiled.noticed.get(number))
        else {
            return;
        };
        if said.swap(true, Ordering::Relaxed) {
            return;
        }
        let text = failures::notice(&self.compiled.info().sources, notice.span, &notice.text);
        // Where warnings are errors, this is one.
        self.stop(failures::warn(py, &text));
    }
}

/// The key of a call's random numbers.
fn next_key(py: Python<'_>) -> PyResult<u64> {
    let (words, number): (Vec<u64>, u64) =
        py.import("manyhands._random")?.call_method0("kernel_call")?.extract()?;
    let bytes: Vec<u8> = words.iter().chain([&number]).flat_map(|word| word.to_le_bytes()).collect();
    Ok(xxhash_rust::xxh3::xxh3_64(&bytes))
}

/// How many threads compiled functions may use, all of them together.
#[pyfunction]
pub fn get_num_threads() -> usize {
    mh_compile::threads::threads()
}

/// Lets compiled functions use so many threads, all of them together. The answers are the same for any number.
#[pyfunction]
#[pyo3(signature = (number, /))]
pub fn set_num_threads(number: i64) -> PyResult<()> {
    match usize::try_from(number) {
        Ok(number) if number > 0 => mh_compile::threads::set_threads(number).map_err(PyValueError::new_err),
        _ => Err(PyValueError::new_err(format!("the number of threads must be at least 1, not {number}"))),
    }
}
