//! What goes over a worker's socket when there is much of it, when descriptors run short, and when it is nonsense.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use mh_runtime::{Chunk, Death, Descriptor, Fault, JobOptions, Outcome};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::alone::alone;
use crate::support::{
    Ended, Watched, add, collect, echoed, echoes, items, pool, pool_of_one, run, submit, texts, tolerant,
};

#[test]
fn frames_larger_than_the_sockets_go_both_ways_at_once() {
    let pool = pool(2);
    let long: Vec<Vec<u8>> = (0..12).map(|byte| vec![byte; (3 << 20) + usize::from(byte)]).collect();
    let ended = run(&pool, items(long.iter().map(|bytes| [b"echo ".as_slice(), bytes].concat())));
    for (index, bytes) in long.iter().enumerate() {
        assert!(ended[&(index as u64)] == echoed(bytes), "item {index} came back as it went");
    }
}

#[test]
fn many_long_answers_come_whole() {
    let pool = pool(2);
    let ended = run(&pool, items((0..200).map(|index| format!("long {}", index * 5000))));
    for (index, ended) in ended {
        assert!(*ended_bytes(&ended) == vec![b'x'; index as usize * 5000]);
    }
}

fn ended_bytes(ended: &Ended) -> &Vec<u8> {
    match ended {
        Ended::Answered(bytes) => bytes,
        other => panic!("this item was to be answered: {other:?}"),
    }
}

/// Descriptors that can be told apart, and the numbers by which.
fn files(count: usize) -> (Vec<Descriptor>, String) {
    let mut inodes = Vec::new();
    let mut descriptors = Vec::new();
    for _ in 0..count {
        let file: OwnedFd = rustix::fs::memfd_create("told-apart", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        inodes.push(rustix::fs::fstat(&file).unwrap().st_ino.to_string());
        descriptors.push(Descriptor::Owned(Arc::new(file)));
    }
    (descriptors, inodes.join(" "))
}

#[test]
fn more_descriptors_than_one_message_can_carry_arrive_in_order() {
    let (pool, _) = pool_of_one();
    let (mut chunk, mut expected) = (Chunk::default(), Vec::new());
    for count in [450, 0, 1, 200, 201] {
        let (descriptors, inodes) = files(count.min(200));
        // The same few files over and over would do, but not for their order.
        let (more, rest) = files(count - count.min(200));
        add(&mut chunk, "inodes", &[], descriptors.into_iter().chain(more).collect());
        expected.push([inodes, rest].join(" ").trim().to_string());
    }
    assert_eq!(texts(&pool, chunk), expected);
}

#[test]
fn each_item_gets_its_own_descriptors() {
    let pool = pool(2);
    let (mut chunk, mut expected) = (Chunk::default(), Vec::new());
    for index in 0..120 {
        let (descriptors, inodes) = files(index % 3);
        add(&mut chunk, "inodes", &[], descriptors);
        expected.push(inodes);
    }
    assert_eq!(texts(&pool, chunk), expected);
}

/// The item's worker did something after which nobody can talk to it: it was killed for it.
fn costs_its_worker(word: &str) {
    let (pool, pid) = pool_of_one();
    let worker = Watched::new(pid);
    let (ended, outcome) = collect(&pool, submit(&pool, tolerant(), items(["echo a", word, "echo b"])));
    let death = Death::Signal { number: 9, out_of_memory: false };
    let lost = Ended::Lost(Fault::Died { death, attempts: 1 });
    assert_eq!(
        (ended.into_values().collect(), outcome),
        (vec![echoed("a"), lost, echoed("b")], Outcome::Complete)
    );
    worker.wait_end();
}

#[test]
fn a_worker_that_closes_its_socket_is_ended() {
    costs_its_worker("hang_up");
}

#[test]
fn a_worker_that_becomes_another_program_is_ended() {
    costs_its_worker("become /bin/sleep");
}

#[test]
fn a_worker_that_speaks_nonsense_is_ended() {
    costs_its_worker("nonsense");
}

#[test]
fn without_descriptors_there_are_errors_and_no_hang() {
    if !alone("traffic::without_descriptors_there_are_errors_and_no_hang") {
        return;
    }
    let (pool, _) = pool_of_one();
    let before = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(100), ..before }).unwrap();
    let taken: Vec<std::fs::File> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
    pool.store(&[1; 20 << 20]).unwrap_err();
    // The result's segment cannot be received, nor another worker be started after that.
    let (ended, outcome) =
        collect(&pool, submit(&pool, JobOptions::default(), items(["make a 1000", "echo b"])));
    let breakage = pool.breakage();
    setrlimit(Resource::Nofile, before).unwrap();
    drop(taken);
    assert!(
        matches!(outcome, Outcome::Failed { index: 0 } | Outcome::Broken),
        "{outcome:?} {ended:?} {breakage:?}"
    );
    pool.terminate();
    // A pool that is made while there are some is as good as any.
    run(&crate::support::pool(1), echoes(10));
}
