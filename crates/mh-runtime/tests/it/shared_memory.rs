//! Big arguments and results: stored once, private to whoever writes, used again when the last reader is gone.

use std::sync::Arc;

use mh_runtime::{Answer, AnswerBatch, Chunk, JobOptions, JobSpec, Object, Payload, Pool, ResultLease};

use crate::gate::Gate;
use crate::memory_view::{digest, read, scribble};
use crate::support::{
    PATIENCE, add, collect, echoes, eventually, item, items, pids, pool, pool_of_one, signal, submit, text,
    texts, tolerant,
};
use crate::worker::{HELD, name, parse};

/// Large enough for a segment of its own.
const LARGE: usize = 20 << 20;

/// `count` items of this word about one object.
fn about(word: &str, object: Object, count: usize) -> Chunk {
    let mut chunk = Chunk::default();
    for _ in 0..count {
        add(&mut chunk, format!("{word} {}", name(object)), &[object], Vec::new());
    }
    chunk
}

fn shared(bytes: &[u8]) -> String {
    format!("shared {}", digest(bytes))
}

/// Waits until this very place is free and given out again. Places that were free before it may be given out first, so
/// several are asked for each time.
fn store_again(pool: &Pool, place: Object, bytes: &[u8]) {
    eventually("the place is used again", || {
        let stored: Vec<Object> = (0..3).map(|_| pool.store(bytes).unwrap()).collect();
        let others = stored.iter().filter(|object| **object != place);
        others.for_each(|object| pool.unstore(*object));
        stored.contains(&place)
    });
}

#[test]
fn an_argument_is_stored_once_and_seen_by_all() {
    let pool = pool(2);
    for len in [1, 4096, 100_001, LARGE] {
        let bytes = vec![len as u8; len];
        let object = pool.store(&bytes).unwrap();
        assert_eq!(object.len, len as u64);
        assert_eq!(texts(&pool, about("read", object, 20)), vec![shared(&bytes); 20]);
    }
}

#[test]
fn an_item_may_write_and_nobody_else_sees_it() {
    let pool = pool(2);
    for len in [5000, LARGE] {
        let bytes = vec![3; len];
        let object = pool.store(&bytes).unwrap();
        pool.pin(object);
        assert_eq!(texts(&pool, about("scribble", object, 10)), vec![shared(&bytes); 10]);
        assert_eq!(texts(&pool, about("read", object, 10)), vec![shared(&bytes); 10]);
        pool.unpin(object);
    }
}

#[test]
fn small_objects_side_by_side_do_not_show_each_others_writes() {
    let (pool, _) = pool_of_one();
    let objects: Vec<Object> = (0..50u8).map(|byte| pool.store(&[byte; 700]).unwrap()).collect();
    let mut chunk = Chunk::default();
    for word in ["scribble", "read"] {
        for object in &objects {
            add(&mut chunk, format!("{word} {}", name(*object)), &[*object], Vec::new());
        }
    }
    let expected: Vec<String> = (0..50u8).map(|byte| shared(&[byte; 700])).collect();
    assert_eq!(texts(&pool, chunk), [expected.clone(), expected].concat());
}

#[test]
fn what_was_written_does_not_shine_through_what_lies_there_next() {
    let (pool, _) = pool_of_one();
    // Many shapes over the same pages, each written to all over by the worker before its place is given out again.
    for round in 0..60u64 {
        let lens = (0..4).map(|n| 1 + (round * 7919 + n * 104_729) % 90_000);
        let stored: Vec<Vec<u8>> = lens.map(|len| vec![round as u8; len as usize]).collect();
        let mut chunk = Chunk::default();
        for bytes in &stored {
            let object = pool.store(bytes).unwrap();
            add(&mut chunk, format!("scribble {}", name(object)), &[object], Vec::new());
        }
        let expected: Vec<String> = stored.iter().map(|bytes| shared(bytes)).collect();
        assert_eq!(texts(&pool, chunk), expected, "round {round}");
    }
}

