//! A receiver's view of a segment: private, copy-on-write, writable.
//!
//! The user may write to an array that came from another process, as to a pickled copy, and nobody else sees
//! it: the kernel copies a page at its first write. That also makes undoing cheap: dropping the private pages
//! brings the segment's own back. Whether there are any to drop is asked of the kernel
//! ([`Mapping::written`]), and mostly need not even be asked: a write to a clean page is a page fault, so
//! where [`minor_faults`] stands still nothing was written.

#![allow(unsafe_code)] // Makes, changes and removes memory mappings.

use std::ffi::c_void;
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;

use rustix::mm::{Advice, MapFlags, ProtFlags};

use crate::pagemap::has_private_pages;
use crate::pages::touched;

/// A private copy-on-write mapping of a whole segment.
///
/// A page of it that was never written still shows what the segment's owner writes later, so the owner leaves
/// the segment alone until every receiver has given it back ([`Leases`](crate::Leases)).
///
/// Ranges are bytes of the segment. What is asked of or done to a range holds for the whole pages that it
/// touches, and an [`Arena`](crate::Arena) never puts two objects on one page: restoring one object leaves
/// its neighbours' private writes alone.
pub struct Mapping {
    start: NonNull<c_void>,
    /// The same pages, read-only and shared: what the segment's owner wrote, whatever was written here since.
    pristine: NonNull<c_void>,
    len: u64,
}

// SAFETY: a mapping belongs to the process, not to a thread: it can be used and removed from any.
unsafe impl Send for Mapping {}
// SAFETY: the methods touch no byte of the mapping through a reference: `slice_ptr` only computes an address,
// `written` asks the kernel, and `restore` lets the kernel replace pages, each page in one step for every
// thread. Whoever uses the addresses (Python, under its lock) answers for the accesses made through them, as
// with any buffer.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `len` bytes of a segment. The descriptor may be closed afterwards.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when the file has fewer bytes (reading past its end would be a SIGBUS) or `len` is 0;
    /// else what the kernel says: no address space, too many mappings.
    pub fn new(fd: BorrowedFd<'_>, len: u64) -> io::Result<Mapping> {
        let file = rustix::fs::fstat(fd)?.st_size;
        if len == 0 || u64::try_from(file).is_ok_and(|file| len > file) {
            let text = format!("cannot map {len} bytes of a segment that has {file}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let map = |protection, flags| {
            // SAFETY: a new mapping at an address of the kernel's choosing replaces nothing.
            let start =
                unsafe { rustix::mm::mmap(std::ptr::null_mut(), len as usize, protection, flags, fd, 0) }?;
            NonNull::new(start).ok_or_else(|| io::Error::other("the kernel mapped a segment at address 0"))
        };
        // Without reservation: private copies are the exception, and must not count against the machine in
        // advance.
        let start = map(ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::NORESERVE)?;
        match map(ProtFlags::READ, MapFlags::SHARED) {
            Ok(pristine) => Ok(Mapping { start, pristine, len }),
            Err(error) => {
                // SAFETY: made just above, with this length, and nobody has seen it.
                let _ = unsafe { rustix::mm::munmap(start.as_ptr(), len as usize) };
                Err(error)
            }
        }
    }

    /// Bytes mapped.
    #[expect(clippy::len_without_is_empty, reason = "a mapping has at least one byte")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Where byte `offset` of the segment lies in this process, for `len` bytes, readable and writable for as
    /// long as the mapping lives.
    ///
    /// # Panics
    ///
    /// When the range is not within the mapping.
    pub fn slice_ptr(&self, offset: u64, len: u64) -> *mut u8 {
        self.check(offset, len);
        self.start.as_ptr().cast::<u8>().wrapping_add(offset as usize)
    }

    /// A copy of the range as the segment's owner wrote it, whatever was written to it here.
    ///
    /// # Panics
    ///
    /// When the range is not within the mapping.
    pub fn pristine(&self, offset: u64, len: u64) -> Vec<u8> {
        self.check(offset, len);
        let start = self.pristine.as_ptr().cast::<u8>().wrapping_add(offset as usize);
        // SAFETY: `len` bytes from `start` are within the read-only mapping, which lives as long as `self`.
        // The owner of the segment leaves them alone for as long as a receiver has the object, which the
        // caller is.
        unsafe { std::slice::from_raw_parts(start, len as usize) }.to_vec()
    }

    /// Whether any page of the range has been written to since it was mapped or last restored. Exact: a page
    /// that was only read does not count.
    ///
    /// # Panics
    ///
    /// When the range is not within the mapping.
    pub fn written(&self, offset: u64, len: u64) -> io::Result<bool> {
        self.check(offset, len);
        let pages = touched(offset, len);
        let start = self.start.as_ptr() as usize;
        has_private_pages(start + pages.start as usize..start + pages.end as usize)
    }

    /// Brings the segment's own bytes back to every page that the range touches. Cheap where nothing was
    /// written, but the pages are faulted in again when next read: ask [`written`](Mapping::written) first.
    ///
    /// # Panics
    ///
    /// When the range is not within the mapping.
    pub fn restore(&self, offset: u64, len: u64) -> io::Result<()> {
        self.check(offset, len);
        self.advise(offset, len, Advice::LinuxDontNeed)
    }

    /// Maps every page of the range at once, so that reading it costs no page fault for each 64 KiB. Worth it
    /// for an object that will be read through; without effect on kernels before 5.14.
    ///
    /// # Panics
    ///
    /// When the range is not within the mapping.
    pub fn populate(&self, offset: u64, len: u64) -> io::Result<()> {
        self.check(offset, len);
        match self.advise(offset, len, Advice::LinuxPopulateRead) {
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
            answer => answer,
        }
    }

    /// Gives the kernel an advice about the whole pages that a range within the mapping touches.
    fn advise(&self, offset: u64, len: u64, advice: Advice) -> io::Result<()> {
        let pages = touched(offset, len);
        if pages.is_empty() {
            return Ok(());
        }
        let start = self.start.as_ptr().wrapping_byte_add(pages.start as usize);
        // SAFETY: the pages are this mapping's own (its end is rounded up to whole pages by the kernel too).
        // The advices given here change no address and remove no memory: a restored page holds the segment's
        // bytes again, which is what the caller asks for; no Rust reference into the mapping exists that
        // could notice.
        unsafe { rustix::mm::madvise(start, (pages.end - pages.start) as usize, advice) }?;
        Ok(())
    }

    fn check(&self, offset: u64, len: u64) {
        let within = offset.checked_add(len).is_some_and(|end| end <= self.len);
        assert!(within, "bytes {offset}..{offset}+{len} are outside of the mapping of {} bytes", self.len);
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping").field("start", &self.start).field("len", &self.len).finish()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` with this length; whoever took an address from `slice_ptr`
        // was told that it ends with the mapping. It can only fail for arguments that are not a mapping's.
        let _ = unsafe { rustix::mm::munmap(self.start.as_ptr(), self.len as usize) };
        // SAFETY: as above, and no address of this one was ever given out.
        let _ = unsafe { rustix::mm::munmap(self.pristine.as_ptr(), self.len as usize) };
    }
}

