//! Arrays that kernels make: counted, 64-byte aligned, given back where the last reference goes.

use std::ptr::NonNull;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::abi::{Owner, Rt};

/// What lies before the data: the owner, and where the block begins.
#[repr(C, align(64))]
struct Header {
    owner: Owner,
    block: *mut libc::c_void,
}

const HEADER: usize = size_of::<Header>();
/// The system's blocks are aligned to 16.
const SLACK: usize = HEADER - 16;
/// From here on, huge pages are asked for: first touches cost far less.
const HUGE: usize = 4 << 20;

/// `Rt::alloc`. Zeroed blocks of some size get fresh pages, which are zero without being touched.
pub(super) unsafe extern "C" fn alloc(_rt: *mut Rt, bytes: i64, zeroed: i32) -> *mut Owner {
    let whole = usize::try_from(bytes)
        .ok()
        .and_then(|bytes| bytes.checked_add(HEADER + SLACK))
        .filter(|&whole| isize::try_from(whole).is_ok());
    let Some(whole) = whole else { return std::ptr::null_mut() };
    // SAFETY: both take any size and give null or a block of it.
    let block = unsafe { if zeroed == 0 { libc::malloc(whole) } else { libc::calloc(1, whole) } };
    if block.is_null() {
        return std::ptr::null_mut();
    }
    let start = block.cast::<u8>();
    let skip = start.align_offset(HEADER);
    // SAFETY: to align skips less than `SLACK` bytes more than the block has beside header and data.
    let header = unsafe { start.add(skip) }.cast::<Header>();
    // SAFETY: the header lies in the block, aligned; the data begins right behind it.
    unsafe {
        let data = header.add(1).cast::<u8>();
        header.write(Header {
            owner: Owner { data, references: AtomicUsize::new(1), bytes: whole - HEADER - SLACK },
            block,
        });
    }
    if whole >= HUGE {
        let page = 4096;
        let from = (start as usize).next_multiple_of(page);
        let length = (start as usize + whole).saturating_sub(from) / page * page;
        // SAFETY: advice on whole pages of the block; what it holds stays as it is, and a refusal does no harm.
        unsafe { libc::madvise(from as *mut libc::c_void, length, libc::MADV_HUGEPAGE) };
    }
    header.cast()
}

/// An owner of ours, and not null or somebody else's memory.
fn ours(owner: *mut Owner) -> bool {
    !owner.is_null() && owner as usize & 1 == 0
}

/// One reference more. Null and odd ones are ignored.
///
/// # Safety
///
/// `owner` is null, odd, or an owner that a kernel gave and that has a reference left.
unsafe fn retain(owner: *mut Owner) {
    if ours(owner) {
        // SAFETY: the caller vouches for it.
        unsafe { (*owner).references.fetch_add(1, Relaxed) };
    }
}

/// One reference less; with the last, the memory goes.
///
/// # Safety
///
/// As for `retain`; the reference is the caller's to give.
unsafe fn release(owner: *mut Owner) {
    if !ours(owner) {
        return;
    }
    // SAFETY: the caller vouches for it.
    if unsafe { (*owner).references.fetch_sub(1, Release) } == 1 {
        std::sync::atomic::fence(Acquire);
        // SAFETY: owners are headers that `alloc` made; this was the last reference.
        unsafe { libc::free((*owner.cast::<Header>()).block) };
    }
}

/// Memory of a result, released when dropped.
#[derive(Debug)]
pub struct Memory(NonNull<Owner>);

// SAFETY: the count is atomic, and what the memory holds is the holder's affair.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// Takes over the reference in an owner's slot; none where the slot holds somebody else's memory, or nothing.
    ///
    /// # Safety
    ///
    /// The slot is one of a kernel that ended well, and is taken over once.
    #[must_use]
    pub unsafe fn of_slot(slot: u64) -> Option<Memory> {
        let owner = slot as usize as *mut Owner;
        ours(owner).then(|| NonNull::new(owner).map(Memory)).flatten()
    }

    /// Where the data begins.
    #[must_use]
    pub fn data(&self) -> *mut u8 {
        // SAFETY: the reference is ours.
        unsafe { self.0.as_ref() }.data
    }

    /// How many bytes there are.
    #[must_use]
    pub fn bytes(&self) -> usize {
        // SAFETY: the reference is ours.
        unsafe { self.0.as_ref() }.bytes
    }
}

impl Clone for Memory {
    fn clone(&self) -> Memory {
        // SAFETY: the reference is ours.
        unsafe { retain(self.0.as_ptr()) };
        Memory(self.0)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the reference is ours, and is given up.
        unsafe { release(self.0.as_ptr()) };
    }
}

pub(super) unsafe extern "C" fn retain_raw(owner: *mut Owner) {
    // SAFETY: kernels hand on what they got.
    unsafe { retain(owner) }
}

pub(super) unsafe extern "C" fn release_raw(owner: *mut Owner) {
    // SAFETY: as above; kernels count.
    unsafe { release(owner) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(bytes: i64, zeroed: i32) -> *mut Owner {
        // SAFETY: the first argument is not used.
        unsafe { alloc(std::ptr::null_mut(), bytes, zeroed) }
    }

    #[test]
    fn blocks_are_aligned_zeroed_and_counted() {
        for bytes in [0, 1, 63, 64, 1000, 1 << 20, 5 << 20] {
            let owner = new(bytes, 1);
            assert!(!owner.is_null());
            // SAFETY: just made, `bytes` long, released once for each reference.
            unsafe {
                assert_eq!(
                    ((*owner).data as usize % 64, (*owner).bytes),
                    (0, usize::try_from(bytes).unwrap_or(0))
                );
                let data = std::slice::from_raw_parts_mut((*owner).data, (*owner).bytes);
                assert!(data.iter().all(|&byte| byte == 0));
                data.fill(1);
                retain(owner);
                release(owner);
                assert!(data.iter().all(|&byte| byte == 1));
                release(owner);
            }
        }
    }

    #[test]
    fn results_hold_their_memory() {
        let owner = new(100, 1);
        // SAFETY: just made, taken over once.
        let memory = unsafe { Memory::of_slot(owner as u64) };
        let other = memory.clone();
        drop(memory);
        assert!(other.is_some_and(|memory| memory.bytes() == 100 && memory.data() as usize % 64 == 0));
        // SAFETY: neither is ours.
        assert!(unsafe { Memory::of_slot(0).is_none() && Memory::of_slot(7).is_none() });
    }

    #[test]
    fn what_cannot_be_is_null() {
        for bytes in [-1, i64::MIN, i64::MAX, i64::MAX - 100, 1 << 62] {
            assert!(new(bytes, 0).is_null() && new(bytes, 1).is_null(), "{bytes}");
        }
    }

    #[test]
    fn null_and_odd_owners_are_left_alone() {
        // SAFETY: that is what this is about.
        unsafe {
            for owner in [std::ptr::null_mut(), std::ptr::without_provenance_mut(3)] {
                retain(owner);
                release(owner);
            }
        }
    }
}
