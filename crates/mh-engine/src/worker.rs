//! What is known about one worker: how far it has come in life, and what it holds.

use std::collections::VecDeque;
use std::ops::Range;

use crate::{Index, JobId, MessageId, Nanos};

/// A worker that has been asked for and is not gone.
///
/// It is *starting* until `started` (nothing can be sent), *initializing* until `ready` (messages wait unbegun), then
/// works through `messages` from the front. `ending` says that it gets nothing new; what it holds is its own still.
#[derive(Debug, Default)]
pub(crate) struct Worker {
    pub started: bool,
    pub ready: bool,
    /// Whether it ever answered an item: if so, its death is not a failed start.
    pub answered: bool,
    pub ending: Option<Ending>,
    /// What it holds, in the order in which it was sent; none is empty.
    pub messages: VecDeque<Message>,
    /// Tasks that it may still be sent; `None`: no limit.
    pub tasks_left: Option<u64>,
    /// When it last gave a sign of progress: an answer, or being sent something while it held nothing.
    pub since: Nanos,
    /// It had begun nothing of what it was sent when that was given to another: others are sent work first, until it
    /// answers something.
    pub suspect: bool,
    /// When to look what it is running. `None` while it holds nothing with a timeout, or while `looking`.
    pub due: Option<Nanos>,
    /// A `Look` has not been answered.
    pub looking: bool,
    /// Where the engine's ordered sets have it; changed only together with them.
    pub filed: Filed,
}

/// How the engine ended a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// It finishes what it holds.
    Retired,
    /// It is dead as soon as the kernel gets to it; answers that it sent before count.
    Killed,
}

/// A worker's keys in the engine's ordered sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filed {
    /// Its place among those that can be sent something.
    pub place: Option<(Class, Nanos)>,
    /// Its place among those from which something can be taken back.
    pub prey: Option<Prey>,
    /// Whether it counts as one of the pool's workers (all do but the retired who have nothing left to run).
    pub active: bool,
    /// Whether it holds something.
    pub busy: bool,
}

/// Who is sent something first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Ready, with nothing to do.
    Idle,
    /// Initializing, with nothing waiting for it.
    Initializing,
    /// Ready and busy: the least expected time of outstanding work goes first.
    Busy,
    /// Initializing, with something waiting already.
    Late,
}

/// Why something could be taken back from a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Prey {
    /// What it has not begun is expected to take so long that another should have it: the most goes first.
    Rich { unbegun: Nanos },
    /// What it has not begun is expected to be done in no time; if the worker has been silent for long nevertheless,
    /// the expectation was wrong (a long item stands before it): the longest silent goes first.
    Modest { since: Nanos },
}

/// Items `next .. end` of one job, unanswered, at one worker.
#[derive(Debug)]
pub(crate) struct Message {
    pub id: MessageId,
    pub job: JobId,
    /// The first item it was sent with.
    pub first: Index,
    /// The first item that has not been answered.
    pub next: Index,
    pub end: Index,
    /// An item in `next .. end` that was taken out because it timed out; its answer, if it comes, counts for nothing.
    pub hole: Option<Index>,
    /// What an item was expected to take when the message was sent.
    pub cost: Option<Nanos>,
    /// The job's timeout: it holds for a job that has ended, too, because a worker that hangs is of no use to the next.
    pub timeout: Option<Nanos>,
    /// The job's items per task.
    pub chunk: u64,
    /// The `Recall` that has not been answered.
    pub recall: Option<Recall>,
    /// The last recall brought nothing, and there has been no answer since: asking again would bring nothing either.
    pub barren: bool,
    /// How often its first item was taken from workers that had not begun it.
    pub moves: u32,
    /// Take back what is not needed any more as soon as the recall in flight is answered.
    pub drop_next: bool,
    /// Its job was cancelled with `kill`: what a recall does not bring back has begun, and its worker is killed.
    pub kill: bool,
}

/// Why a message was recalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recall {
    /// For an idle worker.
    Steal,
    /// Nobody needs the items.
    Drop,
}

impl Message {
    pub fn items(&self) -> Range<Index> {
        self.next..self.end
    }

    pub fn is_empty(&self) -> bool {
        self.next == self.end
    }

    /// Tasks that the message counts for.
    pub fn tasks(&self) -> u64 {
        (self.end - self.first).div_ceil(self.chunk)
    }
}

impl Worker {
    /// Position of a message among those that it holds.
    pub fn position(&self, message: MessageId) -> Option<usize> {
        self.messages.iter().position(|m| m.id == message)
    }

    pub fn killed(&self) -> bool {
        self.ending == Some(Ending::Killed)
    }

    /// The expected time of what it holds, as far as anything is known.
    pub fn load(&self) -> Nanos {
        self.messages
            .iter()
            .fold(0, |sum, m| sum.saturating_add(m.cost.unwrap_or(0).saturating_mul(m.end - m.next)))
    }

    /// Its class and load, if it can be sent something.
    pub fn place(&self, depth: usize, target: Nanos) -> Option<(Class, Nanos)> {
        if !self.started || self.ending.is_some() || self.tasks_left == Some(0) {
            return None;
        }
        let load = self.load();
        match self.messages.len() {
            0 if self.ready => Some((Class::Idle, Nanos::from(self.suspect))),
            0 => Some((Class::Initializing, 0)),
            held if held >= depth || (held > 1 && load >= 2 * target) => None,
            _ if self.ready => Some((Class::Busy, load)),
            _ => Some((Class::Late, load)),
        }
    }

    /// How many items of the message at this position could be taken back for another worker.
    pub fn unbegun(&self, position: usize) -> u64 {
        let message = &self.messages[position];
        if message.recall.is_some() || message.barren {
            return 0;
        }
        let held = message.end - message.next;
        if position == 0 && self.ready && !self.is_last_item() { held - 1 } else { held }
    }

    /// Whether it holds one item and no other. It has most likely begun that; but it may have been stopped before.
    pub fn is_last_item(&self) -> bool {
        self.messages.len() == 1 && self.messages[0].end - self.messages[0].next == 1
    }

    /// The shortest timeout among what it holds.
    pub fn least_timeout(&self) -> Option<Nanos> {
        self.messages.iter().filter_map(|m| m.timeout).min()
    }
}