#[test]
fn what_a_function_holds_is_restored_before_each_item() {
    let pool = pool(2);
    let bytes = vec![9; LARGE];
    let object = pool.store(&bytes).unwrap();
    let payload = Payload { bytes: name(object).into(), objects: vec![object], ..Payload::default() };
    let function = pool.add_object(HELD, payload);
    let spec = JobSpec { options: tolerant(), function: Some(function), ..JobSpec::default() };
    let job = pool.open(spec);
    pool.feed(job, items(vec!["held"; 20]), true);
    let told: Vec<String> = collect(&pool, job).0.values().map(text).collect();
    assert_eq!(told, vec![digest(&bytes).to_string(); 20]);

    // Once it is forgotten, and its workers have said so, its place is free.
    pool.forget(&[function]);
    store_again(&pool, object, &vec![1; LARGE]);
}

#[test]
fn who_still_has_it_gets_a_copy_of_what_was_stored() {
    let (pool, _) = pool_of_one();
    let bytes = vec![5; 300_000];
    let object = pool.store(&bytes).unwrap();
    pool.pin(object);
    assert_eq!(texts(&pool, about("keep", object, 1)), [shared(&bytes)]);
    let copied = format!("copied {}", digest(&bytes));
    assert_eq!(texts(&pool, about("scribble", object, 3)), vec![copied; 3]);
    assert_eq!(texts(&pool, items(["let_go"])), ["gone"]);
    assert_eq!(texts(&pool, about("read", object, 1)), [shared(&bytes)]);
    pool.unpin(object);
}

#[test]
fn a_place_is_used_again_when_its_last_reader_is_gone_and_not_before() {
    let (pool, _) = pool_of_one();
    let first = pool.store(&vec![1; LARGE]).unwrap();
    assert_eq!(texts(&pool, about("read", first, 3)), vec![shared(&vec![1; LARGE]); 3]);
    // The worker said with its answers that it reads no more.
    let second = pool.store(&vec![2; LARGE]).unwrap();
    assert_eq!(second, first);
    assert_eq!(texts(&pool, about("keep", second, 1)), [shared(&vec![2; LARGE])]);

    let third = pool.store(&vec![3; LARGE]).unwrap();
    assert_ne!(third.segment, second.segment, "somebody still reads it");
    texts(&pool, items(["let_go"]));
    store_again(&pool, second, &vec![4; LARGE]);
    assert_eq!(texts(&pool, about("read", second, 1)), [shared(&vec![4; LARGE])]);
}

#[test]
fn a_pinned_place_stays() {
    let (pool, _) = pool_of_one();
    let object = pool.store(&vec![1; LARGE]).unwrap();
    pool.pin(object);
    assert_eq!(texts(&pool, about("read", object, 2)), vec![shared(&vec![1; LARGE]); 2]);
    assert_ne!(pool.store(&vec![2; LARGE]).unwrap(), object);
    assert_eq!(texts(&pool, about("read", object, 2)), vec![shared(&vec![1; LARGE]); 2]);
    pool.unpin(object);
    assert_eq!(pool.store(&vec![3; LARGE]).unwrap(), object);
}

#[test]
fn a_pinned_place_stays_even_if_it_is_fed_to_a_job_that_has_ended() {
    let pool = pool(1);
    let object = pool.store(&vec![1; LARGE]).unwrap();
    pool.pin(object);
    let job = pool.open(JobSpec::default());
    pool.cancel(job, false);
    pool.feed(job, about("read", object, 2), true);
    assert_ne!(pool.store(&vec![2; LARGE]).unwrap(), object, "it is pinned");
    assert_eq!(texts(&pool, about("read", object, 1)), [shared(&vec![1; LARGE])]);
    pool.unpin(object);
}

#[test]
fn what_is_fed_to_a_job_that_has_ended_is_free_at_once() {
    let pool = pool(1);
    let job = pool.open(JobSpec::default());
    pool.cancel(job, false);
    let object = pool.store(&vec![1; LARGE]).unwrap();
    pool.feed(job, about("read", object, 2), true);
    assert_eq!(pool.store(&vec![2; LARGE]).unwrap(), object);
}

