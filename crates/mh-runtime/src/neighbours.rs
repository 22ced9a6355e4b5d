//! Threads that keep the machine's other cores busy, in registers only or with memory: what is measured beside them tells what the
//! memory has to do with it. And the machine's roof: how much memory several threads can move.

use std::hint::black_box;
use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU64};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mh_store::{MemoryReading, SystemMemory};

use crate::cores::Cores;

/// What neighbours do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Nothing: they sleep.
    Rest,
    /// Multiply and add in registers.
    Compute,
    /// Add one long array to another, far longer than the caches.
    Stream,
}

/// A thread's two arrays together, in bytes: twice the largest cache, of which others may use a part; but of all threads not more
/// than this, nor a quarter of what is free.
const MOST: u64 = 2 << 30;
const LEAST: u64 = 16 << 20;
/// Elements between two looks at what is to be done.
const CHUNK: usize = 16 * 1024;
/// Of an addition: two reads and a write.
const MOVED: u64 = 3 * size_of::<f64>() as u64;

/// Threads that work beside whatever is measured.
pub struct Neighbours {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    pid: u32,
}

struct Shared {
    plan: Mutex<Plan>,
    changed: Condvar,
    /// `Plan::work`, for threads that are at it.
    work: AtomicU8,
    moved: AtomicU64,
}

struct Plan {
    /// `None`: it is over.
    work: Option<Work>,
    resting: usize,
}

impl Shared {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, plan: MutexGuard<'a, Plan>) -> MutexGuard<'a, Plan> {
        self.changed.wait(plan).unwrap_or_else(PoisonError::into_inner)
    }

    fn is_at(&self, work: Work) -> bool {
        self.work.load(Relaxed) == work as u8
    }

    fn tell(&self, work: Option<Work>) {
        let mut plan = self.plan();
        plan.work = work;
        self.work.store(work.unwrap_or(Work::Rest) as u8, Relaxed);
        self.changed.notify_all();
    }
}

impl Neighbours {
    /// So many threads, at rest. `OutOfMemory` where there is too little for arrays that no cache holds.
    pub fn start(count: usize) -> io::Result<Neighbours> {
        let bytes = array_bytes(count, largest_cache(), SystemMemory::new().available())
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let plan = Mutex::new(Plan { work: Some(Work::Rest), resting: 0 });
        let shared = Arc::new(Shared {
            plan,
            changed: Condvar::new(),
            work: AtomicU8::new(Work::Rest as u8),
            moved: AtomicU64::new(0),
        });
        let mut neighbours = Neighbours { shared, threads: Vec::new(), pid: std::process::id() };
        for _ in 0..count {
            let shared = neighbours.shared.clone();
            let builder = std::thread::Builder::new().name("manyhands-probe".into());
            neighbours.threads.push(builder.spawn(move || live(&shared, bytes))?);
        }
        neighbours.work(Work::Rest);
        Ok(neighbours)
    }

    /// From now on they do this: all of them, when it returns.
    pub fn work(&self, work: Work) {
        if work != Work::Rest {
            self.work(Work::Rest);
        }
        self.shared.tell(Some(work));
        let resting = if work == Work::Rest { self.threads.len() } else { 0 };
        let mut plan = self.shared.plan();
        while plan.resting != resting {
            plan = self.shared.wait(plan);
        }
    }

    /// Bytes that were moved so far.
    pub fn moved(&self) -> u64 {
        self.shared.moved.load(Relaxed)
    }
}

