//! A pool of workers: what the layer above calls.
//!
//! Who drives: see README.md beside this file. In short, whoever waits for an answer waits for the workers' sockets
//! itself, so that a call there and back wakes two threads and not three; a background thread steps in when nobody
//! has for a while.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, ThreadId};
use std::time::Duration;

use mh_engine::{Event, Index, JobId, Nanos, Outcome, Settings, WorkerId};
use mh_store::{Arena, MemoryReading, Object, OomCounter, StoreError};
use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::process::{PidfdFlags, getpid, pidfd_open};

use crate::answers::Answer;
use crate::job::{Chunk, Job, JobSpec};
use crate::objects::{ObjectId, Payload};
use crate::spawn::Program;
use crate::state::{Breakage, Delivery, IDLE_SEGMENT, Print, State, World, now};

const WAKE: u64 = u64::MAX;
/// How long the background thread leaves the driving to callers who come and go: while a job is open, and otherwise.
const STAND_BACK_BUSY: Duration = Duration::from_millis(2);
const STAND_BACK: Duration = Duration::from_millis(20);
/// Longest that a thread sleeps without looking around (a signal may have come for it meanwhile).
const LOOK_AROUND: Duration = Duration::from_millis(50);
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

/// Who is in `epoll_wait`.
#[derive(Default)]
struct Drivers {
    /// A caller is.
    caller: bool,
    /// Until when it sleeps at most (`Nanos::MAX`: without end).
    caller_until: Nanos,
    /// Callers that wait for the one who drives.
    followers: usize,
    /// Counts callers who took the driving over.
    turns: u64,
    /// The background thread is, until then at most.
    background: bool,
    background_until: Nanos,
    stop: bool,
    /// The thread that ends the program, once it does.
    ender: Option<ThreadId>,
}

struct Locked {
    state: State,
    drivers: Drivers,
}

struct Shared {
    locked: Mutex<Locked>,
    /// Something came, or the driving is free.
    changed: Condvar,
    /// The background thread sleeps here while callers drive.
    background: Condvar,
    deliveries: Condvar,
    wake: std::os::fd::OwnedFd,
    world: World,
}

