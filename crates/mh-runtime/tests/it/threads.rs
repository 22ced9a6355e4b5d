//! Several threads at one pool: one drives, the others follow, and nobody misses what came for it.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use mh_runtime::{Delivery, JobId, JobSpec, Outcome, Pool, Waited};

use crate::gate::Gate;
use crate::support::{
    PATIENCE, collect, echoed, echoes, eventually, item, items, pool, put, submit, take_until_end, texts,
    tolerant,
};

fn wait_index(pool: &Pool, job: JobId, index: u64) {
    let deadline = Instant::now() + PATIENCE;
    while pool.wait_index(job, index, Some(Duration::from_secs(5))) != Waited::News {
        assert!(Instant::now() < deadline, "item {index} is never answered");
    }
}

#[test]
fn each_thread_gets_its_own_answers_whoever_reads_them() {
    const THREADS: u64 = 8;
    let pool = pool(2);
    let job = pool.open(JobSpec { by_index: true, options: tolerant(), ..JobSpec::default() });
    pool.feed(job, echoes(400), true);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let pool = &pool;
            scope.spawn(move || {
                for index in (thread..400).step_by(THREADS as usize) {
                    wait_index(pool, job, index);
                    let mut ended = BTreeMap::new();
                    put(pool.take_index(job, index).0.unwrap(), &mut ended);
                    assert_eq!(ended[&index], echoed(index.to_string()));
                }
            });
        }
    });
}

#[test]
fn maps_from_several_threads_do_not_mix() {
    let pool = pool(2);
    std::thread::scope(|scope| {
        for thread in 0..6 {
            let pool = &pool;
            scope.spawn(move || {
                for round in 0..20 {
                    let expected: Vec<String> =
                        (0..30).map(|index| format!("{thread} {round} {index}")).collect();
                    let list = expected.iter().map(|text| format!("echo {text}"));
                    assert_eq!(texts(pool, items(list)), expected);
                }
            });
        }
    });
}

#[test]
fn the_driving_is_handed_on_when_the_driver_leaves() {
    // Both wait; whoever drives leaves with the first answer, and the other must get the second.
    let pool = pool(2);
    for _ in 0..20 {
        let (mut first, mut second) = (Gate::new(), Gate::new());
        let meeting = |gate: &Gate| submit(&pool, tolerant(), item("meet", &[], gate.descriptors()));
        let jobs = [meeting(&first), meeting(&second)];
        first.wait_begun();
        second.wait_begun();
        std::thread::scope(|scope| {
            let pool = &pool;
            let one = scope.spawn(move || collect(pool, jobs[0]).1);
            let other = scope.spawn(move || collect(pool, jobs[1]).1);
            first.open();
            assert_eq!(one.join().unwrap(), Outcome::Complete);
            second.open();
            assert_eq!(other.join().unwrap(), Outcome::Complete);
        });
    }
}

#[test]
fn a_waiting_thread_is_woken_by_what_another_does() {
    let pool = pool(1);
    let gate = Gate::new();
    let job = submit(&pool, tolerant(), item("meet", &[], gate.descriptors()));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| collect(&pool, job).1);
        pool.cancel(job, true);
        assert_eq!(waiting.join().unwrap(), Outcome::Cancelled);
    });
}

#[test]
fn a_wait_ends_when_its_time_is_up() {
    let pool = pool(1);
    let gate = Gate::new();
    let job = submit(&pool, tolerant(), item("meet", &[], gate.descriptors()));
    assert_eq!(pool.wait_end(job, Some(Duration::from_millis(20))), Waited::Nothing);
    assert_eq!(pool.wait_end(job, Some(Duration::ZERO)), Waited::Nothing);
    pool.cancel(job, true);
    assert_eq!(pool.wait_end(job, Some(Duration::ZERO)), Waited::News);
}

#[test]
fn items_are_run_though_nobody_waits() {
    let pool = pool(2);
    let job = pool.open(JobSpec { by_index: true, options: tolerant(), ..JobSpec::default() });
    pool.feed(job, echoes(100), true);
    eventually("the background thread has seen to it", || pool.outcome(job) == Some(Outcome::Complete));
}

#[test]
fn items_go_on_when_a_caller_leaves_who_has_slept_for_long() {
    let pool = pool(2);
    for round in 0..4 {
        let job = pool.open(JobSpec { by_index: true, options: tolerant(), ..JobSpec::default() });
        let mut gate = Gate::new();
        pool.feed(job, item("meet", &[], gate.descriptors()), false);
        gate.wait_begun();
        // So long that the background thread rests: it has looked twice and found the same caller.
        let asleep = Duration::from_millis(20 * round);
        assert_eq!(pool.wait_end(job, Some(asleep)), Waited::Nothing);
        gate.open();
        pool.feed(job, echoes(100), true);
        eventually("the background thread has seen to it", || pool.outcome(job) == Some(Outcome::Complete));
    }
}

