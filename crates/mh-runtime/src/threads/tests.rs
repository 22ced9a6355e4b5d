//! Pools of real threads whose items are numbers and whose functions are closures.
#![allow(clippy::unwrap_used)] // In a test that is the message.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;

use mh_engine::OnError;

use super::*;

type Work = Box<dyn Fn(u64) -> Result<u64, u64> + Send + Sync>;
type Numbers = ThreadPool<Work, u64, u64>;
type Answers = Vec<(Index, ThreadAnswer<u64, u64>)>;

fn pool(threads: usize) -> Arc<Numbers> {
    Arc::new(ThreadPool::new(ThreadSettings { threads, tasks_per_thread: None, idle: None }))
}

fn work(function: impl Fn(u64) -> Result<u64, u64> + Send + Sync + 'static) -> Work {
    Box::new(function)
}

/// Starts what threads the pool wants: the part of the layer above.
fn start<C: Part, I: Part + Copy, R: Part>(pool: &ThreadPool<C, I, R>, call: fn(&C, I) -> Result<R, R>) {
    while let Some(server) = pool.enlist() {
        spawn(server, call);
    }
}

fn spawn<C: Part, I: Part + Copy, R: Part>(mut server: Server<C, I, R>, call: fn(&C, I) -> Result<R, R>) {
    std::thread::spawn(move || {
        server.begin(server.id().0);
        let mut claim = None;
        loop {
            let Some(claimed) = claim.take() else {
                if !server.wait() {
                    break;
                }
                claim = server.claim();
                continue;
            };
            let Claim { context, item, .. } = claimed;
            claim = server.answer(match call(&context, *item) {
                Ok(value) => ThreadAnswer::Done(value),
                Err(error) => ThreadAnswer::Failed(error, item),
            });
        }
        if let Some(next) = server.leave(None) {
            spawn(next, call);
        }
    });
}

fn start_numbers(pool: &Numbers) {
    start(pool, |work, item| work(item));
}

fn feed(pool: &Numbers, job: JobId, items: impl IntoIterator<Item = u64>, end: bool) {
    pool.feed(job, items.into_iter().map(Arc::new).collect(), end);
    start_numbers(pool);
}

/// Every answer of a job to its end, in order.
fn gather(pool: &Numbers, job: JobId) -> (Answers, Outcome) {
    let mut answers = Vec::new();
    loop {
        pool.wait(job, true, false, Duration::from_secs(60));
        let taken = pool.take(job);
        answers.extend(taken.answers);
        if let Some(outcome) = taken.outcome {
            answers.sort_by_key(|(index, _)| *index);
            return (answers, outcome);
        }
    }
}

fn returning() -> ThreadJobOptions {
    ThreadJobOptions { on_error: OnError::Return, ..Default::default() }
}

/// Lets threads through one by one.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self) {
        let mut open = self.open.lock().unwrap();
        while !*open {
            open = self.changed.wait(open).unwrap();
        }
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

#[test]
fn every_item_is_answered_once_and_in_its_place() {
    let pool = pool(4);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let options = ThreadJobOptions { ample: true, ..Default::default() };
    let function = work(move |x| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(x * x)
    });
    let job = pool.open(function, options);
    for first in (0..10_000).step_by(1000) {
        feed(&pool, job, first..first + 1000, first == 9000);
    }
    let (answers, outcome) = gather(&pool, job);
    assert_eq!(outcome, Outcome::Complete);
    let expected: Answers = (0..10_000).map(|x| (x, ThreadAnswer::Done(x * x))).collect();
    assert_eq!(answers, expected);
    assert_eq!(calls.load(Ordering::Relaxed), 10_000);
}

#[test]
fn as_many_items_run_at_once_as_there_are_threads() {
    let pool = pool(5);
    let barrier = Arc::new(std::sync::Barrier::new(5));
    let job = pool.open(
        work(move |x| {
            barrier.wait();
            Ok(x)
        }),
        ThreadJobOptions::default(),
    );
    feed(&pool, job, 0..20, true);
    assert_eq!(gather(&pool, job).0.len(), 20);
    assert_eq!(pool.servers().len(), 5);
}

