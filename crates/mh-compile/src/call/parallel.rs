//! Parallel loops: blocks on threads, the lowest failure, text in the serial order.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Mutex, PoisonError};

use super::{Call, Inner, TEXT, here};
use crate::abi::{Body, DONE, Fault, INTERRUPTED, Rt};
use crate::threads::{self, Claims, Place, Task, cycles, run, threads};

/// Cycles that are not worth letting go of the interpreter's lock for, or counting: 6 to 16 us.
const BRIEF: u64 = 32_000;
/// Cycles of a nanosecond, or less.
const CLOCK: u64 = 2;

/// `Rt::parallel`.
pub(super) unsafe extern "C" fn parallel(
    rt: *mut Rt,
    body: Body,
    closure: *mut c_void,
    blocks: i64,
    work: i64,
    ordered: i32,
) -> i32 {
    // SAFETY: kernels hand on the `rt` that they got; nothing else uses it until this returns, but for blocks that are run here.
    let (caller, call) = unsafe {
        let (inner, call) = Inner::of(rt);
        (inner.caller, call)
    };
    // By the compiler's guess alone: what blocks took says little where they may be longer now.
    let guessed = u64::try_from(work).ok().map(|work| work.saturating_mul(CLOCK));
    if caller && guessed.is_none_or(|cycles| cycles > BRIEF) {
        call.is_long();
    }
    let mut first = 0;
    let worth = (blocks >= 2 && threads() > 1).then(threads::worth);
    let open = worth.is_some_and(|worth| match history::expected(body, blocks).or(guessed) {
        Some(expected) => expected > worth,
        None => blocks < FEW,
    });
    if !open {
        // SAFETY: as above.
        match unsafe { alone(rt, call, caller, body, closure, blocks, worth) } {
            Ok(status) => return status,
            Err(next) => first = next,
        }
        if caller {
            call.is_long();
        }
    }
    // SAFETY: as above.
    let (key, place) = unsafe { ((*rt).key, Inner::of(rt).0.place) };
    let task = Loop {
        call,
        body,
        closure: Shared(closure),
        key,
        helped: AtomicU32::new(0),
        number: LOOPS.fetch_add(1, Relaxed),
        outcome: Mutex::new(Outcome {
            block: i64::MAX,
            status: DONE,
            error: Fault::default(),
            texts: BTreeMap::new(),
        }),
    };
    let tick = || {
        call.stops(caller);
    };
    if let Err(panic) =
        catch_unwind(AssertUnwindSafe(|| run(&task, first, blocks, ordered != 0, place, &tick)))
    {
        call.panicked(panic);
    }
    call.hooks.shared(task.helped.load(Relaxed), (blocks - first).unsigned_abs());
    let outcome = task.outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: as above; no block runs any more.
    let (inner, call) = unsafe { Inner::of(rt) };
    inner.text.extend(outcome.texts.range(..=outcome.block).map(|(_, text)| text.as_str()));
    if inner.serial() && inner.text.len() > TEXT {
        call.flush(&mut inner.text);
    }
    if call.stop.load(Relaxed) {
        return INTERRUPTED;
    }
    // SAFETY: as above.
    unsafe { (*rt).error = outcome.error };
    outcome.status
}

/// Runs blocks in order on this thread: all of them, or up to where it turns out that more is left than is `worth` helpers, which is then
/// given back.
unsafe fn alone(
    rt: *mut Rt,
    call: &Call<'_>,
    caller: bool,
    body: Body,
    closure: *mut c_void,
    blocks: i64,
    worth: Option<u64>,
) -> Result<i32, i64> {
    let start = cycles();
    for block in 0..blocks {
        if call.stops(caller) {
            return Ok(INTERRUPTED);
        }
        // SAFETY: the kernel gave body and closure for these blocks.
        let status = unsafe { body(closure, block, rt) };
        if status != DONE {
            return Ok(status);
        }
        let done = block + 1;
        if let Some(worth) = worth
            && done < blocks
        {
            let spent = cycles().wrapping_sub(start);
            let left = spent as f64 / done as f64 * (blocks - done) as f64;
            // Where blocks grow longer more is left than it seems.
            if spent > worth || left > worth as f64 {
                return Err(done);
            }
        }
    }
    if worth.is_some() {
        let spent = cycles().wrapping_sub(start);
        history::note(body, spent, blocks);
        if spent > BRIEF {
            threads::ended();
        }
    }
    Ok(DONE)
}

