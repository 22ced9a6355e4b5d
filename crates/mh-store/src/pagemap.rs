//! Asking the kernel whether a private mapping holds private pages, that is, whether it has been written to.
//!
//! A page of a private file mapping is at first the file's own page; the first write replaces it by an
//! anonymous copy. `/proc/self/pagemap` tells them apart: by the `PAGEMAP_SCAN` ioctl (Linux 6.7), which
//! stops at the first private page, or by a word per page (all kernels), which has to be read through. Both
//! take no notice of who is allowed to see physical addresses; neither needs any privilege.

#![allow(unsafe_code)] // An ioctl that rustix does not know.

use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use rustix::io::Errno;
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl, opcode};

use crate::pages::PAGE_SIZE;

/// Whether any page in `addresses` (whole pages of one private file mapping) is a private copy.
pub(crate) fn has_private_pages(addresses: Range<usize>) -> io::Result<bool> {
    if addresses.is_empty() {
        return Ok(false);
    }
    // Opened each time: a descriptor that is kept would go on describing the parent in a forked child.
    let pagemap = File::open("/proc/self/pagemap")?;
    match scan(&pagemap, &addresses) {
        Err(Errno::NOTTY | Errno::INVAL | Errno::NOSYS | Errno::PERM) => read_through(&pagemap, &addresses),
        answer => Ok(answer?),
    }
}

/// Categories of a page, as bits of the scan's masks (`linux/fs.h`).
const PAGE_IS_FILE: u64 = 1 << 2;
const PAGE_IS_PRESENT: u64 = 1 << 3;
const PAGE_IS_SWAPPED: u64 = 1 << 4;

/// `struct page_region`: a run of pages of the same categories.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct PageRegion {
    start: u64,
    end: u64,
    categories: u64,
}

/// `struct pm_scan_arg`: which pages to look for, and where to put them.
#[repr(C)]
#[derive(Default)]
struct ScanArguments {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    regions: u64,
    regions_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// Asks for the first page that has memory (present or swapped out) that is not the file's.
///
/// Nothing else in a private file mapping has memory that is not the file's; the file's own pages that are
/// not present have no entry at all.
fn scan(pagemap: &File, addresses: &Range<usize>) -> Result<bool, Errno> {
    let mut found = PageRegion::default();
    let arguments = ScanArguments {
        size: size_of::<ScanArguments>() as u64,
        start: addresses.start as u64,
        end: addresses.end as u64,
        regions: (&raw mut found) as u64,
        regions_len: 1,
        max_pages: 1,
        category_inverted: PAGE_IS_FILE,
        category_mask: PAGE_IS_FILE,
        category_anyof_mask: PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
        return_mask: PAGE_IS_FILE | PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
        ..ScanArguments::default()
    };
    // SAFETY: `Scan` describes the ioctl as linux/fs.h does, and `found` outlives the call that may fill it.
    let regions = unsafe { ioctl(pagemap, Scan(arguments)) }?;
    Ok(regions > 0)
}

/// The ioctl `PAGEMAP_SCAN`, whose value is the number of regions found.
struct Scan(ScanArguments);

// SAFETY: the kernel reads and writes a `struct pm_scan_arg`, which `as_ptr` points to, and returns a count.
unsafe impl Ioctl for Scan {
    type Output = usize;

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        opcode::read_write::<ScanArguments>(b'f', 16)
    }

    fn as_ptr(&mut self) -> *mut c_void {
        (&raw mut self.0).cast()
    }

    unsafe fn output_from_ptr(regions: IoctlOutput, _: *mut c_void) -> rustix::io::Result<usize> {
        Ok(regions as usize)
    }
}

/// Looks at the word of every page (little-endian): bit 63 present, 62 swapped out, 61 the file's or shared.
fn read_through(pagemap: &File, addresses: &Range<usize>) -> io::Result<bool> {
    const WORD: usize = 8;
    const HAS_MEMORY: u64 = 0b11 << 62;
    const IS_FILE: u64 = 1 << 61;
    let page = PAGE_SIZE as usize;
    let mut words = vec![0; 8192 * WORD];
    let (mut next, end) = (addresses.start / page, addresses.end / page);
    while next < end {
        let wanted = words.len().min((end - next) * WORD);
        let some = &mut words[..wanted];
        pagemap.read_exact_at(some, (next * WORD) as u64)?;
        let is_private = |word: &[u8]| {
            let word = word.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte));
            word & HAS_MEMORY != 0 && word & IS_FILE == 0
        };
        if some.chunks_exact(WORD).any(is_private) {
            return Ok(true);
        }
        next += wanted / WORD;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mapping, Segment, SegmentId};

    /// Both ways of asking agree with what was done, page by page.
    #[test]
    fn both_ways_find_exactly_the_written_pages() {
        const PAGES: usize = 40;
        let segment = Segment::create(SegmentId(1), PAGES as u64 * PAGE_SIZE).unwrap();
        segment.write(0, &[7; 30 * PAGE_SIZE as usize]).unwrap(); // the rest stays a hole
        let mapping = Mapping::new(segment.fd(), segment.len()).unwrap();
        let start = mapping.slice_ptr(0, segment.len()) as usize;
        let page =
            |index: usize| start + index * PAGE_SIZE as usize..start + (index + 1) * PAGE_SIZE as usize;
        let written = [0, 5, 6, 29, 35, 39];
        for index in 0..PAGES {
            let pointer = mapping.slice_ptr(index as u64 * PAGE_SIZE, PAGE_SIZE);
            // SAFETY: within the mapping, which no other thread uses.
            unsafe {
                match index {
                    _ if written.contains(&index) => pointer.write_volatile(1),
                    _ if index % 3 == 0 => _ = pointer.read_volatile(),
                    _ => {}
                }
            }
        }
        let pagemap = File::open("/proc/self/pagemap").unwrap();
        for index in 0..PAGES {
            let expected = written.contains(&index);
            assert_eq!(read_through(&pagemap, &page(index)).unwrap(), expected, "page {index}");
            assert_eq!(has_private_pages(page(index)).unwrap(), expected, "page {index}");
            match scan(&pagemap, &page(index)) {
                Ok(answer) => assert_eq!(answer, expected, "page {index}"),
                Err(errno) => assert_eq!(errno, Errno::NOTTY, "only an old kernel may have no scan"),
            }
        }
        assert!(!read_through(&pagemap, &(page(7).start..page(28).end)).unwrap());
        assert!(!has_private_pages(page(7).start..page(28).end).unwrap());
        assert!(read_through(&pagemap, &(page(7).start..page(29).end)).unwrap());
        assert!(has_private_pages(page(7).start..page(29).end).unwrap());
    }
}
