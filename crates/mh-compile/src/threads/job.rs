//! One parallel loop that is open to helpers, and who runs which of its blocks.
//!
//! There is a seat for each thread, with an equal part of the blocks. A thread begins with the part of its own seat, the same each
//! time, so that what it wrote in one loop is in its cache for the next, and goes on with what others have left.

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
/// More threads share them.
const SEATS: usize = 16;

#[repr(align(64))]
struct Apart<T>(T);

/// A seat's part of the blocks.
#[repr(align(64))]
struct Part {
    /// The next block that nobody has claimed.
    next: AtomicI64,
    end: i64,
}

pub(super) struct Job<'a> {
    pub task: &'a dyn Task,
    parent: Place,
    seats: usize,
    parts: [Part; SEATS],
    /// A bit for each seat that has a thread.
    taken: AtomicU32,
    /// The lowest block that failed; those above are not claimed any more.
    lowest: Apart<AtomicI64>,
    /// Helpers inside, and `WAITING`.
    inside: AtomicU32,
    pub panicked: AtomicBool,
}

impl<'a> Job<'a> {
    /// For up to so many `threads`; 1 where the blocks are to be begun in their order.
    pub fn new(task: &'a dyn Task, first: i64, blocks: i64, parent: Place, threads: usize) -> Job<'a> {
        let seats = threads.clamp(1, SEATS).min(usize::try_from(blocks).unwrap_or(SEATS)).max(1);
        Job {
            task,
            parent,
            seats,
            parts: std::array::from_fn(|seat| Part {
                next: AtomicI64::new(begin(blocks, seats, seat).max(first)),
                end: begin(blocks, seats, seat + 1),
            }),
            taken: AtomicU32::new(0),
            lowest: Apart(AtomicI64::new(i64::MAX)),
            inside: AtomicU32::new(0),
            panicked: AtomicBool::new(false),
        }
    }

    /// Whether there is a block to claim.
    pub fn available(&self) -> bool {
        self.parts[..self.seats].iter().any(|part| self.may_run(part, part.next.load(Relaxed)))
    }

    /// Whether a block belongs to this part and is not above one that failed.
    fn may_run(&self, part: &Part, block: i64) -> bool {
        block < part.end && block <= self.lowest.0.load(Acquire)
    }

    /// A block of this seat's part, which is now the caller's to run.
    fn claim(&self, seat: usize) -> Option<i64> {
        let part = &self.parts[seat];
        if !self.may_run(part, part.next.load(Relaxed)) {
            return None;
        }
        let block = part.next.fetch_add(1, Relaxed);
        // Those that follow in the part lie above, too, and the lowest that failed only goes down.
        self.may_run(part, block).then_some(block)
    }

    /// A seat for a thread: `wanted`, or another where that is taken.
    fn sit(&self, wanted: usize) -> Seat {
        let free = self.around(wanted).find(|seat| self.taken.fetch_or(1 << seat, Relaxed) & 1 << seat == 0);
        Seat { at: free.unwrap_or(wanted % self.seats), own: free.is_some() }
    }

    /// All seats, from one on.
    fn around(&self, from: usize) -> impl Iterator<Item = usize> {
        let seats = self.seats;
        (0..seats).map(move |further| (from + further) % seats)
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

/// Where a seat's part of the blocks begins, and the one's before it ends.
fn begin(blocks: i64, seats: usize, seat: usize) -> i64 {
    let (seats, seat) = (seats as i64, seat as i64);
    blocks / seats * seat + (blocks % seats).min(seat)
}

/// Where a thread begins, and whether nobody else sits there.
struct Seat {
    at: usize,
    own: bool,
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
    seat: Seat,
    /// The seat whose blocks are being run.
    current: Cell<usize>,
}

impl<'a> Claims<'a> {
    pub(super) fn new(job: &'a Job<'a>, pool: Option<&'a Pool>) -> Claims<'a> {
        let seat = job.sit(number());
        let current = Cell::new(seat.at);
        Claims { job, pool, looked: Cell::new(cycles()), seat, current }
    }

    /// A block that is now the caller's to run.
    pub(crate) fn next(&self) -> Option<i64> {
        if self.pool.is_some_and(|pool| self.wanted_elsewhere(pool)) {
            return None;
        }
        let current = self.current.get();
        self.job.claim(current).or_else(|| {
            let (seat, block) =
                self.job.around(current).find_map(|seat| self.job.claim(seat).map(|block| (seat, block)))?;
            self.current.set(seat);
            Some(block)
        })
    }

    /// Whether the thread is not one that came to help, and may have slept until then.
    pub(crate) fn is_warm(&self) -> bool {
        self.pool.is_none()
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

impl Drop for Claims<'_> {
    fn drop(&mut self) {
        if self.seat.own {
            self.job.taken.fetch_and(!(1 << self.seat.at), Relaxed);
        }
    }
}

thread_local! {
    static NUMBER: Cell<usize> = const { Cell::new(0) };
}

/// This thread's: 0 for those that call kernels, from 1 on for helpers.
fn number() -> usize {
    NUMBER.get()
}

pub(super) fn set_number(number: usize) {
    NUMBER.set(number);
}

#[cfg(test)]
mod tests {
    use super::begin;

    #[test]
    fn parts_are_equal_and_make_up_the_whole() {
        for blocks in (0..300).chain([4097, i64::MAX]) {
            for seats in 1..20_usize {
                assert_eq!((begin(blocks, seats, 0), begin(blocks, seats, seats)), (0, blocks));
                let lengths: Vec<i64> = (0..seats)
                    .map(|seat| begin(blocks, seats, seat + 1) - begin(blocks, seats, seat))
                    .collect();
                let (least, most) = (lengths.iter().min(), lengths.iter().max());
                assert!(least.zip(most).is_some_and(|(least, most)| most - least <= 1), "{blocks} {seats}");
            }
        }
    }
}
