//! A machine of up to 64 workers in virtual time: items travel, are run, wait for a lock, slow each other down.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use mh_scale::fit::Point;
use mh_scale::why::{Observed, Roof};

/// What is wrong with it. Times in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    pub items: usize,
    /// What an item takes alone, on average.
    pub item: f64,
    /// How unlike the items are: the deviation of the logarithm.
    pub unlike: f64,
    /// The last item takes so many times as long as the others.
    pub last: f64,
    /// The caller works so long before it gives anything out.
    pub serial: f64,
    /// Of an item's time: under a lock that one worker at a time has.
    pub locked: f64,
    /// The lock is the interpreter's.
    pub interpreter: bool,
    /// Each item is so much longer for each pair of workers, both ways.
    pub coherence: f64,
    /// Moving an item and its result, in the worker.
    pub transfer: f64,
    /// From there being an item to beginning it.
    pub dispatch: f64,
    /// Of an item's time: moves memory as fast as one can.
    pub memory: f64,
    /// So many at once move memory as fast as one; of more each gets less.
    pub roof: f64,
    /// The error of a measured time.
    pub noise: f64,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            items: 640,
            item: 0.01,
            unlike: 0.1,
            last: 1.0,
            serial: 0.0,
            locked: 0.0,
            interpreter: false,
            coherence: 0.0,
            transfer: 0.0,
            dispatch: 0.0,
            memory: 0.0,
            roof: f64::INFINITY,
            noise: 0.01,
        }
    }
}

/// An item's locked time is spread over its run.
const PIECES: usize = 4;