#[test]
fn the_failure_of_lowest_index_ends_the_job() {
    let pool = pool(3);
    let gate = Arc::new(Gate::default());
    let held = gate.clone();
    let (begun, begins) = mpsc::channel();
    let job = pool.open(
        work(move |x| {
            begun.send(x).unwrap();
            if x < 2 {
                held.pass();
            }
            if x == 1 || x == 2 { Err(x) } else { Ok(x) }
        }),
        ThreadJobOptions::default(),
    );
    feed(&pool, job, 0..1000, true);
    let mut seen: Vec<u64> = (0..3).map(|_| begins.recv().unwrap()).collect();
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2]);
    // Item 2 has failed, or will: nothing above it may begin after that, and what is below is waited for.
    while pool.room(job) > 0 || !matches!(pool.shared.lock().state.jobs[&job].limit, 2) {
        std::thread::yield_now();
    }
    assert_eq!(pool.outcome(job), None);
    gate.open();
    let (answers, outcome) = gather(&pool, job);
    assert_eq!(outcome, Outcome::Failed { index: 1 });
    assert!(answers.contains(&(1, ThreadAnswer::Failed(1, Arc::new(1)))));
    assert!(begins.try_iter().count() <= 2, "what has not begun is dropped");
    assert_eq!(pool.shared.lock().state.unclaimed, 0);
}

#[test]
fn failures_are_answers_where_that_is_asked_for() {
    let pool = pool(2);
    let job = pool.open(work(|x| if x % 3 == 0 { Err(x) } else { Ok(x) }), returning());
    feed(&pool, job, 0..100, true);
    let (answers, outcome) = gather(&pool, job);
    assert_eq!(outcome, Outcome::Complete);
    assert_eq!(answers.iter().filter(|(_, answer)| answer.is_failure()).count(), 34);
}

#[test]
fn a_stream_is_taken_no_further_than_its_room() {
    let pool = pool(2);
    let gate = Arc::new(Gate::default());
    let held = gate.clone();
    let job = pool.open(
        work(move |x| {
            held.pass();
            Ok(x)
        }),
        ThreadJobOptions::default(),
    );
    let mut fed = 0;
    while let room @ 1.. = pool.room(job) {
        feed(&pool, job, fed..fed + room, false);
        fed += room;
    }
    assert!(fed <= 8, "two running, six waiting, not {fed}");
    gate.open();
    while pool.wait(job, false, true, Duration::from_secs(60)) == Waited::Nothing {}
    let moment = Duration::from_millis(1);
    assert_eq!(
        pool.wait(job, false, true, moment),
        Waited::Nothing,
        "room that nobody takes is offered once"
    );
    feed(&pool, job, fed..fed + 1, true);
    assert_eq!(gather(&pool, job).0.len() as u64, fed + 1);
}

#[test]
fn jobs_take_turns() {
    let pool = pool(1);
    let gate = Arc::new(Gate::default());
    let held = gate.clone();
    let order = Arc::new(Mutex::new(Vec::new()));
    let noting = |name: u64| {
        let (order, held) = (order.clone(), held.clone());
        work(move |x| {
            held.pass();
            order.lock().unwrap().push((name, x));
            Ok(x)
        })
    };
    let (long, short) = (pool.open(noting(1), returning()), pool.open(noting(2), returning()));
    feed(&pool, long, 0..100, true);
    feed(&pool, short, 0..2, true);
    gate.open();
    gather(&pool, short);
    gather(&pool, long);
    let order = order.lock().unwrap();
    let last = order.iter().rposition(|&(name, _)| name == 2).unwrap();
    assert!(last <= 6, "{order:?}");
}

