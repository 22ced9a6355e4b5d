//! The end of a pool, and of the process that has it: no job is left open, no process and no descriptor behind.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use mh_runtime::{JobOptions, JobSpec, Outcome, Pool, Settings, Waited};
use rustix::process::{WaitId, WaitIdOptions, waitid};

use crate::alone::{alone, this_binary};
use crate::gate::Gate;
use crate::support::{
    PATIENCE, Watched, collect, echoes, item, items, pids, pool, pool_of, ready, run, submit, texts, tolerant,
};
use crate::worker::{name, program};

fn wait_drained(pool: &Pool) {
    let deadline = Instant::now() + PATIENCE;
    while pool.wait_drained(Some(Duration::from_secs(5))) != Waited::News {
        assert!(Instant::now() < deadline, "workers are left: {:?}", pool.workers());
    }
    assert!(pool.workers().is_empty());
}

#[test]
fn drain_without_work_ends_the_workers() {
    let pool = pool(2);
    let workers: Vec<Watched> = ready(&pool, 2).into_iter().map(Watched::new).collect();
    pool.drain();
    wait_drained(&pool);
    assert!(workers.iter().all(|worker| !worker.is_alive()));
    pool.drain();
    wait_drained(&pool);
    pool.terminate();
}

#[test]
fn drain_before_the_workers_are_up_ends_them() {
    let pool = pool(2);
    pool.drain();
    wait_drained(&pool);
}

#[test]
fn drain_of_a_pool_that_was_never_started_is_done_at_once() {
    let pool = pool_of(Settings::new(2), program());
    pool.drain();
    wait_drained(&pool);
}

#[test]
fn drain_lets_open_jobs_finish() {
    let pool = pool(2);
    let mut gate = Gate::new();
    let meeting = submit(&pool, tolerant(), item("meet", &[], gate.descriptors()));
    let long = submit(&pool, tolerant(), echoes(2000));
    let slices = pool.open(JobSpec { options: tolerant(), ..JobSpec::default() });
    gate.wait_begun();
    pool.drain();
    pool.feed(slices, echoes(50), true);
    assert_eq!(collect(&pool, slices).0.len(), 50, "a job that was open may still be fed");
    gate.open();
    assert_eq!(collect(&pool, meeting).1, Outcome::Complete);
    assert_eq!(collect(&pool, long).0.len(), 2000);
    wait_drained(&pool);
    assert_eq!(
        collect(&pool, submit(&pool, tolerant(), echoes(1))).1,
        Outcome::Cancelled,
        "none is opened any more"
    );
}

#[test]
fn drain_replaces_what_dies_while_there_is_work() {
    let pool = pool(1);
    let list = ["kill", "echo a", "kill", "echo b"].repeat(3);
    let job = submit(&pool, tolerant(), items(list));
    pool.drain();
    let (ended, outcome) = collect(&pool, job);
    assert_eq!((ended.len(), outcome), (12, Outcome::Complete));
    wait_drained(&pool);
}

#[test]
fn terminate_ends_jobs_and_processes_now() {
    let pool = pool(2);
    let mut gate = Gate::new();
    let running = submit(&pool, tolerant(), item("meet", &[], gate.descriptors()));
    let waiting = submit(&pool, tolerant(), echoes(1_000));
    let fed_later = pool.open(JobSpec::default());
    gate.wait_begun();
    let workers: Vec<Watched> = pids(&pool).into_iter().map(Watched::new).collect();
    pool.terminate();
    assert!(workers.iter().all(|worker| !worker.is_alive()));
    for job in [running, fed_later] {
        assert_eq!(collect(&pool, job).1, Outcome::Cancelled);
    }
    assert!(matches!(collect(&pool, waiting).1, Outcome::Cancelled | Outcome::Complete));
    pool.terminate();
    wait_drained(&pool);
    assert_eq!(collect(&pool, submit(&pool, tolerant(), echoes(1))).1, Outcome::Cancelled);
}

