//! The engine's state, and what each event does to it.
//!
//! # The state
//!
//! - `jobs`: every job that has been opened and has not ended. A job that ends is forgotten at once; whatever still
//!   comes for it is ignored. What each job knows of its items: [`Job`].
//! - `workers`: every worker that was asked for and is not gone, dying and retiring ones included. A worker's messages
//!   are the only record of which items it holds: [`Worker`]. `Job::messages` is the same relation from the other side.
//! - `rotation`: the jobs with unsent items, each once, by the turn they wait for: `(Job::turn, job)`. A job that was
//!   sent from takes a new turn, at the end.
//! - `places`: the workers that can be sent something, best first; `prey`: those from which something could be taken
//!   back. Both are functions of the worker's own state (and of estimates when it last changed); `Worker::filed` says
//!   what stands in them, and [`Engine::file`] brings them up to date after every change to a worker.
//! - `idle`: how many of `places` are of `Class::Idle`. `stealing`: how many messages have a `Recall::Steal` unanswered;
//!   at most one for each idle worker is asked for.
//! - `active`: how many workers may still run items or are about to; kept at `settings.workers`.
//! - `busy`: how many workers hold something; no idle one is sent anything while there are `abreast` of them.
//! - `deadlines`: `(Worker::due, worker)`, when to look what it is running. `wake`: the earliest time for which a `Tick`
//!   has been asked and has not come.
//! - `touched`: the jobs that the current event may have ended or made room in; empty between events.
//! - `failures`: deaths in a row before a first item. `patience` and `broken` follow from it (see `failure.rs`).
//!
//! # One event
//!
//! [`Engine::handle`] first does what the event itself says (a file of `engine/` for each kind), then settles what
//! follows from it, in this order: ends jobs, starts workers that are missing, looks at workers that are due, sends,
//! steals, asks for input, retires the workers when all is over, and asks for the next tick. Each step but the last
//! runs until nothing remains of it to do, and none waits for an answer, so after every event either work is under way
//! or nothing is to be done. Everything costs at most the logarithm of the number of workers for each message it
//! concerns; only a job's failure or cancellation walks over all messages of that job.

use std::collections::{BTreeMap, BTreeSet};

use crate::job::Job;
use crate::worker::{Class, Ending, Filed, Prey, Worker};
use crate::{Event, Index, Instruction, JobId, JobOptions, MessageId, Nanos, Outcome, Settings, WorkerId};

mod answers;
mod endings;
mod failure;
mod invariants;
mod placement;
mod stealing;
#[cfg(test)]
mod tests;
mod timeouts;
mod withdrawal;

/// The scheduler: [`Engine::start`] once, then [`Engine::handle`] for everything that happens.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    /// The latest time of any event.
    now: Nanos,
    jobs: BTreeMap<JobId, Job>,
    workers: BTreeMap<WorkerId, Worker>,
    rotation: BTreeSet<(u64, JobId)>,
    next_turn: u64,
    next_worker: u64,
    next_message: u64,
    places: BTreeSet<(Class, Nanos, WorkerId)>,
    prey: BTreeSet<(Prey, WorkerId)>,
    idle: usize,
    stealing: usize,
    active: usize,
    busy: usize,
    abreast: usize,
    deadlines: BTreeSet<(Nanos, WorkerId)>,
    wake: Option<Nanos>,
    touched: Vec<JobId>,
    failures: failure::Failures,
    stage: Stage,
    /// The engine gave up: no worker can be started.
    broken: bool,
}

/// How far the engine's own life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// No worker has been asked for yet.
    New,
    Running,
    /// No further jobs; the workers go when the open ones have ended.
    Draining,
    /// Every job has ended and every worker has been told to go.
    Retiring,
    /// `Drained` has been given.
    Drained,
}