/// Page faults of this process so far, all threads together. If the number has not changed since some point
/// in time, then no mapping was first written to since: the first write to a clean page always faults.
///
/// Faults that had to wait for a disk ("major") are counted in too: a write to a page that was swapped out is
/// one.
pub fn minor_faults() -> u64 {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a `struct rusage`, which the call fills; all zeros is a valid one, so that it
    // holds something sensible even if the call failed, which for RUSAGE_SELF it cannot.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    (usage.ru_minflt + usage.ru_majflt) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PAGE_SIZE, Segment, SegmentId};

    fn mapped(bytes: &[u8]) -> (Segment, Mapping) {
        let segment = Segment::create(SegmentId(1), bytes.len() as u64).unwrap();
        segment.write(0, bytes).unwrap();
        let mapping = Mapping::new(segment.fd(), segment.len()).unwrap();
        (segment, mapping)
    }

    #[test]
    fn more_than_the_segment_cannot_be_mapped() {
        let segment = Segment::create(SegmentId(1), PAGE_SIZE).unwrap();
        for len in [0, PAGE_SIZE + 1, u64::MAX] {
            let error = Mapping::new(segment.fd(), len).err().map(|error| error.kind());
            assert_eq!(error, Some(io::ErrorKind::InvalidInput), "{len}");
        }
    }

    #[test]
    fn ranges_outside_of_the_mapping_panic() {
        let (_segment, mapping) = mapped(&[0; 100]);
        mapping.slice_ptr(PAGE_SIZE, 0);
        for (offset, len) in [(PAGE_SIZE, 1), (0, PAGE_SIZE + 1), (u64::MAX, 2)] {
            let outcome = std::panic::catch_unwind(|| mapping.slice_ptr(offset, len));
            assert!(outcome.is_err(), "{offset} {len}");
        }
    }

    #[test]
    fn a_first_write_is_a_fault_and_a_second_is_not() {
        let (_segment, mapping) = mapped(&[1; 4096]);
        let pointer = mapping.slice_ptr(0, 1);
        // SAFETY: within the mapping, which no other thread uses.
        unsafe { pointer.read_volatile() };
        let before = minor_faults();
        // SAFETY: as above.
        unsafe { pointer.write_volatile(2) };
        assert!(minor_faults() > before);
        assert!(mapping.written(0, 1).unwrap());
    }

    #[test]
    fn populating_maps_without_writing() {
        let (_segment, mapping) = mapped(&[1; 64 * 4096]);
        mapping.populate(0, mapping.len()).unwrap();
        mapping.populate(3, 0).unwrap();
        assert!(!mapping.written(0, mapping.len()).unwrap());
    }
}
