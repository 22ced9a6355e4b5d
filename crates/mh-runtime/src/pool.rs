//! A pool of workers: what the layer above calls.
//!
//! Who drives: see README.md beside this file. In short, whoever waits for an answer waits for the workers' sockets
//! itself, so that a call there and back wakes two threads and not three; a background thread steps in when nobody
//! has for a while.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use mh_engine::{Event, Fault, Index, JobId, Outcome, Settings};
use mh_store::{Arena, MemoryReading, Object, OomCounter, StoreError};
use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::process::{PidfdFlags, getpid, pidfd_open};

use crate::answers::Answer;
use crate::driving::{Drivers, Locked, Shared, WAKE, Waited};
use crate::job::{Chunk, Job, JobSpec};
use crate::objects::{ObjectId, Payload};
use crate::recording::note_taken;
use crate::spawn::Program;
use crate::state::{Breakage, Delivery, Print, State, World, now};

/// Encoded items that a job may keep waiting, in bytes.
const WEIGHT: u64 = 256 << 20;

/// How to make a pool.
pub struct PoolOptions {
    pub settings: Settings,
    pub program: Program,
    /// What is free for shared memory.
    pub memory: Box<dyn MemoryReading + Send>,
    pub oom: OomCounter,
}

/// What a caller finds.
pub struct Taken {
    pub answers: Vec<Answer>,
    pub prints: Vec<Print>,
    /// Set once every answer has been handed out.
    pub outcome: Option<Outcome>,
    /// How many more items the job has room for.
    pub room: u64,
}

/// What became of an item that was withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// It will never run, or was killed; its answer is `Fault::Cancelled`.
    Cancelled,
    /// It has ended, or it runs and goes on.
    Refused,
    /// Its worker was being killed: what it had sent before counts, else the item is cancelled. The answer will tell.
    Pending,
}

/// One worker, as shown to users.
#[derive(Clone, Debug)]
pub struct WorkerView {
    pub id: u64,
    pub pid: u32,
    pub ready: bool,
    /// The item that it is running: (job, index).
    pub running: Option<Index>,
}

/// Worker processes and the jobs that they do. Dropping it kills the workers.
pub struct Pool {
    shared: Arc<Shared>,
    /// Taken, under the lock, by the first who terminates the pool; others wait until that is done.
    thread: Mutex<Option<JoinHandle<()>>>,
    pid: u32,
    number: u64,
}

