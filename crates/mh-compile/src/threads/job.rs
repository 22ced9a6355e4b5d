//! One parallel loop that is open to helpers.

use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32};

use super::cycles;
use super::pool::Pool;

/// What a loop does.
pub(crate) trait Task: Sync {
    /// Runs blocks until `claims` has no more. Called by the owner and by each helper; `place` is for loops inside of the blocks.
    fn help(&self, claims: &Claims<'_>, place: Place);
}

/// In which job's block something runs; `None` outside of all.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place(pub(super) Option<JobRef>);

impl Place {
    /// Outside of all parallel loops.
    pub(crate) fn is_none(self) -> bool {
        self.0.is_none()
    }
}

/// Set in `inside` once the owner sleeps until the last helper has left.
const WAITING: u32 = 1 << 31;
/// Between two looks at whether helpers are spread evenly: 50 to 125 us.
const REBALANCE: u64 = 250_000;

#[repr(align(64))]
struct Apart<T>(T);

pub(super) struct Job<'a> {
    pub task: &'a dyn Task,
    blocks: i64,
    parent: Place,
    /// The next block that nobody has claimed.
    next: Apart<AtomicI64>,
    /// The lowest block that failed; those above are not claimed any more.
    lowest: Apart<AtomicI64>,
    /// Helpers inside, and `WAITING`.
    inside: AtomicU32,
    pub panicked: AtomicBool,
}

impl<'a> Job<'a> {
    pub fn new(task: &'a dyn Task, first: i64, blocks: i64, parent: Place) -> Job<'a> {
        Job {
            task,
            blocks,
            parent,
            next: Apart(AtomicI64::new(first)),
            lowest: Apart(AtomicI64::new(i64::MAX)),
            inside: AtomicU32::new(0),
            panicked: AtomicBool::new(false),
        }
    }

    /// Whether there is a block to claim.
    pub fn available(&self) -> bool {
        let next = self.next.0.load(Relaxed);
        next < self.blocks && next <= self.lowest.0.load(Relaxed)
    }

    /// Helpers inside. What those that have left wrote can be read after a zero.
    pub fn helpers(&self) -> u32 {
        self.inside.load(SeqCst) & !WAITING
    }

    pub fn enter(&self) {
        self.inside.fetch_add(1, AcqRel);
    }

    pub fn owner_sleeps(&self) {
        self.inside.fetch_or(WAITING, SeqCst);
    }

    pub fn fail(&self, block: i64) {
        self.lowest.0.fetch_min(block, AcqRel);
    }
}

/// A job whose lifetime is left to the pool's protocol: it outlives its place in the list, and each helper inside.
#[derive(Clone, Copy)]
pub(super) struct JobRef(NonNull<Job<'static>>);

// SAFETY: a job is shared on purpose; all that changes in it is atomic, and `Task` is `Sync`.
unsafe impl Send for JobRef {}
// SAFETY: as above.
unsafe impl Sync for JobRef {}

impl JobRef {
    pub fn new(job: &Job<'_>) -> JobRef {
        JobRef(NonNull::from(job).cast())
    }

    pub fn is(self, job: &Job<'_>) -> bool {
        std::ptr::addr_eq(self.0.as_ptr(), std::ptr::from_ref(job))
    }

    /// # Safety
    ///
    /// For as long as the reference is used: the job is in the pool's list and its lock is held; or the caller is inside
    /// (`enter`) and has not left; or it runs a block of the job; or one of these holds for a job whose ancestor this is.
    pub unsafe fn get<'b>(self) -> &'b Job<'b> {
        // SAFETY: an owner keeps the job until it is out of the list and nobody is inside; a block's own loops end before the block.
        unsafe { self.0.cast::<Job<'b>>().as_ref() }
    }

    /// Leaves the job, and says whether its owner sleeps and this was the last helper. The job may be gone afterwards.
    ///
    /// # Safety
    ///
    /// The caller is inside.
    pub unsafe fn leave(self) -> bool {
        // SAFETY: inside until this very subtraction, after which nothing is touched.
        unsafe { self.get() }.inside.fetch_sub(1, SeqCst) == WAITING | 1
    }

    /// Whether the job is one of the loops inside of `above`'s blocks.
    ///
    /// # Safety
    ///
    /// As for `get`.
    pub unsafe fn below(self, above: &Job<'_>) -> bool {
        // SAFETY: the caller vouches for the job, and so for its ancestors.
        let mut parent = unsafe { self.get() }.parent;
        while let Some(job) = parent.0 {
            if job.is(above) {
                return true;
            }
            // SAFETY: as above.
            parent = unsafe { job.get() }.parent;
        }
        false
    }
}

/// How owner and helpers get their blocks.
pub(crate) struct Claims<'a> {
    pub(super) job: &'a Job<'a>,
    /// For helpers: the pool that may want them elsewhere.
    pub(super) pool: Option<&'a Pool>,
    looked: Cell<u64>,
}

impl<'a> Claims<'a> {
    pub(super) fn new(job: &'a Job<'a>, pool: Option<&'a Pool>) -> Claims<'a> {
        Claims { job, pool, looked: Cell::new(cycles()) }
    }

    /// A block that is now the caller's to run.
    pub(crate) fn next(&self) -> Option<i64> {
        if self.pool.is_some_and(|pool| self.wanted_elsewhere(pool)) || !self.job.available() {
            return None;
        }
        let block = self.job.next.0.fetch_add(1, Relaxed);
        // Whoever fails at a block below has claimed it before this one was.
        (block < self.job.blocks && block <= self.job.lowest.0.load(Acquire)).then_some(block)
    }

    /// No block above this one needs to run; a negative one ends the loop.
    pub(crate) fn fail(&self, block: i64) {
        self.job.fail(block);
    }

    fn wanted_elsewhere(&self, pool: &Pool) -> bool {
        if pool.crowded() {
            return true;
        }
        if pool.several() {
            let now = cycles();
            if now.wrapping_sub(self.looked.get()) > REBALANCE {
                self.looked.set(now);
                return pool.uneven(self.job);
            }
        }
        false
    }
}