#[test]
fn an_item_that_takes_too_long_is_given_up_and_its_thread_replaced() {
    let pool = pool(1);
    let gate = Arc::new(Gate::default());
    let held = gate.clone();
    let options = ThreadJobOptions { timeout: Some(20_000_000), retries: 1, ..returning() };
    let job = pool.open(
        work(move |x| {
            if x == 1 {
                held.pass();
            }
            Ok(x)
        }),
        options,
    );
    keep(&pool);
    feed(&pool, job, 0..4, true);
    let (answers, outcome) = gather(&pool, job);
    assert_eq!(outcome, Outcome::Complete);
    match &answers[1] {
        (1, ThreadAnswer::Lost(Loss::TimedOut { after, attempts: 2 }, item)) => {
            assert!(*after >= 20_000_000 && **item == 1);
        }
        other => panic!("{other:?}"),
    }
    assert!(answers.iter().enumerate().all(|(place, (index, _))| place as u64 == *index));
    gate.open();
    // The strays come back, say nothing, and end.
    while pool.shared.lock().state.servers.len() > 1 {
        std::thread::yield_now();
    }
    assert_eq!(pool.shared.lock().state.live, 1);
}

fn keep(pool: &Numbers) {
    if let Some(keeper) = pool.keeper() {
        std::thread::spawn(move || {
            while keeper.wait() {
                keeper.expire();
                while let Some(server) = keeper.enlist() {
                    spawn(server, |work: &Work, item| work(item));
                }
            }
        });
    }
}

#[test]
fn cancelling_drops_what_has_not_begun() {
    for give_up in [false, true] {
        let pool = pool(2);
        let gate = Arc::new(Gate::default());
        let held = gate.clone();
        let (begun, begins) = mpsc::channel();
        let function = work(move |x| {
            begun.send(x).unwrap();
            held.pass();
            Ok(x)
        });
        let job = pool.open(function, ThreadJobOptions::default());
        feed(&pool, job, 0..10, false);
        begins.recv().unwrap();
        begins.recv().unwrap();
        pool.cancel(job, give_up);
        assert_eq!(gather(&pool, job), (Vec::new(), Outcome::Cancelled));
        let next = pool.open(work(|x| Ok(x + 1)), returning());
        feed(&pool, next, 0..3, true);
        if !give_up {
            gate.open();
        }
        assert_eq!(gather(&pool, next).0.len(), 3, "others have taken the place of those that hang");
        gate.open();
        assert!(begins.try_recv().is_err());
    }
}

#[test]
fn single_calls_are_answered_by_index_and_can_be_taken_back() {
    let pool = pool(1);
    let gate = Arc::new(Gate::default());
    let held = gate.clone();
    let options = ThreadJobOptions { by_index: true, ..returning() };
    let job = pool.open(
        work(move |x| {
            held.pass();
            Ok(x)
        }),
        options,
    );
    let indices: Vec<Index> = (0..5).filter_map(|x| pool.feed(job, vec![Arc::new(x)], false)).collect();
    start_numbers(&pool);
    while !pool.has_begun(job, indices[0]) {
        std::thread::yield_now();
    }
    assert!(
        pool.withdraw(job, indices[2]) && !pool.withdraw(job, indices[2]) && !pool.withdraw(job, indices[0])
    );
    assert_eq!(pool.take_index(job, indices[2]), Some(ThreadAnswer::Lost(Loss::Cancelled, Arc::new(2))));
    pool.discard(job, indices[1]);
    pool.watch(job, Some(indices[3]));
    assert!(pool.next_delivery(Duration::ZERO).is_empty());
    gate.open();
    while pool.wait_index(job, indices[4], Duration::from_secs(60)) == Waited::Nothing {}
    assert_eq!(pool.take_index(job, indices[4]), Some(ThreadAnswer::Done(4)));
    assert_eq!(pool.next_delivery(Duration::from_secs(60)), [Delivery { job, index: Some(3) }]);
    assert!(pool.take_index(job, indices[1]).is_none() && pool.take_index(job, indices[3]).is_some());
    pool.withdraw_all(job);
    pool.feed(job, Vec::new(), true);
    assert_eq!(pool.outcome(job), Some(Outcome::Complete));
}

