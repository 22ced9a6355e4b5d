//! Items that are run by threads of this process: a pool that knows neither what an item is nor how it is run.
//!
//! The layer above starts the threads and calls the function; here is who runs what next, and what becomes of it. A thread
//! holds a [`Server`]: it waits there, claims an item, runs it with no lock of ours held, and gives the answer. Items and
//! answers are the layer's own objects, moved and never copied.
//!
//! What is always true:
//! - The lock is held for a few moves of memory, never while anything of the layer above runs. Its objects may run code
//!   when they are dropped, so none is dropped under the lock: they go into the trash, which is emptied after it.
//! - A thread that wakes up from its wait claims nothing before it has come back to the layer above: an item that was
//!   claimed is run at once, and the time that it may run begins then.
//! - A thread whose item timed out, or was given up, is a *stray*: another one takes its place. When it comes back its
//!   answer is dropped, and it ends, or stays if its place has not been taken.
//! - What is waited for can be waited for in slices: no wait is longer than [`LOOK_AROUND`], lest a signal go unseen.

mod job;
mod state;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use mh_engine::{Index, JobId, Outcome};

pub use job::{Loss, ThreadAnswer, ThreadJobOptions};
use state::State;
pub use state::ThreadBreakage;

use crate::driving::Waited;
use crate::recording::{Started, new_pool, note_fed, note_taken_indices};
use crate::state::{Delivery, now};

/// Longest that a caller sleeps without looking around.
const LOOK_AROUND: Duration = Duration::from_millis(50);

/// What is to be dropped when the lock is free.
pub(crate) type Trash = Vec<Box<dyn Any + Send>>;

/// One of a pool's threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub u64);

/// An item that a thread has taken on.
#[derive(Debug)]
pub struct Claim<C, I> {
    pub job: JobId,
    pub index: Index,
    /// What is the same for all items of the job.
    pub context: Arc<C>,
    pub item: Arc<I>,
    /// For a trace.
    pub(crate) started: Started,
}

/// What a caller finds.
pub struct ThreadTaken<I, R> {
    pub answers: Vec<(Index, ThreadAnswer<I, R>)>,
    /// Set once every answer has been handed out.
    pub outcome: Option<Outcome>,
}

/// One thread, as shown to users.
#[derive(Clone, Debug)]
pub struct ServerView {
    pub id: u64,
    /// What it is known by in the layer above; 0 until it runs.
    pub name: u64,
    pub ready: bool,
    pub running: Option<Index>,
}

/// How to make a pool.
#[derive(Clone, Debug)]
pub struct ThreadSettings {
    pub threads: usize,
    /// A thread is replaced after so many tasks.
    pub tasks_per_thread: Option<u64>,
    /// Threads that have had nothing to do for so long end; they come back with the next item.
    pub idle: Option<Duration>,
}

/// A pool of threads and the jobs that they do. Dropping it ends them; what runs goes on to its end.
pub struct ThreadPool<C: Part, I: Part, R: Part> {
    shared: Arc<Shared<C, I, R>>,
    pid: u32,
}

/// What a pool is made of: anything that threads may hand to each other.
pub trait Part: Send + Sync + 'static {}
impl<T: Send + Sync + 'static> Part for T {}

/// One thread's end of the pool.
pub struct Server<C: Part, I: Part, R: Part> {
    shared: Arc<Shared<C, I, R>>,
    id: ServerId,
    left: bool,
}

/// Sees to timeouts, from a thread of its own.
pub struct Keeper<C: Part, I: Part, R: Part> {
    shared: Arc<Shared<C, I, R>>,
}

struct Locked<C, I, R> {
    state: State<C, I, R>,
    /// Whether a keeper is there.
    kept: bool,
    /// The thread that ends the program, once it does.
    ender: Option<ThreadId>,
}

struct Shared<C, I, R> {
    /// The pool's number in traces.
    number: u64,
    locked: Mutex<Locked<C, I, R>>,
    idle: Option<Duration>,
    /// Threads wait here for work.
    work: Condvar,
    keeper: Condvar,
    deliveries: Condvar,
    /// Threads have ended.
    ends: Condvar,
}