impl Drop for Neighbours {
    fn drop(&mut self) {
        if std::process::id() != self.pid {
            // In a forked child there are no such threads, and one of them may have had the lock.
            std::mem::forget((self.shared.clone(), std::mem::take(&mut self.threads)));
            return;
        }
        self.shared.tell(None);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// A neighbour's life. It yields now and then: where threads run until they wait (SCHED_FIFO), nobody could tell it to stop otherwise.
fn live(shared: &Shared, bytes: u64) {
    let length = (bytes / 2) as usize / size_of::<f64>();
    // Written, so that the pages are there.
    let (mut sums, terms) = (vec![1.0_f64; length], vec![1e-9_f64; length]);
    loop {
        let mut plan = shared.plan();
        plan.resting += 1;
        shared.changed.notify_all();
        while plan.work == Some(Work::Rest) {
            plan = shared.wait(plan);
        }
        plan.resting -= 1;
        let Some(work) = plan.work else { return };
        shared.changed.notify_all();
        drop(plan);
        match work {
            Work::Rest => {}
            Work::Compute => {
                while shared.is_at(Work::Compute) {
                    (0..64).for_each(|_| compute());
                    std::thread::yield_now();
                }
            }
            Work::Stream => {
                while shared.is_at(Work::Stream) {
                    stream(shared, &mut sums, &terms);
                    std::thread::yield_now();
                }
            }
        }
    }
}

/// Once through the arrays.
fn stream(shared: &Shared, sums: &mut [f64], terms: &[f64]) {
    for (sums, terms) in sums.chunks_mut(CHUNK).zip(terms.chunks(CHUNK)) {
        if !shared.is_at(Work::Stream) {
            return;
        }
        sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        shared.moved.fetch_add(sums.len() as u64 * MOVED, Relaxed);
    }
}

/// A few microseconds, in four chains.
fn compute() {
    let mut values = black_box([1.0_f64, 1.1, 1.2, 1.3]);
    for _ in 0..1000 {
        values = values.map(|value| value * 0.999 + 0.001);
    }
    black_box(values);
}

fn array_bytes(count: usize, cache: u64, available: u64) -> Option<u64> {
    let count = (count as u64).max(1);
    let bytes = (2 * cache).min(MOST / count).min(available / 4 / count);
    (bytes >= LEAST).then_some(bytes)
}

/// Of the first core, in bytes; where the system does not tell, what is usual.
fn largest_cache() -> u64 {
    let size = |index: u32| -> Option<u64> {
        let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/size");
        let text = std::fs::read_to_string(path).ok()?;
        let text = text.trim();
        let unit = match text.chars().last()? {
            'K' => 10,
            'M' => 20,
            'G' => 30,
            _ => 0,
        };
        text.trim_end_matches(['K', 'M', 'G']).parse::<u64>().ok().map(|number| number << unit)
    };
    (0..8).filter_map(size).max().unwrap_or(32 << 20)
}

/// (Number of threads, bytes per second that all of them move), for 1, 2, 4, … threads and one for each core that may be used. Measured
/// when first asked for, in a tenth of a second each; empty where it cannot be.
pub fn memory_roof() -> &'static [(u32, f64)] {
    static ROOF: OnceLock<Vec<(u32, f64)>> = OnceLock::new();
    ROOF.get_or_init(|| {
        let cores = Cores::read().usable(true);
        let powers = (0..usize::BITS).map(|power| 1 << power).take_while(|threads| *threads < cores);
        let rate = |threads: usize| Some((u32::try_from(threads).ok()?, streamed(threads).ok()?));
        powers.chain([cores]).map(rate).collect::<Option<_>>().unwrap_or_default()
    })
}

/// Bytes per second of so many threads: the median of some stretches of time.
fn streamed(threads: usize) -> io::Result<f64> {
    const STRETCH: Duration = Duration::from_millis(12);
    let neighbours = Neighbours::start(threads)?;
    neighbours.work(Work::Stream);
    let mut rates: Vec<f64> = (0..7)
        .map(|_| {
            let (began, before) = (Instant::now(), neighbours.moved());
            std::thread::sleep(STRETCH);
            (neighbours.moved() - before) as f64 / began.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    Ok(rates[rates.len() / 2])
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]
mod tests {
    use super::*;

    #[test]
    fn they_do_what_they_are_told() {
        let neighbours = Neighbours::start(2).unwrap();
        assert_eq!(neighbours.moved(), 0);
        neighbours.work(Work::Compute);
        neighbours.work(Work::Rest);
        assert_eq!(neighbours.moved(), 0);
        neighbours.work(Work::Stream);
        while neighbours.moved() == 0 {
            std::thread::yield_now();
        }
        neighbours.work(Work::Rest);
        let moved = neighbours.moved();
        assert_eq!(moved % MOVED, 0);
        neighbours.work(Work::Compute);
        neighbours.work(Work::Rest);
        assert_eq!(neighbours.moved(), moved);
        neighbours.work(Work::Stream);
        drop(neighbours);
    }

    #[test]
    fn arrays_are_longer_than_the_cache_where_there_is_room() {
        assert_eq!(array_bytes(1, 100 << 20, 64 << 30), Some(200 << 20));
        assert_eq!(array_bytes(64, 100 << 20, 64 << 30), Some(32 << 20));
        assert_eq!(array_bytes(1, 100 << 20, 400 << 20), Some(100 << 20));
        assert_eq!(array_bytes(8, 100 << 20, 400 << 20), None);
        assert!(largest_cache() > 1 << 15);
    }
}
