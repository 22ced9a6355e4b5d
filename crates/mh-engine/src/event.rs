//! What has happened: the engine's only input.

use crate::{Index, JobId, JobOptions, MessageId, Nanos, WorkerId};

/// Why a worker is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// Ended by a signal; `out_of_memory` when the kernel's counters say that it killed for memory meanwhile.
    Signal { number: i32, out_of_memory: bool },
    /// Ended by itself with this exit code.
    Exit { code: i32 },
    /// Gone, and nobody knows how (somebody else reaped the process).
    Unknown,
}

/// One thing that happened. Every event comes with the time at which it did.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A new job, as yet without items.
    Open { job: JobId, options: JobOptions },
    /// The next `count` items of the job exist: their indices follow on those fed before.
    Feed { job: JobId, count: u64 },
    /// No further items will be fed.
    EndOfInput { job: JobId },
    /// The consumer took `count` answers: room for as many in a buffered job.
    Take { job: JobId, count: u64 },
    /// The caller no longer wants the job. What has not begun is dropped. With `kill`, workers that are running its
    /// items are killed; without, what runs may finish and its answers are ignored.
    Cancel { job: JobId, kill: bool },
    /// The caller no longer wants this one item. Has it not begun, then it never will, and `Fault::Cancelled` is its answer;
    /// with `kill` the same if it is running, by killing its worker. An item that was finished, or is not to be killed,
    /// ends as if nothing had been asked.
    Withdraw { job: JobId, index: Index, kill: bool },

    /// The worker has been started and can be sent messages; it may still be importing or initializing.
    Started { worker: WorkerId },
    /// The worker could not be started at all (no process could be made).
    NotStarted { worker: WorkerId },
    /// The worker has run its initializer and takes items from now on.
    Ready { worker: WorkerId },
    /// The worker answered the next `count` items of the message (answers come in the order of the items). `failed`
    /// lists the indices of those that raised. `busy` is how long the worker took for these items. A message that is
    /// not (or no longer) this worker's is ignored: no `Accept` follows.
    Done { worker: WorkerId, message: MessageId, count: u64, failed: &'a [Index], busy: Nanos },
    /// Answer to `Recall`: the last `count` items of the message had not begun and will not (0: all had begun).
    Recalled { worker: WorkerId, message: MessageId, count: u64 },
    /// Answer to `Look`: the item that the worker is running and since when; `None` if it is between items.
    Running { worker: WorkerId, item: Option<(MessageId, Index, Nanos)> },
    /// The message is gone, with what it held unanswered, and nobody knows which of its items was at fault; the worker
    /// goes on. (Where workers are somebody else's: one that died was replaced without our being told.)
    Gone { worker: WorkerId, message: MessageId, death: Death },
    /// The worker is gone; every answer that it sent has been handled before this event. `running` is the item that it
    /// had begun and not finished.
    Died { worker: WorkerId, running: Option<(MessageId, Index)>, death: Death },

    /// Workers that run items are seen waiting rather than computing: let more of them run, up to all (see
    /// `Settings::abreast`).
    Widen,

    /// Nothing can be run any more: every open job ends as broken, and no other can be opened.
    Broken,
    /// Nothing happened but time (the answer to `WakeAt`).
    Tick,
    /// No further jobs: once the open ones have ended, the workers are retired.
    Drain,
}