type Guard<'a, C, I, R> = MutexGuard<'a, Locked<C, I, R>>;

impl<C: Part, I: Part, R: Part> Shared<C, I, R> {
    fn lock(&self) -> Guard<'_, C, I, R> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to the state; what that leaves over is dropped after the lock has been let go.
    fn change<T>(&self, change: impl FnOnce(&mut State<C, I, R>, &mut Trash) -> T) -> T {
        let mut trash = Trash::new();
        let mut locked = self.lock();
        let result = change(&mut locked.state, &mut trash);
        self.after(&locked);
        drop(locked);
        drop(trash);
        result
    }

    /// After a change: wakes whom it concerns.
    fn after(&self, locked: &Locked<C, I, R>) {
        let state = &locked.state;
        if !state.deliveries.is_empty() {
            self.deliveries.notify_all();
        }
        if state.is_over() {
            self.work.notify_all();
            self.keeper.notify_all();
            self.ends.notify_all();
        }
    }

    /// The lock, for a thread that is about to wait. At the program's end it does not come back: the thread could do
    /// nothing while the interpreter is taken apart.
    fn lock_to_wait(&self) -> Guard<'_, C, I, R> {
        self.unless_the_end(self.lock())
    }

    fn unless_the_end<'a>(&self, locked: Guard<'a, C, I, R>) -> Guard<'a, C, I, R> {
        if locked.ender.is_none_or(|ender| ender == std::thread::current().id()) {
            return locked;
        }
        drop(locked);
        loop {
            std::thread::park();
        }
    }

    /// Sleeps on `condvar`; gives whether the time was up.
    fn sleep<'a>(
        &'a self,
        locked: Guard<'a, C, I, R>,
        condvar: &Condvar,
        timeout: Option<Duration>,
    ) -> (Guard<'a, C, I, R>, bool) {
        let (locked, late) = match timeout {
            None => (condvar.wait(locked).unwrap_or_else(PoisonError::into_inner), false),
            Some(timeout) => {
                let (locked, late) =
                    condvar.wait_timeout(locked, timeout).unwrap_or_else(PoisonError::into_inner);
                (locked, late.timed_out())
            }
        };
        (self.unless_the_end(locked), late)
    }

    /// Waits in one slice until `ready`.
    fn wait(
        &self,
        timeout: Duration,
        ready: impl Fn(&mut State<C, I, R>) -> bool,
        register: impl FnOnce(&mut State<C, I, R>) -> Option<Arc<Condvar>>,
        leave: impl FnOnce(&mut State<C, I, R>),
    ) -> Waited {
        let mut locked = self.lock_to_wait();
        if ready(&mut locked.state) {
            return Waited::News;
        }
        if timeout.is_zero() {
            return Waited::Nothing;
        }
        let Some(condvar) = register(&mut locked.state) else { return Waited::News };
        let until = now().saturating_add(timeout.min(LOOK_AROUND).as_nanos() as u64);
        let waited = loop {
            let left = until.saturating_sub(now());
            if left == 0 {
                break Waited::Nothing;
            }
            locked = self.sleep(locked, &condvar, Some(Duration::from_nanos(left))).0;
            if ready(&mut locked.state) {
                break Waited::News;
            }
        };
        leave(&mut locked.state);
        waited
    }
}

impl<C: Part, I: Part, R: Part> ThreadPool<C, I, R> {
    /// Makes a pool. Its threads are started by the layer above: see `enlist`.
    pub fn new(settings: ThreadSettings) -> Self {
        let state = State::new(settings.threads, settings.tasks_per_thread);
        let shared = Shared {
            number: new_pool(),
            locked: Mutex::new(Locked { state, kept: false, ender: None }),
            idle: settings.idle,
            work: Condvar::new(),
            keeper: Condvar::new(),
            deliveries: Condvar::new(),
            ends: Condvar::new(),
        };
        ThreadPool { shared: Arc::new(shared), pid: std::process::id() }
    }

