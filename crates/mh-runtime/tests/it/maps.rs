//! Maps as a caller sees them: order, slices of input, cancelling, failures, retries, time limits.

use std::collections::BTreeMap;

use mh_runtime::{Death, Fault, JobOptions, JobSpec, OnError, Outcome, Settings, Waited};

use crate::gate::{Gate, Tokens};
use crate::support::{
    Ended, PATIENCE, add, collect, echoed, echoes, eventually, item, items, pids, pool, pool_of, pool_of_one,
    put, ready, run, submit, text, texts, tolerant,
};
use crate::worker::program;

#[test]
fn every_item_is_answered_at_its_index() {
    let pool = pool(2);
    let ended = run(&pool, echoes(5000));
    for (index, ended) in &ended {
        assert_eq!(*ended, echoed(index.to_string()));
    }
    let indices = texts(&pool, items(vec!["index"; 300]));
    assert!(indices.iter().enumerate().all(|(index, told)| *told == index.to_string()));
}

#[test]
fn a_job_without_items_is_complete() {
    let pool = pool(1);
    assert_eq!(
        collect(&pool, submit(&pool, JobOptions::default(), echoes(0))),
        (BTreeMap::new(), Outcome::Complete)
    );
}

#[test]
fn empty_items_and_empty_answers_are_items_and_answers() {
    let pool = pool(1);
    assert_eq!(texts(&pool, items(["echo ", "echo x", "echo ", "echo "])), ["", "x", "", ""]);
}

#[test]
fn answers_may_be_asked_for_by_index() {
    let pool = pool(2);
    let job = pool.open(JobSpec { by_index: true, options: tolerant(), ..JobSpec::default() });
    assert_eq!(pool.feed(job, echoes(50), false), Some(0));
    assert_eq!(pool.feed(job, items(["echo more"]), false), Some(50));
    for index in (0..50).rev() {
        if index == 20 {
            pool.discard(job, index);
            continue;
        }
        eventually("the item is answered", || pool.wait_index(job, index, Some(PATIENCE)) == Waited::News);
        assert!(pool.is_answered(job, index));
        let mut ended = BTreeMap::new();
        put(pool.take_index(job, index).0.unwrap(), &mut ended);
        assert_eq!(ended, [(index, echoed(index.to_string()))].into());
        assert!(pool.take_index(job, index).0.is_none(), "an answer is handed out once");
    }
    eventually("the item fed later is answered", || pool.is_answered(job, 50));
    assert!(pool.take_index(job, 20).0.is_none(), "nobody was to ask for this one");
    assert_eq!(pool.outcome(job), None);
    pool.feed(job, echoes(0), true);
    eventually("the job has ended", || pool.wait_end(job, Some(PATIENCE)) == Waited::News);
    assert_eq!(pool.outcome(job), Some(Outcome::Complete));
    pool.close(job);
    assert_eq!(pool.outcome(job), Some(Outcome::Cancelled), "a closed job is nobody's any more");
}

#[test]
fn input_in_slices_stays_within_the_buffer() {
    const BUFFER: u64 = 10;
    let pool = pool(2);
    let job = pool
        .open(JobSpec { options: JobOptions { buffer: Some(BUFFER), ..tolerant() }, ..JobSpec::default() });
    let (mut ended, mut fed, mut consumed) = (BTreeMap::new(), 0u64, 0u64);
    let outcome = loop {
        let taken = pool.take(job);
        for answer in taken.answers {
            put(answer, &mut ended);
        }
        pool.consumed(job, ended.len() as u64 - consumed);
        consumed = ended.len() as u64;
        if let Some(outcome) = taken.outcome {
            break outcome;
        }
        let room = pool.room(job);
        assert!(fed - consumed + room <= BUFFER, "fed {fed}, consumed {consumed}, room for {room}");
        if fed < 1000 && room > 0 {
            let next = fed..(fed + room).min(1000);
            let slice = items(next.clone().map(|index| format!("echo {index}")));
            assert_eq!(pool.feed(job, slice, next.end == 1000), Some(next.start));
            fed = next.end;
        } else {
            pool.wait(job, fed < 1000, Some(PATIENCE));
        }
    };
    assert_eq!(outcome, Outcome::Complete);
    assert!((0..1000).all(|index| ended[&index] == echoed(index.to_string())));
}

