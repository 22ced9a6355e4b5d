//! What to do about it: the engine's only output.

use crate::{Death, Index, JobId, MessageId, Nanos, WorkerId};

/// How an item ended that no worker will answer any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its worker died under it (the last time, if it was retried `attempts - 1` times).
    Died { death: Death, attempts: u32 },
    /// It ran longer than the job's timeout.
    TimedOut { after: Nanos, attempts: u32 },
    /// The caller withdrew it.
    Cancelled,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every item has been answered.
    Complete,
    /// With `OnError::Raise`: this is the failing item of lowest index, and everything below it has been answered.
    Failed { index: Index },
    /// The caller cancelled it.
    Cancelled,
    /// The engine gave up (see `Instruction::Broken`) with the job unfinished.
    Broken,
}

/// One thing to do. Instructions are carried out in the order in which they are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// Start a worker and report `Started` or `NotStarted`.
    Start { worker: WorkerId },
    /// Send these items to the worker, as one message.
    Send { worker: WorkerId, message: MessageId, job: JobId, first: Index, count: u64 },
    /// Take back at most `most` items from the end of the message, of those that have not begun; of a message that the
    /// worker is working through, at most half of what it has not begun, rounded up, unless `all`. Report `Recalled`.
    Recall { worker: WorkerId, message: MessageId, most: u64, all: bool },
    /// Report with `Running` what the worker is doing.
    Look { worker: WorkerId },
    /// Kill the worker now; its `Died` follows in time.
    Kill { worker: WorkerId },
    /// Let the worker end in good order once it has done what it was sent; its `Died` follows in time.
    Retire { worker: WorkerId },
    /// These answers, which came with the event just handled, are the job's: keep them. (Answers of a job that ended or
    /// was cancelled, and answers that came twice, are not accepted.)
    Accept { job: JobId, first: Index, count: u64 },
    /// This item ended without an answer: the fault is its answer.
    Lost { job: JobId, index: Index, fault: Fault },
    /// There is room for `count` more items of the job, as of now: it replaces what was wanted before, and what is not
    /// fed at once stays wanted. (Given again only after a `Feed`.)
    Want { job: JobId, count: u64 },
    /// Nothing further will come for this job; what is kept for its items can be let go.
    Finished { job: JobId, outcome: Outcome },
    /// The workers cannot be started (`death` of the last one): every open job has ended, no other can be opened.
    Broken { death: Option<Death> },
    /// Send `Tick` at this time; replaces the time asked for before.
    WakeAt { time: Nanos },
    /// After `Drain`: every job has ended and every worker is gone.
    Drained,
}
