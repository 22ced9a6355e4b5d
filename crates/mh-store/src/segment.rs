//! Segments: anonymous shared memory that one process fills and others map.
//!
//! Filling is the cost of sending a big array, so how it is done follows what was measured (400 MB, 2 cores):
//! into fresh pages `pwrite` takes 0.14-0.23 s, which is half of what faulting them in through a mapping
//! takes, and it reports lack of memory as an error where a store through a mapping would kill the process
//! (SIGBUS). Pages that already have memory behind them are the fastest target there is, but only through a
//! mapping that is kept: 0.055 s with one thread, against 0.13 s for `pwrite`. So the first write of a page
//! is a `pwrite`, every later one a copy.

#![allow(unsafe_code)] // Keeps a writable mapping of memory that other processes map too.

use std::ffi::c_void;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::OnceLock;

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, ProtFlags};

use crate::copy::copy;
use crate::error::StoreError;
use crate::pages::{PageSet, round_up, touched};

/// A segment's name, unique among the segments of all processes that exchange objects. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentId(pub u64);

/// Anonymous shared memory of fixed size, written by this process and handed to others as a file descriptor.
///
/// The kernel frees it when the last descriptor and the last mapping of it anywhere are gone. Its size is
/// sealed, so that no holder of the descriptor can shrink it and turn another's read into a SIGBUS.
pub struct Segment {
    id: SegmentId,
    len: u64,
    fd: OwnedFd,
    /// Pages that have been written and so have memory behind them.
    filled: PageSet,
    /// Made at the first write to pages that were written before; None inside when the kernel refused it.
    recycled: OnceLock<Option<SharedMapping>>,
}

impl Segment {
    /// Makes a segment of `len` bytes, rounded up to whole pages. Takes no memory yet: writing does.
    pub fn create(id: SegmentId, len: u64) -> Result<Segment, StoreError> {
        let failed = |errno: Errno| StoreError::io(format!("create a segment of {len} bytes"), errno);
        let len = round_up(len).ok_or_else(|| failed(Errno::FBIG))?;
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let fd = rustix::fs::memfd_create("manyhands", flags).map_err(failed)?;
        rustix::fs::ftruncate(&fd, len).map_err(failed)?;
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        rustix::fs::fcntl_add_seals(&fd, seals).map_err(failed)?;
        Ok(Segment { id, len, fd, filled: PageSet::new(len), recycled: OnceLock::new() })
    }

    pub fn id(&self) -> SegmentId {
        self.id
    }

    /// Size in bytes, a whole number of pages.
    #[expect(clippy::len_without_is_empty, reason = "a segment has at least one page")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// The descriptor to hand to a receiver, who maps it with [`Mapping`](crate::Mapping).
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Bytes of memory that the segment occupies by now.
    pub(crate) fn filled(&self) -> u64 {
        self.filled.bytes()
    }

    /// Copies `bytes` to `offset`. Threads may write at the same time if their ranges have no page in common.
    ///
    /// # Errors
    ///
    /// `OutOfBounds` for a range outside of the segment; `Io` when the kernel has no memory for the pages.
    /// What the range then holds is unspecified.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let len = bytes.len() as u64;
        if offset.checked_add(len).is_none_or(|end| end > self.len) {
            return Err(StoreError::OutOfBounds { offset, len, size: self.len });
        }
        if bytes.is_empty() {
            return Ok(());
        }
        if self.filled.contains(offset, len) {
            if let Some(mapping) = self.recycled.get_or_init(|| SharedMapping::new(self.fd(), self.len)) {
                // SAFETY: the range lies within the segment (checked above), so within its mapping.
                unsafe { mapping.write(offset, bytes) };
                return Ok(());
            }
        }
        self.write_fresh(offset, bytes)
    }

    /// Writes through the file: allocates the pages without zeroing what is overwritten, without faults, and
    /// with an error where there is no memory.
    fn write_fresh(&self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let mut done = 0;
        while done < bytes.len() {
            let at = offset + done as u64;
            match rustix::io::pwrite(&self.fd, &bytes[done..], at) {
                // A file of fixed size never takes 0 bytes within its size; said as an error, lest we loop
                // for ever.
                Ok(0) => return Err(StoreError::io(format!("write at byte {at} of a segment"), Errno::IO)),
                Ok(written) => done += written,
                Err(Errno::INTR) => {}
                Err(errno) => {
                    let action = format!("write {} bytes at byte {at} of a segment", bytes.len() - done);
                    return Err(StoreError::io(action, errno));
                }
            }
        }
        self.filled.insert(offset, bytes.len() as u64);
        Ok(())
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment").field("id", &self.id).field("len", &self.len).finish_non_exhaustive()
    }
}

/// A writable view of a whole segment, kept for as long as the segment.
///
/// Only its raw bytes are ever written, never read, and no reference to them is ever made: other processes
/// map the same memory.
struct SharedMapping {
    start: NonNull<c_void>,
    len: usize,
    /// Pages that are in this process's page table.
    populated: PageSet,
}

