//! `Recording`: what happens from now on; `Trace`: what happened; `MemoryWatch`: what processes take.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mh_runtime::{Footprint, JobId, now, recorder, thread, thread_cpu};
use mh_trace::{
    Activity, Event, Figure, JobKey, Kind, Mark, MemorySample, Run, Trace as Happened, Worker, chrome,
    report, usage,
};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

/// Does anybody want a trace now?
#[pyfunction]
pub fn tracing() -> bool {
    recorder().on()
}

/// In a forked child: the parent's traces are not continued.
#[pyfunction]
pub fn forget_traces() {
    recorder().forget();
}

/// Nanoseconds of the monotonic clock, and what this thread has computed.
#[pyfunction]
pub fn clocks() -> (u64, u64) {
    (now(), thread_cpu())
}

/// Notes an item that the calling thread ran itself, in a plain loop: loop `job` of those of this process, begun at `begun`
/// with `cpu` (see `clocks`).
#[pyfunction]
pub fn note_serial(job: u64, index: u64, begun: u64, cpu: u64, failed: bool) {
    let (at, total) = clocks();
    let worker = Worker { kind: Kind::Caller, pool: 0, id: thread(), pid: std::process::id() };
    let run = Run::one(index, begun, at, total.saturating_sub(cpu), failed);
    recorder().add(Event::Ran { job: JobKey { pool: 0, job }, worker, runs: vec![run], at });
}

/// What such a loop is called.
#[pyfunction]
pub fn name_serial(job: u64, text: String) {
    name_elsewhere(0, job, text, None);
}

/// A number for somebody else's engine, among our own pools.
#[pyfunction]
pub fn new_pool() -> u64 {
    mh_runtime::new_pool()
}

/// What a job of pool `pool` is called, or one of its items.
#[pyfunction]
#[pyo3(signature = (pool, job, text, index=None))]
pub fn name_elsewhere(pool: u64, job: u64, text: String, index: Option<u64>) {
    recorder().add(Event::Named { job: JobKey { pool, job }, index, text });
}

/// Notes that items were given for it.
#[pyfunction]
pub fn note_fed(pool: u64, job: u64, first: u64, count: u64) {
    mh_runtime::note_fed(pool, JobId(job), first, count, now());
}

/// Notes that the caller took these answers.
#[pyfunction]
pub fn note_taken(pool: u64, job: u64, indices: Vec<u64>) {
    mh_runtime::note_taken_indices(pool, JobId(job), indices.into_iter());
}

/// As `_there.Notes` has them: (first, count, begun, called, returned, ended, cpu, bytes in, bytes out, failed).
type Noted = (u64, u64, u64, u64, u64, u64, u64, u64, u64, bool);

/// Notes what one message's worker `id` in process `pid` ran; the message was read there at `arrived`. `sent`, `received`: by this machine's clock.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "a message is all of these")]
pub fn note_elsewhere(
    pool: u64,
    job: u64,
    id: u64,
    pid: u32,
    sent: u64,
    arrived: u64,
    received: u64,
    noted: Vec<Noted>,
) {
    let as_run = |(first, count, begun, called, returned, ended, cpu, bytes_in, bytes_out, failed): Noted| {
        Run { first, count, arrived, begun, called, returned, ended, cpu, bytes_in, bytes_out, failed }
    };
    let mut runs: Vec<Run> = noted.into_iter().map(as_run).collect();
    Run::fit(&mut runs, sent, received);
    let worker = Worker { kind: Kind::Elsewhere, pool, id, pid };
    let job = JobKey { pool, job };
    if let (Some(first), Some(last)) = (runs.first(), runs.last()) {
        let (first, count) = (first.first, last.first + last.count - first.first);
        let bytes = runs.iter().map(|run| run.bytes_in).sum();
        recorder().add(Event::Sent { job, worker, first, count, bytes, shared: Vec::new(), at: sent });
        recorder().add(Event::Ran { job, worker, runs, at: received });
    }
}

/// Between two looks at the memory.
const PERIOD: Duration = Duration::from_millis(50);

/// What our own processes are called.
fn naming(arguments: &[&str]) -> Option<String> {
    let boot = arguments.iter().find(|argument| argument.contains("manyhands._"))?;
    Some(if boot.contains("manyhands._worker") { "worker" } else { "process" }.into())
}

/// Notes everything that happens in this process and its workers until `stop`.
#[pyclass(frozen, module = "manyhands._native")]
pub struct Recording {
    mark: Mark,
    began: u64,
    pid: u32,
    memory: Mutex<Option<Footprint>>,
}

