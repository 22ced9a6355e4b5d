//! Several things measured in turn, so that they can be compared: each once to warm up, then in rounds of random order, until all
//! intervals are narrow or the budget is spent.
//!
//! Rounds, and not one thing after the other: what changes while measuring (heat, other programs) then falls on all of them
//! alike. Random order within a round, so that none always follows the same other one.

use super::{Enough, Patience, Summary};

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Run this one, to warm up; its time is kept apart.
    Warm(usize),
    /// Run this one: a sample.
    Run(usize),
    Stop(Enough),
}

/// Measurements of several things. Ask `turn`, do it, `record` how long it took.
#[derive(Debug, Clone)]
pub struct Sweep {
    patience: Patience,
    began: f64,
    now: f64,
    random: fastrand::Rng,
    warm: Vec<Option<f64>>,
    samples: Vec<Vec<f64>>,
    /// The rest of the present round, last one first.
    round: Vec<usize>,
    /// Runs of which the times were not taken: the budget had no room for them.
    skipped: bool,
}

impl Sweep {
    /// `things` things, from the time `now`; the same seed gives the same order.
    pub fn new(things: usize, patience: Patience, seed: u64, now: f64) -> Self {
        Self {
            patience,
            began: now,
            now,
            random: fastrand::Rng::with_seed(seed),
            warm: vec![None; things],
            samples: vec![Vec::new(); things],
            round: Vec::new(),
            skipped: false,
        }
    }

    pub fn turn(&mut self) -> Turn {
        if let Some(cold) = self.warm.iter().position(Option::is_none) {
            // At least the first is run, whatever it takes: else nothing is known at all.
            return if cold > 0 && self.left() <= 0.0 { Turn::Stop(Enough::Spent) } else { Turn::Warm(cold) };
        }
        loop {
            match self.round.pop() {
                Some(thing) if self.fits(thing) => return Turn::Run(thing),
                Some(_) => self.skipped = true,
                None if self.skipped => return Turn::Stop(Enough::Spent),
                None => {
                    self.round = (0..self.samples.len()).filter(|thing| !self.is_known(*thing)).collect();
                    self.random.shuffle(&mut self.round);
                    if self.round.is_empty() {
                        let many = self.samples.iter().any(|samples| samples.len() >= self.patience.most);
                        return Turn::Stop(if many { Enough::Many } else { Enough::Narrow });
                    }
                }
            }
        }
    }

    /// What was asked for took `seconds`, and ended at `now`.
    pub fn record(&mut self, done: Turn, seconds: f64, now: f64) {
        self.now = now;
        match done {
            Turn::Warm(thing) => self.warm[thing] = Some(seconds),
            Turn::Run(thing) => self.samples[thing].push(seconds),
            Turn::Stop(_) => {}
        }
    }

    /// The samples of one thing; where there was time for none, what it took to warm up.
    pub fn samples(&self, thing: usize) -> Vec<f64> {
        match (&self.samples[thing], self.warm[thing]) {
            (samples, Some(warm)) if samples.is_empty() => vec![warm],
            (samples, _) => samples.clone(),
        }
    }

    /// Were all of them run at least once?
    pub fn is_whole(&self) -> bool {
        self.warm.iter().all(Option::is_some)
    }

    fn left(&self) -> f64 {
        self.patience.budget - (self.now - self.began)
    }

    fn is_known(&self, thing: usize) -> bool {
        let samples = &self.samples[thing];
        samples.len() >= self.patience.most
            || samples.len() >= self.patience.least
                && Summary::of(samples).is_ok_and(|summary| summary.is_narrow(self.patience.narrow))
    }

    /// Is there time for another run of it?
    fn fits(&self, thing: usize) -> bool {
        let samples = &self.samples[thing];
        let expected = match samples.is_empty() {
            true => self.warm[thing].unwrap_or(0.0),
            false => samples.iter().sum::<f64>() / samples.len() as f64,
        };
        expected <= self.left()
    }
}
