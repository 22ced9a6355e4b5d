//! A set of indices, kept as ranges that neither overlap nor touch.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::Index;

/// Items that came back from workers and wait to be sent again.
///
/// `ends` maps the first index of each range to its end. Ranges that touch are joined, so the memory is that of the
/// gaps, and what came back in pieces goes out again in as few messages as possible.
#[derive(Debug, Default)]
pub(crate) struct Ranges {
    ends: BTreeMap<Index, Index>,
    len: u64,
}

impl Ranges {
    /// How many indices there are.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// The ranges, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = Range<Index>> + '_ {
        self.ends.iter().map(|(&first, &end)| first..end)
    }

    /// Adds indices, none of which is in the set.
    pub fn insert(&mut self, range: Range<Index>) {
        if range.is_empty() {
            return;
        }
        self.len += range.end - range.start;
        let mut joined = range.clone();
        if let Some((&first, &end)) = self.ends.range(..range.start).next_back() {
            debug_assert!(end <= range.start, "{range:?} overlaps {first}..{end}");
            if end == range.start {
                joined.start = first;
            }
        }
        if let Some(end) = self.ends.remove(&range.end) {
            joined.end = end;
        }
        self.ends.insert(joined.start, joined.end);
    }

    /// Takes out at most `most` indices: the lowest, as far as they are contiguous.
    pub fn take_first(&mut self, most: u64) -> Option<Range<Index>> {
        let (first, end) = self.ends.pop_first()?;
        let cut = end.min(first.saturating_add(most));
        if cut < end {
            self.ends.insert(cut, end);
        }
        self.len -= cut - first;
        Some(first..cut)
    }

    /// Takes out one index; whether it was there.
    pub fn remove(&mut self, index: Index) -> bool {
        let Some((&first, &end)) = self.ends.range(..=index).next_back() else { return false };
        if end <= index {
            return false;
        }
        self.ends.remove(&first);
        self.len -= 1;
        for rest in [first..index, index + 1..end] {
            if !rest.is_empty() {
                self.ends.insert(rest.start, rest.end);
            }
        }
        true
    }

    /// Drops every index from `limit` on.
    pub fn truncate(&mut self, limit: Index) {
        while let Some((&first, &end)) = self.ends.last_key_value() {
            if end <= limit {
                return;
            }
            self.ends.remove(&first);
            self.len -= end - first.max(limit);
            if first < limit {
                self.ends.insert(first, limit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ranges: &[Range<Index>]) -> Ranges {
        let mut set = Ranges::default();
        ranges.iter().for_each(|range| set.insert(range.clone()));
        set
    }

    #[test]
    fn joins_what_touches() {
        let set = of(&[4..6, 0..2, 2..4, 8..9]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0..6, 8..9]);
        assert_eq!(set.len(), 7);
    }

    #[test]
    fn takes_the_lowest_contiguous_indices() {
        let mut set = of(&[3..6, 8..9]);
        assert_eq!(set.take_first(2), Some(3..5));
        assert_eq!(set.take_first(9), Some(5..6));
        assert_eq!(set.take_first(9), Some(8..9));
        assert_eq!(set.take_first(9), None);
        assert_eq!(set.len(), 0);
    }

    #[test]
    fn takes_one_out_of_the_middle() {
        let mut set = of(&[3..6, 8..9]);
        assert_eq!([2, 6, 7, 9].map(|index| set.remove(index)), [false; 4]);
        assert_eq!([4, 8].map(|index| set.remove(index)), [true; 2]);
        assert_eq!((set.iter().collect::<Vec<_>>(), set.len()), (vec![3..4, 5..6], 2));
        assert!(!set.remove(4));
    }

    #[test]
    fn truncates_within_a_range() {
        let mut set = of(&[0..2, 3..6, 8..9]);
        set.truncate(4);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0..2, 3..4]);
        assert_eq!(set.len(), 3);
    }
}
