//! What happened when: what a run notes, and what is made of it.
//!
//! | file | what it holds |
//! |---|---|
//! | `event` | [`Event`]: what is noted while something runs |
//! | `recorder` | [`Recorder`]: where it is noted |
//! | `trace` | [`Trace`]: each task with its times, workers, callers, kernels |
//! | `assemble` | events → trace |
//! | `usage` | how busy the workers were |
//! | `stints` | what the threads of a compiled call did |
//! | `report` | one page of HTML |
//! | `chrome` | the format that Perfetto and `chrome://tracing` open |
//!
//! Nothing here reads a clock, a file or a process: times are given, in nanoseconds of the monotonic clock, which is one and the
//! same for all processes of a machine.

mod assemble;
mod chrome;
mod event;
mod recorder;
mod report;
mod stints;
mod trace;
mod usage;

pub use chrome::chrome;
pub use event::{Activity, Event, JobKey, Kind, Nanos, Run, Stint, Worker};
pub use recorder::{Mark, Recorder};
pub use report::{Figure, report};
pub use stints::{KernelUsage, kernel_usage};
pub use trace::{Caller, Ending, Job, Kernel, MemorySample, ProcessMemory, Task, Trace};
pub use usage::{Usage, WorkerUsage, usage};
