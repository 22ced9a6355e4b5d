//! Where events are noted. Off unless somebody listens: then `on` is one load of a flag, and nothing else is done.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use crate::event::Event;

/// More than this is not kept, but counted.
const MOST: usize = 2_000_000;

/// The events of a process, for as many listeners as there are.
pub struct Recorder {
    on: AtomicBool,
    log: Mutex<Log>,
}

struct Log {
    events: Vec<Event>,
    /// How much of the memory is taken: events, and runs in them.
    size: usize,
    dropped: u64,
    listeners: Vec<Listener>,
    next: u64,
}

struct Listener {
    id: u64,
    /// Where its events begin.
    first: usize,
    dropped: u64,
}

/// Stands for one who listens.
#[derive(Debug, PartialEq, Eq)]
pub struct Mark(u64);

impl Recorder {
    #[allow(clippy::new_without_default)] // For a `static`, which takes a constant.
    pub const fn new() -> Recorder {
        let log = Log { events: Vec::new(), size: 0, dropped: 0, listeners: Vec::new(), next: 0 };
        Recorder { on: AtomicBool::new(false), log: Mutex::new(log) }
    }

    /// Does anybody listen?
    #[inline]
    pub fn on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Notes an event, if anybody listens.
    pub fn add(&self, event: Event) {
        if !self.on() {
            return;
        }
        let mut log = self.lock();
        if log.listeners.is_empty() {
            return;
        }
        let size = size_of(&event);
        if log.size + size > MOST {
            log.dropped += size as u64;
            return;
        }
        log.size += size;
        log.events.push(event);
    }

    /// Listens from here on. `None`: in a forked child of a process in which another thread was noting something just then.
    pub fn begin(&self) -> Option<Mark> {
        let mut log = match self.log.try_lock() {
            Ok(log) => log,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Held for a moment, by a thread that is there; or for ever.
            Err(TryLockError::WouldBlock) => self.lock_for_a_while()?,
        };
        log.next += 1;
        let listener = Listener { id: log.next, first: log.events.len(), dropped: log.dropped };
        let mark = Mark(listener.id);
        log.listeners.push(listener);
        self.on.store(true, Ordering::Relaxed);
        Some(mark)
    }

    /// What has happened since `begin`, in the order in which it was noted, and how much of it was not kept.
    pub fn end(&self, mark: &Mark) -> (Vec<Event>, u64) {
        let mut log = self.lock();
        let Some(place) = log.listeners.iter().position(|listener| listener.id == mark.0) else {
            return (Vec::new(), 0);
        };
        let listener = log.listeners.swap_remove(place);
        let dropped = log.dropped - listener.dropped;
        if !log.listeners.is_empty() {
            return (log.events[listener.first..].to_vec(), dropped);
        }
        self.on.store(false, Ordering::Relaxed);
        log.size = 0;
        let mut events = std::mem::take(&mut log.events);
        drop(log);
        events.drain(..listener.first);
        (events, dropped)
    }

    /// In a forked child: who listens is not there. Takes no lock.
    pub fn forget(&self) {
        self.on.store(false, Ordering::Relaxed);
        if let Ok(mut log) = self.log.try_lock() {
            log.listeners.clear();
            log.events.clear();
            log.size = 0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_for_a_while(&self) -> Option<MutexGuard<'_, Log>> {
        (0..10_000).find_map(|_| {
            std::thread::yield_now();
            self.log.try_lock().ok()
        })
    }
}

/// What counts for the limit.
fn size_of(event: &Event) -> usize {
    match event {
        Event::Ran { runs, .. } => runs.len().max(1),
        Event::Kernel { stints, .. } => stints.len() + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