/// What a wait came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// There is something for the caller.
    News,
    /// The time is up, or a signal came: look around and wait again.
    Nothing,
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
        let shared = Arc::new(Shared {
            locked: Mutex::new(Locked { state: State::new(options.settings), drivers: Drivers::default() }),
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
        Ok(Pool { shared, thread: Mutex::new(Some(thread)), pid: std::process::id() })
    }

    /// Is this the process that made the pool? In a forked child nothing of it may be touched: its locks may be held
    /// by threads that do not exist there.
    pub fn is_ours(&self) -> bool {
        std::process::id() == self.pid
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

    /// Adds items to a job; gives the index of the first.
    pub fn feed(&self, id: JobId, chunk: Chunk, end: bool) -> Index {
        let mut locked = self.shared.lock();
        let state = &mut locked.state;
        if state.workers.values().any(|worker| worker.results.has_freed()) {
            // Before the items: their results can then lie where the earlier ones lay.
            state.tell_freed(&self.shared.world);
        }
        let mut first = 0;
        if let Some(job) = state.jobs.get_mut(&id).filter(|job| job.outcome.is_none()) {
            first = job.fed;
            job.want = 0;
            if !chunk.items.is_empty() {
                for (_, object) in &chunk.objects {
                    state.leases.retain(*object);
                }
                let count = job.add_chunk(chunk);
                state.handle(&self.shared.world, Event::Feed { job: id, count });
            }
            if end {
                state.handle(&self.shared.world, Event::EndOfInput { job: id });
            }
        } else {
            // The job has ended meanwhile: what was stored for these is free, unless others need it or still read it.
            for (_, object) in &chunk.objects {
                state.leases.retain(*object);
            }
            state.drop_needs(&self.shared.world, chunk.objects.into_iter().map(|(_, object)| object));
        }
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
        let room = self.shared.room(&locked.state, id);
        match locked.state.jobs.get_mut(&id) {
            Some(job) => {
                job.want = 0;
                Taken { answers: job.answers.drain(..).collect(), prints, outcome: job.outcome, room }
            }
            None => Taken { answers: Vec::new(), prints, outcome: Some(Outcome::Cancelled), room: 0 },
        }
    }

    /// The answer to one item of a job that is asked by index.
    pub fn take_index(&self, id: JobId, index: Index) -> Option<Answer> {
        self.shared.lock().state.jobs.get_mut(&id)?.by_index.remove(&index)
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
        self.shared.room(&self.shared.lock().state, id)
    }

    /// Waits until the job has news: answers, its end, something printed; with `room`, room for items too.
    pub fn wait(&self, id: JobId, room: bool, timeout: Option<Duration>) -> Waited {
        self.shared.wait(timeout, |state| {
            !state.prints.is_empty() || state.jobs.get(&id).is_none_or(|job| job.has_news(room))
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
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Locked> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }

    fn room(&self, state: &State, id: JobId) -> u64 {
        match state.jobs.get(&id) {
            Some(job) if job.outcome.is_none() && job.weight < WEIGHT => state.engine.room(id),
            _ => 0,
        }
    }

    /// Waits until `ready`, driving meanwhile if no other caller does.
    fn wait(&self, timeout: Option<Duration>, ready: impl Fn(&State) -> bool) -> Waited {
        let until = timeout.map(|timeout| now().saturating_add(timeout.as_nanos() as u64));
        let mut locked = self.lock();
        loop {
            if locked.drivers.ender.is_some_and(|ender| ender != std::thread::current().id()) {
                drop(locked);
                loop {
                    std::thread::park();
                }
            }
            if ready(&locked.state) {
                return self.leave(locked, Waited::News);
            }
            if until.is_some_and(|until| now() >= until) {
                return self.leave(locked, Waited::Nothing);
            }
            if locked.drivers.stop {
                return Waited::Nothing;
            }
            if locked.drivers.caller {
                locked.drivers.followers += 1;
                let waited =
                    self.changed.wait_timeout(locked, LOOK_AROUND).unwrap_or_else(PoisonError::into_inner);
                locked = waited.0;
                locked.drivers.followers -= 1;
                if waited.1.timed_out() && !ready(&locked.state) {
                    return Waited::Nothing;
                }
                continue;
            }
            locked.drivers.caller = true;
            locked.drivers.turns += 1;
            let sleep_until = earliest([until, self.next_timer(&locked.state)]);
            locked.drivers.caller_until = sleep_until.unwrap_or(Nanos::MAX);
            drop(locked);
            let mut events = Vec::with_capacity(64);
            let slept = self.sleep(&mut events, sleep_until);
            locked = self.lock();
            locked.drivers.caller = false;
            self.process(&mut locked, &events);
            self.after(&mut locked);
            if slept == Err(rustix::io::Errno::INTR) {
                return self.leave(locked, Waited::Nothing);
            }
        }
    }

    /// The caller goes; if others wait, one of them drives from now on.
    fn leave(&self, locked: MutexGuard<'_, Locked>, waited: Waited) -> Waited {
        if locked.drivers.followers > 0 && !locked.drivers.caller {
            self.changed.notify_one();
        }
        waited
    }

    /// The background thread: drives when callers have not for a while.
    fn drive_in_background(&self) {
        let mut seen = 0;
        let mut locked = self.lock();
        while !locked.drivers.stop {
            if locked.drivers.caller || locked.drivers.turns != seen {
                seen = locked.drivers.turns;
                let busy = !locked.state.engine.idle();
                let pause = if busy { STAND_BACK_BUSY } else { STAND_BACK };
                locked =
                    self.background.wait_timeout(locked, pause).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let until = self.next_timer(&locked.state);
            locked.drivers.background = true;
            locked.drivers.background_until = until.unwrap_or(Nanos::MAX);
            drop(locked);
            let mut events = Vec::with_capacity(64);
            let _ = self.sleep(&mut events, until);
            locked = self.lock();
            locked.drivers.background = false;
            self.process(&mut locked, &events);
            if locked.drivers.caller && events.iter().any(|event| event.data.u64() == WAKE) {
                // It may have been meant for the caller, who drives from now on.
                self.wake();
            }
            self.after(&mut locked);
        }
    }

    /// Handles what is there now, without waiting.
    fn poll(&self, locked: &mut MutexGuard<'_, Locked>) {
        let mut events = Vec::with_capacity(64);
        let _ = self.sleep(&mut events, Some(0));
        self.process(locked, &events);
        self.after(locked);
    }

    fn sleep(&self, events: &mut Vec<epoll::Event>, until: Option<Nanos>) -> rustix::io::Result<usize> {
        let timeout = until.map(|until| {
            let left = until.saturating_sub(now());
            rustix::event::Timespec {
                tv_sec: (left / 1_000_000_000) as i64,
                tv_nsec: (left % 1_000_000_000) as i64,
            }
        });
        epoll::wait(&self.world.epoll, rustix::buffer::spare_capacity(events), timeout.as_ref())
    }

    fn process(&self, locked: &mut Locked, events: &[epoll::Event]) {
        let state = &mut locked.state;
        for event in events {
            let token = event.data.u64();
            if token == WAKE {
                let _ = rustix::io::read(&self.wake, &mut [0u8; 8]);
                continue;
            }
            let worker = WorkerId(token >> 1);
            if token & 1 == 1 {
                state.process_event(&self.world, worker);
            } else {
                state.socket_event(&self.world, worker, { event.flags } != epoll::EventFlags::OUT);
            }
        }
        self.run_timers(state);
        state.tell_freed(&self.world);
    }

    fn run_timers(&self, state: &mut State) {
        let time = now();
        if state.wake_at.is_some_and(|at| at <= time) {
            state.wake_at = None;
            state.handle(&self.world, Event::Tick);
        }
        state.watch_waiting(&self.world);
        for worker in state.workers.values_mut() {
            if worker.deadline.is_some_and(|deadline| deadline <= time) {
                worker.deadline = None;
                worker.process.kill();
            }
        }
        if state.trim_at.is_some_and(|at| at <= time) {
            state.trim_at = None;
            state.trim(&self.world);
        }
        if state.trim_at.is_none()
            && self.world.arena.lock().unwrap_or_else(PoisonError::into_inner).has_idle()
        {
            state.trim_at = Some(time + IDLE_SEGMENT);
        }
    }

    fn next_timer(&self, state: &State) -> Option<Nanos> {
        let deadline = state.workers.values().filter_map(|worker| worker.deadline).min();
        let look = state.look.as_ref().map(|look| look.until);
        [state.wake_at, state.trim_at, look, deadline].into_iter().flatten().min()
    }

    /// After anything that may concern others: wakes those who wait for it.
    fn after(&self, locked: &mut MutexGuard<'_, Locked>) {
        if locked.state.look.is_none() {
            locked.state.watch_waiting(&self.world);
        }
        let timer = self.next_timer(&locked.state).unwrap_or(Nanos::MAX);
        let news = std::mem::take(&mut locked.state.news);
        let drivers = &mut locked.drivers;
        let late_caller = drivers.caller && timer < drivers.caller_until;
        let late_background = drivers.background && !drivers.caller && timer < drivers.background_until;
        if (news && drivers.caller) || late_caller || late_background {
            self.wake();
            // One wake-up is enough until the one who sleeps has looked.
            drivers.caller_until = drivers.caller_until.min(timer);
            drivers.background_until = drivers.background_until.min(timer);
        }
        if news {
            if locked.drivers.followers > 0 {
                self.changed.notify_all();
            }
            if !locked.state.deliveries.is_empty() || !locked.state.prints.is_empty() {
                self.deliveries.notify_all();
            }
        }
    }
}

fn earliest(times: [Option<Nanos>; 2]) -> Option<Nanos> {
    times.into_iter().flatten().min()
}
