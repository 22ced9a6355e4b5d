//! A dead worker costs at most the item that it was running, and a stopped one nothing but its own item.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use mh_runtime::{Death, Fault, JobOptions, Outcome};
use rustix::process::Signal;

use crate::gate::{Gate, Tokens};
use crate::support::{
    Ended, Watched, add, collect, echoed, echoes, eventually, item, items, pids, pool, pool_of_one, put,
    ready, run, signal, stop, submit, texts, tolerant,
};

fn died(death: Death) -> Ended {
    Ended::Lost(Fault::Died { death, attempts: 1 })
}

const KILLED: Death = Death::Signal { number: 9, out_of_memory: false };

#[test]
fn death_in_an_item_is_that_items_and_says_how() {
    let pool = pool(2);
    let mut list: Vec<String> = (0..100).map(|index| format!("echo {index}")).collect();
    for (index, end) in [(10, "kill"), (30, "exit 3"), (31, "exit 0"), (70, "abort")] {
        list[index] = end.into();
    }
    let (mut ended, outcome) = collect(&pool, submit(&pool, tolerant(), items(&list)));
    assert_eq!((ended.len(), outcome), (100, Outcome::Complete));
    assert_eq!(ended.remove(&10), Some(died(KILLED)));
    assert_eq!(ended.remove(&30), Some(died(Death::Exit { code: 3 })));
    assert_eq!(ended.remove(&31), Some(died(Death::Exit { code: 0 })));
    assert_eq!(ended.remove(&70), Some(died(Death::Signal { number: 6, out_of_memory: false })));
    assert!(ended.iter().all(|(index, ended)| *ended == echoed(index.to_string())));
}

#[test]
fn death_ends_a_job_that_is_to_raise() {
    let pool = pool(2);
    let mut list: Vec<String> = (0..100).map(|index| format!("echo {index}")).collect();
    list[50] = "kill".into();
    let (ended, outcome) = collect(&pool, submit(&pool, JobOptions::default(), items(&list)));
    assert_eq!(outcome, Outcome::Failed { index: 50 });
    assert!((0..50).all(|index| ended[&index] == echoed(index.to_string())));
    assert_eq!(ended[&50], died(KILLED));
}

#[test]
fn the_lost_item_comes_with_its_process_and_its_bytes() {
    let (pool, pid) = pool_of_one();
    let job = submit(&pool, tolerant(), items(["exit 9"]));
    eventually("the item is lost", || pool.wait_end(job, None) == mh_runtime::Waited::News);
    match pool.take(job).answers.pop() {
        Some(mh_runtime::Answer::Lost { pid: of, item, .. }) => {
            assert_eq!((of, item), (pid, Some(b"exit 9".into())))
        }
        _ => panic!("the item was to be lost"),
    }
    pool.close(job);
}

#[test]
fn death_while_idle_costs_nothing() {
    let pool = pool(2);
    run(&pool, echoes(10));
    let before = ready(&pool, 2);
    for pid in &before {
        signal(*pid, Signal::KILL);
    }
    assert_eq!(texts(&pool, echoes(500)).len(), 500);
    eventually("both have been replaced, though nobody waits", || {
        let now = pids(&pool);
        now.len() == 2 && !before.iter().any(|pid| now.contains(pid))
    });
}

#[test]
fn death_while_it_receives_costs_nothing() {
    let (pool, pid) = pool_of_one();
    stop(pid);
    // Far more than the socket takes while nobody reads.
    let long = [b"echo ".as_slice(), &vec![7; 32 << 20]].concat();
    let job = submit(&pool, JobOptions::default(), items([&long]));
    signal(pid, Signal::KILL);
    let (ended, outcome) = collect(&pool, job);
    assert_eq!(outcome, Outcome::Complete);
    assert!(ended[&0] == echoed(&long[5..]), "the whole item came to the next worker");
}

#[test]
fn death_while_it_sends_loses_only_its_item() {
    let pool = pool(1);
    let (ended, outcome) = collect(&pool, submit(&pool, tolerant(), items(["echo a", "half", "echo b"])));
    assert_eq!(outcome, Outcome::Complete);
    assert_eq!(ended.into_values().collect::<Vec<_>>(), [echoed("a"), died(KILLED), echoed("b")]);
    assert!(pool.take_prints().is_empty(), "half a frame is none");
}