// SAFETY: the mapping belongs to no thread; `write` takes `&self` and its callers keep to disjoint ranges.
unsafe impl Send for SharedMapping {}
// SAFETY: as above.
unsafe impl Sync for SharedMapping {}

impl SharedMapping {
    /// None when the kernel refuses (no address space, too many mappings): writing through the file still
    /// works.
    fn new(fd: BorrowedFd<'_>, len: u64) -> Option<SharedMapping> {
        let len = usize::try_from(len).ok()?;
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the kernel's choosing replaces nothing.
        let start =
            unsafe { rustix::mm::mmap(std::ptr::null_mut(), len, protection, MapFlags::SHARED, fd, 0) };
        Some(SharedMapping { start: NonNull::new(start.ok()?)?, len, populated: PageSet::new(len as u64) })
    }

    /// Copies `bytes` to `offset`.
    ///
    /// # Safety
    ///
    /// `offset..offset + bytes.len()` must lie within the mapping, on pages that have memory behind them, and
    /// no other thread may be writing any of it.
    unsafe fn write(&self, offset: u64, bytes: &[u8]) {
        debug_assert!(offset as usize + bytes.len() <= self.len);
        self.populate(offset, bytes.len() as u64);
        // SAFETY: within the mapping, by this function's own contract. `bytes` is a Rust slice, so it cannot
        // be a view of this mapping, of which no slice is ever made. That other processes may have the page
        // mapped does no harm: they never look at a range that is not handed to them, nor after they have
        // given it back.
        unsafe { copy(bytes, self.start.as_ptr().cast::<u8>().add(offset as usize)) }
    }

    /// Enters the pages of a range into the page table in one go, once: a fault for each would cost three
    /// times as much.
    fn populate(&self, offset: u64, len: u64) {
        if self.populated.contains(offset, len) {
            return;
        }
        let pages = touched(offset, len);
        // SAFETY: whole pages of this mapping, whose contents and addresses the advice leaves as they are.
        let _ = unsafe {
            let start = self.start.as_ptr().byte_add(pages.start as usize);
            rustix::mm::madvise(start, (pages.end - pages.start) as usize, Advice::LinuxPopulateWrite)
        };
        // A kernel before 5.14 does not know the advice: the copy then takes the faults, this once.
        self.populated.insert(offset, len);
    }
}

impl Drop for SharedMapping {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` with this length and nothing points into it any more. It can
        // only fail for arguments that are not a mapping's.
        let _ = unsafe { rustix::mm::munmap(self.start.as_ptr(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::PAGE_SIZE;

    fn contents(segment: &Segment) -> Vec<u8> {
        let mut bytes = vec![0; segment.len() as usize];
        assert_eq!(rustix::io::pread(segment.fd(), &mut bytes[..], 0), Ok(bytes.len()));
        bytes
    }

    #[test]
    fn written_and_rewritten_bytes_are_the_segments() {
        let segment = Segment::create(SegmentId(1), 3 * PAGE_SIZE - 1).unwrap();
        assert_eq!(segment.len(), 3 * PAGE_SIZE);
        segment.write(PAGE_SIZE, &[1; 4096]).unwrap();
        assert!(segment.recycled.get().is_none(), "the first write goes through the file");
        segment.write(PAGE_SIZE + 10, &[2; 20]).unwrap();
        assert!(segment.recycled.get().is_some(), "the second goes through a mapping");
        segment.write(2 * PAGE_SIZE - 1, &[3; 2]).unwrap();
        let mut expected = vec![0; 3 * PAGE_SIZE as usize];
        expected[4096..8192].fill(1);
        expected[4106..4126].fill(2);
        expected[8191..8193].fill(3);
        assert_eq!(contents(&segment), expected);
        assert_eq!(segment.filled(), 2 * PAGE_SIZE);
    }

    #[test]
    fn writes_outside_of_the_segment_are_errors() {
        let segment = Segment::create(SegmentId(1), 4096).unwrap();
        for (offset, len) in [(4096, 1), (0, 4097), (u64::MAX, 1), (1, 4096)] {
            assert!(matches!(segment.write(offset, &vec![0; len]), Err(StoreError::OutOfBounds { .. })));
        }
        segment.write(4096, &[]).unwrap();
    }

    #[test]
    fn the_size_cannot_be_changed_by_a_holder_of_the_descriptor() {
        let segment = Segment::create(SegmentId(1), 8192).unwrap();
        assert_eq!(rustix::fs::ftruncate(segment.fd(), 4096), Err(Errno::PERM));
        assert_eq!(rustix::fs::ftruncate(segment.fd(), 16384), Err(Errno::PERM));
    }

    #[test]
    fn absurd_sizes_are_errors() {
        assert!(Segment::create(SegmentId(1), u64::MAX).is_err());
    }
}