    /// Is this the process that made the pool? In a forked child nothing of it may be touched: its lock may be held by a
    /// thread that does not exist there.
    pub fn is_ours(&self) -> bool {
        std::process::id() == self.pid
    }

    /// Its number in traces.
    pub fn number(&self) -> u64 {
        self.shared.number
    }

    /// All threads are wanted at once, and not only when there is work for them.
    pub fn set_eager(&self) {
        self.shared.lock().state.set_eager();
    }

    /// A thread that should be started now, if one should: to be called until there is none, after whatever may bring
    /// work (`feed`, `Server::leave`, `Keeper::expire`).
    pub fn enlist(&self) -> Option<Server<C, I, R>> {
        enlist(&self.shared)
    }

    /// A keeper that should be started now, if one should: after `open` of a job with a timeout.
    pub fn keeper(&self) -> Option<Keeper<C, I, R>> {
        let mut locked = self.shared.lock();
        if locked.kept {
            // A shorter timeout than it knows of may have come.
            self.shared.keeper.notify_all();
            return None;
        }
        locked.kept = true;
        Some(Keeper { shared: self.shared.clone() })
    }

    /// Opens a job.
    pub fn open(&self, context: C, options: ThreadJobOptions) -> JobId {
        self.shared.change(|state, _| state.open(context, options, now()))
    }

    /// Adds items to a job; gives the index of the first, or `None` for a job that has ended.
    pub fn feed(&self, id: JobId, items: Vec<Arc<I>>, end: bool) -> Option<Index> {
        let count = items.len();
        let mut trash = Trash::new();
        let mut locked = self.shared.lock();
        let time = now();
        let first = locked.state.feed(id, items, end, time, &mut trash);
        if let Some(first) = first {
            note_fed(self.shared.number, id, first, count as u64, time);
        }
        wake_idle(&self.shared, &locked.state, count);
        self.shared.after(&locked);
        drop(locked);
        drop(trash);
        first
    }

    /// Takes back an item that no thread has begun: whether that could be done. Its answer is then `Loss::Cancelled`.
    pub fn withdraw(&self, id: JobId, index: Index) -> bool {
        self.shared.change(|state, trash| state.withdraw(id, index, trash))
    }

    /// The same for every item of a job that no thread has begun.
    pub fn withdraw_all(&self, id: JobId) {
        self.shared.change(|state, trash| state.withdraw_all(id, trash));
    }

    /// Has a thread begun the item? (It may have finished it.)
    pub fn has_begun(&self, id: JobId, index: Index) -> bool {
        self.shared.lock().state.jobs.get(&id).is_some_and(|job| job.has_begun(index))
    }

    /// Ends a job early: what has not begun is dropped. What runs goes on to its end; with `give_up`, other threads take
    /// the place of those that run it.
    pub fn cancel(&self, id: JobId, give_up: bool) {
        self.shared.change(|state, trash| state.cancel(id, give_up, Outcome::Cancelled, trash));
    }

    /// Forgets a job, which should have ended or been cancelled.
    pub fn close(&self, id: JobId) {
        self.shared.change(|state, trash| state.close(id, trash));
    }

    /// What there is for the caller of a job now.
    pub fn take(&self, id: JobId) -> ThreadTaken<I, R> {
        match self.shared.lock().state.jobs.get_mut(&id) {
            Some(job) => {
                let answers = std::mem::take(&mut job.answers);
                note_taken_indices(self.shared.number, id, answers.iter().map(|(index, _)| *index));
                ThreadTaken { answers, outcome: job.outcome }
            }
            None => ThreadTaken { answers: Vec::new(), outcome: Some(Outcome::Cancelled) },
        }
    }

    /// The answer to one item of a job that is asked by index.
    pub fn take_index(&self, id: JobId, index: Index) -> Option<ThreadAnswer<I, R>> {
        let answer = self.shared.lock().state.jobs.get_mut(&id)?.by_index.remove(&index)?;
        note_taken_indices(self.shared.number, id, std::iter::once(index));
        Some(answer)
    }

