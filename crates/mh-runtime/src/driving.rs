//! Who waits for the workers, and who is told what came: see README.md beside this file.

use std::os::fd::OwnedFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use mh_engine::{Event, Nanos, WorkerId};
use rustix::event::epoll;

use crate::state::{IDLE_SEGMENT, State, World, now};

/// The epoll token of the eventfd that wakes whoever drives.
pub(crate) const WAKE: u64 = u64::MAX;
/// How long the background thread leaves the driving to callers who come and go: while a job is open, and otherwise.
const STAND_BACK_BUSY: Duration = Duration::from_millis(2);
const STAND_BACK: Duration = Duration::from_millis(20);
/// Longest that a thread sleeps without looking around (a signal may have come for it meanwhile).
const LOOK_AROUND: Duration = Duration::from_millis(50);
/// What a wait came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// There is something for the caller.
    News,
    /// The time is up, or a signal came: look around and wait again.
    Nothing,
}

/// Who is in `epoll_wait`.
#[derive(Default)]
pub(crate) struct Drivers {
    /// A caller is.
    pub caller: bool,
    /// Until when it sleeps at most (`Nanos::MAX`: without end).
    pub caller_until: Nanos,
    /// Callers that wait for the one who drives.
    pub followers: usize,
    /// Counts callers who took the driving over.
    pub turns: u64,
    /// The background thread is, until then at most.
    pub background: bool,
    pub background_until: Nanos,
    /// The background thread sleeps, as a caller has driven without a break: whoever drives last wakes it.
    pub resting: bool,
    /// A caller has taken a wake-up while the background thread was in `epoll_wait` too.
    pub taken: bool,
    pub stop: bool,
    /// The thread that ends the program, once it does.
    pub ender: Option<ThreadId>,
}

pub(crate) struct Locked {
    pub state: State,
    pub drivers: Drivers,
}

/// A pool's state and those who wait for it.
pub(crate) struct Shared {
    pub locked: Mutex<Locked>,
    /// Something came, or the driving is free.
    pub changed: Condvar,
    /// The background thread sleeps here while callers drive.
    pub background: Condvar,
    pub deliveries: Condvar,
    pub wake: OwnedFd,
    pub world: World,
}

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, Locked> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn wake(&self) {
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }

    /// Waits until `ready`, driving meanwhile if no other caller does.
    pub fn wait(&self, timeout: Option<Duration>, ready: impl Fn(&State) -> bool) -> Waited {
        let until = timeout.map(|timeout| now().saturating_add(timeout.as_nanos() as u64));
        let mut locked = self.lock();
        if locked.state.let_all_go(&self.world) {
            self.after(&mut locked);
        }
        loop {
            if locked.drivers.ender.is_some_and(|ender| ender != std::thread::current().id()) {
                self.rouse(&mut locked);
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
            locked.drivers.taken |= locked.drivers.background && holds_wake(&events);
            self.process(&mut locked, &events);
            self.after(&mut locked);
            if locked.drivers.stop {
                self.pass_on(&mut locked);
            }
            if slept == Err(rustix::io::Errno::INTR) {
                return self.leave(locked, Waited::Nothing);
            }
        }
    }

    /// The caller goes; if others wait, one of them drives from now on.
    fn leave(&self, mut locked: MutexGuard<'_, Locked>, waited: Waited) -> Waited {
        self.pass_on(&mut locked);
        if locked.drivers.followers > 0 && !locked.drivers.caller {
            self.changed.notify_one();
        }
        self.rouse(&mut locked);
        waited
    }

    /// If nobody drives any more, the background thread has to look after that.
    fn rouse(&self, locked: &mut MutexGuard<'_, Locked>) {
        if locked.drivers.resting && !locked.drivers.caller {
            locked.drivers.resting = false;
            self.background.notify_one();
        }
    }

    /// A wake-up that a caller took may have been meant for the background thread, which drives when no caller does: it would sleep on, past
    /// the pool's end, or past a time that has come to be earlier.
    fn pass_on(&self, locked: &mut MutexGuard<'_, Locked>) {
        let drivers = &mut locked.drivers;
        if drivers.taken && !drivers.caller {
            drivers.taken = false;
            if drivers.background {
                self.wake();
            }
        }
    }

    /// The background thread: drives when callers have not for a while.
    pub fn drive_in_background(&self) {
        let mut seen = 0;
        let mut locked = self.lock();
        while !locked.drivers.stop {
            if locked.drivers.caller || locked.drivers.turns != seen {
                // The caller who was there at the last look has slept since: it is not looked for every 2 ms, but tells.
                let resting = locked.drivers.caller && locked.drivers.turns == seen;
                seen = locked.drivers.turns;
                let pause = if resting {
                    LOOK_AROUND
                } else if locked.state.engine.idle() {
                    STAND_BACK
                } else {
                    STAND_BACK_BUSY
                };
                locked.drivers.resting = resting;
                locked =
                    self.background.wait_timeout(locked, pause).unwrap_or_else(PoisonError::into_inner).0;
                locked.drivers.resting = false;
                if resting && !locked.drivers.caller {
                    seen = seen.wrapping_sub(1); // it has only just left, and may be back at once
                }
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
            locked.drivers.taken = false;
            self.process(&mut locked, &events);
            if locked.drivers.caller && holds_wake(&events) {
                // It may have been meant for the caller, who drives from now on.
                self.wake();
            }
            self.after(&mut locked);
        }
    }

    /// Handles what is there now, without waiting.
    pub fn poll(&self, locked: &mut MutexGuard<'_, Locked>) {
        let mut events = Vec::with_capacity(64);
        let _ = self.sleep(&mut events, Some(0));
        self.process(locked, &events);
        if holds_wake(&events) && (locked.drivers.caller || locked.drivers.background) {
            self.wake(); // it was meant for who sleeps
        }
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
        if state.let_go_at.is_some_and(|at| at <= time) {
            state.let_all_go(&self.world);
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
        [state.wake_at, state.trim_at, state.let_go_at, look, deadline].into_iter().flatten().min()
    }

    /// After anything that may concern others: wakes those who wait for it.
    pub fn after(&self, locked: &mut MutexGuard<'_, Locked>) {
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

fn holds_wake(events: &[epoll::Event]) -> bool {
    events.iter().any(|event| event.data.u64() == WAKE)
}

fn earliest(times: [Option<Nanos>; 2]) -> Option<Nanos> {
    times.into_iter().flatten().min()
}