#[test]
fn what_a_worker_sent_before_it_died_counts() {
    // The answer follows the segment that it lies in: two frames, the first of them with a descriptor.
    let pool = pool(1);
    let runs = Tokens::new(0);
    for _ in 0..20 {
        let mut chunk = item("note", &[], runs.putting());
        add(&mut chunk, "make z 100000", &[], Vec::new());
        // More than the worker keeps back before it sends: the answers before it go out with it.
        add(&mut chunk, format!("long {}", 1 << 20), &[], Vec::new());
        add(&mut chunk, "kill", &[], Vec::new());
        let (ended, outcome) = collect(&pool, submit(&pool, tolerant(), chunk));
        assert_eq!((outcome, &ended[&0], &ended[&3]), (Outcome::Complete, &echoed("noted"), &died(KILLED)));
        assert_eq!(runs.count(), 1, "an answer that was sent was lost, and its item run again");
    }
}

#[test]
fn what_a_stopped_worker_has_not_begun_goes_to_another() {
    let pool = pool(2);
    ready(&pool, 2);
    let mut gate = Gate::new();
    let mut chunk = item("meet", &[], gate.descriptors());
    for index in 1..200 {
        add(&mut chunk, format!("echo {index}"), &[], Vec::new());
    }
    let job = submit(&pool, JobOptions::default(), chunk);
    let stopped = gate.wait_begun();
    stop(stopped);
    let mut ended = BTreeMap::new();
    eventually("all but the running item are answered", || {
        pool.wait(job, false, Some(std::time::Duration::from_millis(100)));
        pool.take(job).answers.into_iter().for_each(|answer| put(answer, &mut ended));
        ended.len() == 199
    });
    assert!(!ended.contains_key(&0));
    gate.open();
    signal(stopped, Signal::CONT);
    let (rest, outcome) = collect(&pool, job);
    assert_eq!((rest, outcome), ([(0, echoed("met"))].into(), Outcome::Complete));
}

#[test]
fn a_worker_stopped_while_idle_holds_nothing_up() {
    let pool = pool(2);
    let stopped = ready(&pool, 2)[0];
    stop(stopped);
    let told = texts(&pool, items(vec!["pid"; 200]));
    assert!(!told.contains(&stopped.to_string()));
    signal(stopped, Signal::CONT);
    run(&pool, echoes(10));
}

#[test]
fn a_childs_end_comes_with_its_workers() {
    let pool = pool(1);
    let told = texts(&pool, items(["spawn"]));
    let child = Watched::new(told[0].parse().unwrap());
    assert!(child.is_alive());
    collect(&pool, submit(&pool, tolerant(), items(["kill"])));
    child.wait_end();
}

#[test]
fn a_storm_of_deaths_answers_every_item_once() {
    const ITEMS: usize = 4000;
    let pool = pool(3);
    ready(&pool, 3);
    let over = AtomicBool::new(false);
    let options = JobOptions { retries: 1_000_000, ..tolerant() };
    let job = submit(&pool, options, items((0..ITEMS).map(|index| format!("echo {index}"))));
    let (ended, outcome) = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = 0;
            while !over.load(Ordering::Relaxed) {
                // Only while the pool has not reaped it is the number sure to be the worker's.
                let running: Vec<_> =
                    pool.workers().into_iter().filter(|worker| worker.running.is_some()).collect();
                if let Some(worker) = running.get(turn % running.len().max(1)) {
                    let pid = rustix::process::Pid::from_raw(worker.pid as i32).unwrap();
                    let _ = rustix::process::kill_process(pid, Signal::KILL);
                }
                turn += 1;
                std::thread::sleep(std::time::Duration::from_millis(3));
            }
        });
        let result = collect(&pool, job);
        over.store(true, Ordering::Relaxed);
        result
    });
    assert_eq!((ended.len(), outcome), (ITEMS, Outcome::Complete));
    assert!(ended.iter().all(|(index, ended)| *ended == echoed(index.to_string())));
}
