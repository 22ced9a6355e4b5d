//! The simulated world: how long items take, which of them kill or stall, and workers that run them.

use std::collections::VecDeque;
use std::ops::Range;

use mh_engine::{Death, Index, JobId, JobOptions, MessageId, Nanos, WorkerId};

use crate::rng::fate;

/// One job: what is asked of the engine, and how its items behave.
#[derive(Clone, Debug)]
pub struct JobPlan {
    pub items: u64,
    pub options: JobOptions,
    pub opened: Nanos,
    /// Cancelled so long after it was opened, with or without `kill`.
    pub cancelled: Option<(Nanos, bool)>,
    /// Items take between these, most of them close to the lower.
    pub quick: Nanos,
    pub slow: Nanos,
    /// These items take this long instead.
    pub odd: Range<Index>,
    pub odd_time: Nanos,
    /// The chance that an item raises, that it kills its worker, that it never ends (each drawn anew on every worker).
    pub raises: f64,
    pub kills: f64,
    pub stalls: f64,
    /// How long the consumer takes for an answer.
    pub consumer: Nanos,
    /// The mean time between two single items that are withdrawn, half of them to be killed if they run.
    pub withdrawals: Option<Nanos>,
}

/// Everything that a run depends on.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub workers: usize,
    pub depth: usize,
    pub tasks_per_worker: Option<u64>,
    pub jobs: Vec<JobPlan>,
    /// The longest that news takes from the engine to a worker or back.
    pub latency: Nanos,
    /// The longest from start to ready.
    pub start: Nanos,
    /// The chance that a worker does not start, or dies while it initializes.
    pub unlucky: f64,
    /// The mean time between two workers killed from outside, whatever they are doing.
    pub sabotage: Option<Nanos>,
    /// The chance that a recall is answered by 0 though something could be given.
    pub stubborn: f64,
    /// The chance that an answer comes twice.
    pub twice: f64,
    /// Whether every worker dies in its initializer.
    pub hopeless: bool,
    /// Whether all invariants are checked after every event.
    pub check: bool,
}

/// What becomes of an item that is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    Ends { after: Nanos, raises: bool },
    Kills { after: Nanos },
    Stalls,
}

/// The fates of all items: a function of the plan, so that an item takes as long and raises wherever it runs. Whether
/// it brings its worker down depends on the worker, too: the next attempt is another draw.
#[derive(Debug)]
pub struct Fates {
    pub plan: Plan,
}

impl Fates {
    pub fn of(&self, job: JobId, index: Index, worker: WorkerId) -> Fate {
        let plan = &self.plan.jobs[job.0 as usize];
        let draw = |purpose, attempt| fate([self.plan.seed, job.0 << 8 | purpose, index, attempt]);
        // Few items are slow: the eighth power of an even draw.
        let after = match plan.odd.contains(&index) {
            true => plan.odd_time,
            false if plan.slow == plan.quick => plan.quick,
            false => plan.quick + ((plan.slow - plan.quick) as f64 * draw(0, 0).powi(8)) as Nanos,
        };
        if plan.kills + plan.stalls > 0.0 {
            let draw = draw(1, worker.0);
            if draw < plan.kills {
                return Fate::Kills { after: after / 2 };
            }
            if draw < plan.kills + plan.stalls {
                return Fate::Stalls;
            }
        }
        Fate::Ends { after, raises: self.raises(job, index) }
    }

    /// Whether the item raises, if it comes to its end.
    pub fn raises(&self, job: JobId, index: Index) -> bool {
        let chance = self.plan.jobs[job.0 as usize].raises;
        chance > 0.0 && fate([self.plan.seed, job.0 << 8 | 2, index, 0]) < chance
    }
}

/// A message at a worker: items that it has not answered.
#[derive(Clone, Debug)]
pub struct Held {
    pub message: MessageId,
    pub job: JobId,
    pub items: Range<Index>,
}

