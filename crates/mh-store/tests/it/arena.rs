//! The arena against a plain map, under random operations.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mh_store::{Arena, FixedMemory, Mapping, Object, PAGE_SIZE, Segment, StoreError};
use proptest::prelude::*;

use crate::read;

/// What is done to arena and model alike.
#[derive(Clone, Debug)]
enum Step {
    /// Place an object of so many bytes and fill it.
    Reserve(u64),
    /// Release one of the live objects (its number modulo how many there are).
    Release(usize),
    /// Let so many seconds pass and free what has been idle for two.
    Trim(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let size = prop_oneof![
        4 => 0..3 * PAGE_SIZE,
        2 => 0..9_000_000_u64,
        1 => (16 << 20)..(22_u64 << 20),
    ];
    prop_oneof![
        5 => size.prop_map(Step::Reserve),
        4 => any::<usize>().prop_map(Step::Release),
        1 => (0..3_u64).prop_map(Step::Trim),
    ]
}

/// A live object as the model knows it: the byte at its start and end, and the mapping that a receiver would
/// have.
struct Live {
    mark: u8,
    segment: Arc<Segment>,
    mapping: Mapping,
}

/// The arena beside the model, and the clock that both see.
struct Pair {
    arena: Arena,
    live: BTreeMap<Object, Live>,
    mark: u8,
    now: u64,
}

impl Pair {
    fn new() -> Pair {
        Pair { arena: Arena::new(7, Box::new(FixedMemory(u64::MAX))), live: BTreeMap::new(), mark: 0, now: 0 }
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Reserve(len) => self.reserve(len),
            Step::Release(number) if !self.live.is_empty() => {
                let object = *self.live.keys().nth(number % self.live.len()).unwrap();
                let live = self.live.remove(&object).unwrap();
                check_contents(object, &live);
                assert!(self.arena.release(object));
                assert!(!self.arena.release(object), "an object is released once");
            }
            Step::Release(_) => {}
            Step::Trim(seconds) => {
                self.now += seconds;
                for freed in self.arena.trim(Duration::from_secs(self.now), Duration::from_secs(2)) {
                    assert!(
                        self.live.keys().all(|object| object.segment != freed),
                        "freed under a live object"
                    );
                    assert!(self.arena.segment(freed).is_none());
                }
            }
        }
        assert_eq!(self.arena.live(), self.live.len());
    }

    fn reserve(&mut self, len: u64) {
        let (object, segment) = self.arena.reserve(len).unwrap();
        assert_eq!((object.len, object.segment, object.offset % PAGE_SIZE), (len, segment.id(), 0));
        for other in self.live.keys().filter(|other| other.segment == object.segment) {
            let pages = |object: &Object| {
                object.offset..object.offset + object.len.max(1).next_multiple_of(PAGE_SIZE)
            };
            let (ours, theirs) = (pages(&object), pages(other));
            assert!(ours.end <= theirs.start || theirs.end <= ours.start, "{object:?} overlaps {other:?}");
        }
        self.mark = self.mark.wrapping_add(1);
        segment.write(object.offset, &vec![self.mark; len as usize]).unwrap();
        let mapping = Mapping::new(segment.fd(), segment.len()).unwrap();
        let live = Live { mark: self.mark, segment, mapping };
        assert!(self.live.insert(object, live).is_none());
    }
}

/// The object holds what was written to it, whatever was placed beside it since.
fn check_contents(object: Object, live: &Live) {
    assert!(
        read(&live.mapping, object) == vec![live.mark; object.len as usize],
        "{object:?} of {}",
        live.segment.id().0
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn objects_neither_overlap_nor_change_and_space_is_used_again(steps in prop::collection::vec(step(), 1..40)) {
        let mut pair = Pair::new();
        steps.into_iter().for_each(|step| pair.apply(step));
        pair.live.iter().for_each(|(&object, live)| check_contents(object, live));

        // When all is released, the same sizes fit into the memory that there is. In ascending order: each fits into
        // segments from its own length to a quarter more, and the least that fits is taken, which another may need that
        // comes later and is shorter.
        let mut sizes: Vec<_> = pair.live.keys().map(|object| object.len).collect();
        sizes.sort_unstable();
        while !pair.live.is_empty() {
            pair.apply(Step::Release(0));
        }
        let occupied = pair.arena.occupied();
        sizes.iter().filter(|&&size| size >= 16 << 20).for_each(|&size| pair.apply(Step::Reserve(size)));
        prop_assert_eq!(pair.arena.occupied(), occupied);
    }
}

#[test]
fn an_endless_stream_takes_no_more_memory_than_what_lives_at_a_time() {
    let mut arena = Arena::new(0, Box::new(FixedMemory(u64::MAX)));
    let bytes = vec![1; 64 << 10];
    for _ in 0..5_000 {
        let (object, segment) = arena.reserve(bytes.len() as u64).unwrap();
        segment.write(object.offset, &bytes).unwrap();
        arena.release(object);
    }
    assert_eq!(arena.occupied(), 64 << 10);
}

#[test]
fn many_small_objects_take_few_segments() {
    let mut arena = Arena::new(0, Box::new(FixedMemory(u64::MAX)));
    let objects: Vec<_> = (0..200_000).map(|_| arena.reserve(64 << 10).unwrap().0).collect();
    let last = objects.iter().map(|object| object.segment.0).max().unwrap();
    assert_eq!(last + 1, (200_000 * 64_u64).div_ceil(64 << 10));
}

#[test]
fn threads_fill_their_objects_at_once_outside_of_the_lock() {
    let arena = std::sync::Mutex::new(Arena::new(0, Box::new(FixedMemory(u64::MAX))));
    for round in 0..3_u8 {
        let objects: Vec<(Object, Arc<Segment>, u8)> = std::thread::scope(|scope| {
            let fill = |number: u8| {
                let len = 4096 * u64::from(number) * 3 + 17;
                let (object, segment) = arena.lock().unwrap().reserve(len).unwrap();
                segment.write(object.offset, &vec![number ^ round; len as usize]).unwrap();
                (object, segment, number ^ round)
            };
            let threads: Vec<_> = (0..16).map(|number| scope.spawn(move || fill(number))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for (object, segment, mark) in objects {
            let mapping = Mapping::new(segment.fd(), segment.len()).unwrap();
            check_contents(object, &Live { mark, segment, mapping });
            arena.lock().unwrap().release(object);
        }
    }
}

#[test]
fn more_than_there_is_memory_for_is_an_error_that_says_so() {
    let mut arena = Arena::new(0, Box::new(FixedMemory(100 << 20)));
    let error = arena.reserve(1 << 30).unwrap_err();
    assert!(matches!(error, StoreError::OutOfMemory { needed, .. } if needed == 1 << 30));
    assert!(error.to_string().starts_with("no memory for 1.0 GiB of shared data: only 68.0 MiB"), "{error}");
    arena.reserve(1 << 20).unwrap();
}