/// Loops that were opened to helpers.
pub(super) static LOOPS: AtomicU64 = AtomicU64::new(0);

/// A closure's address, for several threads.
struct Shared(*mut c_void);

// SAFETY: bodies are made for it: what they write through the closure belongs to one block, as `races` has shown.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

struct Loop<'a> {
    call: &'a Call<'a>,
    body: Body,
    closure: Shared,
    key: u64,
    /// Threads that ran blocks.
    helped: AtomicU32,
    /// Of all loops of the process.
    number: u64,
    outcome: Mutex<Outcome>,
}

struct Outcome {
    /// The lowest that failed.
    block: i64,
    status: i32,
    error: Fault,
    /// What blocks printed.
    texts: BTreeMap<i64, String>,
}

impl Task for Loop<'_> {
    fn help(&self, claims: &Claims<'_>, place: Place) {
        let caller = here() == self.call.thread;
        let mut inner = Inner { call: self.call, caller, place, text: String::new() };
        let mut rt = inner.rt(self.key);
        let rt = &raw mut rt;
        let since = self.call.hooks.joined();
        let (start, mut run) = (cycles(), 0);
        loop {
            if self.call.stops(caller) {
                claims.fail(-1);
                break;
            }
            let Some(block) = claims.next() else { break };
            run += 1;
            // SAFETY: the kernel gave body and closure for these blocks; `rt` is this thread's own.
            let status = unsafe { (self.body)(self.closure.0, block, rt) };
            // SAFETY: `rt` was made above, and the block has ended.
            let (text, error) = unsafe { (std::mem::take(&mut Inner::of(rt).0.text), (*rt).error) };
            if status != DONE {
                claims.fail(block);
            }
            if status != DONE || !text.is_empty() {
                let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
                if !text.is_empty() {
                    outcome.texts.insert(block, text);
                }
                if status != DONE && block < outcome.block {
                    (outcome.block, outcome.status, outcome.error) = (block, status, error);
                }
            }
        }
        if run > 0 {
            self.helped.fetch_add(1, Relaxed);
            // What blocks take on a core that has just been woken is not what they would take here.
            if claims.is_warm() {
                history::note(self.body, cycles().wrapping_sub(start), run);
            }
            self.call.hooks.left(since, self.number, run.unsigned_abs());
        }
    }
}

/// Few blocks: the first is too much of the loop to be waited for, where nobody knows how long it takes.
const FEW: i64 = 16;

/// How long blocks took, so that a loop that is run again is opened to helpers at once, or left alone.
mod history {
    use std::sync::atomic::AtomicU64;
    use std::sync::atomic::Ordering::Relaxed;

    use super::Body;

    /// By the body's address: its upper half, and the cycles of a block. A wrong guess costs a little time.
    static SEEN: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];

    fn place(body: Body) -> (&'static AtomicU64, u64) {
        let mixed = (body as usize as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (&SEEN[(mixed >> 56) as usize], mixed << 8 >> 32)
    }

    pub fn note(body: Body, spent: u64, blocks: i64) {
        let (place, tag) = place(body);
        let each = (spent / blocks.max(1).unsigned_abs()).clamp(1, u64::from(u32::MAX));
        place.store(tag << 32 | each, Relaxed);
    }

    /// The cycles that a loop will take, by what its blocks took before.
    pub fn expected(body: Body, blocks: i64) -> Option<u64> {
        let (place, tag) = place(body);
        let seen = place.load(Relaxed);
        let known = seen >> 32 == tag && seen & 0xffff_ffff != 0;
        known.then(|| (seen & 0xffff_ffff).saturating_mul(blocks.unsigned_abs()))
    }
}
