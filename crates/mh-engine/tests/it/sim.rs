//! The driver: carries instructions to a simulated world and events back, in virtual time.
//!
//! A run is a function of its [`Plan`], the seed included, and panics where the ledger or the engine's own check finds
//! something wrong, or where something waits for ever.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::Range;

use mh_engine::{Death, Engine, Event, Index, Instruction, JobId, MessageId, Nanos, Settings, WorkerId};

use crate::ledger::Ledger;
use crate::rng::Rng;
use crate::world::{Fates, Held, KILLED, Plan, Worker};

/// What will happen at some time.
#[derive(Clone, Debug)]
enum Happening {
    /// News for a worker arrive.
    Post(WorkerId, Post),
    /// News from a worker arrive.
    Mail(WorkerId, Mail),
    /// The worker has come as far as was foreseen in this version of its run.
    Advance(WorkerId, u64),
    Open(JobId),
    Feed(JobId),
    Take(JobId),
    Cancel(JobId),
    Withdraw(JobId),
    Tick,
    Sabotage,
}

#[derive(Clone, Debug)]
enum Post {
    Send(Held),
    Recall(MessageId, u64, bool),
    Look,
    Kill,
    Retire,
}

#[derive(Clone, Debug)]
enum Mail {
    Started,
    NotStarted,
    Ready,
    Done(Held, Nanos),
    Recalled(MessageId, u64),
    Running(Option<(MessageId, Index, Nanos)>),
    Died(Option<(MessageId, Index)>, Death),
}

/// A happening in the agenda: the earliest first, and in the order of entry where the time is the same.
#[derive(Debug)]
struct Entry(Nanos, u64, Happening);

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.0, other.1).cmp(&(self.0, self.1))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    pub time: Nanos,
    pub events: u64,
    pub messages: u64,
    pub recalls: u64,
    pub deaths: u64,
    pub broken: bool,
    pub ledger: Ledger,
}

/// A run with more events than this goes round in circles.
const MOST_EVENTS: u64 = if cfg!(debug_assertions) { 1 << 22 } else { 1 << 27 };

struct Sim {
    engine: Engine,
    fates: Fates,
    rng: Rng,
    now: Nanos,
    order: u64,
    agenda: BinaryHeap<Entry>,
    workers: BTreeMap<WorkerId, Worker>,
    /// Items that the engine asked for and has not been fed.
    credit: BTreeMap<JobId, u64>,
    /// Buffered jobs whose consumer is about to take something.
    taking: BTreeSet<JobId>,
    wake: Option<Nanos>,
    unopened: usize,
    draining: bool,
    drained: bool,
    /// Which items, of which job, the event being handled answers, and which of them raised.
    answered: Option<(JobId, Range<Index>)>,
    failed: Vec<Index>,
    out: Vec<Instruction>,
    report: Report,
}

/// Runs the plan to its end.
pub fn run(plan: &Plan) -> Report {
    let settings = Settings {
        tasks_per_worker: plan.tasks_per_worker,
        depth: plan.depth,
        // Bad luck alone never breaks the engine here; a hopeless initializer does.
        failed_starts: if plan.hopeless { 3 } else { u32::MAX },
        killed_starts: u32::MAX,
        ..Settings::new(plan.workers)
    };
    let mut sim = Sim {
        engine: Engine::new(settings),
        fates: Fates { plan: plan.clone() },
        rng: Rng::new(plan.seed),
        now: 0,
        order: 0,
        agenda: BinaryHeap::new(),
        workers: BTreeMap::new(),
        credit: BTreeMap::new(),
        taking: BTreeSet::new(),
        wake: None,
        unopened: plan.jobs.len(),
        draining: false,
        drained: false,
        answered: None,
        failed: Vec::new(),
        out: Vec::new(),
        report: Report::default(),
    };
    sim.run();
    sim.report
}

impl Sim {
    fn run(&mut self) {
        for (id, job) in self.fates.plan.jobs.clone().iter().enumerate() {
            self.at(job.opened, Happening::Open(JobId(id as u64)));
            if let Some((time, _)) = job.cancelled {
                self.at(job.opened + time, Happening::Cancel(JobId(id as u64)));
            }
        }
        if self.fates.plan.sabotage.is_some() {
            self.at(0, Happening::Sabotage);
        }
        self.engine.start(0, &mut self.out);
        self.carry_out();
        while let Some(Entry(time, _, happening)) = self.agenda.pop() {
            self.now = time;
            self.report.events += 1;
            assert!(self.report.events < MOST_EVENTS, "no end in sight: {:?}", self.fates.plan);
            self.happen(happening);
            if !self.draining && self.unopened == 0 && self.report.ledger.all_finished() {
                self.draining = true;
                self.give(Event::Drain);
            }
        }
        assert!(self.drained, "something waits for ever: {:#?}", self.engine);
    }

