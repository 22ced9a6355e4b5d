//! Where this process notes what happens, while somebody wants a trace of it.

use std::sync::atomic::{AtomicU64, Ordering};

use mh_engine::{Index, JobId, Nanos};
use mh_trace::{Activity, Event, JobKey, Kind, Recorder, Run, Worker};
use rustix::time::{ClockId, clock_gettime};

use crate::answers::Answer;
use crate::state::now;
use crate::worker::Batch;

/// Items that follow on each other within so long are noted together.
const SHORT: Nanos = 50_000;

static RECORDER: Recorder = Recorder::new();
static POOLS: AtomicU64 = AtomicU64::new(1);

/// The events of this process.
pub fn recorder() -> &'static Recorder {
    &RECORDER
}

/// The number of a new pool.
pub fn new_pool() -> u64 {
    POOLS.fetch_add(1, Ordering::Relaxed)
}

/// What this thread has computed so far.
pub fn thread_cpu() -> Nanos {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// What the calling thread does for a job, from now until it is dropped.
pub struct Spending {
    job: JobKey,
    activity: Activity,
    from: Nanos,
    pub items: u64,
}

impl Spending {
    /// `None` where nobody wants to know.
    pub fn begin(job: JobKey, activity: Activity) -> Option<Spending> {
        RECORDER.on().then(|| Spending { job, activity, from: now(), items: 0 })
    }
}

impl Drop for Spending {
    fn drop(&mut self) {
        let Spending { job, activity, from, items } = *self;
        RECORDER.add(Event::Spent { job, activity, thread: thread(), from, to: now(), items });
    }
}

/// The calling thread's number in the system.
pub fn thread() -> u64 {
    rustix::thread::gettid().as_raw_nonzero().get() as u64
}

/// Items were given by the caller.
pub fn note_fed(pool: u64, job: JobId, first: Index, count: u64, at: Nanos) {
    if RECORDER.on() && count > 0 {
        RECORDER.add(Event::Fed { job: JobKey { pool, job: job.0 }, first, count, at });
    }
}

pub(crate) fn note_taken(pool: u64, job: JobId, answers: &[Answer]) {
    if !RECORDER.on() {
        return;
    }
    let (job, at) = (JobKey { pool, job: job.0 }, now());
    for answer in answers {
        let (first, count) = match answer {
            Answer::Batch { first, count, .. } => (*first, *count as u64),
            Answer::Lost { index, .. } => (*index, 1),
        };
        RECORDER.add(Event::Taken { job, first, count, at });
    }
}

/// The same for answers that come in no order.
pub fn note_taken_indices(pool: u64, job: JobId, indices: impl Iterator<Item = Index>) {
    if !RECORDER.on() {
        return;
    }
    let (job, at) = (JobKey { pool, job: job.0 }, now());
    let mut row: Option<(Index, u64)> = None;
    for index in indices {
        match &mut row {
            Some((first, count)) if *first + *count == index => *count += 1,
            _ => {
                if let Some((first, count)) = row.replace((index, 1)) {
                    RECORDER.add(Event::Taken { job, first, count, at });
                }
            }
        }
    }
    if let Some((first, count)) = row {
        RECORDER.add(Event::Taken { job, first, count, at });
    }
}

/// When a thread of a pool took an item on; and what it had computed until then.
#[derive(Clone, Copy, Debug, Default)]
pub struct Started(Option<(Nanos, Nanos)>);

impl Started {
    pub(crate) fn now() -> Started {
        Started(RECORDER.on().then(|| (now(), thread_cpu())))
    }

    /// The item has been run by the calling thread.
    pub(crate) fn ended(self, pool: u64, job: JobId, index: Index, server: u64, failed: bool) {
        let Some((begun, cpu)) = self.0 else { return };
        let (at, cpu) = (now(), thread_cpu().saturating_sub(cpu));
        let worker = Worker { kind: Kind::Thread, pool, id: server, pid: std::process::id() };
        let run = Run::one(index, begun, at, cpu, failed);
        RECORDER.add(Event::Ran { job: JobKey { pool, job: job.0 }, worker, runs: vec![run], at });
    }
}

/// What a worker process notes of the items that it runs: one record for each, or for several short ones in a row.
#[derive(Default)]
pub(crate) struct Notes {
    on: bool,
    arrived: Nanos,
    begun: Nanos,
    called: Nanos,
    returned: Nanos,
    /// What the thread had computed when the last record was closed.
    cpu: Nanos,
    /// The last record may take more items.
    open: bool,
}

impl Notes {
    /// Items of a message follow.
    pub fn begin(&mut self, on: bool, arrived: Nanos) {
        self.on = on;
        if on {
            self.arrived = arrived;
            self.open = false;
            self.cpu = thread_cpu();
        }
    }

    /// An item is about to be taken on.
    pub fn claim(&mut self, at: Nanos) {
        (self.begun, self.called, self.returned) = (at, 0, 0);
    }

    /// Its function is called next.
    pub fn called(&mut self) {
        if self.on {
            self.called = now();
        }
    }

    /// It has returned.
    pub fn returned(&mut self) {
        if self.on {
            self.returned = now();
        }
    }

    /// Its answer is there.
    pub fn end(&mut self, runs: &mut Vec<Run>, batch: &Batch, position: u32, failed: bool, bytes_out: u64) {
        if !self.on {
            return;
        }
        let index = batch.head.first + u64::from(position);
        let bytes_in = batch.items.part(position as usize).len() as u64;
        let ended = now();
        let follows = |last: &&mut Run| {
            last.first + last.count == index && !last.failed && !failed && ended - last.begun < SHORT
        };
        if self.open
            && let Some(last) = runs.last_mut().filter(follows)
        {
            last.count += 1;
            (last.returned, last.ended) = (self.returned, ended);
            last.bytes_in += bytes_in;
            last.bytes_out += bytes_out;
            // Too short to be worth asking.
            last.cpu = ended - last.begun;
            return;
        }
        let (wall, mut cpu) = (ended - self.begun, ended - self.begun);
        if wall >= SHORT {
            let total = thread_cpu();
            cpu = cpu.min(total.saturating_sub(self.cpu));
            self.cpu = total;
        }
        self.open = wall < SHORT;
        runs.push(Run {
            first: index,
            count: 1,
            arrived: self.arrived,
            begun: self.begun,
            called: self.called,
            returned: self.returned,
            ended,
            cpu,
            bytes_in,
            bytes_out,
            failed,
        });
    }
}
