//! The worker's small shared page: four message slots and the time at which the running item began.
//!
//! It is all that parent and worker share to write to. Both sides reach it only through atomics, so a process
//! that dies at any instruction leaves it readable, and the other side never waits for it.

#![allow(unsafe_code)] // Makes a reference to memory that two processes map.

use std::io;
use std::ops::{Index, Range};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{MapFlags, ProtFlags};

use crate::pages::PAGE_SIZE;
use crate::protocol::{Progress, Slot};

/// Messages that a worker can have at a time: one that it runs, one that waits, and two whose end is being
/// told.
pub const SLOTS: usize = 4;

/// What lies on the page. All zeros, as the kernel hands it out, is a valid beginning.
#[repr(C)]
struct Layout {
    slots: [Slot; SLOTS],
    begun_at: AtomicU64,
}

const _: () = assert!(size_of::<Layout>() <= PAGE_SIZE as usize);

/// The shared page, as either side has it mapped. Slots are numbered from 0 to `SLOTS - 1`.
///
/// # Panics
///
/// All methods that take a slot panic for one that does not exist.
pub struct Page {
    layout: NonNull<Layout>,
}

// SAFETY: the page is mapped for the process, not for a thread, and all access to it is atomic.
unsafe impl Send for Page {}
// SAFETY: as above.
unsafe impl Sync for Page {}

impl Page {
    /// Parent: makes a page, and the descriptor by which the worker opens it (closed on exec unless passed
    /// on).
    pub fn create() -> io::Result<(Page, OwnedFd)> {
        let fd = rustix::fs::memfd_create("manyhands-page", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        rustix::fs::ftruncate(&fd, PAGE_SIZE)?;
        rustix::fs::fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        let page = Page::map(fd.as_fd())?;
        Ok((page, fd))
    }

    /// Worker: opens the page that its parent made. The descriptor is not needed afterwards and closed.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when the descriptor is no such page.
    pub fn open(fd: OwnedFd) -> io::Result<Page> {
        let size = rustix::fs::fstat(&fd)?.st_size;
        if size != PAGE_SIZE as i64 {
            let text = format!("a worker's page has {PAGE_SIZE} bytes; this descriptor's file has {size}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Page::map(fd.as_fd())
    }

    fn map(fd: BorrowedFd<'_>) -> io::Result<Page> {
        let (len, protection) = (PAGE_SIZE as usize, ProtFlags::READ | ProtFlags::WRITE);
        // SAFETY: a new mapping at an address of the kernel's choosing replaces nothing.
        let start =
            unsafe { rustix::mm::mmap(std::ptr::null_mut(), len, protection, MapFlags::SHARED, fd, 0) }?;
        let layout =
            NonNull::new(start.cast()).ok_or_else(|| io::Error::other("the kernel mapped a page at 0"))?;
        Ok(Page { layout })
    }

    /// Parent: offers a message of `count` items ([`Slot::publish`]).
    pub fn publish(&self, slot: usize, generation: u16, count: u32) {
        self[slot].publish(generation, count);
    }

    /// Parent: takes back unbegun items; how many ([`Slot::steal`]).
    pub fn steal(&self, slot: usize, generation: u16, most: u32, all: bool) -> u32 {
        self[slot].steal(generation, most, all)
    }

    /// Parent: how far the worker is with a message ([`Slot::progress`]).
    pub fn progress(&self, slot: usize, generation: u16) -> Option<Progress> {
        self[slot].progress(generation)
    }

    /// Parent: when the running item began, as the worker set it. Read it *after*
    /// [`progress`](Page::progress): it is then that item's time or, if the worker has gone on meanwhile, a
    /// later one; never an earlier one.
    pub fn begun_at(&self) -> u64 {
        self.layout().begun_at.load(Acquire)
    }

    /// Worker: takes the next item of a message ([`Slot::claim`]).
    pub fn claim(&self, slot: usize, generation: u16) -> Option<u32> {
        self[slot].claim(generation)
    }

    /// Worker: takes the next few items of a message at once ([`Slot::claim_some`]).
    pub fn claim_some(&self, slot: usize, generation: u16, most: u32) -> Range<u32> {
        self[slot].claim_some(generation, most)
    }

    /// Worker: says how many items of a message are finished ([`Slot::finished`]).
    pub fn finished(&self, slot: usize, generation: u16, count: u32) {
        self[slot].finished(generation, count);
    }

    /// Worker, for jobs with a time limit: sets the time (nanoseconds of the monotonic clock) at which the
    /// next item begins, *before* claiming it. In the other order the parent could take the last item's time
    /// for this one's, and end an item that has just begun.
    pub fn set_begun_at(&self, nanos: u64) {
        self.layout().begun_at.store(nanos, Release);
    }

    fn layout(&self) -> &Layout {
        // SAFETY: the mapping is a page long, aligned to a page, and lives as long as `self`; its size is
        // sealed. Every bit pattern is a valid `Layout`, and it consists of atomics only, so the other
        // process may change it at any time.
        unsafe { self.layout.as_ref() }
    }
}

impl Index<usize> for Page {
    type Output = Slot;

    fn index(&self, slot: usize) -> &Slot {
        &self.layout().slots[slot]
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `map` with this length, and no reference to it outlives `self`. It
        // can only fail for arguments that are not a mapping's.
        let _ = unsafe { rustix::mm::munmap(self.layout.as_ptr().cast(), PAGE_SIZE as usize) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_see_one_page() {
        let (parent, fd) = Page::create().unwrap();
        let worker = Page::open(fd).unwrap();
        for slot in 0..SLOTS {
            let generation = slot as u16 + 1;
            parent.publish(slot, generation, 10);
            worker.set_begun_at(42 + slot as u64);
            assert_eq!(worker.claim(slot, generation), Some(0));
            worker.finished(slot, generation, 1);
            assert_eq!(parent.steal(slot, generation, 100, false), 5);
            assert_eq!(parent.progress(slot, generation), Some(Progress { begun: 1, finished: 1, end: 5 }));
            assert_eq!(parent.begun_at(), 42 + slot as u64);
        }
    }

    #[test]
    fn another_file_is_refused() {
        let fd = rustix::fs::memfd_create("other", MemfdFlags::CLOEXEC).unwrap();
        assert_eq!(Page::open(fd).err().unwrap().kind(), io::ErrorKind::InvalidInput);
    }

    /// Two threads through two mappings, as two processes would: every item is run by exactly one side.
    #[test]
    fn every_item_is_run_by_exactly_one_side() {
        let (parent, fd) = Page::create().unwrap();
        let worker = Page::open(fd).unwrap();
        for round in 0..200_u16 {
            let (slot, generation, count) = (usize::from(round) % SLOTS, round, 1000);
            parent.publish(slot, generation, count);
            let (ran, stolen) = std::thread::scope(|scope| {
                let runner =
                    scope.spawn(|| std::iter::from_fn(|| worker.claim(slot, generation)).collect::<Vec<_>>());
                let mut stolen = 0;
                while let taken @ 1.. = parent.steal(slot, generation, 7, false) {
                    stolen += taken;
                }
                (runner.join().unwrap(), stolen)
            });
            assert_eq!(ran, (0..count - stolen).collect::<Vec<_>>());
        }
    }
}