#[pymethods]
impl Recording {
    #[new]
    fn new() -> PyResult<Recording> {
        let pid = std::process::id();
        // Where the kernel does not tell, the trace is made without.
        let memory = Footprint::watch(pid, PERIOD, 100, Box::new(naming)).ok();
        let mark = recorder().begin().ok_or_else(|| {
            PyRuntimeError::new_err(
                "nothing can be traced in this process: it was forked while another thread of its parent noted something",
            )
        })?;
        Ok(Recording { mark, began: now(), pid, memory: Mutex::new(memory) })
    }

    /// What has happened since. A second call gives an empty trace, as does a forked child.
    fn stop(&self, py: Python<'_>) -> Trace {
        let ended = now();
        py.detach(|| {
            let ours = std::process::id() == self.pid;
            let (events, dropped) = if ours { recorder().end(&self.mark) } else { (Vec::new(), 0) };
            let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner).take();
            let mut happened = Happened::assemble(self.pid, self.began, ended, events);
            happened.dropped = dropped;
            happened.memory = memory.map_or_else(Vec::new, |memory| memory.stop(2 * PERIOD));
            Trace { happened }
        })
    }
}

/// What happened.
#[pyclass(frozen, module = "manyhands._native")]
pub struct Trace {
    pub happened: Happened,
}

#[pymethods]
impl Trace {
    /// When it began and ended, on the monotonic clock.
    #[getter]
    fn times(&self) -> (u64, u64) {
        (self.happened.began, self.happened.ended)
    }

    /// Events that were too many to be kept.
    #[getter]
    fn dropped(&self) -> u64 {
        self.happened.dropped
    }

    /// Tasks, jobs, kernels: how many there are.
    #[getter]
    fn counts(&self) -> (usize, usize, usize) {
        (self.happened.tasks.len(), self.happened.jobs.len(), self.happened.kernels.len())
    }

