//! Page arithmetic, and the set of a segment's pages that already have memory behind them.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes in a page of x86-64, the unit in which the kernel maps, copies on write and drops.
pub const PAGE_SIZE: u64 = 4096;

/// Pages that hold `len` bytes, in bytes, at least one page; None when that does not fit in a file.
pub(crate) fn round_up(len: u64) -> Option<u64> {
    let bytes = len.max(1).checked_next_multiple_of(PAGE_SIZE)?;
    (bytes <= i64::MAX as u64).then_some(bytes)
}

/// The pages that `len` bytes at `offset` touch, as byte offsets of whole pages. Empty for no bytes.
pub(crate) fn touched(offset: u64, len: u64) -> Range<u64> {
    if len == 0 {
        return offset..offset;
    }
    offset / PAGE_SIZE * PAGE_SIZE..(offset + len).next_multiple_of(PAGE_SIZE)
}

/// A set of pages, one bit each, that several threads may add to at once.
///
/// Bits are only ever set: a page of a segment that has memory keeps it for as long as the segment lives.
pub(crate) struct PageSet {
    words: Box<[AtomicU64]>,
    count: AtomicU64,
}

impl PageSet {
    /// The empty set, for pages of a segment of `size` bytes.
    pub(crate) fn new(size: u64) -> PageSet {
        let words = size.div_ceil(PAGE_SIZE).div_ceil(64);
        PageSet { words: (0..words).map(|_| AtomicU64::new(0)).collect(), count: AtomicU64::new(0) }
    }

    /// Bytes in the pages of the set.
    pub(crate) fn bytes(&self) -> u64 {
        self.count.load(Ordering::Relaxed) * PAGE_SIZE
    }

    /// Adds the pages that `len` bytes at `offset` touch.
    ///
    /// Release pairs with the acquire in `contains`: who sees a page in the set also sees what made it so.
    pub(crate) fn insert(&self, offset: u64, len: u64) {
        let mut added = 0;
        for (word, mask) in masks(touched(offset, len)) {
            let before = self.words[word].fetch_or(mask, Ordering::Release);
            added += u64::from((mask & !before).count_ones());
        }
        self.count.fetch_add(added, Ordering::Relaxed);
    }

    /// Whether every page that `len` bytes at `offset` touch is in the set.
    pub(crate) fn contains(&self, offset: u64, len: u64) -> bool {
        masks(touched(offset, len))
            .all(|(word, mask)| self.words[word].load(Ordering::Acquire) & mask == mask)
    }
}

/// The words of a bit set that a range of whole pages touches, with the bits in each.
fn masks(bytes: Range<u64>) -> impl Iterator<Item = (usize, u64)> {
    let (first, end) = (bytes.start / PAGE_SIZE, bytes.end / PAGE_SIZE);
    let words = if first < end { first / 64..end.div_ceil(64) } else { 0..0 };
    words.map(move |word| {
        let low = first.saturating_sub(word * 64);
        let high = (end - word * 64).min(64);
        (word as usize, (u64::MAX << low) & (u64::MAX >> (64 - high)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_round_up_to_pages() {
        assert_eq!(round_up(0), Some(4096));
        assert_eq!(round_up(1), Some(4096));
        assert_eq!(round_up(4096), Some(4096));
        assert_eq!(round_up(4097), Some(8192));
        assert_eq!(round_up(u64::MAX), None);
        assert_eq!(round_up(i64::MAX as u64), None);
    }

    #[test]
    fn touched_pages_cover_the_bytes_and_no_more() {
        assert_eq!(touched(0, 0), 0..0);
        assert_eq!(touched(5, 1), 0..4096);
        assert_eq!(touched(4095, 2), 0..8192);
        assert_eq!(touched(4096, 4096), 4096..8192);
    }

    #[test]
    fn a_page_set_agrees_with_a_list_of_pages() {
        let pages = 200;
        for (first, end) in [(0, 1), (63, 64), (63, 65), (0, 64), (64, 128), (1, 199), (0, 200), (130, 131)] {
            let set = PageSet::new(pages * PAGE_SIZE);
            set.insert(first * PAGE_SIZE, (end - first) * PAGE_SIZE);
            set.insert(first * PAGE_SIZE, 1); // again: must not count twice
            for page in 0..pages {
                assert_eq!(
                    set.contains(page * PAGE_SIZE, 1),
                    (first..end).contains(&page),
                    "{first}..{end} {page}"
                );
            }
            assert_eq!(set.bytes(), (end - first) * PAGE_SIZE);
            assert!(set.contains(first * PAGE_SIZE, (end - first) * PAGE_SIZE));
        }
    }
}
