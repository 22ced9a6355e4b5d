//! The big memory copy, split over threads.
//!
//! One core does not saturate the memory: into recycled pages, 400 MB take 0.055 s with one thread. Threads
//! are made for the copy and joined before it returns (some 50 us, against 1 ms and more of copying), so that
//! none is left idle in a process that forks later.

#![allow(unsafe_code)] // Copies through a raw pointer into memory that other processes map.

use std::thread;

/// Copies smaller than this stay on the calling thread: starting another costs as much as it saves.
const SPLIT_FROM: usize = 8 << 20;

/// More threads than this only queue for the same memory.
const MOST_THREADS: usize = 4;

/// A place in memory that the threads of one copy write to, each its own part of it.
struct Target(*mut u8);

// SAFETY: the pointer is used only by `copy`, whose caller vouches that the whole range may be written by it;
// each thread writes a part that no other touches.
unsafe impl Send for Target {}

/// Copies `bytes` to `target`, over several threads when there are many.
///
/// # Safety
///
/// `target` must be valid for writes of `bytes.len()` bytes until this returns, and nothing in this process
/// may read or write them meanwhile.
pub(crate) unsafe fn copy(bytes: &[u8], target: *mut u8) {
    let threads = if bytes.len() < SPLIT_FROM { 1 } else { cores().min(MOST_THREADS) };
    let part = bytes.len().div_ceil(threads).next_multiple_of(4096).max(1);
    thread::scope(|scope| {
        let mut parts = bytes.chunks(part).enumerate();
        let own = parts.next();
        for (index, part_bytes) in parts {
            // SAFETY: `index * part` is below `bytes.len()`, so the result stays within the caller's range.
            let place = Target(unsafe { target.add(index * part) });
            let work = move || {
                let place = place; // the whole struct moves into the thread, not its bare pointer
                // SAFETY: the caller vouches for the whole range; this part of it is this thread's alone.
                unsafe { place.0.copy_from_nonoverlapping(part_bytes.as_ptr(), part_bytes.len()) }
            };
            if thread::Builder::new().name("mh-copy".into()).spawn_scoped(scope, work).is_err() {
                // No thread to be had (a limit of processes): the copy is then ours to do.
                // SAFETY: as above; `work` was dropped unrun, so nobody else writes this part.
                unsafe {
                    target.add(index * part).copy_from_nonoverlapping(part_bytes.as_ptr(), part_bytes.len())
                }
            }
        }
        if let Some((_, part_bytes)) = own {
            // SAFETY: as above; the first part is the calling thread's.
            unsafe { target.copy_from_nonoverlapping(part_bytes.as_ptr(), part_bytes.len()) }
        }
    });
}

/// Cores that this process may use; asked each time, because affinity may have been narrowed since.
fn cores() -> usize {
    thread::available_parallelism().map_or(1, Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_arrives_whatever_the_split() {
        for len in [0, 1, 4096, SPLIT_FROM - 1, SPLIT_FROM, SPLIT_FROM + 1, 3 * SPLIT_FROM + 12345] {
            let bytes: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let mut target = vec![0; len];
            // SAFETY: `target` has `len` bytes and is not looked at before the copy returns.
            unsafe { copy(&bytes, target.as_mut_ptr()) };
            assert!(bytes == target, "{len} bytes");
        }
    }
}