impl Engine {
    pub fn new(settings: Settings) -> Self {
        let settings = Settings {
            workers: settings.workers.max(1),
            abreast: settings.abreast.clamp(1, settings.workers.max(1)),
            depth: settings.depth.max(1),
            ..settings
        };
        Engine {
            abreast: settings.abreast,
            settings,
            now: 0,
            jobs: BTreeMap::new(),
            workers: BTreeMap::new(),
            rotation: BTreeSet::new(),
            next_turn: 0,
            next_worker: 0,
            next_message: 0,
            places: BTreeSet::new(),
            prey: BTreeSet::new(),
            idle: 0,
            stealing: 0,
            active: 0,
            busy: 0,
            deadlines: BTreeSet::new(),
            wake: None,
            touched: Vec::new(),
            failures: failure::Failures::default(),
            stage: Stage::New,
            broken: false,
        }
    }

    /// Asks for the first workers. Jobs may be opened before or after.
    pub fn start(&mut self, now: Nanos, out: &mut Vec<Instruction>) {
        self.now = self.now.max(now);
        if self.stage == Stage::New {
            self.stage = Stage::Running;
        }
        self.settle(out);
    }

    /// Takes in what happened and adds to `out` what is to be done about it, in order.
    ///
    /// Events about workers, messages and jobs that the engine does not know (any more) are ignored: they are late.
    pub fn handle(&mut self, now: Nanos, event: Event<'_>, out: &mut Vec<Instruction>) {
        self.now = self.now.max(now);
        if self.wake.is_some_and(|wake| wake <= self.now) {
            self.wake = None;
        }
        match event {
            Event::Open { job, options } => self.open(job, options, out),
            Event::Feed { job, count } => self.feed(job, count),
            Event::EndOfInput { job } => self.end_of_input(job),
            Event::Take { job, count } => self.take(job, count),
            Event::Cancel { job, kill } => self.cancel(job, kill, out),
            Event::Withdraw { job, index, kill } => self.withdraw(job, index, kill, out),
            Event::Started { worker } => self.on_started(worker, out),
            Event::NotStarted { worker } => self.on_not_started(worker, out),
            Event::Ready { worker } => self.on_ready(worker),
            Event::Done { worker, message, count, failed, busy } => {
                self.on_done(worker, message, count, failed, busy, out);
            }
            Event::Recalled { worker, message, count } => self.on_recalled(worker, message, count, out),
            Event::Running { worker, item } => self.on_running(worker, item, out),
            Event::Gone { worker, message, death } => self.on_gone(worker, message, death, out),
            Event::Died { worker, running, death } => self.on_died(worker, running, death, out),
            Event::Widen => self.abreast = self.settings.workers,
            Event::Broken if !self.broken => self.break_down(None, out),
            Event::Broken => {}
            Event::Tick => self.wake = None,
            Event::Drain => self.stage = self.stage.max(Stage::Draining),
        }
        self.settle(out);
    }

    /// How many more items of the job may be fed now (0 for a job that has ended).
    pub fn room(&self, job: JobId) -> u64 {
        self.jobs.get(&job).map_or(0, |job| job.room(&self.settings))
    }

    /// From now on the work in one message should take so long.
    pub fn aim(&mut self, target: Nanos) {
        self.settings.target = target;
        let workers: Vec<_> = self.workers.keys().copied().collect();
        workers.into_iter().for_each(|worker| self.file(worker));
    }

    /// Whether it is not known yet what becomes of an item that was withdrawn (see `Event::Withdraw`).
    pub fn is_withdrawing(&self, job: JobId, index: Index) -> bool {
        self.jobs.get(&job).is_some_and(|job| job.withdrawn.contains_key(&index))
    }

    /// Whether no job is open.
    pub fn idle(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Whether idle workers are kept from work that there is, until `Event::Widen`: worth a look at what the busy ones do.
    pub fn holds_back(&self) -> bool {
        self.abreast < self.settings.workers
            && self.busy >= self.abreast
            && !(self.rotation.is_empty() && self.prey.is_empty())
    }

    /// How many idle workers may be given something.
    fn thirst(&self) -> usize {
        if !self.settings.recall {
            return 0;
        }
        self.idle.min(self.abreast.saturating_sub(self.busy)).saturating_sub(self.stealing)
    }

    /// The workers that were asked for and are not gone.
    pub fn workers(&self) -> impl Iterator<Item = WorkerId> + '_ {
        self.workers.keys().copied()
    }

