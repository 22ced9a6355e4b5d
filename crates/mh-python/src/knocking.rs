//! `Knocking`: for what share of the time is the interpreter's lock held?
//!
//! A thread knocks at random moments: it wants the lock, and sees whether it has to wait. Moments of a Poisson process see what
//! share of the time it is (Wolff, 1982, "Poisson arrivals see time averages"); those that pass while it waits for the lock
//! found it held.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mh_runtime::now;
use pyo3::prelude::*;

/// Mean distance of two moments.
const BETWEEN: f64 = 1e6;
/// Whoever waits longer than this waited for somebody: a free lock is taken in less than a microsecond.
const WAITED: u64 = 20_000;

/// Knocks until it is stopped.
#[pyclass(frozen, module = "manyhands._native")]
pub struct Knocking {
    stop: AtomicBool,
}

#[pymethods]
impl Knocking {
    #[new]
    fn new() -> Knocking {
        Knocking { stop: AtomicBool::new(false) }
    }

    /// Ends `run`, in another thread.
    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Knocks until `stop`: (moments, how many of them found the lock held).
    fn run(&self, py: Python<'_>) -> (u64, u64) {
        let (mut moments, mut held) = (0, 0);
        let mut random = now() | 1;
        let mut next = now() + distance(&mut random);
        while !self.stop.load(Ordering::Relaxed) {
            let knocked = py.detach(|| {
                std::thread::sleep(Duration::from_nanos(next.saturating_sub(now())));
                now()
            });
            let got = now();
            let waited = got.saturating_sub(knocked) > WAITED;
            moments += 1;
            held += u64::from(waited);
            next += distance(&mut random);
            while next < got {
                // Before it knocked it was late by itself: that says nothing.
                if next >= knocked {
                    moments += 1;
                    held += u64::from(waited);
                }
                next += distance(&mut random);
            }
        }
        (moments, held)
    }
}

/// Until the next moment, in nanoseconds.
fn distance(random: &mut u64) -> u64 {
    // xorshift64: Marsaglia, 2003, "Xorshift RNGs".
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    let uniform = ((*random >> 11) as f64 + 1.0) / (1u64 << 53) as f64;
    (-uniform.ln() * BETWEEN) as u64
}
