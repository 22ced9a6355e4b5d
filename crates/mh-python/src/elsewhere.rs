//! `Scheduler`: the engine's decisions for work that somebody else's executor runs. Events go in as calls, instructions
//! come out as tuples; there is no process and no message here.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use mh_engine::{
    Death, Engine, Event, Fault, Index, Instruction, JobId, JobOptions, MessageId, Nanos, OnError, Outcome,
    Settings, WorkerId,
};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// What is to be done, each as (what, ...). See `manyhands._native.pyi` for the Python side.
type Steps<'py> = PyResult<Vec<Bound<'py, PyTuple>>>;

/// Decides what somebody else's workers are sent next: slots, each of which holds one message.
#[pyclass(frozen, module = "manyhands._native")]
pub struct Scheduler {
    engine: Mutex<Engine>,
    started: Instant,
}

#[pymethods]
impl Scheduler {
    #[new]
    fn new(slots: usize, target: f64) -> Scheduler {
        let settings = Settings { depth: 1, recall: false, target: nanos(target), ..Settings::new(slots) };
        let mut engine = Engine::new(settings);
        let mut out = Vec::new();
        engine.start(0, &mut out);
        settle(&mut engine, 0, &mut out);
        Scheduler { engine: Mutex::new(engine), started: Instant::now() }
    }

    #[pyo3(signature = (job, *, return_errors=false, retries=0, buffer=None))]
    fn open<'py>(
        &self,
        py: Python<'py>,
        job: u64,
        return_errors: bool,
        retries: u32,
        buffer: Option<u64>,
    ) -> Steps<'py> {
        let on_error = if return_errors { OnError::Return } else { OnError::Raise };
        let options = JobOptions { on_error, retries, buffer, ..JobOptions::default() };
        self.give(py, Event::Open { job: JobId(job), options })
    }

    fn feed<'py>(&self, py: Python<'py>, job: u64, count: u64) -> Steps<'py> {
        self.give(py, Event::Feed { job: JobId(job), count })
    }

    fn end_of_input<'py>(&self, py: Python<'py>, job: u64) -> Steps<'py> {
        self.give(py, Event::EndOfInput { job: JobId(job) })
    }

    fn cancel<'py>(&self, py: Python<'py>, job: u64) -> Steps<'py> {
        self.give(py, Event::Cancel { job: JobId(job), kill: false })
    }

    /// The caller no longer wants this item of the job.
    fn withdraw<'py>(&self, py: Python<'py>, job: u64, index: u64) -> Steps<'py> {
        self.give(py, Event::Withdraw { job: JobId(job), index, kill: false })
    }

    /// The message was answered; `failed` holds the indices of items that raised, `busy` is in seconds.
    fn done<'py>(
        &self,
        py: Python<'py>,
        slot: u64,
        message: u64,
        count: u64,
        failed: Vec<Index>,
        busy: f64,
    ) -> Steps<'py> {
        let (worker, message) = (WorkerId(slot), MessageId(message));
        self.give(py, Event::Done { worker, message, count, failed: &failed, busy: nanos(busy) })
    }

    /// The message was lost with its worker.
    fn gone<'py>(&self, py: Python<'py>, slot: u64, message: u64) -> Steps<'py> {
        let (worker, message) = (WorkerId(slot), MessageId(message));
        self.give(py, Event::Gone { worker, message, death: Death::Unknown })
    }

    /// Answer to "drop": so many items of the message, all or none, have not begun and will not.
    fn dropped<'py>(&self, py: Python<'py>, slot: u64, message: u64, count: u64) -> Steps<'py> {
        let (worker, message) = (WorkerId(slot), MessageId(message));
        self.give(py, Event::Recalled { worker, message, count })
    }

    /// Nothing can be run any more.
    fn broken<'py>(&self, py: Python<'py>) -> Steps<'py> {
        self.give(py, Event::Broken)
    }

    /// No further jobs.
    fn drain<'py>(&self, py: Python<'py>) -> Steps<'py> {
        self.give(py, Event::Drain)
    }

    /// From now on a message should take so many seconds.
    fn aim(&self, target: f64) {
        self.lock().aim(nanos(target));
    }

    /// How many more items of the job may be fed now.
    fn room(&self, job: u64) -> u64 {
        self.lock().room(JobId(job))
    }
}

impl Scheduler {
    fn give<'py>(&self, py: Python<'py>, event: Event<'_>) -> Steps<'py> {
        let mut out = Vec::new();
        let now = self.started.elapsed().as_nanos() as Nanos;
        {
            let mut engine = self.lock();
            engine.handle(now, event, &mut out);
            settle(&mut engine, now, &mut out);
        }
        out.iter().filter_map(|instruction| step(py, instruction)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Slots are always there, and gone when they are told to go: what the engine says about that is answered here.
fn settle(engine: &mut Engine, now: Nanos, out: &mut Vec<Instruction>) {
    let mut next = 0;
    while next < out.len() {
        match out[next] {
            Instruction::Start { worker } => {
                engine.handle(now, Event::Started { worker }, out);
                engine.handle(now, Event::Ready { worker }, out);
            }
            Instruction::Kill { worker } | Instruction::Retire { worker } => {
                engine.handle(
                    now,
                    Event::Died { worker, running: None, death: Death::Exit { code: 0 } },
                    out,
                );
            }
            _ => {}
        }
        next += 1;
    }
}

fn step<'py>(py: Python<'py>, instruction: &Instruction) -> Option<PyResult<Bound<'py, PyTuple>>> {
    Some(match *instruction {
        Instruction::Send { worker, message, job, first, count } => {
            ("send", worker.0, message.0, job.0, first, count).into_pyobject(py)
        }
        Instruction::Recall { worker, message, .. } => ("drop", worker.0, message.0).into_pyobject(py),
        Instruction::Accept { job, first, count } => ("accept", job.0, first, count).into_pyobject(py),
        Instruction::Lost { job, index, fault } => {
            let attempts = match fault {
                Fault::Died { attempts, .. } | Fault::TimedOut { attempts, .. } => attempts,
                Fault::Cancelled => 0,
            };
            ("lost", job.0, index, attempts).into_pyobject(py)
        }
        Instruction::Finished { job, outcome } => {
            let index = if let Outcome::Failed { index } = outcome { Some(index) } else { None };
            ("finished", job.0, crate::job::outcome_name(outcome), index).into_pyobject(py)
        }
        Instruction::Drained => ("drained",).into_pyobject(py),
        Instruction::Start { .. }
        | Instruction::Kill { .. }
        | Instruction::Retire { .. }
        | Instruction::Look { .. }
        | Instruction::Want { .. }
        | Instruction::Broken { .. }
        | Instruction::WakeAt { .. } => return None,
    })
}

fn nanos(seconds: f64) -> Nanos {
    (seconds.max(0.0) * 1e9) as Nanos
}
