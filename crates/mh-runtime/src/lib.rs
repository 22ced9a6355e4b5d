//! Does what the engine says: worker processes, the connections to them, shared memory, waiting, shutdown.
//!
//! | file | what it holds |
//! |---|---|
//! | `pool` | [`Pool`]: what the layer above calls |
//! | `driving` | who waits for the workers, and who is told what came |
//! | `state` | everything that a pool knows; carries out the engine's instructions |
//! | `incoming` | what workers send, and their ends |
//! | `job`, `answers`, `objects` | what is kept for a job: encoded items, answers, functions and globals |
//! | `workers` | one worker as the parent sees it |
//! | `waiting` | do the workers compute, or wait? |
//! | `spawn` | one worker process: start, watch, kill, reap |
//! | `wire`, `link` | frames, and the socket that they travel on |
//! | `worker` | the other end: [`WorkerLink`] |
//! | `following` | a process that ends with its parent |
//! | `threads` | another kind of pool: threads of this process |
//! | `footprint` | how much memory a process and its descendants take |
//! | `recording` | where what happens is noted, while somebody wants a trace of it |
//! | `neighbours` | threads that keep other cores busy beside what is measured; how much memory they can move |
//! | `cores` | how many cores this process may use |
//!
//! Values are bytes here: what they mean is known to the layer above, on both sides. Nothing here knows Python.

mod answers;
mod cores;
mod driving;
mod following;
mod footprint;
mod incoming;
mod job;
mod link;
mod neighbours;
mod objects;
mod pool;
mod recording;
mod spawn;
mod state;
mod threads;
mod waiting;
mod wire;
mod worker;
mod workers;

pub use answers::{Answer, AnswerBatch, ResultLease};
pub use cores::Cores;
pub use driving::Waited;
pub use following::follow;
pub use footprint::{Footprint, computed_by_descendants};
pub use job::{Chunk, JobSpec};
pub use link::Descriptor;
pub use mh_engine::{Death, Fault, Index, JobId, JobOptions, Nanos, OnError, Outcome, Settings, stream};
pub use mh_store::{
    FixedMemory, Mapping, MemoryReading, Object, OomCounter, SegmentId, Semaphore, SettableMemory,
    StoreError, SystemMemory, Taken as SemaphoreTaken,
};
pub use neighbours::{Neighbours, Work, memory_roof};
pub use objects::{ObjectId, Payload};
pub use pool::{Pool, PoolOptions, Taken, Withdrawal, WorkerView};
pub use recording::{
    Spending, Started, new_pool, note_fed, note_taken_indices, recorder, thread, thread_cpu,
};
pub use spawn::Program;
pub use state::{Breakage, Delivery, Print, now};
pub use threads::{
    Claim, Keeper, Loss, Server, ServerView, ThreadAnswer, ThreadBreakage, ThreadJobOptions, ThreadPool,
    ThreadSettings, ThreadTaken,
};
pub use wire::{LONGEST_PART, Parts};
pub use worker::{Access, Batch, Incoming, Printer, Use, WorkerLink};