pub fn normal(random: &mut fastrand::Rng) -> f64 {
    // Box and Muller's.
    (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (std::f64::consts::TAU * random.f64()).cos()
}

/// A piece at the memory, which serves all who are there at once.
struct Visit {
    worker: usize,
    left: usize,
    piece: f64,
    since: f64,
    needs: f64,
}

struct Memory {
    roof: f64,
    at: f64,
    there: Vec<Visit>,
}

impl Memory {
    fn rate(&self) -> f64 {
        (self.roof / self.there.len() as f64).min(1.0)
    }

    fn pass(&mut self, to: f64) {
        let served = (to - self.at) * self.rate();
        self.there.iter_mut().for_each(|visit| visit.needs -= served);
        self.at = to;
    }

    fn enter(&mut self, now: f64, visit: Visit) {
        self.pass(now);
        self.there.push(visit);
    }

    /// Who is the first to have all that it needs, if that is not later than `until`, and when.
    fn leaves(&mut self, until: f64) -> Option<(f64, Visit)> {
        let (first, visit) =
            self.there.iter().enumerate().min_by(|one, other| one.1.needs.total_cmp(&other.1.needs))?;
        let at = self.at + visit.needs.max(0.0) / self.rate();
        (at <= until).then(|| {
            self.pass(at);
            (at, self.there.swap_remove(first))
        })
    }
}

/// Virtual time in an order.
#[derive(PartialEq)]
struct At(f64);
impl Eq for At {}
impl PartialOrd for At {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for At {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Machine {
    /// One call with so many workers.
    pub fn run(&self, workers: u32, random: &mut fastrand::Rng) -> Observed {
        let mut times: Vec<f64> =
            (0..self.items).map(|_| self.item * (self.unlike * normal(random)).exp()).collect();
        *times.last_mut().unwrap() *= self.last;
        let alone = times.iter().sum::<f64>() + self.serial;
        let n = f64::from(workers);
        let slower = 1.0 + self.coherence * n * (n - 1.0);
        assert!(self.locked == 0.0 || self.memory == 0.0, "one of them");

        let (mut run, mut cpu, mut end, mut next, mut lock) = (0.0, 0.0, 0.0_f64, 0, 0.0_f64);
        // (when, worker, pieces of its item that are left, seconds of a piece)
        let mut events = BinaryHeap::new();
        let mut ends = vec![self.serial; workers as usize];
        (0..workers as usize).for_each(|worker| events.push(Reverse((At(self.serial), worker, 0, At(0.0)))));
        let mut memory = Memory { roof: self.roof, at: 0.0, there: Vec::new() };
        loop {
            let soonest = events.peek().map_or(f64::INFINITY, |Reverse((At(at), ..))| *at);
            if let Some((at, visit)) = memory.leaves(soonest) {
                // The memory has given a piece what it needs.
                run += (at - visit.since) + visit.piece * (1.0 - self.memory);
                cpu += (at - visit.since) + visit.piece * (1.0 - self.memory);
                let free =
                    if visit.left > 1 { visit.piece * (1.0 - self.memory) } else { self.transfer / 2.0 };
                events.push(Reverse((At(at + free), visit.worker, visit.left - 1, At(visit.piece))));
                continue;
            }
            let Some(Reverse((At(now), worker, left, At(piece)))) = events.pop() else { break };
            if left > 0 && self.memory > 0.0 {
                memory.enter(now, Visit { worker, left, piece, since: now, needs: piece * self.memory });
                continue;
            }
            if left > 0 {
                // The free part of a piece is over; now the locked one.
                let locked = piece * self.locked;
                let from = now.max(lock);
                if locked > 0.0 {
                    lock = from + locked;
                }
                let done = if locked > 0.0 { lock } else { now };
                run += (done - now) + piece * (1.0 - self.locked);
                cpu += piece;
                let free = if left > 1 { piece * (1.0 - self.locked) } else { self.transfer / 2.0 };
                events.push(Reverse((At(done + free), worker, left - 1, At(piece))));
                continue;
            }
            ends[worker] = now;
            end = end.max(now);
            if next < times.len() {
                let piece = times[next] * slower / PIECES as f64;
                next += 1;
                let begun =
                    now + self.dispatch + self.transfer / 2.0 + piece * (1.0 - self.locked - self.memory);
                events.push(Reverse((At(begun), worker, PIECES, At(piece))));
            }
        }
        let items = self.items as f64;
        Observed {
            workers,
            items: self.items as u64,
            wall: end,
            run,
            cpu: Some(cpu),
            transfer: items * self.transfer,
            dispatch: items * self.dispatch,
            start: 0.0,
            idle: n * self.serial,
            end: ends.iter().map(|last| end - last).sum(),
            alone: alone - self.serial,
            alone_cpu: Some(alone - self.serial),
            alone_ready: alone - self.serial,
            interpreter: self.interpreter,
            memory: None,
        }
    }

    /// Times of a few items beside so many threads that compute, and beside as many that do nothing but move memory.
    pub fn beside(&self, others: u32, runs: usize, random: &mut fastrand::Rng) -> (Vec<f64>, Vec<f64>) {
        let crowd = (f64::from(others + 1) / self.roof).max(1.0);
        let alone = 8.0 * self.item;
        let mut times = |slowed: f64| -> Vec<f64> {
            (0..runs).map(|_| alone * slowed * (self.noise * normal(random)).exp()).collect()
        };
        (times(1.0), times(1.0 - self.memory + self.memory * crowd))
    }

    /// What the memory gives to so many threads, as it is measured: bytes per second.
    pub fn roof(&self, most: u32, random: &mut fastrand::Rng) -> Roof {
        let rates: Vec<(u32, f64)> = (0..32)
            .map(|power| 1 << power)
            .take_while(|threads| *threads <= most)
            .map(|threads| {
                let given = 1e10 * f64::from(threads).min(self.roof);
                (threads, given * (self.noise * normal(random) / 2.0).exp())
            })
            .collect();
        Roof::of(&rates).unwrap()
    }

    /// Repeated calls with each of these numbers of workers.
    pub fn measure(&self, counts: &[u32], runs: usize, random: &mut fastrand::Rng) -> Vec<Point> {
        let mut point = |workers: u32| {
            let samples = (0..runs)
                .map(|_| {
                    let wall = self.run(workers, random).wall;
                    wall * (self.noise * normal(random)).exp()
                })
                .collect();
            Point { workers, samples }
        };
        counts.iter().map(|workers| point(*workers)).collect()
    }
}
