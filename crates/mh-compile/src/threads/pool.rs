//! The process's helpers, the open jobs, and how many threads may run.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, SeqCst};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};

use rustix::thread::futex;

use super::cycles;
use super::job::{Claims, Job, JobRef, Place, Task, set_number};
use super::sleepers::{Bed, Sleepers};

/// How long a thread without work looks for some before it sleeps: 40 to 100 us.
const SPIN: u64 = 200_000;
/// Cycles of work that are worth sharing with a helper that looks for some: 6 to 16 us.
const AWAKE: u64 = 32_000;
/// With one that has to be woken: 30 to 80 us. Half of it is what waking takes.
const ASLEEP: u64 = 160_000;
/// With one that has slept for `DEEP` or longer, as by then its core sleeps, too: 90 to 220 us.
const FAST_ASLEEP: u64 = 450_000;
/// 3 to 8 ms.
const DEEP: u64 = 16_000_000;
/// An owner that sleeps wakes that often, to let its caller look for signals.
const TICK: futex::Timespec = futex::Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
const MOST: usize = 1024;

/// What was asked for; 0 is one thread for each core.
static LIMIT: AtomicUsize = AtomicUsize::new(0);
static CORES: OnceLock<usize> = OnceLock::new();
/// This process's pool; null until first needed, and in a child of `fork`, which has none of its parent's threads.
static POOL: AtomicPtr<Pool> = AtomicPtr::new(std::ptr::null_mut());

/// How many threads may run kernels at once, callers included.
#[must_use]
pub fn threads() -> usize {
    match LIMIT.load(Relaxed) {
        0 => *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from)),
        asked => asked,
    }
}

/// Sets how many threads may run kernels at once; 0 is one for each core. Loops under way notice at their next block.
///
/// # Errors
///
/// More than 1024.
pub fn set_threads(number: usize) -> Result<(), String> {
    if number > MOST {
        return Err(format!("{number} threads: at most {MOST} can be asked for"));
    }
    LIMIT.store(number, SeqCst);
    Ok(())
}

pub(super) struct Pool {
    jobs: Mutex<Vec<JobRef>>,
    /// Length of `jobs`.
    open: AtomicUsize,
    /// Threads that run kernels.
    running: AtomicUsize,
    /// Helpers that were made.
    helpers: AtomicUsize,
    sleepers: Sleepers,
    /// When a parallel loop was last at its end, in cycles.
    ended: AtomicU64,
    /// Owners that sleep, or are about to, until `ends` changes.
    waiters: AtomicUsize,
    ends: AtomicU32,
}

/// So many cycles of work pay for helpers now; less is done sooner by one thread.
pub(crate) fn worth() -> u64 {
    Pool::get().worth()
}

/// A loop of some size has ended, on however many threads: what follows at once may wake helpers for less.
pub(crate) fn ended() {
    Pool::get().ended.store(cycles(), Relaxed);
}

/// A thread that runs a kernel, from entry to exit.
pub(crate) struct Entered(&'static Pool);

impl Entered {
    pub(crate) fn new() -> Entered {
        let pool = Pool::get();
        pool.running.fetch_add(1, SeqCst);
        Entered(pool)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.stop_running();
    }
}

/// Runs the blocks from `first` on, with whoever is free; `ordered`: begins them in their order, for loops that may end at any of
/// them. `tick` is called every now and then while waiting for helpers.
///
/// # Panics
///
/// Where a helper did.
pub(crate) fn run(task: &dyn Task, first: i64, blocks: i64, ordered: bool, place: Place, tick: &dyn Fn()) {
    let pool = Pool::get();
    let job = Job::new(task, first, blocks, place, if ordered { 1 } else { threads() });
    let opened = Opened { pool, job: &job, tick };
    // It sits before helpers come, so that its seat is the same each time.
    let claims = Claims::new(&job, None);
    pool.publish(&job, blocks - first);
    task.help(&claims, Place(Some(JobRef::new(&job))));
    drop(opened);
    assert!(!job.panicked.load(Acquire), "a helper panicked");
}

/// Takes a job out of the list and waits for its helpers, on every way out.
struct Opened<'a> {
    pool: &'static Pool,
    job: &'a Job<'a>,
    tick: &'a dyn Fn(),
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.job.fail(-1);
        }
        self.pool.close(self.job);
        self.pool.wait(self.job, self.tick);
    }
}