    /// An answer that was taken could not be used after all.
    pub fn put_back(&self, id: JobId, index: Index, answer: ThreadAnswer<I, R>) {
        self.shared.change(|state, trash| match state.jobs.get_mut(&id) {
            Some(job) => drop(job.by_index.insert(index, answer)),
            None => trash.push(Box::new(answer)),
        });
    }

    /// Nobody will ask for the answer to this item.
    pub fn discard(&self, id: JobId, index: Index) {
        self.shared.change(|state, trash| {
            if let Some(job) = state.jobs.get_mut(&id) {
                match job.by_index.remove(&index) {
                    Some(answer) => trash.push(Box::new(answer)),
                    None if job.is_open() => drop(job.unwanted.insert(index)),
                    None => {}
                }
            }
        });
    }

    /// Has the item been answered (or has the job ended without)?
    pub fn is_answered(&self, id: JobId, index: Index) -> bool {
        has_answer(&self.shared.lock().state, id, index)
    }

    /// How the job ended, if it has.
    pub fn outcome(&self, id: JobId) -> Option<Outcome> {
        self.shared.lock().state.jobs.get(&id).map_or(Some(Outcome::Cancelled), |job| job.outcome)
    }

    /// How many items the job has room for.
    pub fn room(&self, id: JobId) -> u64 {
        self.shared.lock().state.jobs.get(&id).map_or(0, |job| job.room())
    }

    /// Waits, for no longer than [`LOOK_AROUND`], until the job has ended; with `answers` or `room`, until there are
    /// some.
    pub fn wait(&self, id: JobId, answers: bool, room: bool, timeout: Duration) -> Waited {
        self.shared.wait(
            timeout,
            |state| state.jobs.get_mut(&id).is_none_or(|job| job.take_news(answers, room)),
            |state| {
                let job = state.jobs.get_mut(&id)?;
                job.waiting.callers += 1;
                job.waiting.answers |= answers;
                job.waiting.room |= room;
                job.waiting.told = false;
                Some(job.news.clone())
            },
            |state| {
                if let Some(job) = state.jobs.get_mut(&id) {
                    job.waiting.callers -= 1;
                    // Others may still wait, for what the wake-up that we took was about.
                    job.waiting.told = false;
                    if job.waiting.callers == 0 {
                        job.waiting = Default::default();
                    }
                }
            },
        )
    }

    /// Waits, for no longer than [`LOOK_AROUND`], until one item has been answered.
    pub fn wait_index(&self, id: JobId, index: Index, timeout: Duration) -> Waited {
        self.shared.wait(
            timeout,
            |state| has_answer(state, id, index),
            |state| Some(state.jobs.get_mut(&id)?.seekers.entry(index).or_default().clone()),
            |state| {
                if let Some(job) = state.jobs.get_mut(&id)
                    && job.seekers.get(&index).is_some_and(|seeker| Arc::strong_count(seeker) <= 2)
                {
                    job.seekers.remove(&index);
                }
            },
        )
    }

    /// Waits, for no longer than [`LOOK_AROUND`], until every thread is gone that is no stray.
    pub fn wait_drained(&self, timeout: Duration) -> Waited {
        let shared = &self.shared;
        let mut locked = shared.lock_to_wait();
        let gone = |state: &State<C, I, R>| state.is_over() && state.live == 0;
        if !gone(&locked.state) && !timeout.is_zero() {
            locked = shared.sleep(locked, &shared.ends, Some(timeout.min(LOOK_AROUND))).0;
        }
        if gone(&locked.state) { Waited::News } else { Waited::Nothing }
    }

