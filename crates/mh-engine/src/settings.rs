//! What a caller may choose: per engine and per job.

use crate::Nanos;

/// Choices for the life of an engine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many workers are kept alive (at least 1).
    pub workers: usize,
    /// How many workers run items at first, where there are more. More workers than cores gain something only where items
    /// wait (for a disk, a network, the time to pass), and cost each an import of what the items use; `Event::Widen` says
    /// that items wait.
    pub abreast: usize,
    /// A worker is retired after so many tasks (a task is one item, or one chunk of `JobOptions::chunk` items).
    pub tasks_per_worker: Option<u64>,
    /// Messages that may be outstanding at one worker: the one it works on and those that wait behind it.
    pub depth: usize,
    /// How long the work in one message should take.
    pub target: Nanos,
    /// Whether what was sent and has not begun can be taken back for another worker. Where it cannot, the first message
    /// holds one item and each later one at most a few times what has been answered, and an idle worker waits for input.
    /// (`Instruction::Recall` comes then only for what nobody needs any more, and may be answered by 0.)
    pub recall: bool,
    /// Workers that may end in a row before their first item (start, initializer) until the engine gives up.
    pub failed_starts: u32,
    /// The same for workers that somebody kills from outside with SIGKILL while they start: that is not the pool's
    /// fault, so there is more patience, but not without end.
    pub killed_starts: u32,
}

impl Settings {
    /// The usual choices for so many workers.
    pub fn new(workers: usize) -> Self {
        Settings {
            workers: workers.max(1),
            abreast: workers.max(1),
            tasks_per_worker: None,
            depth: 2,
            target: 3_000_000,
            recall: true,
            failed_starts: 3,
            killed_starts: 100,
        }
    }
}

/// What happens to a job's other items when one fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// The job ends with the failing item of lowest index, as the serial loop would: items above it that have not
    /// begun are dropped, items below it still run (one of them may fail too, and then it is the lowest).
    Raise,
    /// Every item is run; failures are answers like others.
    Return,
}

/// Choices for one job.
#[derive(Clone, Debug)]
pub struct JobOptions {
    pub on_error: OnError,
    /// How often an item whose worker died under it, or that timed out, is run again.
    pub retries: u32,
    /// The longest that one item may run.
    pub timeout: Option<Nanos>,
    /// Most items that may be fed and not yet taken by the consumer (back-pressure for lazy maps).
    pub buffer: Option<u64>,
    /// Items that count as one task for `Settings::tasks_per_worker`.
    pub chunk: Option<u64>,
}

impl Default for JobOptions {
    fn default() -> Self {
        JobOptions { on_error: OnError::Raise, retries: 0, timeout: None, buffer: None, chunk: None }
    }
}
