//! Which pieces of which chunks make up a range of items, and what is let go when items end.

use mh_store::SegmentId;
use proptest::prelude::*;

use super::*;

fn object(number: u64) -> Object {
    Object { segment: SegmentId(number), offset: 0, len: 10 }
}

/// A chunk of items that are their own numbers, `first` and so on; each refers to an object of the same number.
fn chunk(first: u64, count: u64) -> Chunk {
    let mut chunk = Chunk::default();
    for position in 0..count {
        chunk.items.bytes.extend_from_slice((first + position).to_string().as_bytes());
        chunk.items.end_part();
        chunk.objects.push((position as u32, object(first + position)));
    }
    chunk
}

fn job(sizes: &[u64]) -> Job {
    let mut job = Job::new(JobSpec::default());
    for size in sizes {
        assert_eq!(job.add_chunk(chunk(job.fed, *size)), *size);
    }
    job
}

fn items(job: &Job, first: Index, count: u64) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let pieces = job.pieces(first, count);
    pieces.iter().flat_map(|(chunk, from, to)| (*from..*to).map(|at| text(chunk.items.part(at)))).collect()
}

fn numbers(objects: Vec<Object>) -> Vec<u64> {
    let mut numbers: Vec<u64> = objects.into_iter().map(|object| object.segment.0).collect();
    numbers.sort_unstable();
    numbers
}

proptest! {
    /// Whatever the slices in which items came and the ranges in which they end, each item is found until it ends, and
    /// lets its object go once.
    #[test]
    fn items_are_found_until_they_end(
        sizes in prop::collection::vec(1u64..9, 1..8),
        cuts in prop::collection::vec(1u64..12, 40),
        backwards in any::<bool>(),
    ) {
        let mut job = job(&sizes);
        let total = job.fed;
        prop_assert_eq!(items(&job, 0, total), (0..total).map(|index| index.to_string()).collect::<Vec<_>>());
        let (mut ranges, mut at) = (Vec::new(), 0);
        for cut in cuts {
            let end = (at + cut).min(total);
            if at < end {
                ranges.push(at..end);
            }
            at = end;
        }
        let rest = at..total;
        if backwards {
            ranges.reverse();
        }
        for range in ranges {
            let count = range.end - range.start;
            let expected: Vec<String> = range.clone().map(|index| index.to_string()).collect();
            prop_assert_eq!(items(&job, range.start, count), expected);
            prop_assert_eq!(numbers(job.end_items(range.start, count)), range.collect::<Vec<_>>());
        }
        prop_assert_eq!(numbers(job.drop_items()), rest.collect::<Vec<_>>());
        prop_assert_eq!((job.weight, job.chunks.len()), (0, 0));
    }
}

#[test]
fn a_chunk_weighs_until_its_last_item_has_ended() {
    let mut job = job(&[3]);
    assert_eq!(job.weight, 3 + 30);
    job.end_items(1, 1);
    job.end_items(0, 1);
    assert_eq!(job.weight, 33);
    job.end_items(2, 1);
    assert_eq!(job.weight, 0);
    assert!(job.end_items(0, 3).is_empty(), "what has ended has nothing to let go");
}

#[test]
fn objects_are_those_of_the_items_asked_for() {
    let mut chunk = chunk(0, 4);
    chunk.objects.insert(2, (1, object(100)));
    let found = |from, to| {
        objects_of(&chunk, from, to).map(|(at, object)| (at, object.segment.0)).collect::<Vec<_>>()
    };
    assert_eq!(found(1, 3), [(1, 1), (1, 100), (2, 2)]);
    assert_eq!(found(4, 4), []);
}

#[test]
fn answers_by_index_are_kept_apart_and_unwanted_ones_dropped() {
    let mut job = Job::new(JobSpec { by_index: true, ..JobSpec::default() });
    job.unwanted.insert(6);
    let batch = AnswerBatch { parts: chunk(5, 3).items, failed: vec![2], leases: Vec::new(), pid: 1 };
    job.put_batch(&Arc::new(batch), 5, 0, 3);
    assert!(job.answers.is_empty() && job.unwanted.is_empty() && !job.by_index.contains_key(&6));
    match job.by_index.remove(&7) {
        Some(Answer::Batch { batch, first: 7, from: 2, count: 1 }) => assert!(batch.is_failure(2)),
        _ => panic!("item 7 has an answer of its own"),
    }
}

#[test]
fn only_short_items_are_shown() {
    let mut job = job(&[2]);
    let mut long = Chunk::default();
    long.items.bytes = vec![1; SHORT_ITEM + 1];
    long.items.end_part();
    job.add_chunk(long);
    assert_eq!(job.short_item(1), Some(b"1".to_vec()));
    assert_eq!(job.short_item(2), None);
    assert_eq!(job.short_item(3), None);
}

/// A chunk of bytes and nothing else.
fn plain(first: u64, count: u64) -> Chunk {
    Chunk { objects: Vec::new(), ..chunk(first, count) }
}

#[test]
fn what_is_held_back_grows_together_and_what_was_sent_does_not() {
    let mut job = Job::new(JobSpec::default());
    job.add_chunk(plain(0, 1));
    job.held = 1;
    job.add_chunk(plain(1, 2));
    job.held = 3;
    assert_eq!((job.chunks.len(), job.fed), (1, 3));
    // What refers to memory stays by itself, and nothing is added to it.
    job.add_chunk(chunk(3, 1));
    job.held = 4;
    job.add_chunk(plain(4, 1));
    job.held = 5;
    assert_eq!(job.chunks.len(), 3);
    let sent = job.pieces(4, 1);
    job.add_chunk(plain(5, 1));
    assert_eq!(job.chunks.len(), 4, "somebody has the last one");
    drop(sent);
    job.held = 0;
    job.add_chunk(plain(6, 1));
    assert_eq!(job.chunks.len(), 5, "nothing is held back");
    assert_eq!(items(&job, 0, 7), ["0", "1", "2", "3", "4", "5", "6"]);
    assert_eq!(numbers(job.end_items(0, 7)), [3]);
    assert!(job.chunks.is_empty() && job.weight == 0);
}