    /// Asks that `next_delivery` tell of an item's answer (or, for `None`, of the end of the job).
    pub fn watch(&self, id: JobId, index: Option<Index>) {
        self.shared.change(|state, _| {
            let there = match (state.jobs.get(&id), index) {
                (None, _) => true,
                (Some(job), Some(index)) => !job.is_open() || job.by_index.contains_key(&index),
                (Some(job), None) => !job.is_open(),
            };
            if there {
                state.deliveries.push_back(Delivery { job: id, index });
            } else if let Some(job) = state.jobs.get_mut(&id) {
                job.watched.insert(index);
            }
        });
    }

    /// Waits for what was watched. For one thread.
    pub fn next_delivery(&self, timeout: Duration) -> Vec<Delivery> {
        let mut locked = self.shared.lock();
        if locked.state.deliveries.is_empty() && locked.ender.is_none() && !locked.state.ended {
            let waited = self.shared.deliveries.wait_timeout(locked, timeout);
            locked = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        locked.state.deliveries.drain(..).collect()
    }

    /// Wakes the thread in `next_delivery`.
    pub fn nudge_delivery(&self) {
        self.shared.deliveries.notify_all();
    }

    /// The threads there are now, strays not among them.
    pub fn servers(&self) -> Vec<ServerView> {
        let locked = self.shared.lock();
        let servers = locked.state.servers.iter().filter(|(_, server)| !server.stray);
        servers
            .map(|(id, server)| ServerView {
                id: id.0,
                name: server.name,
                ready: server.ready,
                running: server.running.as_ref().map(|running| running.index),
            })
            .collect()
    }

    /// Why the pool is broken, if it is.
    pub fn breakage(&self) -> Option<Arc<ThreadBreakage<R>>> {
        self.shared.lock().state.breakage.clone()
    }

    /// No further jobs: threads end once the open ones have.
    pub fn drain(&self) {
        self.shared.change(|state, _| state.draining = true);
    }

    /// Ends everything now: jobs are cancelled, threads end, those that run something after it.
    pub fn terminate(&self) {
        self.end(false);
    }

    /// The same at the end of the program: threads that wait for something of this pool wait on, until the program's end
    /// ends them.
    pub fn terminate_at_exit(&self) {
        self.end(true);
    }

    fn end(&self, at_exit: bool) {
        if !self.is_ours() {
            return;
        }
        if at_exit {
            self.shared.lock().ender = Some(std::thread::current().id());
        }
        self.shared.change(|state, trash| {
            state.ended = true;
            state.end_all(Outcome::Cancelled, trash);
        });
        self.shared.deliveries.notify_all();
    }
}

impl<C: Part, I: Part, R: Part> Drop for ThreadPool<C, I, R> {
    fn drop(&mut self) {
        if self.is_ours() {
            self.terminate();
        } else {
            // Another thread of the parent's may have been changing it when the child was made.
            std::mem::forget(self.shared.clone());
        }
    }
}

impl<C: Part, I: Part, R: Part> Server<C, I, R> {
    pub fn id(&self) -> ServerId {
        self.id
    }

    /// The thread runs, and is ready for items. `name`: what it is known by in the layer above.
    pub fn begin(&self, name: u64) {
        self.shared.lock().state.begin(self.id, name);
    }

    /// The thread's initializer failed: it is to leave.
    pub fn cannot_begin(&self, error: R) {
        self.shared.change(|state, trash| state.cannot_begin(error, trash));
    }

    /// No such thread could be started: why not.
    pub fn not_started(mut self, why: String) {
        self.left = true;
        self.shared.change(|state, trash| state.not_started(self.id, why, trash));
    }

    /// Waits until there may be something to do (`true`), or nothing more will come.
    pub fn wait(&self) -> bool {
        let shared = &self.shared;
        let mut locked = shared.lock_to_wait();
        loop {
            if locked.state.is_spent(self.id) {
                return false;
            }
            if locked.state.unclaimed > 0 {
                return true;
            }
            locked.state.idle += 1;
            let (woken, late) = shared.sleep(locked, &shared.work, shared.idle);
            locked = woken;
            locked.state.idle -= 1;
            if late && locked.state.unclaimed == 0 {
                return false;
            }
        }
    }