#[test]
fn terminate_from_several_threads_with_others_waiting() {
    for _ in 0..10 {
        let pool = pool(2);
        let mut gate = Gate::new();
        let job = submit(&pool, tolerant(), item("meet", &[], gate.descriptors()));
        gate.wait_begun();
        std::thread::scope(|scope| {
            let waiting: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        let deadline = Instant::now() + PATIENCE;
                        while pool.wait_end(job, Some(PATIENCE)) != Waited::News {
                            assert!(Instant::now() < deadline, "the job does not end");
                        }
                    })
                })
                .collect();
            for _ in 0..3 {
                scope.spawn(|| {
                    pool.drain();
                    pool.terminate();
                });
            }
            waiting.into_iter().for_each(|thread| thread.join().unwrap());
        });
        assert_eq!(pool.outcome(job), Some(Outcome::Cancelled));
        assert!(pool.workers().is_empty());
    }
}

#[test]
fn terminate_ends_the_workers_own_children() {
    let pool = pool(1);
    let child = Watched::new(texts(&pool, items(["spawn"]))[0].parse().unwrap());
    pool.terminate();
    child.wait_end();
}

#[test]
fn terminate_after_drain_does_not_wait_for_what_runs() {
    let pool = pool(1);
    let mut gate = Gate::new();
    let job = submit(&pool, JobOptions::default(), item("meet", &[], gate.descriptors()));
    gate.wait_begun();
    pool.drain();
    pool.terminate();
    assert_eq!(pool.outcome(job), Some(Outcome::Cancelled));
}

/// Not a test: a process with a pool that is in the middle of its work, for the next one to kill.
#[test]
fn parent_main() {
    if std::env::var_os("MH_TEST_PARENT").is_none() {
        return;
    }
    let pool = pool(3);
    let mut gate = Gate::new();
    submit(&pool, tolerant(), item("meet", &[], gate.descriptors()));
    gate.wait_begun();
    let child = texts(&pool, items(["spawn"])).remove(0);
    let workers = ready(&pool, 3);
    println!("\nprocesses {child} {} {} {}", workers[0], workers[1], workers[2]);
    loop {
        std::thread::park();
    }
}

#[test]
fn nothing_outlives_a_parent_that_is_killed() {
    let mut parent =
        this_binary("ends::parent_main").env("MH_TEST_PARENT", "1").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(parent.stdout.take().unwrap()).lines();
    let line = lines.find_map(|line| Some(line.unwrap().strip_prefix("processes ")?.to_string())).unwrap();
    let left: Vec<Watched> = line.split(' ').map(|pid| Watched::new(pid.parse().unwrap())).collect();
    assert!(left.iter().all(Watched::is_alive));
    parent.kill().unwrap();
    parent.wait().unwrap();
    left.iter().for_each(Watched::wait_end);
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").unwrap().lines().count()
}

#[test]
fn two_hundred_pools_leave_nothing() {
    if !alone("ends::two_hundred_pools_leave_nothing") {
        return;
    }
    let one = |round: usize| {
        let pool = pool(1 + round % 2);
        let object = pool.store(&[1; 100_000]).unwrap();
        // A job that nobody ends, about an object that nobody frees.
        submit(&pool, tolerant(), item(format!("keep {}", name(object)), &[object], Vec::new()));
        match round % 4 {
            0 => drop(run(&pool, echoes(10))),
            1 => drop(texts(&pool, items(["make a 100000"]))),
            2 => drop(collect(&pool, submit(&pool, tolerant(), items(["kill", "echo a"])))),
            // Never came up before it ends.
            _ => {}
        }
    };
    one(0);
    one(1);
    let before = (descriptors(), mappings());
    for round in 0..200 {
        one(round);
    }
    assert_eq!(descriptors(), before.0);
    // The allocator and thread stacks take and give as they please; 200 leaks would show.
    assert!(mappings() < before.1 + 100, "{} mappings, and {} before", mappings(), before.1);
    let children = waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT);
    assert_eq!(children.unwrap_err(), rustix::io::Errno::CHILD, "no child is left, dead or alive");
}