#[test]
fn who_wants_several_answers_sleeps_until_then_or_a_failure() {
    let pool = pool(2);
    ready(&pool, 2);
    let mut gate = Gate::new();
    let open = || pool.open(JobSpec { options: tolerant(), ..JobSpec::default() });
    let wait = |job, least| {
        let enough = || pool.wait_for(job, least, false, Some(PATIENCE)) == Waited::News;
        eventually("there is enough", enough);
        pool.take(job).answers.iter().map(|answer| answer.count()).sum::<u64>()
    };
    let job = open();
    pool.feed(job, item("meet", &[], gate.descriptors()), false);
    gate.wait_begun();
    pool.feed(job, echoes(4), false);
    pool.feed(job, echoes(4), false);
    assert_eq!(wait(job, 8), 8, "not less, and the ninth is still running");
    let moment = Some(std::time::Duration::from_millis(10));
    pool.feed(job, echoes(3), false);
    eventually("three more are answered", || {
        // Whatever comes meanwhile, four there are not.
        assert_eq!(pool.wait_for(job, 4, false, moment), Waited::Nothing);
        pool.wait_for(job, 3, false, moment) == Waited::News
    });
    // One that fails is worth looking at, however many are wanted.
    pool.feed(job, items(["fail early"]), false);
    let seen = wait(job, 100);
    assert!((1..=4).contains(&seen), "{seen} answers");
    gate.open();
    pool.cancel(job, false);
    assert_eq!(collect(&pool, job).1, Outcome::Cancelled);
}

#[test]
fn a_failure_ends_the_job_as_the_loop_would() {
    let pool = pool(2);
    let mut list: Vec<String> = (0..200).map(|index| format!("echo {index}")).collect();
    list[120] = "fail first".into();
    list[150] = "fail second".into();
    let (ended, outcome) = collect(&pool, submit(&pool, JobOptions::default(), items(&list)));
    assert_eq!(outcome, Outcome::Failed { index: 120 });
    assert!((0..120).all(|index| ended[&index] == echoed(index.to_string())));
    assert_eq!(ended[&120], Ended::Failed(b"first".to_vec()));

    let (ended, outcome) = collect(&pool, submit(&pool, tolerant(), items(&list)));
    assert_eq!((ended.len(), outcome), (200, Outcome::Complete));
    assert_eq!(ended[&150], Ended::Failed(b"second".to_vec()));
    assert_eq!(ended[&199], echoed("199"));
}

#[test]
fn a_cancelled_job_lets_its_item_finish_and_the_pool_goes_on() {
    let (pool, pid) = pool_of_one();
    let mut gate = Gate::new();
    let mut chunk = item("meet", &[], gate.descriptors());
    for index in 0..50 {
        add(&mut chunk, format!("echo {index}"), &[], Vec::new());
    }
    let job = submit(&pool, JobOptions::default(), chunk);
    assert_eq!(gate.wait_begun(), pid);
    pool.cancel(job, false);
    let (ended, outcome) = collect(&pool, job);
    assert_eq!((ended, outcome), (BTreeMap::new(), Outcome::Cancelled));
    gate.open();
    assert_eq!(texts(&pool, items(["pid"])), [pid.to_string()], "the same worker");
}

