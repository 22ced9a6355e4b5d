//! Workers that do not come up: the pool says so, ends every job, and tries no longer than it should.

use mh_runtime::{Breakage, Death, JobOptions, JobSpec, Outcome, Payload, Pool, Program, Settings};

use crate::support::{collect, echoes, eventually, items, pool_of, pool_of_one, run, submit, texts};
use crate::worker::{INITIALIZER, program};

fn broken(pool: &Pool) -> Breakage {
    pool.start();
    let (ended, outcome) = collect(pool, submit(pool, JobOptions::default(), echoes(10)));
    assert_eq!((ended.len(), outcome), (0, Outcome::Broken));
    eventually("no worker is left", || pool.workers().is_empty());
    // And from now on at once.
    assert_eq!(collect(pool, submit(pool, JobOptions::default(), echoes(1))).1, Outcome::Broken);
    let job = pool.open(JobSpec { by_index: true, ..JobSpec::default() });
    assert_eq!((pool.feed(job, echoes(1), false), pool.outcome(job)), (None, Some(Outcome::Broken)));
    pool.wait_drained(None);
    pool.breakage().unwrap()
}

fn shell(script: &str) -> Program {
    Program { command: ["/bin/sh", "-c", script].map(Into::into).into(), environment: Vec::new() }
}

#[test]
fn a_program_that_is_not_there_breaks_the_pool_and_says_why() {
    let missing = Program { command: vec!["/nonexistent/program".into()], environment: Vec::new() };
    let breakage = broken(&pool_of(Settings::new(2), missing));
    assert!(breakage.start.unwrap().contains("No such file"));
}

#[test]
fn no_program_at_all_breaks_the_pool() {
    assert!(broken(&pool_of(Settings::new(2), Program::default())).start.is_some());
}

#[test]
fn a_program_that_exits_at_once_breaks_the_pool() {
    let breakage = broken(&pool_of(Settings::new(2), shell("exit 7")));
    assert_eq!(breakage.death, Some(Death::Exit { code: 7 }));
}

#[test]
fn a_program_that_speaks_nonsense_breaks_the_pool() {
    broken(&pool_of(Settings::new(1), shell("echo this is no frame at all >&0; sleep 1000")));
}

#[test]
fn a_program_that_only_listens_is_not_waited_for_by_terminate() {
    let pool = pool_of(Settings::new(2), shell("exec sleep 1000"));
    pool.start();
    let job = submit(&pool, JobOptions::default(), echoes(10));
    pool.terminate();
    assert_eq!(pool.outcome(job), Some(Outcome::Cancelled));
}

fn with_initializer(words: &str) -> Pool {
    let pool = pool_of(Settings::new(2), program());
    let initializer = pool.add_object(INITIALIZER, Payload { bytes: words.into(), ..Payload::default() });
    pool.set_first(&[initializer], true);
    pool
}

#[test]
fn an_initializer_runs_before_the_first_item() {
    let pool = with_initializer("well");
    pool.start();
    run(&pool, echoes(100));
}

#[test]
fn an_initializer_that_raises_breaks_the_pool_with_its_failure() {
    let breakage = broken(&with_initializer("raise it did not go well"));
    assert_eq!(breakage.initializer.as_deref(), Some(b"it did not go well".as_slice()));
}

#[test]
fn an_initializer_that_exits_breaks_the_pool_with_its_code() {
    assert_eq!(broken(&with_initializer("exit 5")).death, Some(Death::Exit { code: 5 }));
}

#[test]
fn the_initializer_runs_in_replacements_too() {
    let pool = with_initializer("well");
    pool.start();
    for _ in 0..5 {
        collect(&pool, submit(&pool, JobOptions::default(), items(["exit 1"])));
    }
    run(&pool, echoes(100));
}

#[test]
fn deaths_in_items_never_break_the_pool() {
    let (pool, _) = pool_of_one();
    for _ in 0..10 {
        let (_, outcome) = collect(&pool, submit(&pool, JobOptions::default(), items(["kill"])));
        assert_eq!(outcome, Outcome::Failed { index: 0 });
    }
    assert_eq!(texts(&pool, echoes(1)), ["0"]);
}
