//! Everything that a thread pool knows. Nothing here waits, reads a clock (but for a trace), or drops what the layer above gave it: that goes
//! into the trash, which is emptied when the lock is free.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use mh_engine::{Index, JobId, Nanos, OnError, Outcome};

use super::job::{Job, Loss, ThreadAnswer, ThreadJobOptions};
use super::{Claim, ServerId, Trash};
use crate::recording::Started;
use crate::state::Delivery;

/// Threads that may fail in a row before their first item until the pool gives up.
const FAILED_STARTS: u32 = 3;

/// Why the pool cannot go on.
pub enum ThreadBreakage<R> {
    /// What the initializer raised.
    Initializer(R),
    /// Why no thread can be started.
    Start(String),
}

/// One thread.
pub(crate) struct Server<I> {
    /// What it is known by in the layer above, once it runs.
    pub name: u64,
    pub ready: bool,
    pub running: Option<Running<I>>,
    /// What it runs is nobody's business any more: another one has taken its place.
    pub stray: bool,
    /// Chunks that it may still run.
    left: f64,
}

pub(crate) struct Running<I> {
    pub job: JobId,
    pub index: Index,
    since: Nanos,
    deadline: Nanos,
    /// Kept where the item may have to be run again.
    item: Option<Arc<I>>,
}

pub(crate) struct State<C, I, R> {
    /// How many threads there may be, strays not counted.
    pub count: usize,
    tasks_per_thread: Option<u64>,
    /// All threads are started at once, and replaced at once.
    eager: bool,
    pub jobs: HashMap<JobId, Job<C, I, R>>,
    next_job: u64,
    /// Open jobs with something to run, the next one in front.
    rotation: VecDeque<JobId>,
    pub servers: BTreeMap<ServerId, Server<I>>,
    next_server: u64,
    /// Threads that are no strays; those of them that wait for work; those that have not said that they are ready.
    pub live: usize,
    pub idle: usize,
    pub starting: usize,
    /// Items to be run that no thread has begun, of all jobs.
    pub unclaimed: u64,
    /// Jobs without an outcome.
    pub open: usize,
    failed_starts: u32,
    pub draining: bool,
    pub ended: bool,
    pub breakage: Option<Arc<ThreadBreakage<R>>>,
    pub deliveries: VecDeque<Delivery>,
}