    fn at(&mut self, time: Nanos, happening: Happening) {
        self.order += 1;
        self.agenda.push(Entry(time, self.order, happening));
    }

    fn give(&mut self, event: Event<'_>) {
        self.engine.handle(self.now, event, &mut self.out);
        if self.fates.plan.check {
            self.engine.check();
        }
        self.carry_out();
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Open(job) => {
                self.unopened -= 1;
                let plan = &self.fates.plan.jobs[job.0 as usize];
                let (options, empty) = (plan.options.clone(), plan.items == 0);
                self.report.ledger.open(job, options.clone());
                self.give(Event::Open { job, options });
                if self.fates.plan.jobs[job.0 as usize].withdrawals.is_some() {
                    self.at(self.now, Happening::Withdraw(job));
                }
                if empty {
                    self.report.ledger.account(job).closed = true;
                    self.give(Event::EndOfInput { job });
                }
            }
            Happening::Feed(job) => self.feed(job),
            Happening::Take(job) => self.take(job),
            Happening::Cancel(job) => {
                let kill = self.fates.plan.jobs[job.0 as usize].cancelled.is_some_and(|(_, kill)| kill);
                self.report.ledger.account(job).cancelled = true;
                self.give(Event::Cancel { job, kill });
            }
            Happening::Withdraw(job) => self.withdraw(job),
            Happening::Tick if self.wake == Some(self.now) => {
                self.wake = None;
                self.give(Event::Tick);
            }
            Happening::Tick => {}
            Happening::Sabotage => self.sabotage(),
            Happening::Advance(worker, version) => self.advance(worker, version),
            Happening::Post(worker, post) => self.at_worker(worker, post),
            Happening::Mail(worker, mail) => self.on_mail(worker, mail),
        }
    }

    /// Feeds a part of what was asked for, and the rest later.
    fn feed(&mut self, job: JobId) {
        let items = self.fates.plan.jobs[job.0 as usize].items;
        let credit = self.credit.remove(&job).unwrap_or(0);
        let account = self.report.ledger.account(job);
        if account.outcome.is_some() || account.closed || credit == 0 {
            return;
        }
        let room = self.engine.room(job);
        // The room may have shrunk since: by a slower pace, which makes the window smaller, or by a failure.
        let steady = account.options.buffer.is_some() && !account.failing();
        assert!(credit <= room || !steady, "{job:?}: wanted {credit}, room {room}");
        let most = credit.min(items - account.fed);
        let count = if self.rng.chance(0.5) { most } else { self.rng.between(1, most) };
        let account = self.report.ledger.account(job);
        account.fed += count;
        account.widest = account.widest.max(account.fed - account.count);
        let over = account.fed - account.taken > account.options.buffer.unwrap_or(u64::MAX);
        assert!(!over, "{job:?}: more was fed than the buffer holds");
        let closed = account.fed == items;
        if count < credit {
            self.credit.insert(job, credit - count);
            self.at_some_time(Happening::Feed(job));
        }
        self.give(Event::Feed { job, count });
        if closed {
            self.report.ledger.account(job).closed = true;
            self.give(Event::EndOfInput { job });
        }
    }

    /// The consumer takes what is there in order.
    fn take(&mut self, job: JobId) {
        self.taking.remove(&job);
        let account = self.report.ledger.account(job);
        let count = account.prefix - account.taken;
        account.taken = account.prefix;
        self.give(Event::Take { job, count });
    }

    /// The consumer of a buffered job notices that there is something to take.
    fn notice(&mut self, job: JobId) {
        let account = self.report.ledger.account(job);
        if account.options.buffer.is_some() && account.prefix > account.taken && self.taking.insert(job) {
            self.at(self.now + self.fates.plan.jobs[job.0 as usize].consumer, Happening::Take(job));
        }
    }

    /// An item of the job is withdrawn, any: most likely one that is on its way.
    fn withdraw(&mut self, job: JobId) {
        let Some(mean) = self.fates.plan.jobs[job.0 as usize].withdrawals else { return };
        let account = self.report.ledger.account(job);
        if account.outcome.is_some() {
            return;
        }
        let (from, to) = (account.prefix, account.fed);
        if from < to {
            let index = self.rng.between(from, to);
            let kill = self.rng.chance(0.5);
            self.report.ledger.withdraw(job, index);
            self.give(Event::Withdraw { job, index, kill });
        }
        let time = self.now + self.rng.between(1, 2 * mean);
        self.at(time, Happening::Withdraw(job));
    }

    fn at_some_time(&mut self, happening: Happening) {
        let time = self.now + self.rng.between(0, self.fates.plan.latency);
        self.at(time, happening);
    }

    fn post(&mut self, id: WorkerId, post: Post) {
        let time = self.now + self.rng.between(0, self.fates.plan.latency);
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.to = worker.to.max(time);
        let time = worker.to;
        self.at(time, Happening::Post(id, post));
    }

    fn mail(&mut self, id: WorkerId, mail: Mail) {
        let time = self.now + self.rng.between(0, self.fates.plan.latency);
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.from = worker.from.max(time);
        let time = worker.from;
        self.at(time, Happening::Mail(id, mail));
    }

    /// Carries out the engine's instructions, with the ledger looking on.
    fn carry_out(&mut self) {
        for instruction in std::mem::take(&mut self.out) {
            assert!(!self.drained, "{instruction:?} after Drained");
            match instruction {
                Instruction::Start { worker } => self.start_worker(worker),
                Instruction::Send { worker, message, job, first, count } => {
                    self.report.messages += 1;
                    self.report.ledger.send(job, first..first + count);
                    self.post(worker, Post::Send(Held { message, job, items: first..first + count }));
                }
                Instruction::Recall { worker, message, most, all } => {
                    assert!(most > 0, "an empty recall");
                    self.report.recalls += 1;
                    self.post(worker, Post::Recall(message, most, all));
                }
                Instruction::Look { worker } => self.post(worker, Post::Look),
                Instruction::Kill { worker } => self.post(worker, Post::Kill),
                Instruction::Retire { worker } => self.post(worker, Post::Retire),
                Instruction::Accept { job, first, count } => {
                    let Some((of, items)) = &self.answered else { panic!("accepted what nobody answered") };
                    assert_eq!(*of, job);
                    self.report.ledger.accept(job, first..first + count, items, &self.failed);
                    self.notice(job);
                }
                Instruction::Lost { job, index, fault } => {
                    self.report.ledger.lose(job, index, fault);
                    self.notice(job);
                }
                Instruction::Want { job, count } => {
                    let account = self.report.ledger.account(job);
                    assert!(
                        account.outcome.is_none() && !account.closed && count > 0,
                        "{job:?}: a vain Want"
                    );
                    if self.credit.insert(job, count).is_none() {
                        self.at_some_time(Happening::Feed(job));
                    }
                }
                Instruction::Finished { job, outcome } => self.report.ledger.finish(job, outcome),
                Instruction::Broken { .. } => self.report.broken = true,
                Instruction::WakeAt { time } => {
                    assert!(time > self.now, "a tick for the past");
                    self.wake = Some(time);
                    self.at(time, Happening::Tick);
                }
                Instruction::Drained => {
                    // What comes after is a tick that nobody needs any more.
                    self.drained = true;
                    self.report.time = self.now;
                }
            }
        }
    }

    fn start_worker(&mut self, id: WorkerId) {
        self.workers.insert(id, Worker::new(id));
        if self.rng.chance(self.fates.plan.unlucky) {
            self.mail(id, Mail::NotStarted);
            self.workers.remove(&id);
            return;
        }
        self.mail(id, Mail::Started);
        let time = self.now + self.rng.between(0, self.fates.plan.start);
        self.at(time, Happening::Advance(id, 0));
    }

    /// Something foreseen comes true: the worker is ready, or has come to the end of a stretch of items.
    fn advance(&mut self, id: WorkerId, version: u64) {
        let Some(worker) = self.workers.get_mut(&id).filter(|worker| worker.version == version) else {
            return;
        };
        if !worker.ready {
            if self.fates.plan.hopeless || self.rng.chance(self.fates.plan.unlucky) {
                return self.die(id, Death::Exit { code: 1 });
            }
            worker.ready = true;
            self.mail(id, Mail::Ready);
        } else if let (Some(run), Some(held)) = (worker.run.take(), worker.held.front_mut()) {
            if run.dies {
                worker.run = Some(run);
                return self.die(id, Death::Signal { number: 11, out_of_memory: false });
            }
            let done = Held { message: held.message, job: held.job, items: run.first..run.upto };
            held.items.start = run.upto;
            let last = held.items.is_empty();
            if last {
                worker.held.pop_front();
            }
            let mail = Mail::Done(done, self.now - run.began);
            self.mail(id, mail.clone());
            if last && self.rng.chance(self.fates.plan.twice) {
                self.mail(id, mail);
            }
        }
        self.run_on(id);
    }

    /// The worker goes on with what it holds, or leaves.
    fn run_on(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        if worker.run.is_some() {
            return;
        }
        if worker.retired && worker.ready && worker.held.is_empty() {
            self.mail(id, Mail::Died(None, Death::Exit { code: 0 }));
            self.workers.remove(&id);
            return;
        }
        if worker.ready {
            worker.run_on(self.now, &self.fates);
            self.schedule(id);
        }
    }

    fn schedule(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id) else { return };
        if let Some(until) = worker.run.as_ref().and_then(|run| run.until) {
            let version = worker.version;
            self.at(until, Happening::Advance(id, version));
        }
    }

    /// The worker dies now; what it has finished of its stretch may or may not have been sent before.
    fn die(&mut self, id: WorkerId, death: Death) {
        self.report.deaths += 1;
        let sends = self.rng.chance(0.5);
        let Some(worker) = self.workers.get(&id) else { return };
        let running = worker.running(self.now, &self.fates);
        let mut done = None;
        if let (Some((message, job, index, since)), Some(run)) = (running, &worker.run) {
            if sends && index > run.first {
                done = Some(Mail::Done(Held { message, job, items: run.first..index }, since - run.began));
            }
        }
        if let Some(done) = done {
            self.mail(id, done);
        }
        self.mail(id, Mail::Died(running.map(|(message, _, index, _)| (message, index)), death));
        self.workers.remove(&id);
    }

    /// Somebody kills a worker, any.
    fn sabotage(&mut self) {
        let Some(mean) = self.fates.plan.sabotage.filter(|_| !self.draining) else { return };
        let newest = self.workers.last_key_value().map_or(0, |(id, _)| id.0);
        let from = WorkerId(self.rng.between(0, newest));
        if let Some(id) = self.workers.range(from..).next().map(|(&id, _)| id) {
            self.die(id, KILLED);
        }
        let time = self.now + self.rng.between(1, 2 * mean);
        self.at(time, Happening::Sabotage);
    }

    fn at_worker(&mut self, id: WorkerId, post: Post) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        match post {
            Post::Send(held) => {
                assert!(!worker.retired, "something was sent to a retired worker");
                worker.held.push_back(held);
            }
            Post::Recall(message, most, all) => {
                let stubborn = !all && self.rng.chance(self.fates.plan.stubborn);
                let version = worker.version;
                let most = if stubborn { 0 } else { most };
                let count = worker.recall(self.now, message, most, all, &self.fates);
                let changed = worker.version != version;
                self.mail(id, Mail::Recalled(message, count.unwrap_or(0)));
                if changed {
                    self.schedule(id);
                }
            }
            Post::Look => {
                let running = worker.running(self.now, &self.fates);
                self.mail(
                    id,
                    Mail::Running(running.map(|(message, _, index, since)| (message, index, since))),
                );
            }
            Post::Kill => return self.die(id, KILLED),
            Post::Retire => worker.retired = true,
        }
        self.run_on(id);
    }

    fn on_mail(&mut self, worker: WorkerId, mail: Mail) {
        match mail {
            Mail::Started => self.give(Event::Started { worker }),
            Mail::NotStarted => self.give(Event::NotStarted { worker }),
            Mail::Ready => self.give(Event::Ready { worker }),
            Mail::Recalled(message, count) => self.give(Event::Recalled { worker, message, count }),
            Mail::Running(item) => self.give(Event::Running { worker, item }),
            Mail::Died(running, death) => self.give(Event::Died { worker, running, death }),
            Mail::Done(Held { message, job, items }, busy) => {
                let fates = &self.fates;
                let raising = items.clone().filter(|&i| fates.raises(job, i));
                let failed: Vec<_> = raising.collect();
                let count = items.end - items.start;
                self.failed.clone_from(&failed);
                self.answered = Some((job, items));
                self.give(Event::Done { worker, message, count, failed: &failed, busy });
                self.answered = None;
            }
        }
    }
}
