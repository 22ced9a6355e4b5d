//! The threads that run blocks of parallel loops.
//!
//! | file | what it holds |
//! |---|---|
//! | `job` | one parallel loop that is open to helpers: who runs which blocks, what failed |
//! | `pool` | the process's helpers, the open jobs, and how many threads may run |
//! | `sleepers` | helpers that sleep, and how they are woken on other cores |
//!
//! A loop is run by whoever entered it (its owner) and by helpers that find it among the open jobs. Each thread claims the blocks of its
//! seat in rising order, then those of others, so uneven blocks balance. Blocks above one that failed are not claimed any more, those
//! below all are, and are run to their end: the lowest failure is the one that the serial loop would have met.
//!
//! Why it cannot hang: nobody waits but an owner for helpers that are inside of its job, and a helper inside runs a block,
//! whose own loops have it as owner. So waits point down the tree of nested loops. While an owner waits it helps loops below its own.
//!
//! How many run: `running` counts the threads that run kernels, those that called them included. A helper joins only where that is
//! below the limit, and leaves at its next block where callers have come in and it is above. Who waits is not counted.
//!
//! Whether a loop is opened at all hangs on what waking costs: a helper that looks for work is there at once, a sleeping one after some 30
//! us, and after 70 where it has slept for milliseconds; a loop of twice that is as long on two threads as on one.
//!
//! Sleep: a helper without work looks for some for a few dozen microseconds, then sleeps. A job is made known before sleepers are looked
//! for, and a sleeper is among them before it looks a last time: one of the two sees the other.

#![expect(unsafe_code, reason = "jobs lie on their owners' stacks")]

mod job;
mod pool;
mod sleepers;

pub(crate) use job::{Claims, Place, Task};
pub(crate) use pool::{Entered, ended, run, worth};
pub use pool::{set_threads, threads};

/// The cycle counter: nanoseconds times two to five, whatever the clock of the moment.
pub(crate) fn cycles() -> u64 {
    // SAFETY: every x86-64 has the instruction.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// The limit is the process's: tests take turns.
#[cfg(test)]
pub(crate) fn with_threads<R>(number: usize, test: impl FnOnce() -> R) -> R {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    assert_eq!(set_threads(number), Ok(()));
    test()
}
