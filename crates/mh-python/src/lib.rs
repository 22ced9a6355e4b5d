//! The binding of manyhands: converts, lets go of the interpreter's lock, calls. No logic lives here.
//!
//! | file | what it holds |
//! |---|---|
//! | `pool` | `Engine`: the runtime's pool |
//! | `job` | `Job`: one call's items and answers |
//! | `worker` | `WorkerLink`: the loop of a worker process |
//! | `threads` | `ThreadEngine`, `ThreadJob`: threads of this process |
//! | `gather` | a whole map's answers |
//! | `semaphore` | `SemLock`: under multiprocessing's locks |
//! | `codec` | values as bytes |
//! | `graph` | `Plan`: a graph of tasks; `GraphRun`: one run of it |
//! | `elsewhere` | `Scheduler`: decisions for somebody else's workers |
//! | `sharing` | buffers that come again are stored once |
//! | `tasks` | `delayed`, and calls that bring their own function |
//! | `hooks` | what is asked of the Python side: errors, prints |
//! | `jit` | `Jitted`: a compiled function |
//! | `measuring` | `Repetition`, `Sweep`, `Summary`: measurements and what they say |
//! | `probing` | `Neighbours`, the memory's roof, what processes have computed: what measurements are made beside |
//! | `scaling` | `Fit`, `Account`, `Memory`: laws of scaling, and why it stops |
//! | `machine` | cores, memory, random streams, digests |
//! | `tracing` | `Recording`, `Trace`, `MemoryWatch`: what happened when |
//! | `knocking` | `Knocking`: is the interpreter's lock held? |
//! | `ffi` | the only unsafe code: buffers and descriptors, NumPy's arrays, kernels' frames |

mod codec;
mod elsewhere;
mod ffi;
mod gather;
mod graph;
mod hooks;
mod jit;
mod job;
mod knocking;
mod machine;
mod measuring;
mod pool;
mod probing;
mod scaling;
mod semaphore;
mod sharing;
mod tasks;
mod threads;
mod tracing;
mod worker;

/// Kinds of objects that workers are told, as `manyhands._kinds` numbers them too.
const KIND_FUNCTION: u8 = 4;
const KIND_INITIALIZER: u8 = 5;
const KIND_FUNCTION_BY_NAME: u8 = 8;

/// How a job's items are called, the first byte of its tag; as `manyhands._kinds` numbers them too.
const CALL_ONE: u8 = 0;
const CALL_STAR: u8 = 1;
/// Each item is (function, args, kwargs), or a call that names the function's object.
const CALL_APPLY: u8 = 2;
/// The same, in a row with others.
const CALL_TASK: u8 = 3;
/// Of a call that names its function: the item is (args, kwargs).
const CALL_KEYWORDS: u8 = 4;

/// The module `manyhands._native`.
///
/// `gil_used = false`: nothing here leans on the interpreter's lock. What is shared lies behind locks of its own, which are
/// held for no call into Python; a worker's link is used by one thread only.
#[pyo3::pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use crate::elsewhere::Scheduler;
    #[pymodule_export]
    use crate::ffi::SharedBuffer;
    #[pymodule_export]
    use crate::graph::{GraphRun, Lane, Plan};
    #[pymodule_export]
    use crate::jit::explaining::Explained;
    #[pymodule_export]
    use crate::jit::{Jitted, get_num_threads, set_num_threads};
    #[pymodule_export]
    use crate::job::Job;
    #[pymodule_export]
    use crate::knocking::Knocking;
    #[pymodule_export]
    use crate::machine::{cores, cpu_count, digest, follow, memory_available, stream};
    #[pymodule_export]
    use crate::measuring::{Repetition, Summary, Sweep, ratio};
    #[pymodule_export]
    use crate::pool::Engine;
    #[pymodule_export]
    use crate::probing::{Neighbours, computed_by_children, memory_roof};
    #[pymodule_export]
    use crate::scaling::{Account, Fit, Memory, karp_flatt, verdict};
    #[pymodule_export]
    use crate::semaphore::SemLock;
    #[pymodule_export]
    use crate::tasks::Delayed;
    #[pymodule_export]
    use crate::threads::{ThreadEngine, ThreadJob, ThreadKeeper, ThreadServer};
    #[pymodule_export]
    use crate::tracing::{
        MemoryWatch, Recording, Trace, clocks, forget_traces, name_elsewhere, name_serial, new_pool,
        note_elsewhere, note_fed, note_serial, note_taken, tracing,
    };
    #[pymodule_export]
    use crate::worker::{Printer, WorkerLink};
}