#[test]
fn a_cancelled_job_gives_its_places_back() {
    let (pool, _) = pool_of_one();
    let mut gate = Gate::new();
    let object = pool.store(&vec![1; LARGE]).unwrap();
    let mut chunk = item("meet", &[], gate.descriptors());
    add(&mut chunk, format!("read {}", name(object)), &[object], Vec::new());
    let job = submit(&pool, JobOptions::default(), chunk);
    gate.wait_begun();
    pool.cancel(job, false);
    pool.close(job);
    gate.open();
    texts(&pool, echoes(1));
    store_again(&pool, object, &vec![2; LARGE]);
}

#[test]
fn a_dead_worker_reads_nothing() {
    let (pool, pid) = pool_of_one();
    let object = pool.store(&vec![1; LARGE]).unwrap();
    texts(&pool, about("keep", object, 1));
    signal(pid, rustix::process::Signal::KILL);
    eventually("the worker is gone", || !pids(&pool).contains(&pid));
    assert_eq!(pool.store(&vec![2; LARGE]).unwrap(), object);
}

#[test]
fn an_item_that_is_tried_again_finds_its_argument() {
    let pool = pool(2);
    let bytes = vec![1; LARGE];
    let object = pool.store(&bytes).unwrap();
    let tokens = crate::gate::Tokens::new(2);
    let mut chunk = item("die_for_token", &[object], tokens.taking());
    for _ in 0..10 {
        add(&mut chunk, format!("scribble {}", name(object)), &[object], Vec::new());
    }
    let job = submit(&pool, JobOptions { retries: 5, ..tolerant() }, chunk);
    let told: Vec<String> = collect(&pool, job).0.values().map(text).collect();
    assert_eq!(told[1..], vec![shared(&bytes); 10]);
}

/// Runs one item `make` and gives the memory that its result lies in.
fn make(pool: &Pool, byte: char, len: usize) -> Arc<ResultLease> {
    let job = submit(pool, tolerant(), items([format!("make {byte} {len}")]));
    eventually("it is made", || pool.wait_end(job, Some(PATIENCE)) == mh_runtime::Waited::News);
    let answer = pool.take(job).answers.pop();
    pool.close(job);
    let Some(Answer::Batch { batch, from, .. }) = answer else { panic!("no result: {:?}", pool.breakage()) };
    let batch: &AnswerBatch = &batch;
    let object = parse(std::str::from_utf8(batch.parts.part(from)).unwrap());
    batch.lease(object).unwrap().clone()
}

#[test]
fn results_come_in_shared_memory_and_their_place_is_used_again() {
    let (pool, _) = pool_of_one();
    let first = make(&pool, 'a', LARGE);
    let place = first.object();
    assert!(read(first.mapping(), place) == vec![b'a'; LARGE]);
    let second = make(&pool, 'b', LARGE);
    assert_ne!(second.object(), place, "the first is still read");
    assert!(read(first.mapping(), place) == vec![b'a'; LARGE]);

    // What the reader wrote to it is not in the next one.
    scribble(first.mapping(), place);
    drop(first);
    let third = make(&pool, 'c', LARGE);
    assert_eq!(third.object(), place);
    assert!(read(third.mapping(), place) == vec![b'c'; LARGE]);
    assert!(read(second.mapping(), second.object()) == vec![b'b'; LARGE]);
}

#[test]
fn small_results_share_and_stay_as_they_are() {
    let pool = pool(2);
    let leases: Vec<_> = ('a'..='z').map(|byte| make(&pool, byte, 70_000)).collect();
    for (byte, lease) in ('a'..='z').zip(&leases) {
        assert!(read(lease.mapping(), lease.object()) == vec![byte as u8; 70_000]);
    }
}

#[test]
fn a_result_outlives_its_worker_and_its_pool() {
    let (pool, pid) = pool_of_one();
    let lease = make(&pool, 'q', LARGE);
    signal(pid, rustix::process::Signal::KILL);
    eventually("the worker is gone", || !pids(&pool).contains(&pid));
    let other = make(&pool, 'r', LARGE);
    drop(pool);
    assert!(read(lease.mapping(), lease.object()) == vec![b'q'; LARGE]);
    assert!(read(other.mapping(), other.object()) == vec![b'r'; LARGE]);
}
