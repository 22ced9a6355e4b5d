//! The binding of manyhands: converts, lets go of the interpreter's lock, calls. No logic lives here.
//!
//! | file | what it holds |
//! |---|---|
//! | `pool` | `Engine`: the runtime's pool |
//! | `job` | `Job`: one call's items and answers |
//! | `worker` | `WorkerLink`: the loop of a worker process |
//! | `codec` | values as bytes |
//! | `elsewhere` | `Scheduler`: decisions for somebody else's workers |
//! | `sharing` | buffers that come again are stored once |
//! | `tasks` | `delayed`, and calls that bring their own function |
//! | `hooks` | what is asked of the Python side: errors, prints |
//! | `machine` | cores, memory, random streams, digests |
//! | `ffi` | the only unsafe code: buffers and descriptors |

mod codec;
mod elsewhere;
mod ffi;
mod hooks;
mod job;
mod machine;
mod pool;
mod sharing;
mod tasks;
mod worker;

/// Kinds of objects that workers are told, as `manyhands._kinds` numbers them too.
const KIND_FUNCTION: u8 = 4;
const KIND_INITIALIZER: u8 = 5;
const KIND_FUNCTION_BY_NAME: u8 = 8;

/// The module `manyhands._native`.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use crate::elsewhere::Scheduler;
    #[pymodule_export]
    use crate::ffi::SharedBuffer;
    #[pymodule_export]
    use crate::job::Job;
    #[pymodule_export]
    use crate::machine::{cores, cpu_count, digest, follow, memory_available, stream};
    #[pymodule_export]
    use crate::pool::Engine;
    #[pymodule_export]
    use crate::tasks::Delayed;
    #[pymodule_export]
    use crate::worker::{Printer, WorkerLink};
}