#[test]
fn threads_end_with_the_last_job_after_draining() {
    let pool = pool(3);
    let job = pool.open(work(Ok), returning());
    feed(&pool, job, 0..50, false);
    pool.drain();
    assert_eq!(pool.outcome(job), None);
    feed(&pool, job, 0..50, true);
    while pool.wait_drained(Duration::from_secs(60)) == Waited::Nothing {}
    assert_eq!(gather(&pool, job).0.len(), 100);
    let late = pool.open(work(Ok), returning());
    assert_eq!(pool.outcome(late), Some(Outcome::Cancelled));
}

#[test]
fn a_thread_is_replaced_after_its_tasks() {
    let settings = ThreadSettings { threads: 2, tasks_per_thread: Some(3), idle: None };
    let pool = Arc::new(Numbers::new(settings));
    let threads = Arc::new(Mutex::new(HashMap::new()));
    let seen = threads.clone();
    let job = pool.open(
        work(move |x| {
            *seen.lock().unwrap().entry(std::thread::current().id()).or_insert(0) += 1;
            Ok(x)
        }),
        ThreadJobOptions { chunk: 2, ..returning() },
    );
    feed(&pool, job, 0..60, true);
    assert_eq!(gather(&pool, job).0.len(), 60);
    let threads = threads.lock().unwrap();
    assert_eq!(threads.values().max(), Some(&6), "three chunks of two");
    assert!(threads.len() >= 10);
}

#[test]
fn idle_threads_end_and_come_back() {
    let settings =
        ThreadSettings { threads: 2, tasks_per_thread: None, idle: Some(Duration::from_millis(1)) };
    let pool = Arc::new(Numbers::new(settings));
    for _ in 0..3 {
        let job = pool.open(work(Ok), returning());
        feed(&pool, job, 0..10, true);
        assert_eq!(gather(&pool, job).0.len(), 10);
        while !pool.servers().is_empty() {
            std::thread::yield_now();
        }
    }
}

#[test]
fn three_failing_starts_break_the_pool() {
    let pool = pool(1);
    let job = pool.open(work(Ok), returning());
    pool.feed(job, vec![Arc::new(1)], true);
    let mut starting = pool.enlist();
    let mut starts = 0;
    while let Some(mut server) = starting {
        starts += 1;
        server.cannot_begin(starts);
        starting = server.leave(None);
    }
    assert_eq!(starts, 3);
    assert_eq!(gather(&pool, job).1, Outcome::Broken);
    assert!(matches!(&*pool.breakage().unwrap(), ThreadBreakage::Initializer(3)));
    assert_eq!(pool.outcome(pool.open(work(Ok), returning())), Some(Outcome::Broken));
}

#[test]
fn a_pool_without_any_thread_is_broken_and_one_with_some_makes_do() {
    let pool = pool(2);
    let job = pool.open(work(Ok), returning());
    pool.feed(job, (0..9).map(Arc::new).collect(), true);
    let (one, other) = (pool.enlist().unwrap(), pool.enlist().unwrap());
    spawn(one, |work: &Work, item| work(item));
    other.not_started("no more".into());
    assert_eq!(gather(&pool, job).0.len(), 9);
    let other = self::pool(2);
    let job = other.open(work(Ok), returning());
    other.feed(job, vec![Arc::new(1)], true);
    other.enlist().unwrap().not_started("none at all".into());
    assert_eq!(gather(&other, job).1, Outcome::Broken);
}