/// What the worker is at: items of its first message from `first` on, since `began`; the next thing that happens is the
/// end of item `upto - 1`, or what item `upto` does, at `until` (never, for an item that stalls).
#[derive(Clone, Debug)]
pub struct Run {
    pub first: Index,
    pub began: Nanos,
    pub upto: Index,
    pub until: Option<Nanos>,
    pub dies: bool,
}

/// A simulated worker.
#[derive(Debug)]
pub struct Worker {
    pub id: WorkerId,
    pub ready: bool,
    pub retired: bool,
    pub held: VecDeque<Held>,
    pub run: Option<Run>,
    /// Rises whenever `run` changes; what was foreseen under an older one does not happen.
    pub version: u64,
    /// When the last news to it and from it arrive: none overtakes another.
    pub to: Nanos,
    pub from: Nanos,
}

/// Answers go back when a message is done, or after this long.
const FLUSH: Nanos = 5_000_000;

pub const KILLED: Death = Death::Signal { number: 9, out_of_memory: false };

impl Worker {
    pub fn new(id: WorkerId) -> Self {
        Worker {
            id,
            ready: false,
            retired: false,
            held: VecDeque::new(),
            run: None,
            version: 0,
            to: 0,
            from: 0,
        }
    }

    /// Begins, or continues with, its first message.
    pub fn run_on(&mut self, now: Nanos, fates: &Fates) {
        self.version += 1;
        self.run = self.held.front().filter(|_| self.ready).map(|held| {
            let run = Run { first: held.items.start, began: now, upto: 0, until: None, dies: false };
            foresee(held, run, self.id, fates)
        });
    }

    /// The end of the first message has changed while it runs.
    pub fn foresee_again(&mut self, fates: &Fates) {
        if let (Some(run), Some(held)) = (self.run.take(), self.held.front()) {
            self.version += 1;
            self.run = Some(foresee(held, run, self.id, fates));
        }
    }

    /// The item that is running at `now`, and when it began.
    pub fn running(&self, now: Nanos, fates: &Fates) -> Option<(MessageId, JobId, Index, Nanos)> {
        let (run, held) = (self.run.as_ref()?, self.held.front()?);
        let mut time = run.began;
        for index in run.first..held.items.end {
            match fates.of(held.job, index, self.id) {
                Fate::Ends { after, .. } if time + after <= now => time += after,
                _ => return Some((held.message, held.job, index, time)),
            }
        }
        None
    }

    /// Gives back what has not begun of the message, at most `most` (half of it, where it is working and not `all`).
    pub fn recall(
        &mut self,
        now: Nanos,
        message: MessageId,
        most: u64,
        all: bool,
        fates: &Fates,
    ) -> Option<u64> {
        let position = self.held.iter().position(|held| held.message == message)?;
        let items = self.held[position].items.clone();
        let working = position == 0 && self.run.is_some();
        let begun = if working { self.running(now, fates)?.2 + 1 } else { items.start };
        let unbegun = items.end - begun;
        let count = most.min(if working && !all { unbegun.div_ceil(2) } else { unbegun });
        self.held[position].items.end -= count;
        if self.held[position].items.is_empty() {
            self.held.remove(position);
        } else if working && count > 0 {
            self.foresee_again(fates);
        }
        Some(count)
    }
}

fn foresee(held: &Held, mut run: Run, worker: WorkerId, fates: &Fates) -> Run {
    let mut time = run.began;
    run.upto = run.first;
    run.dies = false;
    while run.upto < held.items.end && (run.upto == run.first || time - run.began < FLUSH) {
        match fates.of(held.job, run.upto, worker) {
            Fate::Ends { after, .. } => time += after,
            Fate::Kills { after } => {
                run.dies = true;
                time += after;
                break;
            }
            // What ended before it is told when it would have been; then nothing comes any more.
            Fate::Stalls if run.upto > run.first => break,
            Fate::Stalls => {
                run.until = None;
                return run;
            }
        }
        run.upto += 1;
    }
    run.until = Some(time);
    run
}