impl<C, I, R> State<C, I, R>
where
    C: Send + Sync + 'static,
    I: Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    pub fn new(count: usize, tasks_per_thread: Option<u64>) -> Self {
        State {
            count: count.max(1),
            tasks_per_thread,
            eager: false,
            jobs: HashMap::new(),
            next_job: 1,
            rotation: VecDeque::new(),
            servers: BTreeMap::new(),
            next_server: 1,
            live: 0,
            idle: 0,
            starting: 0,
            unclaimed: 0,
            open: 0,
            failed_starts: 0,
            draining: false,
            ended: false,
            breakage: None,
            deliveries: VecDeque::new(),
        }
    }

    // --------------------------------------------------------------------------------------------------------- jobs

    pub fn open(&mut self, context: C, options: ThreadJobOptions, now: Nanos) -> JobId {
        let id = JobId(self.next_job);
        self.next_job += 1;
        let mut job = Job::new(context, options, self.count, now);
        if self.breakage.is_some() {
            job.outcome = Some(Outcome::Broken);
        } else if self.ended || self.draining {
            job.outcome = Some(Outcome::Cancelled);
        } else {
            self.open += 1;
        }
        self.jobs.insert(id, job);
        id
    }

    /// Adds items to a job; gives the index of the first. What a job that has ended is given is dropped.
    pub fn feed(
        &mut self,
        id: JobId,
        items: Vec<Arc<I>>,
        end: bool,
        now: Nanos,
        trash: &mut Trash,
    ) -> Option<Index> {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_open()) else {
            trash.push(Box::new(items));
            return None;
        };
        let first = job.fed();
        if job.limit < Index::MAX {
            trash.push(Box::new(items));
            return Some(first);
        }
        self.unclaimed += items.len() as u64;
        job.feed(items, self.count, now);
        job.closed |= end;
        self.rotate_in(id);
        self.finish_if_over(id);
        Some(first)
    }

    fn rotate_in(&mut self, id: JobId) {
        if let Some(job) = self.jobs.get_mut(&id)
            && !job.in_rotation
            && job.unclaimed() > 0
        {
            job.in_rotation = true;
            self.rotation.push_back(id);
        }
    }

    fn finish_if_over(&mut self, id: JobId) {
        if let Some(job) = self.jobs.get(&id)
            && job.is_open()
            && job.is_over()
        {
            let failed = job.limit < Index::MAX;
            let outcome = if failed { Outcome::Failed { index: job.limit } } else { Outcome::Complete };
            self.end_job(id, outcome);
        }
    }

    fn end_job(&mut self, id: JobId, outcome: Outcome) {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_open()) else { return };
        job.outcome = Some(outcome);
        job.tell_all();
        self.open -= 1;
        for index in job.watched.drain() {
            self.deliveries.push_back(Delivery { job: id, index });
        }
    }

    /// Ends a job early. With `give_up`, threads that run its items are replaced.
    pub fn cancel(&mut self, id: JobId, give_up: bool, outcome: Outcome, trash: &mut Trash) {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_open()) else { return };
        self.unclaimed -= job.unclaimed();
        job.drop_unclaimed(trash);
        self.end_job(id, outcome);
        if give_up {
            for server in self.servers.values_mut() {
                if server.running.as_ref().is_some_and(|running| running.job == id) {
                    trash.push(Box::new(server.running.take().and_then(|running| running.item)));
                    server.stray = true;
                    self.live -= 1;
                }
            }
        }
    }

    /// Takes back an item that no thread has begun: whether there was one.
    pub fn withdraw(&mut self, id: JobId, index: Index, trash: &mut Trash) -> bool {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_open()) else { return false };
        let Some(item) = job.withdraw(index) else { return false };
        self.unclaimed -= 1;
        self.settle(id, index, ThreadAnswer::Lost(Loss::Cancelled, item), trash);
        true
    }

    /// Takes back every item of the job that no thread has begun.
    pub fn withdraw_all(&mut self, id: JobId, trash: &mut Trash) {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_open()) else { return };
        let items = job.withdraw_all();
        self.unclaimed -= items.len() as u64;
        for (index, item) in items {
            self.settle(id, index, ThreadAnswer::Lost(Loss::Cancelled, item), trash);
        }
    }

    /// Forgets a job.
    pub fn close(&mut self, id: JobId, trash: &mut Trash) {
        self.cancel(id, false, Outcome::Cancelled, trash);
        if let Some(job) = self.jobs.remove(&id) {
            trash.push(Box::new(job));
        }
    }

    // ------------------------------------------------------------------------------------------------------ threads

    /// Whether a thread is to be started: it then counts as one that is starting.
    pub fn enlist(&mut self) -> Option<ServerId> {
        if self.ended || self.breakage.is_some() || self.live >= self.count {
            return None;
        }
        let wanted = self.unclaimed > (self.idle + self.starting) as u64;
        if !(wanted || self.eager && !self.draining) {
            return None;
        }
        let id = ServerId(self.next_server);
        self.next_server += 1;
        let left = self.tasks_per_thread.map_or(f64::INFINITY, |tasks| tasks as f64);
        let server = Server { name: 0, ready: false, running: None, stray: false, left };
        self.servers.insert(id, server);
        self.live += 1;
        self.starting += 1;
        Some(id)
    }

    /// From now on all threads are started at once.
    pub fn set_eager(&mut self) {
        self.eager = true;
    }

    /// The thread runs, and is ready for items.
    pub fn begin(&mut self, id: ServerId, name: u64) {
        if let Some(server) = self.servers.get_mut(&id).filter(|server| !server.ready) {
            server.name = name;
            server.ready = true;
            self.starting -= 1;
            self.failed_starts = 0;
        }
    }

    /// The thread's initializer failed; it is about to end.
    pub fn cannot_begin(&mut self, error: R, trash: &mut Trash) {
        self.failed_starts += 1;
        if self.failed_starts >= FAILED_STARTS && self.breakage.is_none() {
            self.break_down(ThreadBreakage::Initializer(error), trash);
        } else {
            trash.push(Box::new(error));
        }
    }

    /// No thread could be started for `id`. Where none is left to do the work, the pool is broken.
    pub fn not_started(&mut self, id: ServerId, why: String, trash: &mut Trash) {
        self.leave(id, None, trash);
        if self.live == 0 && self.breakage.is_none() {
            self.break_down(ThreadBreakage::Start(why), trash);
        }
    }

    fn break_down(&mut self, breakage: ThreadBreakage<R>, trash: &mut Trash) {
        self.breakage = Some(Arc::new(breakage));
        self.end_all(Outcome::Broken, trash);
    }

    /// Ends every job.
    pub fn end_all(&mut self, outcome: Outcome, trash: &mut Trash) {
        let open: Vec<JobId> = self.jobs.iter().filter(|(_, job)| job.is_open()).map(|(&id, _)| id).collect();
        for id in open {
            self.cancel(id, false, outcome, trash);
        }
    }

    /// The thread ends. An item that it did not answer is lost.
    pub fn leave(&mut self, id: ServerId, unanswered: Option<Arc<I>>, trash: &mut Trash) {
        if let Some(item) = unanswered {
            self.answer(id, ThreadAnswer::Lost(Loss::ThreadEnded, item), trash);
        }
        let Some(server) = self.servers.remove(&id) else { return };
        self.live -= usize::from(!server.stray);
        self.starting -= usize::from(!server.ready);
    }

    /// Whether nothing more will be done.
    pub fn is_over(&self) -> bool {
        self.ended || self.breakage.is_some() || (self.draining && self.open == 0)
    }

    /// Whether the thread has nothing more to do here.
    pub fn is_spent(&self, id: ServerId) -> bool {
        self.is_over() || self.servers.get(&id).is_none_or(|server| server.stray || server.left <= 0.0)
    }

    /// The next item for this thread.
    pub fn claim(&mut self, id: ServerId, now: Nanos) -> Option<Claim<C, I>> {
        if self.is_spent(id) {
            return None;
        }
        while let Some(job_id) = self.rotation.pop_front() {
            let Some(job) = self.jobs.get_mut(&job_id) else { continue };
            job.in_rotation = false;
            if !job.is_open() || job.unclaimed() == 0 {
                continue;
            }
            let Some((index, item)) = job.claim() else { continue };
            self.unclaimed -= 1;
            job.running += 1;
            if job.unclaimed() > 0 {
                job.in_rotation = true;
                self.rotation.push_back(job_id);
            }
            let timeout = job.options.timeout;
            let running = Running {
                job: job_id,
                index,
                since: now,
                deadline: timeout.map_or(Nanos::MAX, |timeout| now.saturating_add(timeout)),
                item: timeout.is_some().then(|| item.clone()),
            };
            let context = job.context.clone();
            let cost = 1.0 / job.options.chunk.max(1) as f64;
            job.tell();
            if let Some(server) = self.servers.get_mut(&id) {
                server.running = Some(running);
                // Thirds and their like do not add up to a whole one exactly.
                server.left -= cost;
                if server.left < 1e-9 {
                    server.left = 0.0;
                }
            }
            return Some(Claim { job: job_id, index, context, item, started: Started::now() });
        }
        None
    }

    /// The thread has an answer to what it was running.
    pub fn answer(&mut self, id: ServerId, answer: ThreadAnswer<I, R>, trash: &mut Trash) {
        let Some(server) = self.servers.get_mut(&id) else { return trash.push(Box::new(answer)) };
        if server.stray && self.live < self.count {
            // Nobody has taken its place yet.
            server.stray = false;
            self.live += 1;
            return trash.push(Box::new(answer));
        }
        let Some(running) = server.running.take() else { return trash.push(Box::new(answer)) };
        if running.item.is_some() {
            trash.push(Box::new(running.item));
        }
        let needed = |job: &&mut Job<C, I, R>| job.is_open() && running.index < job.limit;
        let Some(job) = self.jobs.get_mut(&running.job).filter(needed) else {
            return trash.push(Box::new(answer));
        };
        job.running -= 1;
        self.settle(running.job, running.index, answer, trash);
    }

    /// An item below the limit has ended.
    fn settle(&mut self, id: JobId, index: Index, answer: ThreadAnswer<I, R>, trash: &mut Trash) {
        let needed = |job: &&mut Job<C, I, R>| job.is_open() && index < job.limit;
        let Some(job) = self.jobs.get_mut(&id).filter(needed) else { return trash.push(Box::new(answer)) };
        job.ended += 1;
        let failure = answer.is_failure();
        if !job.options.by_index {
            job.answers.push((index, answer));
        } else if job.unwanted.remove(&index) {
            trash.push(Box::new(answer));
        } else {
            job.by_index.insert(index, answer);
            if let Some(seeker) = job.seekers.get(&index) {
                seeker.notify_all();
            }
        }
        if !job.watched.is_empty() && job.watched.remove(&Some(index)) {
            self.deliveries.push_back(Delivery { job: id, index: Some(index) });
        }
        if failure && job.options.on_error == OnError::Raise {
            self.unclaimed -= job.unclaimed();
            job.fail(index, trash);
            self.unclaimed += job.unclaimed();
            let needed = |running: &Running<I>| running.job == id && running.index < index;
            let below = self.servers.values().filter(|server| server.running.as_ref().is_some_and(needed));
            job.running = below.count() as u64;
        }
        job.tell();
        self.finish_if_over(id);
    }

    // ----------------------------------------------------------------------------------------------------- timeouts

    /// When to look next whether an item has run for too long; `None` where no open job has a timeout. Whatever begins
    /// until then has its own deadline no earlier.
    pub fn next_deadline(&self, now: Nanos) -> Option<Nanos> {
        let shortest =
            self.jobs.values().filter(|job| job.is_open()).filter_map(|job| job.options.timeout).min()?;
        let running = self.servers.values().filter_map(|server| server.running.as_ref());
        Some(
            running
                .map(|running| running.deadline)
                .min()
                .unwrap_or(Nanos::MAX)
                .min(now.saturating_add(shortest)),
        )
    }

    /// Gives up what has run for too long: its thread is a stray from here on.
    pub fn expire(&mut self, now: Nanos, trash: &mut Trash) {
        let mut late = Vec::new();
        for server in self.servers.values_mut() {
            if server.running.as_ref().is_some_and(|running| running.deadline <= now) {
                late.extend(server.running.take());
                server.stray = true;
                self.live -= 1;
            }
        }
        for Running { job: id, index, since, item, .. } in late {
            let Some(item) = item else { continue };
            let needed = |job: &&mut Job<C, I, R>| job.is_open() && index < job.limit;
            let Some(job) = self.jobs.get_mut(&id).filter(needed) else {
                trash.push(Box::new(item));
                continue;
            };
            job.running -= 1;
            match job.try_again(index, item) {
                Ok(()) => {
                    self.unclaimed += 1;
                    self.rotate_in(id);
                }
                Err((attempts, item)) => {
                    let loss = Loss::TimedOut { after: now.saturating_sub(since), attempts };
                    self.settle(id, index, ThreadAnswer::Lost(loss, item), trash);
                }
            }
        }
    }
}