#[test]
fn what_a_thread_did_not_answer_is_said_to_be_lost() {
    let pool = pool(1);
    let job = pool.open(work(Ok), returning());
    pool.feed(job, vec![Arc::new(7), Arc::new(8)], true);
    let mut server = pool.enlist().unwrap();
    server.begin(1);
    let claim = server.claim().unwrap();
    let next = server.leave(Some(claim.item)).expect("another item waits");
    spawn(next, |work: &Work, item| work(item));
    let (answers, outcome) = gather(&pool, job);
    let lost = ThreadAnswer::Lost(Loss::ThreadEnded, Arc::new(7));
    assert_eq!((answers, outcome), (vec![(0, lost), (1, ThreadAnswer::Done(8))], Outcome::Complete));
}

/// An item, a context and an answer that call the pool when they are dropped: under its lock that would never end.
struct Reentrant(std::sync::Weak<ThreadPool<Reentrant, Reentrant, Reentrant>>, Arc<AtomicU64>);

impl Drop for Reentrant {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::Relaxed);
        if let Some(pool) = self.0.upgrade() {
            pool.servers();
        }
    }
}

#[test]
fn nothing_of_the_callers_is_dropped_under_the_lock() {
    let dropped = Arc::new(AtomicU64::new(0));
    let pool = Arc::new(ThreadPool::new(ThreadSettings { threads: 1, tasks_per_thread: None, idle: None }));
    let made = || Reentrant(Arc::downgrade(&pool), dropped.clone());
    let timed = ThreadJobOptions { timeout: Some(1), by_index: true, ..returning() };
    for (options, fail) in [(returning(), true), (ThreadJobOptions::default(), true), (timed, false)] {
        let job = pool.open(made(), options);
        pool.feed(job, (0..6).map(|_| Arc::new(made())).collect(), true);
        let mut server = pool.enlist().unwrap();
        server.begin(1);
        let claim = server.claim().unwrap();
        pool.withdraw(job, 3);
        if fail {
            if server.answer(ThreadAnswer::Failed(made(), claim.item)).is_some() {
                server.answer(ThreadAnswer::Done(made()));
            }
        } else {
            let keeper = pool.keeper().unwrap();
            keeper.expire();
            pool.discard(job, 0);
            server.answer(ThreadAnswer::Done(made()));
        }
        pool.cancel(job, true);
        pool.feed(job, vec![Arc::new(made())], true);
        drop(pool.take(job));
        pool.close(job);
        assert!(server.leave(None).is_none());
    }
    // Three contexts, seven items of each job, four answers.
    assert_eq!(dropped.load(Ordering::Relaxed), 3 + 21 + 4);
    pool.terminate();
}

#[test]
fn a_terminated_pool_ends_its_threads_and_drops_what_waits() {
    let pool = pool(2);
    let gate = Arc::new(Gate::default());
    let held = gate.clone();
    let (begun, begins) = mpsc::channel();
    let job = pool.open(
        work(move |x| {
            begun.send(x).unwrap();
            held.pass();
            Ok(x)
        }),
        returning(),
    );
    feed(&pool, job, 0..10, true);
    begins.recv().unwrap();
    pool.terminate();
    assert_eq!(gather(&pool, job), (Vec::new(), Outcome::Cancelled));
    assert_eq!(pool.wait_drained(Duration::ZERO), Waited::Nothing, "what runs goes on");
    gate.open();
    while pool.wait_drained(Duration::from_secs(60)) == Waited::Nothing {}
    assert!(begins.try_iter().count() <= 1);
}

#[test]
fn many_callers_share_a_pool() {
    let pool = pool(3);
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let pool = pool.clone();
            std::thread::spawn(move || {
                for round in 0..40 {
                    let job = pool.open(work(move |x| Ok(x + caller)), returning());
                    feed(&pool, job, 0..round, true);
                    let (answers, _) = gather(&pool, job);
                    assert!(
                        (0..)
                            .zip(&answers)
                            .all(|(x, (i, a))| *i == x && *a == ThreadAnswer::Done(x + caller))
                    );
                    assert_eq!(answers.len() as u64, round);
                    pool.close(job);
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    let locked = pool.shared.lock();
    assert_eq!((locked.state.open, locked.state.unclaimed, locked.state.jobs.len()), (0, 0, 0));
}
