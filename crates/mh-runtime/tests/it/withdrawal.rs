//! Single items that are taken back: before they begin, while they run, at workers that are being killed.

use mh_runtime::{Answer, Fault, JobId, JobSpec, Pool, Waited, Withdrawal};

use crate::gate::Gate;
use crate::support::{Ended, PATIENCE, add, echoed, item, items, pool, pool_of_one, put, tolerant};

/// A job that is asked by index, and two items of it: one that has begun and waits at its gate, and `echo 1` behind it.
fn begun(pool: &Pool) -> (JobId, Gate) {
    let mut gate = Gate::new();
    let job = pool.open(JobSpec { by_index: true, options: tolerant(), ..JobSpec::default() });
    let mut chunk = item("meet", &[], gate.descriptors());
    add(&mut chunk, "echo 1", &[], Vec::new());
    pool.feed(job, chunk, false);
    gate.wait_begun();
    (job, gate)
}

fn answer(pool: &Pool, job: JobId, index: u64) -> Ended {
    assert_eq!(pool.wait_index(job, index, Some(PATIENCE)), Waited::News);
    let mut ended = std::collections::BTreeMap::new();
    put(pool.take_index(job, index).0.unwrap(), &mut ended);
    ended.remove(&index).unwrap()
}

const CANCELLED: Ended = Ended::Lost(Fault::Cancelled);

#[test]
fn what_comes_after_the_end_of_the_input_is_refused_and_not_lost() {
    let (pool, _) = pool_of_one();
    let (job, mut gate) = begun(&pool);
    assert_eq!(pool.feed(job, items(["echo 2"]), true), Some(2));
    assert_eq!(pool.feed(job, items(["echo 3"]), false), None);
    assert_eq!(
        pool.feed(job, items(Vec::<String>::new()), true),
        Some(3),
        "to say the end twice does no harm"
    );
    gate.open();
    assert_eq!(answer(&pool, job, 0), echoed("met"));
    assert_eq!(answer(&pool, job, 2), echoed("2"));
}

#[test]
fn what_has_not_begun_never_runs() {
    let (pool, _) = pool_of_one();
    let (job, mut gate) = begun(&pool);
    let mut late = Gate::new();
    pool.feed(job, item("meet", &[], late.descriptors()), false);
    pool.feed(job, items(["echo 3"]), false);
    assert!(pool.has_begun(job, 0) && !pool.has_begun(job, 1) && !pool.has_begun(job, 2));
    assert_eq!(pool.withdraw(job, 2, false), Withdrawal::Cancelled);
    assert_eq!(pool.withdraw(job, 2, true), Withdrawal::Cancelled, "it is still so");
    assert_eq!(pool.withdraw(job, 0, false), Withdrawal::Refused, "it runs");
    gate.open();
    assert_eq!(answer(&pool, job, 0), echoed("met"));
    assert_eq!(answer(&pool, job, 1), echoed("1"));
    assert_eq!(answer(&pool, job, 2), CANCELLED);
    // Had it begun, this would wait for its gate.
    assert_eq!(answer(&pool, job, 3), echoed("3"));
    assert_eq!(pool.withdraw(job, 3, true), Withdrawal::Refused, "it has ended");
    late.open();
}

#[test]
fn a_running_item_is_killed_and_costs_no_other() {
    let (pool, pid) = pool_of_one();
    let (job, _gate) = begun(&pool);
    assert_eq!(pool.withdraw(job, 0, true), Withdrawal::Cancelled);
    // Its worker may not have ended yet: what waits there is taken back all the same.
    pool.feed(job, items(["echo 2", "pid"]), false);
    assert_eq!(pool.withdraw(job, 1, false), Withdrawal::Cancelled);
    assert_eq!(answer(&pool, job, 0), CANCELLED);
    assert_eq!(answer(&pool, job, 1), CANCELLED);
    assert_eq!(answer(&pool, job, 2), echoed("2"));
    assert_ne!(answer(&pool, job, 3), echoed(pid.to_string()), "its worker was to be replaced");
}

#[test]
fn everything_that_waits_is_taken_back_at_once() {
    let pool = pool(1);
    let (job, mut gate) = begun(&pool);
    for index in 2..100 {
        pool.feed(job, items([format!("echo {index}")]), false);
    }
    pool.withdraw_waiting(job);
    gate.open();
    assert_eq!(answer(&pool, job, 0), echoed("met"));
    assert!((1..100).all(|index| answer(&pool, job, index) == CANCELLED));
}

#[test]
fn an_answer_that_could_not_be_used_is_there_again() {
    let pool = pool(1);
    let job = pool.open(JobSpec { by_index: true, options: tolerant(), ..JobSpec::default() });
    pool.feed(job, items(["echo 0"]), false);
    assert_eq!(pool.wait_index(job, 0, Some(PATIENCE)), Waited::News);
    let taken: Answer = pool.take_index(job, 0).0.unwrap();
    assert!(!pool.is_answered(job, 0));
    pool.put_back(job, 0, taken);
    assert_eq!(answer(&pool, job, 0), echoed("0"));
}
