//! Pools of test workers, jobs, and what becomes of their items.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use mh_runtime::{
    Answer, Chunk, Descriptor, Fault, Index, JobId, JobOptions, JobSpec, Object, OnError, OomCounter,
    Outcome, Pool, PoolOptions, Print, Program, Settings, SystemMemory,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::worker::program;

/// How long anything may take before a test fails. Far beyond what it takes, on machines that do much else besides.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A pool of so many workers, which are being started.
pub fn pool(workers: usize) -> Pool {
    let pool = pool_of(Settings::new(workers), program());
    pool.start();
    pool
}

/// A pool whose workers are not yet started.
pub fn pool_of(settings: Settings, program: Program) -> Pool {
    let memory = Box::new(SystemMemory::new());
    Pool::new(PoolOptions { settings, program, memory, oom: OomCounter::new() }).unwrap()
}

/// A pool of one worker, and the worker's process.
pub fn pool_of_one() -> (Pool, u32) {
    let pool = pool(1);
    let pid = text(&run(&pool, items(["pid"]))[&0]).parse().unwrap();
    (pool, pid)
}

/// How one item ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    Answered(Vec<u8>),
    Failed(Vec<u8>),
    Lost(Fault),
}

/// What the item answered, as text.
pub fn text(ended: &Ended) -> String {
    match ended {
        Ended::Answered(bytes) => String::from_utf8(bytes.clone()).unwrap(),
        other => panic!("this item was to be answered: {other:?}"),
    }
}

pub fn echoed(bytes: impl AsRef<[u8]>) -> Ended {
    Ended::Answered(bytes.as_ref().to_vec())
}

/// Every failure is an answer like others.
pub fn tolerant() -> JobOptions {
    JobOptions { on_error: OnError::Return, ..JobOptions::default() }
}

pub fn items(list: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Chunk {
    let mut chunk = Chunk::default();
    for item in list {
        add(&mut chunk, item, &[], Vec::new());
    }
    chunk
}

/// `count` items that echo their index.
pub fn echoes(count: usize) -> Chunk {
    items((0..count).map(|index| format!("echo {index}")))
}

/// Adds an item with what it refers to.
pub fn add(chunk: &mut Chunk, item: impl AsRef<[u8]>, objects: &[Object], descriptors: Vec<Descriptor>) {
    let position = chunk.items.len() as u32;
    chunk.items.bytes.extend_from_slice(item.as_ref());
    chunk.items.end_part();
    chunk.objects.extend(objects.iter().map(|object| (position, *object)));
    chunk.descriptors.extend(descriptors.into_iter().map(|descriptor| (position, descriptor)));
}

/// One item with what it refers to.
pub fn item(item: impl AsRef<[u8]>, objects: &[Object], descriptors: Vec<Descriptor>) -> Chunk {
    let mut chunk = Chunk::default();
    add(&mut chunk, item, objects, descriptors);
    chunk
}

/// Opens a job with these items and no others.
pub fn submit(pool: &Pool, options: JobOptions, chunk: Chunk) -> JobId {
    let job = pool.open(JobSpec { options, ..JobSpec::default() });
    pool.feed(job, chunk, true);
    job
}

/// Runs a job whose items must all be answered.
pub fn run(pool: &Pool, chunk: Chunk) -> BTreeMap<Index, Ended> {
    let count = chunk.items.len();
    let (ended, outcome) = collect(pool, submit(pool, tolerant(), chunk));
    assert_eq!((ended.len(), outcome), (count, Outcome::Complete), "{:?}", pool.breakage());
    ended
}

/// The texts that the items of such a job answer, in order.
pub fn texts(pool: &Pool, chunk: Chunk) -> Vec<String> {
    run(pool, chunk).values().map(text).collect()
}

/// Takes everything of a job until it ends, then closes it; every item at most once.
pub fn collect(pool: &Pool, job: JobId) -> (BTreeMap<Index, Ended>, Outcome) {
    let (mut ended, mut prints) = (BTreeMap::new(), Vec::new());
    let outcome = take_until_end(pool, job, &mut ended, &mut prints);
    (ended, outcome)
}

/// The same, with what was printed meanwhile.
pub fn take_until_end(
    pool: &Pool,
    job: JobId,
    ended: &mut BTreeMap<Index, Ended>,
    prints: &mut Vec<Print>,
) -> Outcome {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let taken = pool.take(job);
        for answer in taken.answers {
            put(answer, ended);
        }
        prints.extend(taken.prints);
        if let Some(outcome) = taken.outcome {
            pool.close(job);
            return outcome;
        }
        assert!(Instant::now() < deadline, "the job does not end; answered so far: {:?}", ended.keys());
        pool.wait(job, false, Some(Duration::from_secs(1)));
    }
}

/// Notes how the items of one answer ended.
pub fn put(answer: Answer, ended: &mut BTreeMap<Index, Ended>) {
    let mut note = |index, how| assert_eq!(ended.insert(index, how), None, "item {index} ended twice");
    match answer {
        Answer::Lost { index, fault, .. } => note(index, Ended::Lost(fault)),
        Answer::Batch { batch, first, from, count } => {
            for offset in 0..count {
                let bytes = batch.parts.part(from + offset).to_vec();
                let how = if batch.is_failure(from + offset) {
                    Ended::Failed(bytes)
                } else {
                    Ended::Answered(bytes)
                };
                note(first + offset as u64, how);
            }
        }
    }
}

/// Waits until something is so that brings no event of its own.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub fn pids(pool: &Pool) -> Vec<u32> {
    pool.workers().iter().map(|worker| worker.pid).collect()
}

/// Waits until so many workers are ready; gives their processes.
pub fn ready(pool: &Pool, count: usize) -> Vec<u32> {
    eventually("every worker is ready", || {
        pool.workers().iter().filter(|worker| worker.ready).count() == count
    });
    pids(pool)
}

/// Sends a signal to a worker of ours. The number must not have been reaped yet: a worker that is alive.
pub fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid as i32).unwrap(), signal).unwrap();
}

/// Stops a worker of ours, and waits until it has: the signal alone may let it go on for a while.
pub fn stop(pid: u32) {
    signal(pid, Signal::STOP);
    eventually("the process is stopped", || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T'))
    });
}

/// A process to watch, so that its number cannot become another's unnoticed.
pub struct Watched(OwnedFd);

impl Watched {
    pub fn new(pid: u32) -> Watched {
        Watched(pidfd_open(Pid::from_raw(pid as i32).unwrap(), PidfdFlags::empty()).unwrap())
    }

    pub fn is_alive(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// Fails if the process does not end.
    pub fn wait_end(&self) {
        assert!(!self.wait(PATIENCE), "a process was to end and lives on");
    }

    /// Whether it is still alive after that long.
    fn wait(&self, most: Duration) -> bool {
        let most = Timespec { tv_sec: most.as_secs() as i64, tv_nsec: 0 };
        poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&most)).unwrap() == 0
    }
}