#[test]
fn deliveries_tell_of_each_watched_item_once() {
    let pool = pool(2);
    let job = pool.open(JobSpec { by_index: true, options: tolerant(), ..JobSpec::default() });
    pool.feed(job, echoes(60), false);
    let mut expected: HashSet<Option<u64>> = (0..60).step_by(2).map(Some).collect();
    for index in &expected {
        pool.watch(job, *index);
    }
    pool.watch(job, None);
    expected.insert(None);
    pool.feed(job, echoes(0), true);
    let mut told = HashSet::new();
    eventually("all is delivered", || {
        for Delivery { job: of, index } in pool.next_delivery(Duration::from_secs(1)).0 {
            assert_eq!(of, job);
            assert!(told.insert(index), "{index:?} is told of twice");
        }
        told == expected
    });
    // What is there already is told of at once.
    for index in [Some(1), None] {
        pool.watch(job, index);
        assert_eq!(pool.next_delivery(PATIENCE).0, [Delivery { job, index }]);
    }
}

#[test]
fn deliveries_tell_of_what_will_never_be_answered() {
    let pool = pool(1);
    let gate = Gate::new();
    let job = pool.open(JobSpec { by_index: true, ..JobSpec::default() });
    pool.feed(job, item("meet", &[], gate.descriptors()), false);
    pool.watch(job, Some(0));
    pool.cancel(job, true);
    assert_eq!(pool.next_delivery(PATIENCE).0, [Delivery { job, index: Some(0) }]);
}

#[test]
fn the_delivery_thread_can_be_woken() {
    let pool = pool(1);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| pool.next_delivery(Duration::from_secs(3600)));
        eventually("it has been woken", || {
            pool.nudge_delivery();
            waiting.is_finished()
        });
        let waiting = scope.spawn(|| pool.next_delivery(Duration::from_secs(3600)));
        pool.terminate();
        waiting.join().unwrap();
    });
}

#[test]
fn prints_come_whole_in_order_and_once() {
    let pool = pool(1);
    let job = submit(&pool, tolerant(), items((0..200).map(|index| format!("print line {index}\n"))));
    let (mut ended, mut prints) = (BTreeMap::new(), Vec::new());
    assert_eq!(take_until_end(&pool, job, &mut ended, &mut prints), Outcome::Complete);
    prints.extend(pool.take_prints());
    let expected: Vec<String> = (0..200).map(|index| format!("line {index}\n")).collect();
    let printed: Vec<String> =
        prints.iter().map(|print| String::from_utf8(print.bytes.clone()).unwrap()).collect();
    assert_eq!(printed, expected);
    assert!(prints.iter().all(|print| print.stream == 1));
    assert!(pool.take_prints().is_empty());
}

#[test]
fn prints_that_nobody_waits_for_come_to_the_delivery_thread() {
    let pool = pool(1);
    let job = submit(&pool, tolerant(), items(["print here"]));
    let mut prints = Vec::new();
    eventually("it is printed", || {
        prints.extend(pool.next_delivery(Duration::from_secs(1)).1);
        !prints.is_empty()
    });
    assert_eq!(prints[0].bytes, b"here");
    collect(&pool, job);
}

#[test]
fn calls_that_nobody_waits_for_go_on_their_way_all_the_same() {
    let pool = pool(1);
    let job = pool.open(JobSpec { by_index: true, options: tolerant(), ..JobSpec::default() });
    let mut gate = Gate::new();
    pool.feed(job, item("meet", &[], gate.descriptors()), false);
    gate.wait_begun();
    // One after the other, while the worker is busy: they are held back for each other.
    for index in 1..500 {
        pool.feed(job, items([format!("echo {index}")]), false);
    }
    gate.open();
    eventually("the last is answered", || pool.is_answered(job, 499));
    // Whoever waits lets them go at once.
    for index in 500..600 {
        pool.feed(job, items([format!("echo {index}")]), false);
    }
    for index in (1..600).rev() {
        wait_index(&pool, job, index);
        let mut ended = BTreeMap::new();
        put(pool.take_index(job, index).0.unwrap(), &mut ended);
        assert_eq!(ended[&index], echoed(index.to_string()));
    }
}