#[test]
fn a_job_cancelled_with_kill_costs_its_workers() {
    let pool = pool(2);
    let before = ready(&pool, 2);
    let mut gate = Gate::new();
    let mut chunk = item("meet", &[], gate.descriptors());
    add(&mut chunk, "meet", &[], gate.descriptors());
    let job = submit(&pool, JobOptions::default(), chunk);
    let mut running = [gate.wait_begun(), gate.wait_begun()];
    running.sort_unstable();
    pool.cancel(job, true);
    assert_eq!(collect(&pool, job), (BTreeMap::new(), Outcome::Cancelled));
    // The gate stays shut: only a killed worker lets go of its item.
    assert_eq!(texts(&pool, echoes(100)).len(), 100);
    eventually("both workers have been replaced", || {
        let now = pids(&pool);
        now.len() == 2 && !before.iter().any(|pid| now.contains(pid))
    });
}

#[test]
fn an_item_whose_worker_dies_is_tried_again_as_often_as_asked() {
    let pool = pool(2);
    for (deaths, retries, survives) in [(3, 3, true), (3, 2, false), (1, 0, false)] {
        let tokens = Tokens::new(deaths);
        let mut chunk = echoes(5);
        add(&mut chunk, "die_for_token", &[], tokens.taking());
        add(&mut chunk, "echo last", &[], Vec::new());
        let (ended, outcome) = collect(&pool, submit(&pool, JobOptions { retries, ..tolerant() }, chunk));
        assert_eq!((ended.len(), outcome), (7, Outcome::Complete));
        let death = Death::Signal { number: 9, out_of_memory: false };
        let expected = match survives {
            true => echoed("at last"),
            false => Ended::Lost(Fault::Died { death, attempts: retries + 1 }),
        };
        assert_eq!(ended[&5], expected);
        assert_eq!(ended[&6], echoed("last"));
        assert_eq!(tokens.count(), deaths - (retries as usize + 1).min(deaths), "tried exactly so often");
    }
}

#[test]
fn an_item_that_takes_too_long_is_ended_and_the_others_are_not() {
    let pool = pool(2);
    let gate = Gate::new();
    let options = JobOptions { timeout: Some(1_000_000_000), ..tolerant() };
    let mut chunk = echoes(20);
    add(&mut chunk, "meet", &[], gate.descriptors());
    for index in 21..40 {
        add(&mut chunk, format!("echo {index}"), &[], Vec::new());
    }
    let (ended, outcome) = collect(&pool, submit(&pool, options, chunk));
    assert_eq!((ended.len(), outcome), (40, Outcome::Complete));
    match ended[&20] {
        Ended::Lost(Fault::TimedOut { after, attempts: 1 }) => assert!(after >= 1_000_000_000),
        ref other => panic!("the item was to be ended for its time: {other:?}"),
    }
    assert!((21..40).all(|index| ended[&index] == echoed(index.to_string())));
}

#[test]
fn a_time_limit_and_retries_go_together() {
    let pool = pool(1);
    let tokens = Tokens::new(1);
    let options = JobOptions { timeout: Some(1_000_000_000), retries: 1, ..tolerant() };
    let (ended, _) = collect(&pool, submit(&pool, options, item("hang_for_token", &[], tokens.taking())));
    assert_eq!(ended[&0], echoed("at last"));
}

#[test]
fn a_time_limit_with_raise_ends_the_job() {
    let pool = pool(1);
    let gate = Gate::new();
    let options = JobOptions { timeout: Some(300_000_000), on_error: OnError::Raise, ..tolerant() };
    let (ended, outcome) = collect(&pool, submit(&pool, options, item("meet", &[], gate.descriptors())));
    assert_eq!(outcome, Outcome::Failed { index: 0 });
    assert!(matches!(ended[&0], Ended::Lost(Fault::TimedOut { .. })), "{ended:?}");
}

#[test]
fn a_worker_retires_after_so_many_tasks() {
    let pool = pool_of(Settings { tasks_per_worker: Some(3), ..Settings::new(1) }, program());
    pool.start();
    let told: Vec<String> = run(&pool, items(vec!["pid"; 12])).values().map(text).collect();
    let mut distinct = told.clone();
    distinct.dedup();
    assert_eq!(distinct.len(), 4, "{told:?}");
    assert!(distinct.iter().all(|pid| told.iter().filter(|own| *own == pid).count() == 3), "{told:?}");
}
