//! Shared memory: where big buffers lie while several processes read them, and who may still be reading.
//!
//! | file | what it holds |
//! |---|---|
//! | `segment` | [`Segment`]: anonymous shared memory that one process writes and hands on as a file descriptor |
//! | `pages` | page arithmetic, and the set of pages that already have memory behind them |
//! | `copy` | the big memory copy, split over threads |
//! | `mapping` | [`Mapping`]: a receiver's private copy-on-write view of a segment |
//! | `pagemap` | asking the kernel whether such a view has been written to |
//! | `arena` | [`Arena`]: places [`Object`]s in segments, and uses released space again |
//! | `memory`, `cgroup` | how much memory may still be taken: [`MemoryReading`], [`SystemMemory`] |
//! | `oom` | [`OomCounter`]: has the kernel killed a process for memory? |
//! | `leases` | [`Leases`]: which objects somebody still needs or still has mapped |
//! | `protocol` | [`Slot`]: the words by which parent and worker agree who runs which item |
//! | `semaphore` | [`Semaphore`]: a count that several processes wait for |
//! | `page` | [`Page`]: the small page, shared by parent and worker, that those words lie in |
//!
//! Nothing has a name in the file system: the kernel frees a segment when its last holder dies, however it
//! dies. Nothing here knows Python, sockets or the scheduler. All files that contain `unsafe` lift the lint
//! at their top.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "in a test, a panic is the report"))]

#[cfg(not(target_os = "linux"))]
compile_error!("mh-store needs Linux: it builds on memfd, copy-on-write mappings and /proc");

mod arena;
mod cgroup;
mod copy;
mod error;
mod leases;
mod mapping;
mod memory;
mod oom;
#[cfg(not(loom))]
mod page;
mod pagemap;
mod pages;
mod protocol;
mod segment;
#[cfg(not(loom))]
mod semaphore;

pub use arena::{Arena, Object};
pub use error::StoreError;
pub use leases::Leases;
pub use mapping::{Mapping, minor_faults};
pub use memory::{FixedMemory, MemoryReading, SettableMemory, SystemMemory};
pub use oom::OomCounter;
#[cfg(not(loom))]
pub use page::{Page, SLOTS};
pub use pages::PAGE_SIZE;
pub use protocol::{MAX_ITEMS, Progress, Slot};
pub use segment::{Segment, SegmentId};
#[cfg(not(loom))]
pub use semaphore::{Semaphore, Taken};
