//! What the two sides of a mapping see of each other.

use mh_store::{Mapping, Object, PAGE_SIZE, Segment, SegmentId, minor_faults};
use proptest::prelude::*;

use crate::{peek, poke, read};

const PAGES: u64 = 24;

/// A segment whose page `n` is filled with byte `n`, and two receivers' mappings of it.
fn shared() -> (Segment, Mapping, Mapping) {
    let segment = Segment::create(SegmentId(1), PAGES * PAGE_SIZE).unwrap();
    for page in 0..PAGES {
        segment.write(page * PAGE_SIZE, &[page as u8; PAGE_SIZE as usize]).unwrap();
    }
    let [one, other] = [(); 2].map(|()| Mapping::new(segment.fd(), segment.len()).unwrap());
    (segment, one, other)
}

#[test]
fn writes_are_private_and_restoring_brings_the_original_back() {
    let (segment, one, other) = shared();
    poke(&one, 5 * PAGE_SIZE + 1, 200);
    assert_eq!(peek(&one, 5 * PAGE_SIZE + 1), 200);
    assert_eq!(peek(&other, 5 * PAGE_SIZE + 1), 5, "another receiver sees nothing of it");
    assert_eq!(
        peek(&Mapping::new(segment.fd(), segment.len()).unwrap(), 5 * PAGE_SIZE + 1),
        5,
        "nor a later one"
    );
    one.restore(5 * PAGE_SIZE, 10).unwrap();
    assert_eq!(peek(&one, 5 * PAGE_SIZE + 1), 5);
    assert!(!one.written(0, one.len()).unwrap());
}

#[test]
fn restoring_an_object_leaves_its_neighbours_alone() {
    let (_segment, mapping, _) = shared();
    let neighbours = [3 * PAGE_SIZE - 1, 5 * PAGE_SIZE];
    neighbours.iter().for_each(|&offset| poke(&mapping, offset, 200));
    poke(&mapping, 3 * PAGE_SIZE, 201);
    poke(&mapping, 5 * PAGE_SIZE - 1, 202);
    mapping.restore(3 * PAGE_SIZE, PAGE_SIZE + 1).unwrap(); // the object ends on page 4
    assert_eq!([peek(&mapping, 3 * PAGE_SIZE), peek(&mapping, 5 * PAGE_SIZE - 1)], [3, 4]);
    assert_eq!(neighbours.map(|offset| peek(&mapping, offset)), [200, 200]);
}

#[test]
fn a_clean_page_shows_what_is_written_to_the_segment_later() {
    // Why a segment is recycled only when the last mapping of it has been given back.
    let (segment, mapping, _) = shared();
    poke(&mapping, PAGE_SIZE, 200);
    segment.write(0, &[99; 2 * PAGE_SIZE as usize]).unwrap();
    assert_eq!([peek(&mapping, 0), peek(&mapping, PAGE_SIZE), peek(&mapping, PAGE_SIZE + 1)], [99, 200, 1]);
}

#[test]
fn a_mapping_outlives_the_segment_and_its_descriptor() {
    let (segment, mapping, other) = shared();
    drop((segment, other));
    let object = Object { segment: SegmentId(1), offset: 2 * PAGE_SIZE, len: 3 };
    assert_eq!(read(&mapping, object), [2, 2, 2]);
}

#[test]
fn a_write_by_the_kernel_counts_too() {
    // Reading a file into an array writes to it without any store instruction of the process's.
    let (segment, mapping, _) = shared();
    let faults = minor_faults();
    // SAFETY: the range is within the mapping, and nothing else looks at it meanwhile.
    let target = unsafe { std::slice::from_raw_parts_mut(mapping.slice_ptr(7 * PAGE_SIZE, 10), 10) };
    assert_eq!(rustix::io::pread(segment.fd(), target, 0), Ok(10));
    assert!(mapping.written(7 * PAGE_SIZE, 10).unwrap());
    assert!(minor_faults() > faults);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn written_is_exact(
        writes in prop::collection::btree_set(0..PAGES * PAGE_SIZE, 0..6),
        reads in prop::collection::vec(0..PAGES * PAGE_SIZE, 0..6),
        restored in (0..PAGES * PAGE_SIZE, 0..4 * PAGE_SIZE),
        asked in prop::collection::vec((0..PAGES * PAGE_SIZE, 0..6 * PAGE_SIZE), 1..8),
    ) {
        let (_segment, mapping, _) = shared();
        let within = |(offset, len): (u64, u64)| (offset, len.min(PAGES * PAGE_SIZE - offset));
        let touches = |(offset, len): (u64, u64), page: u64| {
            len > 0 && (offset / PAGE_SIZE..=(offset + len - 1) / PAGE_SIZE).contains(&page)
        };
        reads.iter().for_each(|&offset| _ = peek(&mapping, offset));
        writes.iter().for_each(|&offset| poke(&mapping, offset, 255));
        let restored = within(restored);
        mapping.restore(restored.0, restored.1).unwrap();
        let pages = writes.iter().map(|offset| offset / PAGE_SIZE);
        let dirty: Vec<u64> = pages.filter(|&page| !touches(restored, page)).collect();
        for range in asked.into_iter().map(within) {
            let expected = dirty.iter().any(|&page| touches(range, page));
            prop_assert_eq!(mapping.written(range.0, range.1).unwrap(), expected, "{:?}", range);
        }
        for &offset in &writes {
            let expected = if dirty.contains(&(offset / PAGE_SIZE)) { 255 } else { (offset / PAGE_SIZE) as u8 };
            prop_assert_eq!(peek(&mapping, offset), expected);
        }
    }
}
