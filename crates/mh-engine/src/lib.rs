//! What to do next: the scheduler of manyhands as a pure state machine.
//!
//! Events go in ([`Event`]), instructions come out ([`Instruction`]). Nothing here does input or output, starts a
//! thread, reads a clock or knows Python: time arrives with each event. That is what lets a test assert the list of
//! instructions, and a seeded simulation drive ten thousand workers that die, stall and answer twice.

mod engine;
mod event;
pub mod graph;
mod instruction;
mod job;
mod ranges;
mod settings;
pub mod stream;
mod worker;

pub use engine::Engine;
pub use event::{Death, Event};
pub use instruction::{Fault, Instruction, Outcome};
pub use settings::{JobOptions, OnError, Settings};

/// One call of the user's (a map, or the endless job behind `apply`). Chosen by whoever opens the job; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// One worker process (or thread). Chosen by the engine when it asks for the worker; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerId(pub u64);

/// One message of items that was sent to a worker; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub u64);

/// Position of an item in its job's input, from 0.
pub type Index = u64;

/// Nanoseconds; as a point in time, since an origin of the driver's choosing.
pub type Nanos = u64;