impl Pool {
    fn get() -> &'static Pool {
        let pool = POOL.load(Acquire);
        // SAFETY: what is stored there was leaked by `create`.
        unsafe { pool.as_ref() }.unwrap_or_else(Pool::create)
    }

    #[cold]
    fn create() -> &'static Pool {
        extern "C" fn forget() {
            POOL.store(std::ptr::null_mut(), SeqCst);
        }
        static FORKS: Once = Once::new();
        FORKS.call_once(|| {
            // SAFETY: the function stores to an atomic and does nothing else, as is allowed between fork and exec.
            let _ = unsafe { libc::pthread_atfork(None, None, Some(forget)) };
        });
        let pool = Box::into_raw(Box::new(Pool {
            jobs: Mutex::new(Vec::new()),
            open: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            helpers: AtomicUsize::new(0),
            sleepers: Sleepers::default(),
            ended: AtomicU64::new(0),
            waiters: AtomicUsize::new(0),
            ends: AtomicU32::new(0),
        }));
        match POOL.compare_exchange(std::ptr::null_mut(), pool, AcqRel, Acquire) {
            // SAFETY: leaked for good.
            Ok(_) => unsafe { &*pool },
            Err(other) => {
                // SAFETY: nobody has seen this one; the other was leaked by its maker.
                unsafe {
                    drop(Box::from_raw(pool));
                    &*other
                }
            }
        }
    }

    fn jobs(&self) -> MutexGuard<'_, Vec<JobRef>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loops that follow each other wake helpers however short they are: all of them together pay for it.
    fn worth(&self) -> u64 {
        let (asleep, since) = self.sleepers.asleep();
        let awake = asleep < self.helpers.load(Relaxed);
        if awake || cycles().wrapping_sub(self.ended.load(Relaxed)) < SPIN {
            AWAKE
        } else if since < DEEP {
            ASLEEP
        } else {
            FAST_ASLEEP
        }
    }

    /// More threads run than may.
    pub fn crowded(&self) -> bool {
        self.running.load(Relaxed) > threads()
    }

    pub fn several(&self) -> bool {
        self.open.load(Relaxed) > 1
    }

    /// Whether another job has so few helpers that one of `mine`'s should change over.
    pub fn uneven(&self, mine: &Job<'_>) -> bool {
        let helpers = mine.helpers();
        self.jobs().iter().any(|job| {
            // SAFETY: in the list, under its lock.
            let other = unsafe { job.get() };
            !job.is(mine) && other.available() && other.helpers() + 1 < helpers
        })
    }

    fn publish(&'static self, job: &Job<'_>, blocks: i64) {
        let nested = {
            let mut jobs = self.jobs();
            jobs.push(JobRef::new(job));
            self.open.store(jobs.len(), SeqCst);
            jobs.len() > 1
        };
        let wanted = threads().saturating_sub(1).min(usize::try_from(blocks - 1).unwrap_or(0));
        self.grow(wanted);
        self.sleepers.wake(wanted.min(2), true);
        // Owners of loops around this one may help too.
        if nested && self.waiters.load(SeqCst) > 0 {
            self.ends.fetch_add(1, SeqCst);
            let _ = futex::wake(&self.ends, futex::Flags::PRIVATE, i32::MAX as u32);
        }
    }

    fn close(&self, job: &Job<'_>) {
        let mut jobs = self.jobs();
        jobs.retain(|other| !other.is(job));
        self.open.store(jobs.len(), SeqCst);
    }

    /// Makes a helper where there are less than `wanted`; it makes the next. Where the system gives no thread there are fewer.
    fn grow(&'static self, wanted: usize) {
        let add = |helpers| (helpers < wanted).then_some(helpers + 1);
        if self.helpers.load(Relaxed) >= wanted {
            return;
        }
        let Ok(before) = self.helpers.fetch_update(SeqCst, SeqCst, add) else { return };
        let thread = std::thread::Builder::new().name("manyhands".to_owned());
        // As deep as a main thread's: kernels may recurse.
        let made = thread.stack_size(8 << 20).spawn(move || {
            set_number(before + 1);
            self.grow(wanted);
            self.work();
        });
        if made.is_err() {
            self.helpers.fetch_sub(1, SeqCst);
        }
    }

    /// A helper's life.
    fn work(&self) {
        let bed = Bed::new();
        loop {
            let mut since = cycles();
            while cycles().wrapping_sub(since) < SPIN {
                match self.join() {
                    Some(job) => {
                        self.help(job, Some(self));
                        since = cycles();
                    }
                    None => std::hint::spin_loop(),
                }
            }
            self.sleepers
                .sleep(&bed, || self.open.load(SeqCst) == 0 || self.running.load(SeqCst) >= threads());
        }
    }

    /// For a helper: goes inside of the open job with the fewest helpers, where one more thread may run.
    fn join(&self) -> Option<JobRef> {
        let limit = threads();
        let free = |running| (running < limit).then_some(running + 1);
        if self.open.load(Acquire) == 0 || self.running.load(Relaxed) >= limit {
            return None;
        }
        let found = self.enter(|_| true, || self.running.fetch_update(SeqCst, Relaxed, free).is_ok())?;
        // Woken helpers wake others, so that no one has to wake many.
        if self.open.load(Relaxed) > 0 && self.running.load(Relaxed) < limit {
            self.sleepers.wake(2, true);
        }
        Some(found)
    }

    /// For an owner that waits, and so has leave to run: helps a loop inside of its own blocks, where there is one.
    fn help_below(&self, above: &Job<'_>) -> bool {
        if self.open.load(Acquire) == 0 {
            return false;
        }
        // SAFETY: `enter` asks about jobs in the list, under its lock.
        let found = self.enter(|job| unsafe { job.below(above) }, || true);
        if let Some(job) = found {
            self.help(job, None);
        }
        found.is_some()
    }

    /// Goes inside of one of the open jobs that `fit`, where `may`.
    fn enter(&self, fit: impl Fn(JobRef) -> bool, may: impl FnOnce() -> bool) -> Option<JobRef> {
        let mut jobs = self.jobs();
        // SAFETY: in the list, under its lock; so for all here.
        jobs.retain(|job| unsafe { job.get() }.available());
        self.open.store(jobs.len(), SeqCst);
        // SAFETY: as above.
        let found =
            jobs.iter().copied().filter(|&job| fit(job)).min_by_key(|job| unsafe { job.get() }.helpers())?;
        if !may() {
            return None;
        }
        // SAFETY: as above.
        unsafe { found.get() }.enter();
        Some(found)
    }

    /// Runs blocks of a job that was entered, and leaves it. `helper`: this pool, for those that may be wanted elsewhere, and do not run
    /// afterwards.
    fn help(&self, job: JobRef, helper: Option<&Pool>) {
        // SAFETY: inside.
        let inside = unsafe { job.get() };
        let task = || inside.task.help(&Claims::new(inside, helper), Place(Some(job)));
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(task)).is_err() {
            inside.fail(-1);
            inside.panicked.store(true, SeqCst);
        }
        if helper.is_some() {
            self.stop_running();
        }
        // SAFETY: inside; the job is not touched afterwards.
        if unsafe { job.leave() } {
            self.ends.fetch_add(1, SeqCst);
            let _ = futex::wake(&self.ends, futex::Flags::PRIVATE, i32::MAX as u32);
        }
    }

    fn stop_running(&self) {
        self.running.fetch_sub(1, SeqCst);
        if self.open.load(SeqCst) > 0 {
            self.sleepers.wake(1, false);
        }
    }

    /// Until no helper is inside, the owner helps loops inside of its blocks, looks, sleeps. Who sleeps does not run: another may.
    fn wait(&self, job: &Job<'_>, tick: &dyn Fn()) {
        let mut since = cycles();
        while job.helpers() > 0 && cycles().wrapping_sub(since) < SPIN {
            if self.help_below(job) {
                since = cycles();
            } else {
                std::hint::spin_loop();
            }
        }
        if job.helpers() == 0 {
            return;
        }
        job.owner_sleeps();
        self.waiters.fetch_add(1, SeqCst);
        loop {
            let seen = self.ends.load(SeqCst);
            if job.helpers() == 0 {
                break;
            }
            if !self.help_below(job) {
                self.stop_running();
                let _ = futex::wait(&self.ends, futex::Flags::PRIVATE, seen, Some(&TICK));
                self.running.fetch_add(1, SeqCst);
            }
            tick();
            // Whoever forks in a signal's handler and comes back here in the child has nobody to wait for.
            assert!(
                std::ptr::eq(self, POOL.load(Acquire)),
                "the process was forked inside of a parallel loop"
            );
        }
        self.waiters.fetch_sub(1, SeqCst);
    }
}

#[cfg(test)]
mod tests;
