//! How often one thing is measured: enough calls in a sample to outweigh the clock, enough samples to be sure.

use super::{Patience, Summary};

/// A sample takes at least so many ticks of the clock: its error is then a thousandth.
const TICKS: f64 = 1000.0;
/// And at least so many seconds, so that one tick of the system's scheduler or one interrupt is small in it.
const SAMPLE: f64 = 0.01;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Call so often in a row, to learn how long it takes.
    Probe {
        loops: u64,
    },
    /// Call so often in a row: this is a sample.
    Sample {
        loops: u64,
    },
    Stop(Enough),
}

/// Why it is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enough {
    /// The interval of the median is narrow.
    Narrow,
    /// The budget is spent.
    Spent,
    /// There are as many samples as were allowed.
    Many,
}

/// Repeated measurement of one thing. Ask `step`, do it, `record` how long it took; in the end take `summary`.
#[derive(Debug, Clone)]
pub struct Repetition {
    patience: Patience,
    /// Seconds that a sample should take.
    sample: f64,
    began: f64,
    now: f64,
    loops: u64,
    probing: bool,
    /// Seconds of one call, by sample.
    times: Vec<f64>,
}

impl Repetition {
    /// `granularity` is the smallest difference that the clock shows, `now` its time, both in seconds.
    pub fn new(patience: Patience, granularity: f64, now: f64) -> Self {
        // A short budget is shared by enough samples for an interval.
        let sample = SAMPLE.min(patience.budget / (2 * patience.least) as f64).max(TICKS * granularity);
        Self { patience, sample, began: now, now, loops: 1, probing: true, times: Vec::new() }
    }

    /// How many calls make a sample, as far as is known.
    pub fn loops(&self) -> u64 {
        self.loops
    }

    pub fn step(&self) -> Step {
        if self.probing {
            return Step::Probe { loops: self.loops };
        }
        match self.enough() {
            Some(why) => Step::Stop(why),
            None => Step::Sample { loops: self.loops },
        }
    }

    /// What was asked for took `seconds` in all, and ended at `now`.
    pub fn record(&mut self, seconds: f64, now: f64) {
        self.now = now;
        if !self.probing {
            self.times.push(seconds / self.loops as f64);
            return;
        }
        let spent = now - self.began >= self.patience.budget;
        if seconds >= self.sample || spent {
            // The probe was as long as a sample. A long one counts, so that a call of minutes is not made twice for nothing;
            // a short one was the warm-up.
            self.probing = false;
            if spent || seconds * self.patience.least as f64 > self.patience.budget {
                self.times.push(seconds / self.loops as f64);
            }
            return;
        }
        // As many as are likely to fill a sample, in round numbers, but not far more than were tried: first calls are slow.
        let wanted = if seconds > 0.0 { self.sample / seconds * self.loops as f64 } else { f64::INFINITY };
        self.loops = round_up(wanted.min(10.0 * self.loops as f64)).max(self.loops + 1);
    }

    fn enough(&self) -> Option<Enough> {
        let last = self.times.last().map_or(0.0, |seconds| seconds * self.loops as f64);
        if !self.times.is_empty() && self.now - self.began + last > self.patience.budget {
            return Some(Enough::Spent);
        }
        if self.times.len() >= self.patience.most {
            return Some(Enough::Many);
        }
        let narrow = self.times.len() >= self.patience.least
            && Summary::of(&self.times).is_ok_and(|summary| summary.is_narrow(self.patience.narrow));
        narrow.then_some(Enough::Narrow)
    }

    /// Seconds of one call, by sample.
    pub fn times(&self) -> &[f64] {
        &self.times
    }
}

/// The next of 1, 2, 5, 10, 20, 50, ….
fn round_up(wanted: f64) -> u64 {
    let power = 10_f64.powf(wanted.max(1.0).log10().floor());
    let digit = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|digit| digit * power >= wanted * (1.0 - 1e-9))
        .unwrap_or(10.0);
    (digit * power) as u64
}
