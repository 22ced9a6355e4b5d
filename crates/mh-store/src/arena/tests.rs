//! The arena's decisions, one by one; `tests/it/arena.rs` has it against a model.

use super::*;
use crate::{FixedMemory, PAGE_SIZE, SettableMemory};

const MIB: u64 = 1 << 20;

fn arena() -> Arena {
    Arena::new(100, Box::new(FixedMemory(u64::MAX)))
}

#[test]
fn small_objects_share_a_segment_and_no_page() {
    let mut arena = arena();
    let place = |arena: &mut Arena, len| arena.reserve(len).unwrap().0;
    let first = place(&mut arena, 1);
    let second = place(&mut arena, PAGE_SIZE + 1);
    let third = place(&mut arena, 0);
    let fourth = place(&mut arena, 5);
    assert_eq!(first, Object { segment: SegmentId(100), offset: 0, len: 1 });
    assert_eq!(second, Object { segment: SegmentId(100), offset: PAGE_SIZE, len: PAGE_SIZE + 1 });
    assert_eq!(third, Object { segment: SegmentId(100), offset: 3 * PAGE_SIZE, len: 0 });
    assert_eq!(fourth.offset, 4 * PAGE_SIZE);
    assert_eq!(arena.segment(SegmentId(100)).unwrap().len(), SHARED_LEN);
    assert_eq!(arena.live(), 4);
}

#[test]
fn shared_space_is_used_again_when_all_in_it_are_released() {
    let mut arena = arena();
    let (first, _) = arena.reserve(10 * MIB).unwrap();
    let (second, _) = arena.reserve(10 * MIB).unwrap();
    assert!(arena.release(first));
    assert_eq!(arena.reserve(MIB).unwrap().0.offset, 20 * MIB, "the second is still live");
    assert!(arena.release(second));
    assert!(!arena.release(second), "released before");
    assert!(arena.release(Object { segment: SegmentId(100), offset: 20 * MIB, len: MIB }));
    assert_eq!(arena.reserve(MIB).unwrap().0, Object { segment: SegmentId(100), offset: 0, len: MIB });
}

#[test]
fn a_full_segment_is_followed_by_a_free_one() {
    let mut arena = arena();
    let objects: Vec<_> = (0..9).map(|_| arena.reserve(15 * MIB).unwrap().0).collect();
    let segments: Vec<_> = objects.iter().map(|object| object.segment.0 - 100).collect();
    assert_eq!(segments, [0, 0, 0, 0, 1, 1, 1, 1, 2]);
    objects[..4].iter().for_each(|&object| assert!(arena.release(object)));
    let next: Vec<_> = (0..5).map(|_| arena.reserve(15 * MIB).unwrap().0.segment.0 - 100).collect();
    assert_eq!(next, [2, 2, 2, 0, 0]);
}

#[test]
fn a_big_object_takes_the_best_of_the_free_segments() {
    let mut arena = arena();
    let [a, b, c] = [40, 36, 36].map(|size| arena.reserve(size * MIB).unwrap().0);
    assert!(a.segment != b.segment && b.segment != c.segment);
    [a, c, b].iter().for_each(|&object| assert!(arena.release(object)));
    let mut placed = |size: u64| arena.reserve(size * MIB).unwrap().0.segment;
    assert_eq!(placed(35), b.segment, "the smaller ones, the last used of them");
    assert_eq!(placed(32), c.segment);
    assert_eq!(placed(31), SegmentId(103), "40 would waste more than a quarter");
    assert_eq!(placed(32), a.segment);
}

#[test]
fn idle_segments_are_freed_after_a_while() {
    let mut arena = arena();
    let seconds = Duration::from_secs;
    let (small, _) = arena.reserve(1).unwrap();
    let (big, _) = arena.reserve(OWN_FROM).unwrap();
    arena.release(big);
    assert_eq!(arena.trim(seconds(10), seconds(5)), []);
    assert_eq!(arena.trim(seconds(14), seconds(5)), []);
    let (again, _) = arena.reserve(OWN_FROM).unwrap();
    assert_eq!(again, big);
    arena.release(again);
    assert_eq!(arena.trim(seconds(15), seconds(5)), [], "it was used meanwhile");
    assert_eq!(arena.trim(seconds(20), seconds(5)), [big.segment]);
    assert!(arena.segment(big.segment).is_none());
    arena.release(small);
    assert_eq!(arena.trim(seconds(20), seconds(0)), [small.segment]);
    assert_eq!(arena.reserve(1).unwrap().0.segment, SegmentId(102), "ids are never used again");
}

#[test]
fn memory_is_asked_for_before_it_is_taken() {
    let memory = SettableMemory::new(0);
    let mut arena = Arena::new(0, Box::new(memory.clone()));
    let check = |outcome: Result<(Object, Arc<Segment>), StoreError>, expected: (u64, u64)| match outcome {
        Err(StoreError::OutOfMemory { needed, free }) => assert_eq!((needed, free), expected),
        Err(error) => panic!("{error}"),
        Ok((object, _)) => panic!("{object:?}"),
    };
    check(arena.reserve(1), (PAGE_SIZE, 0));
    memory.set(RESERVE + 100 * MIB);
    check(arena.reserve(101 * MIB), (101 * MIB, 100 * MIB));
    let (big, segment) = arena.reserve(60 * MIB).unwrap();
    check(arena.reserve(60 * MIB), (60 * MIB, 40 * MIB)); // what is promised is not free
    segment.write(0, &vec![1; 60 << 20]).unwrap();
    memory.set(RESERVE + 40 * MIB);
    check(arena.reserve(60 * MIB), (60 * MIB, 40 * MIB)); // what is written is no longer promised
    arena.release(big);
    memory.set(0);
    assert_eq!(arena.reserve(60 * MIB).unwrap().0, big, "recycled memory needs no fresh memory");
    check(arena.reserve(u64::MAX), (u64::MAX, 0));
}

#[test]
fn free_segments_make_way_for_others_when_memory_is_short() {
    let memory = SettableMemory::new(RESERVE + 50 * MIB);
    let mut arena = Arena::new(0, Box::new(memory.clone()));
    let (first, _) = arena.reserve(20 * MIB).unwrap();
    arena.release(first);
    memory.set(RESERVE + 20 * MIB);
    assert!(arena.reserve(40 * MIB).is_err());
    assert_eq!(arena.trim(Duration::ZERO, Duration::MAX), [first.segment], "freed in the attempt");
}

#[test]
fn small_objects_ask_rarely_and_never_go_far_beyond() {
    let memory = SettableMemory::new(RESERVE + GRANT);
    let mut arena = Arena::new(0, Box::new(memory.clone()));
    arena.reserve(MIB).unwrap();
    memory.set(0);
    (1..8).for_each(|_| _ = arena.reserve(MIB).unwrap());
    assert!(arena.reserve(MIB).is_err());
}

#[test]
fn clearing_forgets_everything() {
    let mut arena = arena();
    let (object, segment) = arena.reserve(3).unwrap();
    arena.clear();
    assert!(arena.segment(object.segment).is_none());
    assert!(!arena.release(object));
    segment.write(object.offset, b"abc").unwrap(); // a copy that was under way does no harm
    assert_eq!(arena.reserve(3).unwrap().0.segment, SegmentId(101));
}