    /// Does what follows from the state, whichever event brought it about.
    fn settle(&mut self, out: &mut Vec<Instruction>) {
        self.finish_touched(out);
        self.replenish(out);
        self.look_at_due(out);
        self.dispatch(out);
        self.steal(out);
        self.want_input(out);
        self.retire_all(out);
        self.ask_for_tick(out);
    }

    fn open(&mut self, job: JobId, options: JobOptions, out: &mut Vec<Instruction>) {
        if self.broken || self.stage >= Stage::Draining {
            let outcome = if self.broken { Outcome::Broken } else { Outcome::Cancelled };
            out.push(Instruction::Finished { job, outcome });
            return;
        }
        self.failures.on_hold = false;
        if self.jobs.is_empty() {
            self.abreast = self.settings.abreast;
        }
        self.jobs.entry(job).or_insert_with(|| Job::new(options));
        self.touch(job);
    }

    fn feed(&mut self, id: JobId, count: u64) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.fed += count;
            job.wanting = false;
            self.rotate_in(id);
        }
    }

    fn end_of_input(&mut self, id: JobId) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.closed = true;
            self.touch(id);
        }
    }

    fn take(&mut self, id: JobId, count: u64) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.taken += count;
            self.touch(id);
        }
    }

    /// Remembers to see, once the event is dealt with, whether the job is over or has room.
    fn touch(&mut self, job: JobId) {
        if self.touched.last() != Some(&job) {
            self.touched.push(job);
        }
    }

    /// Asks for input where there is room.
    fn want_input(&mut self, out: &mut Vec<Instruction>) {
        for id in std::mem::take(&mut self.touched) {
            if let Some(job) = self.jobs.get_mut(&id)
                && let Some(count) = job.want(&self.settings)
            {
                job.wanting = true;
                out.push(Instruction::Want { job: id, count });
            }
        }
    }

    /// Gives the job its place in the rotation, or takes it out, as it has unsent items or none.
    fn rotate_in(&mut self, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        match (job.turn, job.unsent() > 0) {
            (None, true) => {
                job.turn = Some(self.next_turn);
                self.rotation.insert((self.next_turn, id));
                self.next_turn += 1;
            }
            (Some(turn), false) => {
                job.turn = None;
                self.rotation.remove(&(turn, id));
            }
            _ => {}
        }
        self.touch(id);
    }

    /// Brings the ordered sets up to date with the worker's state; to be called after every change to it.
    fn file(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id) else { return };
        let filed = Filed {
            place: worker.place(self.settings.depth, self.settings.target),
            prey: self.prey_of(worker),
            active: worker.ending != Some(Ending::Retired) || !worker.messages.is_empty(),
            busy: !worker.messages.is_empty(),
        };
        self.refile(id, filed);
    }

    /// Replaces what the ordered sets and counts say of the worker.
    fn refile(&mut self, id: WorkerId, filed: Filed) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let before = std::mem::replace(&mut worker.filed, filed);
        if before == filed {
            return;
        }
        if before.place != filed.place {
            if let Some((class, load)) = before.place {
                self.places.remove(&(class, load, id));
                self.idle -= usize::from(class == Class::Idle);
            }
            if let Some((class, load)) = filed.place {
                self.places.insert((class, load, id));
                self.idle += usize::from(class == Class::Idle);
            }
        }
        if before.prey != filed.prey {
            if let Some(prey) = before.prey {
                self.prey.remove(&(prey, id));
            }
            if let Some(prey) = filed.prey {
                self.prey.insert((prey, id));
            }
        }
        self.active = self.active - usize::from(before.active) + usize::from(filed.active);
        self.busy = self.busy - usize::from(before.busy) + usize::from(filed.busy);
    }

    fn new_message(&mut self) -> MessageId {
        self.next_message += 1;
        MessageId(self.next_message)
    }
}
