//! Helpers that sleep, and how they are woken: on another core than the one that wakes them.
//!
//! Who wakes a helper goes on with its own blocks. Linux may put the woken thread behind it on the same core, and leave it there for
//! milliseconds while another core is idle: as a guest of KVM, where a halted core counts as taken, it does so each time that both last
//! ran on one, and at times else. So the waker's core is taken from those that the sleeper may use, and the sleeper takes it back once it
//! runs.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::thread::{CpuSet, Pid, futex, gettid, sched_getaffinity, sched_getcpu, sched_setaffinity};

use super::cycles;

/// The helpers that sleep, or are about to.
#[derive(Default)]
pub(super) struct Sleepers {
    /// Who fell asleep last is woken first: its core is the warmest.
    list: Mutex<Vec<Arc<Bed>>>,
    /// Length of `list`.
    count: AtomicUsize,
    /// When the last one fell asleep, in cycles.
    since: AtomicU64,
}

/// Where one helper sleeps.
pub(super) struct Bed {
    thread: Pid,
    /// 1 once it was woken.
    woken: AtomicU32,
    /// The cores that it might use before it was woken away from one of them.
    cores: Mutex<Option<CpuSet>>,
}

impl Bed {
    /// For the calling thread.
    pub fn new() -> Arc<Bed> {
        Arc::new(Bed { thread: gettid(), woken: AtomicU32::new(0), cores: Mutex::default() })
    }

    fn cores(&self) -> MutexGuard<'_, Option<CpuSet>> {
        self.cores.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes it, `away` from the core that this runs on. Where the system does not let it, or there is no other core: as it comes.
    fn wake(&self, away: bool) {
        if away && let Ok(cores) = sched_getaffinity(Some(self.thread)) {
            let mut others = cores;
            others.unset(sched_getcpu());
            if others != cores && others.count() > 0 && sched_setaffinity(Some(self.thread), &others).is_ok()
            {
                *self.cores() = Some(cores);
            }
        }
        self.woken.store(1, Release);
        let _ = futex::wake(&self.woken, futex::Flags::PRIVATE, 1);
    }

    fn wait(&self) {
        while self.woken.load(Acquire) == 0 {
            let _ = futex::wait(&self.woken, futex::Flags::PRIVATE, 0, None);
        }
    }
}

impl Sleepers {
    fn list(&self) -> MutexGuard<'_, Vec<Arc<Bed>>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many sleep, and for how many cycles all of them have done so.
    pub fn asleep(&self) -> (usize, u64) {
        (self.count.load(Relaxed), cycles().wrapping_sub(self.since.load(Relaxed)))
    }

    /// Sleeps in its own bed until it is woken, if there is nothing to do at a last look: whoever has work makes it known before it wakes
    /// somebody, and who sleeps here is known before it looks, so one of the two sees the other.
    pub fn sleep(&self, bed: &Arc<Bed>, idle: impl FnOnce() -> bool) {
        bed.woken.store(0, Relaxed);
        self.since.store(cycles(), Relaxed);
        {
            let mut list = self.list();
            list.push(Arc::clone(bed));
            self.count.store(list.len(), SeqCst);
        }
        if idle() {
            bed.wait();
        } else {
            let mut list = self.list();
            let place = list.iter().position(|other| Arc::ptr_eq(other, bed));
            place.map(|place| list.remove(place));
            self.count.store(list.len(), SeqCst);
            drop(list);
            // Not there any more: somebody is about to wake it.
            if place.is_none() {
                bed.wait();
            }
        }
        if let Some(cores) = bed.cores().take() {
            let _ = sched_setaffinity(None, &cores);
        }
    }

    /// Wakes up to so many. `away`: this thread goes on, and they are to run on other cores.
    pub fn wake(&self, most: usize, away: bool) {
        for _ in 0..most {
            if self.count.load(SeqCst) == 0 {
                return;
            }
            let woken = {
                let mut list = self.list();
                let woken = list.pop();
                self.count.store(list.len(), SeqCst);
                woken
            };
            if let Some(bed) = woken {
                bed.wake(away);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

    use std::sync::atomic::AtomicBool;

    use super::*;

    /// Threads that sleep and are woken from two sides, with work that appears and disappears: none sleeps for ever, and each ends with the
    /// cores that it began with.
    #[test]
    fn all_wake_up_with_the_cores_that_they_had() {
        const ROUNDS: usize = 2000;
        let (sleepers, work, over) = (Sleepers::default(), AtomicUsize::new(0), AtomicBool::new(false));
        let slept: usize = std::thread::scope(|scope| {
            let helpers: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        let (bed, before) = (Bed::new(), sched_getaffinity(None).unwrap());
                        let mut slept = 0;
                        while !over.load(SeqCst) {
                            let take = |left: usize| left.checked_sub(1);
                            if work.fetch_update(SeqCst, SeqCst, take).is_err() {
                                slept += 1;
                                sleepers.sleep(&bed, || work.load(SeqCst) == 0 && !over.load(SeqCst));
                                assert_eq!(sched_getaffinity(None).unwrap(), before);
                            }
                        }
                        slept
                    })
                })
                .collect();
            let callers: Vec<_> = (0..2)
                .map(|caller| {
                    scope.spawn({
                        let (sleepers, work) = (&sleepers, &work);
                        move || {
                            for round in 0..ROUNDS {
                                work.fetch_add(1 + round % 3, SeqCst);
                                sleepers.wake(1 + round % 2, (round + caller) % 2 == 0);
                                if round % 50 == 0 {
                                    std::thread::sleep(std::time::Duration::from_micros(300));
                                }
                            }
                        }
                    })
                })
                .collect();
            callers.into_iter().for_each(|caller| caller.join().unwrap());
            // What was made known is done, without another word.
            while work.load(SeqCst) > 0 {
                std::thread::yield_now();
            }
            over.store(true, SeqCst);
            sleepers.wake(3, false);
            helpers.into_iter().map(|helper| helper.join().unwrap()).sum()
        });
        assert!(slept > 3, "they slept {slept} times");
    }
}