    /// The next item, if there is one now.
    pub fn claim(&self) -> Option<Claim<C, I>> {
        let mut locked = self.shared.lock();
        let claimed = locked.state.claim(self.id, now());
        self.after_claim(&locked, claimed.is_some());
        claimed
    }

    /// Notes for a trace that what was claimed has been run; before its answer is given.
    pub fn note(&self, claim: &Claim<C, I>, failed: bool) {
        claim.started.ended(self.shared.number, claim.job, claim.index, self.id.0, failed);
    }

    /// Gives the answer to the item claimed last; takes the next one, if there is one now.
    pub fn answer(&self, answer: ThreadAnswer<I, R>) -> Option<Claim<C, I>> {
        let mut trash = Trash::new();
        let mut locked = self.shared.lock();
        locked.state.answer(self.id, answer, &mut trash);
        let claimed = locked.state.claim(self.id, now());
        self.after_claim(&locked, claimed.is_some());
        drop(locked);
        drop(trash);
        claimed
    }

    fn after_claim(&self, locked: &Guard<'_, C, I, R>, claimed: bool) {
        self.shared.after(locked);
        if !claimed && locked.state.unclaimed > 0 {
            // This one does not: it may have been the only one that was woken.
            wake_idle(&self.shared, &locked.state, 1);
        }
    }

    /// The thread ends; an item that it has claimed and not answered is lost. Gives a thread to be started in its place.
    pub fn leave(&mut self, unanswered: Option<Arc<I>>) -> Option<Server<C, I, R>> {
        if std::mem::replace(&mut self.left, true) {
            return None;
        }
        self.shared.change(|state, trash| state.leave(self.id, unanswered, trash));
        let next = enlist(&self.shared);
        self.shared.ends.notify_all();
        next
    }
}

impl<C: Part, I: Part, R: Part> Drop for Server<C, I, R> {
    fn drop(&mut self) {
        if let Some(next) = self.leave(None) {
            next.not_started("a thread ended where no other could be started".into());
        }
    }
}

impl<C: Part, I: Part, R: Part> Keeper<C, I, R> {
    /// Waits until an item may have run for too long (`true`), or nothing is left to be kept.
    pub fn wait(&self) -> bool {
        let shared = &self.shared;
        let mut locked = shared.lock_to_wait();
        let time = now();
        let until = if locked.state.is_over() { None } else { locked.state.next_deadline(time) };
        let Some(until) = until else {
            locked.kept = false;
            return false;
        };
        if until > time {
            drop(shared.sleep(locked, &shared.keeper, Some(Duration::from_nanos(until - time))));
        }
        true
    }

    /// Gives up what has run for too long.
    pub fn expire(&self) {
        let mut trash = Trash::new();
        let mut locked = self.shared.lock();
        locked.state.expire(now(), &mut trash);
        wake_idle(&self.shared, &locked.state, usize::MAX);
        self.shared.after(&locked);
        drop(locked);
        drop(trash);
    }

    /// A thread that should be started now, if one should.
    pub fn enlist(&self) -> Option<Server<C, I, R>> {
        enlist(&self.shared)
    }
}

fn enlist<C: Part, I: Part, R: Part>(shared: &Arc<Shared<C, I, R>>) -> Option<Server<C, I, R>> {
    let id = shared.lock().state.enlist()?;
    Some(Server { shared: shared.clone(), id, left: false })
}

/// Wakes as many threads as there are new items for them.
fn wake_idle<C: Part, I: Part, R: Part>(shared: &Shared<C, I, R>, state: &State<C, I, R>, items: usize) {
    let idle = state.idle;
    if items >= idle {
        if idle > 0 && state.unclaimed > 0 {
            shared.work.notify_all();
        }
    } else {
        for _ in 0..items {
            shared.work.notify_one();
        }
    }
}

fn has_answer<C: Part, I: Part, R: Part>(state: &State<C, I, R>, id: JobId, index: Index) -> bool {
    state.jobs.get(&id).is_none_or(|job| job.by_index.contains_key(&index) || !job.is_open())
}