    /// The tasks in the order in which they began, as dicts; times in seconds since the trace began.
    fn tasks<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let began = self.happened.began;
        let seconds = |at: u64| (i128::from(at) - i128::from(began)) as f64 / 1e9;
        let as_dict = |task: &mh_trace::Task| -> PyResult<Bound<'py, PyDict>> {
            let dict = PyDict::new(py);
            let worker = &self.happened.workers[task.worker];
            dict.set_item("name", self.happened.name(task))?;
            dict.set_item("job", (task.job.pool, task.job.job))?;
            dict.set_item("index", task.first)?;
            dict.set_item("count", task.count)?;
            dict.set_item("worker", worker.label())?;
            dict.set_item("pid", worker.pid)?;
            for (name, at) in [
                ("queued", task.queued),
                ("sent", task.sent),
                ("turned", task.turned),
                ("arrived", task.arrived),
                ("begun", task.begun),
                ("called", task.called),
                ("returned", task.returned),
                ("ended", task.ended),
                ("received", task.received),
                ("taken", task.taken),
            ] {
                dict.set_item(name, seconds(at))?;
            }
            dict.set_item("cpu", task.cpu as f64 / 1e9)?;
            dict.set_item("bytes_in", task.bytes_in)?;
            dict.set_item("bytes_out", task.bytes_out)?;
            dict.set_item("ending", task.ending.word())?;
            Ok(dict)
        };
        self.happened.tasks.iter().map(as_dict).collect()
    }

    /// What each worker did, in seconds, as dicts: together as long as from the first item given to the last answer taken.
    fn usage<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let as_dict = |found: mh_trace::WorkerUsage| -> PyResult<Bound<'py, PyDict>> {
            let dict = PyDict::new(py);
            dict.set_item("worker", found.worker.label())?;
            dict.set_item("pid", found.worker.pid)?;
            dict.set_item("tasks", found.tasks)?;
            for (name, spent) in [
                ("run", found.run),
                ("transfer", found.transfer),
                ("dispatch", found.dispatch),
                ("start", found.start),
                ("idle", found.idle),
                ("end", found.end),
                ("cpu", found.cpu),
            ] {
                dict.set_item(name, spent as f64 / 1e9)?;
            }
            Ok(dict)
        };
        usage(&self.happened).workers.into_iter().map(as_dict).collect()
    }

    /// The share of the workers' time in which functions ran, from 0 to 1.
    fn utilisation(&self) -> f64 {
        usage(&self.happened).utilisation()
    }

    /// Calls of compiled functions, as dicts; times in seconds since the trace began.
    fn kernels<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let began = self.happened.began;
        let seconds = |at: u64| (i128::from(at) - i128::from(began)) as f64 / 1e9;
        let as_dict = |kernel: &mh_trace::Kernel| -> PyResult<Bound<'py, PyDict>> {
            let dict = PyDict::new(py);
            dict.set_item("name", &kernel.name)?;
            dict.set_item("begun", seconds(kernel.from))?;
            dict.set_item("ended", seconds(kernel.to))?;
            dict.set_item("threads", kernel.threads)?;
            dict.set_item("blocks", kernel.blocks)?;
            dict.set_item("thread", kernel.thread)?;
            let stint = |stint: &mh_trace::Stint| {
                let (from, to) = (seconds(stint.from), seconds(stint.to));
                (stint.thread, from, to, stint.cpu as f64 / 1e9, stint.blocks)
            };
            dict.set_item("stints", kernel.stints.iter().map(stint).collect::<Vec<_>>())?;
            Ok(dict)
        };
        self.happened.kernels.iter().map(as_dict).collect()
    }

    /// What so many threads did with their time in each compiled call, in seconds, as dicts.
    fn kernel_usage<'py>(&self, py: Python<'py>, threads: u32) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let as_dict = |kernel: &mh_trace::Kernel| -> PyResult<Bound<'py, PyDict>> {
            let (dict, used) = (PyDict::new(py), mh_trace::kernel_usage(kernel, threads));
            for (name, spent) in [
                ("wall", kernel.to - kernel.from),
                ("run", used.run),
                ("cpu", used.cpu),
                ("dispatch", used.dispatch),
                ("idle", used.idle),
                ("end", used.end),
            ] {
                dict.set_item(name, spent as f64 / 1e9)?;
            }
            Ok(dict)
        };
        self.happened.kernels.iter().map(as_dict).collect()
    }

    /// Seconds that callers spent on pickling items and rebuilding answers.
    fn caller(&self) -> f64 {
        let busy = self.happened.callers.iter().filter(|caller| caller.activity != Activity::Wait);
        busy.map(|caller| caller.to - caller.from).sum::<u64>() as f64 / 1e9
    }

    /// (seconds, PSS of all) of each look at the memory.
    fn memory(&self) -> Vec<(f64, u64)> {
        let began = self.happened.began;
        let seconds = |at: u64| (i128::from(at) - i128::from(began)) as f64 / 1e9;
        self.happened.memory.iter().map(|sample| (seconds(sample.at), sample.pss())).collect()
    }

    /// A page of HTML, with pictures: (title, SVG).
    fn report<'py>(
        &self,
        py: Python<'py>,
        title: &str,
        figures: Vec<(String, String)>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let figures: Vec<Figure> = figures.into_iter().map(|(title, svg)| Figure { title, svg }).collect();
        let text = py.detach(|| {
            let mut text = Vec::new();
            report(&self.happened, title, &figures, &mut text).map(|()| text)
        })?;
        Ok(PyBytes::new(py, &text))
    }

    /// The trace in the format that Perfetto and chrome://tracing open.
    fn chrome<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let text = py.detach(|| {
            let mut text = Vec::new();
            chrome(&self.happened, &mut text).map(|()| text)
        })?;
        Ok(PyBytes::new(py, &text))
    }
}

/// Looks at the memory of this process and its descendants until `stop`.
#[pyclass(frozen, module = "manyhands._native")]
pub struct MemoryWatch {
    footprint: Mutex<Option<Footprint>>,
    began: u64,
}

/// (seconds since the beginning, [(name, pid, PSS, private, in shared memory)]).
type Look = (f64, Vec<(String, u32, u64, u64, u64)>);

#[pymethods]
impl MemoryWatch {
    /// Looks every `period` seconds, or less often where that would take more than a tenth of the time.
    #[new]
    fn new(period: f64) -> PyResult<MemoryWatch> {
        let pid = std::process::id();
        let footprint = Footprint::watch(pid, Duration::from_secs_f64(period), 10, Box::new(naming))?;
        let began = now();
        Ok(MemoryWatch { footprint: Mutex::new(Some(footprint)), began })
    }

    /// What was seen, at the beginning and now at least.
    fn stop(&self, py: Python<'_>) -> Vec<Look> {
        let footprint = self.footprint.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(footprint) = footprint else { return Vec::new() };
        let look = |sample: MemorySample| {
            let seconds = sample.at.saturating_sub(self.began) as f64 / 1e9;
            let processes = sample.processes.into_iter();
            let of_each = processes
                .map(|process| (process.name, process.pid, process.pss, process.anonymous, process.shared))
                .collect();
            (seconds, of_each)
        };
        py.detach(|| footprint.stop(Duration::ZERO)).into_iter().map(look).collect()
    }
}
