//! What happened, put together: each task with all of its times.

use crate::event::{Activity, JobKey, Nanos, Stint, Worker};

/// Everything that happened between two moments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    pub began: Nanos,
    pub ended: Nanos,
    /// The process whose trace this is.
    pub pid: u32,
    /// Who ran something, in order of kind, pool and number.
    pub workers: Vec<Worker>,
    /// In order of their keys.
    pub jobs: Vec<Job>,
    /// In the order in which they began.
    pub tasks: Vec<Task>,
    /// What the caller's threads did for the jobs.
    pub callers: Vec<Caller>,
    pub kernels: Vec<Kernel>,
    pub memory: Vec<MemorySample>,
    /// Events that were too many to be kept.
    pub dropped: u64,
}

impl Trace {
    /// What a task is called.
    pub fn name(&self, task: &Task) -> String {
        let job = self.jobs.binary_search_by_key(&task.job, |job| job.key);
        let job = job.map_or("item", |place| &self.jobs[place].name);
        match (&task.name, task.count) {
            (Some(name), _) => name.clone(),
            (None, 0 | 1) => format!("{job} [{}]", task.first),
            (None, count) => format!("{job} [{}–{}]", task.first, task.first.saturating_add(count - 1)),
        }
    }
}

/// One call's items.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub key: JobKey,
    pub name: String,
    /// Items that were given.
    pub items: u64,
    /// When the first was given, and the last answer taken.
    pub began: Nanos,
    pub ended: Nanos,
}

/// How a task came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Done,
    Failed,
    /// Its worker died under it, or it was given up.
    Lost,
}

/// One item that was run (or several short ones in a row). Each time is no earlier than the one before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub job: JobKey,
    /// What the item is called, where it has a name of its own.
    pub name: Option<String>,
    pub first: u64,
    pub count: u64,
    /// Place in [`Trace::workers`].
    pub worker: usize,
    /// Given by the caller.
    pub queued: Nanos,
    /// On its way to the worker.
    pub sent: Nanos,
    /// The worker has started, and done what it was sent before: from here on it is this task that keeps it.
    pub turned: Nanos,
    /// The message with it had been read.
    pub arrived: Nanos,
    /// Taken on: its arguments are rebuilt.
    pub begun: Nanos,
    /// The function is called.
    pub called: Nanos,
    /// It has returned: its answer is pickled.
    pub returned: Nanos,
    pub ended: Nanos,
    /// The answer has reached the caller's process.
    pub received: Nanos,
    /// The caller has it.
    pub taken: Nanos,
    /// What the worker computed from `begun` to `ended`.
    pub cpu: Nanos,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub ending: Ending,
}

impl Ending {
    pub fn word(self) -> &'static str {
        match self {
            Ending::Done => "done",
            Ending::Failed => "failed",
            Ending::Lost => "lost",
        }
    }
}

impl Task {
    /// Waited to be sent.
    pub fn queue(&self) -> Nanos {
        self.sent - self.queued
    }

    /// Lay at the worker, which was starting, or busy with others.
    pub fn behind(&self) -> Nanos {
        self.turned - self.sent
    }

    /// Was moved: to the worker and out of its pickle, into a pickle and back.
    pub fn transfer(&self) -> Nanos {
        (self.arrived - self.turned) + (self.called - self.begun) + (self.received - self.returned)
    }

    /// What of `transfer` keeps the worker.
    pub fn worker_transfer(&self) -> Nanos {
        (self.arrived - self.turned) + (self.called - self.begun) + (self.ended - self.returned)
    }

    /// Was there, and the worker not at it yet.
    pub fn dispatch(&self) -> Nanos {
        self.begun - self.arrived
    }

    /// The function ran.
    pub fn run(&self) -> Nanos {
        self.returned - self.called
    }

    /// The answer lay until the caller took it.
    pub fn delivery(&self) -> Nanos {
        self.taken - self.received
    }
}

/// A stretch of a caller's time.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    pub job: JobKey,
    pub activity: Activity,
    /// The caller's thread.
    pub thread: u64,
    pub from: Nanos,
    pub to: Nanos,
    pub items: u64,
}

/// One call of a compiled function.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel {
    pub name: String,
    pub thread: u64,
    pub from: Nanos,
    pub to: Nanos,
    pub threads: u32,
    pub blocks: u64,
    /// In the order in which they ended.
    pub stints: Vec<Stint>,
}

/// The memory of all processes at one moment, in bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemorySample {
    pub at: Nanos,
    pub processes: Vec<ProcessMemory>,
}

impl MemorySample {
    /// Of all processes, pages that several share counted once.
    pub fn pss(&self) -> u64 {
        self.processes.iter().map(|process| process.pss).sum()
    }
}

/// One process's memory, in bytes. Of a page that n processes have, each is charged the n-th part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProcessMemory {
    pub pid: u32,
    pub name: String,
    pub pss: u64,
    /// What of it is memory without a file that the process does not share.
    pub anonymous: u64,
    /// What of it lies in shared memory: arguments and results on their way.
    pub shared: u64,
}