impl Pool {
    /// Makes a pool; no worker is started yet (see `start`).
    pub fn new(options: PoolOptions) -> io::Result<Pool> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &wake, epoll::EventData::new_u64(WAKE), epoll::EventFlags::IN)?;
        let own = pidfd_open(getpid(), PidfdFlags::empty())?;
        let world = World {
            epoll,
            arena: Mutex::new(Arena::new(1, options.memory)),
            oom: options.oom,
            own: Arc::new(own),
            program: options.program,
        };
        let state = State::new(options.settings);
        let number = state.number;
        let shared = Arc::new(Shared {
            locked: Mutex::new(Locked { state, drivers: Drivers::default() }),
            changed: Condvar::new(),
            background: Condvar::new(),
            deliveries: Condvar::new(),
            wake,
            world,
        });
        let thread =
            std::thread::Builder::new().name("manyhands-driver".into()).stack_size(256 * 1024).spawn({
                let shared = shared.clone();
                move || shared.drive_in_background()
            })?;
        Ok(Pool { shared, thread: Mutex::new(Some(thread)), pid: std::process::id(), number })
    }

    /// Is this the process that made the pool? In a forked child nothing of it may be touched: its locks may be held
    /// by threads that do not exist there.
    pub fn is_ours(&self) -> bool {
        std::process::id() == self.pid
    }

    /// Its number in traces.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Sets what every worker is told before its first item, in this order; with `initializer`, the last of them is
    /// one that the worker runs before it is ready.
    pub fn set_first(&self, objects: &[ObjectId], initializer: bool) {
        let mut locked = self.shared.lock();
        locked.state.first = objects.to_vec();
        locked.state.has_initializer = initializer;
    }

    /// Starts the workers.
    pub fn start(&self) {
        let mut locked = self.shared.lock();
        locked.state.start(&self.shared.world);
        self.shared.after(&mut locked);
    }

    /// Copies bytes into shared memory. They stay there for as long as an item or an object refers to the place.
    pub fn store(&self, bytes: &[u8]) -> Result<Object, StoreError> {
        if bytes.len() as u64 >= 1 << 20 {
            self.collect_released(bytes.len() as u64);
        }
        let (object, segment) = {
            let mut arena = self.shared.world.arena.lock().unwrap_or_else(PoisonError::into_inner);
            arena.reserve(bytes.len() as u64)?
        };
        if let Err(error) = segment.write(object.offset, bytes) {
            self.unstore(object);
            return Err(error);
        }
        Ok(object)
    }

    /// Keeps a stored place from being used again until `unpin`, for as long as items that are yet to be fed may refer
    /// to it.
    pub fn pin(&self, object: Object) {
        self.shared.lock().state.leases.retain(object);
    }

    /// Ends `pin`.
    pub fn unpin(&self, object: Object) {
        let mut locked = self.shared.lock();
        locked.state.drop_needs(&self.shared.world, [object]);
    }

    /// Gives up a place that no item or object came to refer to.
    pub fn unstore(&self, object: Object) {
        self.shared.world.arena.lock().unwrap_or_else(PoisonError::into_inner).release(object);
    }

    /// Large memory was asked for: what workers have let go of, or are about to, is better than fresh pages.
    fn collect_released(&self, len: u64) {
        let mut locked = self.shared.lock();
        let until = now() + 2_000_000;
        loop {
            self.shared.poll(&mut locked);
            if !locked.state.leases.lingers(len) || now() > until {
                break;
            }
            drop(locked);
            std::thread::yield_now();
            locked = self.shared.lock();
        }
    }

    /// Adds a thing that workers are told before the items that need it.
    pub fn add_object(&self, kind: u8, payload: Payload) -> ObjectId {
        let mut locked = self.shared.lock();
        for object in &payload.objects {
            locked.state.leases.retain(*object);
        }
        locked.state.objects.add(kind, payload)
    }

    /// Lets go of objects, here and in the workers.
    pub fn forget(&self, objects: &[ObjectId]) {
        let mut locked = self.shared.lock();
        locked.state.forget(&self.shared.world, objects);
    }

    /// Opens a job.
    pub fn open(&self, spec: JobSpec) -> JobId {
        let mut locked = self.shared.lock();
        let id = locked.state.new_job_id();
        let options = spec.options.clone();
        let mut job = Job::new(spec);
        if locked.state.broken || locked.state.drained {
            let outcome = if locked.state.broken { Outcome::Broken } else { Outcome::Cancelled };
            job.outcome = Some(outcome);
            locked.state.jobs.insert(id, job);
        } else {
            locked.state.jobs.insert(id, job);
            locked.state.handle(&self.shared.world, Event::Open { job: id, options });
        }
        self.shared.after(&mut locked);
        id
    }

    /// Adds to the objects that a worker must have before it is sent further items of the job.
    pub fn add_needs(&self, id: JobId, needs: &[ObjectId]) {
        let mut locked = self.shared.lock();
        let State { jobs, objects, .. } = &mut locked.state;
        if let Some(job) = jobs.get_mut(&id)
            && !needs.iter().all(|need| job.needs.contains(need))
        {
            // What was forgotten since then has been replaced by something newer.
            job.needs.retain(|need| objects.get(*need).is_some());
            for need in needs {
                if !job.needs.contains(need) {
                    job.needs.push(*need);
                }
            }
        }
    }

    /// Adds items to a job; gives the index of the first, or `None` for a job that has ended or whose input
    /// has: then none of them is run.
    pub fn feed(&self, id: JobId, chunk: Chunk, end: bool) -> Option<Index> {
        let mut locked = self.shared.lock();
        let state = &mut locked.state;
        if state.workers.values().any(|worker| worker.results.has_freed()) {
            // Before the items: their results can then lie where the earlier ones lay.
            state.tell_freed(&self.shared.world);
        }
        let takes = |job: &Job| job.outcome.is_none() && (!job.closed || chunk.items.is_empty());
        let first = if state.jobs.get(&id).is_some_and(takes) {
            Some(state.feed(&self.shared.world, id, chunk, end))
        } else {
            // The job, or its input, has ended meanwhile: what was stored for these is free, unless others need it or
            // still read it.
            for (_, object) in &chunk.objects {
                state.leases.retain(*object);
            }
            state.drop_needs(&self.shared.world, chunk.objects.into_iter().map(|(_, object)| object));
            None
        };
        self.shared.after(&mut locked);
        first
    }

    /// The consumer took answers of a job with a buffer.
    pub fn consumed(&self, id: JobId, count: u64) {
        let mut locked = self.shared.lock();
        locked.state.handle(&self.shared.world, Event::Take { job: id, count });
    }

    /// Ends a job early; with `kill`, workers that are running its items are killed.
    pub fn cancel(&self, id: JobId, kill: bool) {
        let mut locked = self.shared.lock();
        locked.state.handle(&self.shared.world, Event::Cancel { job: id, kill });
        self.shared.after(&mut locked);
    }

    /// Forgets a job, which should have ended or been cancelled.
    pub fn close(&self, id: JobId) {
        let mut locked = self.shared.lock();
        locked.state.close_job(&self.shared.world, id);
    }

    /// What there is for the caller of a job now.
    pub fn take(&self, id: JobId) -> Taken {
        let mut locked = self.shared.lock();
        let prints = locked.state.prints.drain(..).collect();
        let world = &self.shared.world;
        if locked.state.workers.values().any(|worker| worker.results.has_freed()) {
            locked.state.tell_freed(world);
        }
        let room = room(&locked.state, id);
        match locked.state.jobs.get_mut(&id) {
            Some(job) => {
                job.want = 0;
                let answers: Vec<Answer> = job.answers.drain(..).collect();
                note_taken(self.number, id, &answers);
                Taken { answers, prints, outcome: job.outcome, room }
            }
            None => Taken { answers: Vec::new(), prints, outcome: Some(Outcome::Cancelled), room: 0 },
        }
    }

    /// The answer to one item of a job that is asked by index, and what was printed meanwhile.
    pub fn take_index(&self, id: JobId, index: Index) -> (Option<Answer>, Vec<Print>) {
        let mut locked = self.shared.lock();
        let state = &mut locked.state;
        let answer = state.jobs.get_mut(&id).and_then(|job| job.by_index.remove(&index));
        note_taken(self.number, id, answer.as_slice());
        (answer, state.prints.drain(..).collect())
    }

    /// An answer that was taken could not be used after all.
    pub fn put_back(&self, id: JobId, index: Index, answer: Answer) {
        if let Some(job) = self.shared.lock().state.jobs.get_mut(&id) {
            job.by_index.insert(index, answer);
        }
    }

    /// Nobody will ask for the answer to this item.
    pub fn discard(&self, id: JobId, index: Index) {
        if let Some(job) = self.shared.lock().state.jobs.get_mut(&id)
            && job.by_index.remove(&index).is_none()
            && job.outcome.is_none()
        {
            job.unwanted.insert(index);
        }
    }

    /// Takes back one item of a job that is asked by index, if it has not begun; with `kill`, also if it is running, by
    /// killing its worker, which costs no other item.
    pub fn withdraw(&self, id: JobId, index: Index, kill: bool) -> Withdrawal {
        let mut locked = self.shared.lock();
        locked.state.let_go(&self.shared.world, id);
        if !kill && locked.state.has_begun(id, index) {
            return Withdrawal::Refused;
        }
        let cancelled = |state: &State| {
            let answer = state.jobs.get(&id).and_then(|job| job.by_index.get(&index));
            matches!(answer, Some(Answer::Lost { fault: Fault::Cancelled, .. }))
        };
        if !cancelled(&locked.state) {
            locked.state.handle(&self.shared.world, Event::Withdraw { job: id, index, kill });
            self.shared.after(&mut locked);
        }
        if cancelled(&locked.state) {
            Withdrawal::Cancelled
        } else if locked.state.engine.is_withdrawing(id, index) {
            Withdrawal::Pending
        } else {
            Withdrawal::Refused
        }
    }

    /// The same for every item of a job that has not begun.
    pub fn withdraw_waiting(&self, id: JobId) {
        let mut locked = self.shared.lock();
        locked.state.let_go(&self.shared.world, id);
        // From the end: what is unsent goes first, so that nothing of it is sent in the place of what is taken back.
        let waiting = locked.state.jobs.get(&id).map_or(Vec::new(), Job::indices);
        for index in waiting.into_iter().rev() {
            if !locked.state.has_begun(id, index) {
                locked.state.handle(&self.shared.world, Event::Withdraw { job: id, index, kill: false });
            }
        }
        self.shared.after(&mut locked);
    }

    /// Has a worker begun the item? (It may have finished it.)
    pub fn has_begun(&self, id: JobId, index: Index) -> bool {
        self.shared.lock().state.has_begun(id, index)
    }

    /// Has the item been answered (or has the job ended without)?
    pub fn is_answered(&self, id: JobId, index: Index) -> bool {
        let locked = self.shared.lock();
        locked
            .state
            .jobs
            .get(&id)
            .is_none_or(|job| job.by_index.contains_key(&index) || job.outcome.is_some())
    }

    /// How the job ended, if it has.
    pub fn outcome(&self, id: JobId) -> Option<Outcome> {
        self.shared.lock().state.jobs.get(&id).map_or(Some(Outcome::Cancelled), |job| job.outcome)
    }

    /// How many items the job has room for.
    pub fn room(&self, id: JobId) -> u64 {
        room(&self.shared.lock().state, id)
    }

    /// Waits until the job has news: answers, its end, something printed; with `room`, room for items too.
    pub fn wait(&self, id: JobId, room: bool, timeout: Option<Duration>) -> Waited {
        self.wait_for(id, 1, room, timeout)
    }

    /// The same for a caller who has nothing to do before there are `least` answers, or a failure among fewer.
    pub fn wait_for(&self, id: JobId, least: u64, room: bool, timeout: Option<Duration>) -> Waited {
        self.shared.wait(timeout, |state| {
            !state.prints.is_empty() || state.jobs.get(&id).is_none_or(|job| job.has_news(least, room))
        })
    }

    /// Waits until one item has been answered.
    pub fn wait_index(&self, id: JobId, index: Index, timeout: Option<Duration>) -> Waited {
        self.shared.wait(timeout, |state| {
            state.jobs.get(&id).is_none_or(|job| job.by_index.contains_key(&index) || job.outcome.is_some())
        })
    }

    /// Waits until the job has ended.
    pub fn wait_end(&self, id: JobId, timeout: Option<Duration>) -> Waited {
        self.shared.wait(timeout, |state| state.jobs.get(&id).is_none_or(|job| job.outcome.is_some()))
    }

    /// Waits until every worker is gone.
    pub fn wait_drained(&self, timeout: Option<Duration>) -> Waited {
        self.shared.wait(timeout, |state| state.drained || (state.broken && state.workers.is_empty()))
    }

    /// Asks that `next_delivery` tell of an item's answer (or, for `None`, of the end of the job).
    pub fn watch(&self, id: JobId, index: Option<Index>) {
        let mut locked = self.shared.lock();
        let state = &mut locked.state;
        let there = match state.jobs.get_mut(&id) {
            None => true,
            Some(job) if job.outcome.is_some() => true,
            Some(job) => match index {
                Some(found) if job.by_index.contains_key(&found) => true,
                _ => {
                    job.watched.insert(index);
                    false
                }
            },
        };
        if there {
            state.deliveries.push_back(Delivery { job: id, index });
            self.shared.deliveries.notify_all();
        }
    }

    /// Waits for what was watched, and for prints that no caller is there to take. For one thread.
    pub fn next_delivery(&self, timeout: Duration) -> (Vec<Delivery>, Vec<Print>) {
        let mut locked = self.shared.lock();
        if locked.state.deliveries.is_empty() && locked.state.prints.is_empty() && !locked.drivers.stop {
            let waited = self.shared.deliveries.wait_timeout(locked, timeout);
            locked = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let prints = if locked.drivers.caller { Vec::new() } else { locked.state.prints.drain(..).collect() };
        (locked.state.deliveries.drain(..).collect(), prints)
    }

    /// Wakes the thread in `next_delivery`.
    pub fn nudge_delivery(&self) {
        self.shared.deliveries.notify_all();
    }

    /// Prints that nobody took.
    pub fn take_prints(&self) -> Vec<Print> {
        self.shared.lock().state.prints.drain(..).collect()
    }

    /// The workers there are now.
    pub fn workers(&self) -> Vec<WorkerView> {
        let locked = self.shared.lock();
        let mut views: Vec<WorkerView> = locked
            .state
            .workers
            .values()
            .map(|worker| WorkerView {
                id: worker.id.0,
                pid: worker.process.id(),
                ready: worker.ready,
                running: worker.running().map(|(_, index, _)| index),
            })
            .collect();
        views.sort_by_key(|view| view.id);
        views
    }

    /// Why the pool is broken, if it is.
    pub fn breakage(&self) -> Option<Breakage> {
        let locked = self.shared.lock();
        locked.state.broken.then(|| locked.state.breakage.clone())
    }

    /// No further jobs: workers end in good order once the open ones have.
    pub fn drain(&self) {
        let mut locked = self.shared.lock();
        locked.state.handle(&self.shared.world, Event::Drain);
        self.shared.after(&mut locked);
    }

    /// Ends everything now: jobs are cancelled, workers killed and waited for, the background thread joined. When it
    /// returns no process is left. Calling it again does nothing.
    pub fn terminate(&self) {
        self.end(false);
    }

    /// The same at the end of the program: threads that wait for something of this pool wait on, until the program's end
    /// ends them. They could do nothing with an answer, nor with an error, while the interpreter is taken apart.
    pub fn terminate_at_exit(&self) {
        self.end(true);
    }

    fn end(&self, at_exit: bool) {
        if !self.is_ours() {
            return;
        }
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(thread) = thread.take() else { return };
        {
            let mut locked = self.shared.lock();
            locked.drivers.stop = true;
            locked.drivers.ender = at_exit.then(|| std::thread::current().id());
            let world = &self.shared.world;
            let state = &mut locked.state;
            state.handle(world, Event::Drain);
            let open: Vec<JobId> = state.jobs.keys().copied().collect();
            for job in open {
                state.handle(world, Event::Cancel { job, kill: true });
            }
            // Workers that this starts anew are killed with the others.
            let mut workers: Vec<_> = state.workers.drain().map(|(_, worker)| worker).collect();
            for worker in &workers {
                worker.process.kill();
            }
            for worker in &mut workers {
                worker.process.reap_waiting();
            }
            state.drained = true;
            for job in state.jobs.values_mut() {
                job.outcome.get_or_insert(Outcome::Cancelled);
            }
            self.shared.changed.notify_all();
            self.shared.background.notify_all();
            self.shared.deliveries.notify_all();
        }
        self.shared.wake();
        let _ = thread.join();
        self.shared.wake();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.terminate();
        if !self.is_ours() {
            // The thread has stayed behind in the parent. To let go of its handle would be to write into its stack, which
            // the C library gives back to the system when this process ends threads of its own.
            std::mem::forget(self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

fn room(state: &State, id: JobId) -> u64 {
    match state.jobs.get(&id) {
        Some(job) if job.outcome.is_none() && job.weight < WEIGHT => state.engine.room(id),
        _ => 0,
    }
}
