#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

use crate::event::{Event, JobKey, Kind, Nanos, Run, Worker};
use crate::trace::{Ending, Trace};

const JOB: JobKey = JobKey { pool: 1, job: 7 };

fn worker(id: u64) -> Worker {
    Worker { kind: Kind::Process, pool: 1, id, pid: 100 + id as u32 }
}

fn sent(id: u64, first: u64, count: u64, at: Nanos) -> Event {
    Event::Sent { job: JOB, worker: worker(id), first, count, bytes: 8, shared: vec![(first, 1000)], at }
}

/// Rebuilt in 1, run for `run`, pickled in 2.
fn run(first: u64, arrived: Nanos, begun: Nanos, run: Nanos) -> Run {
    Run {
        first,
        count: 1,
        arrived,
        begun,
        called: begun + 1,
        returned: begun + 1 + run,
        ended: begun + 3 + run,
        cpu: run,
        bytes_in: 8,
        bytes_out: 16,
        failed: false,
    }
}

fn ran(id: u64, runs: Vec<Run>, at: Nanos) -> Event {
    Event::Ran { job: JOB, worker: worker(id), runs, at }
}

#[test]
fn a_task_has_all_its_times() {
    let trace = Trace::assemble(
        1,
        0,
        1000,
        vec![
            Event::Named { job: JOB, index: None, text: "square".into() },
            Event::Fed { job: JOB, first: 0, count: 2, at: 10 },
            sent(1, 0, 2, 20),
            ran(1, vec![run(0, 25, 30, 100), run(1, 25, 134, 50)], 200),
            Event::Taken { job: JOB, first: 0, count: 2, at: 210 },
        ],
    );
    assert_eq!(trace.workers, vec![worker(1)]);
    let [first, second] = &trace.tasks[..] else { panic!("two tasks") };
    assert_eq!((first.queued, first.sent, first.turned, first.arrived, first.begun), (10, 20, 20, 25, 30));
    assert_eq!(
        (first.called, first.returned, first.ended, first.received, first.taken),
        (31, 131, 133, 200, 210)
    );
    assert_eq!((first.queue(), first.behind(), first.dispatch(), first.run()), (10, 0, 5, 100));
    assert_eq!((first.transfer(), first.worker_transfer(), first.delivery()), (5 + 1 + 69, 5 + 1 + 2, 10));
    assert_eq!((first.bytes_in, first.bytes_out), (1008, 16));
    // The second lay behind the first, and was there when its turn came.
    assert_eq!((second.sent, second.turned, second.arrived, second.begun), (20, 133, 133, 134));
    assert_eq!((second.behind(), second.dispatch(), second.bytes_in), (113, 1, 8));
    let job = &trace.jobs[0];
    assert_eq!((&job.name[..], job.items, job.began, job.ended), ("square", 2, 10, 210));
}

#[test]
fn a_worker_that_starts_is_not_receiving() {
    let events = vec![
        Event::Fed { job: JOB, first: 0, count: 1, at: 10 },
        sent(1, 0, 1, 20),
        Event::Ready { worker: worker(1), at: 500 },
        ran(1, vec![run(0, 510, 530, 100)], 700),
    ];
    let trace = Trace::assemble(1, 0, 1000, events);
    let task = &trace.tasks[0];
    assert_eq!((task.behind(), task.arrived - task.turned, task.dispatch()), (480, 10, 20));
}

#[test]
fn an_item_that_was_taken_back_belongs_to_the_later_message() {
    let trace = Trace::assemble(
        1,
        0,
        1000,
        vec![
            Event::Fed { job: JOB, first: 0, count: 10, at: 10 },
            sent(1, 0, 10, 20),
            sent(2, 5, 5, 60),
            ran(2, vec![run(7, 65, 70, 10)], 90),
            ran(1, vec![run(0, 25, 30, 100)], 200),
        ],
    );
    let times: Vec<_> = trace.tasks.iter().map(|task| (task.first, task.worker, task.sent)).collect();
    assert_eq!(times, vec![(0, 0, 20), (7, 1, 60)]);
}

#[test]
fn an_item_that_is_run_again_has_the_times_of_each_try() {
    let trace = Trace::assemble(
        1,
        0,
        1000,
        vec![
            Event::Fed { job: JOB, first: 0, count: 1, at: 10 },
            sent(1, 0, 1, 20),
            Event::Lost { job: JOB, index: 0, worker: Some((worker(1), 30)), at: 50 },
            sent(2, 0, 1, 60),
            ran(2, vec![run(0, 65, 70, 10)], 90),
        ],
    );
    let ends: Vec<_> = trace.tasks.iter().map(|task| (task.ending, task.sent, task.begun)).collect();
    assert_eq!(ends, vec![(Ending::Lost, 20, 30), (Ending::Done, 60, 70)]);
    assert_eq!(trace.tasks[0].run(), 20);
}

#[test]
fn what_happened_before_the_trace_is_not_made_up() {
    // Given and sent before it began: these times are not known, and no wait is claimed.
    let trace = Trace::assemble(1, 50, 1000, vec![ran(1, vec![run(3, 60, 70, 10)], 90)]);
    let task = &trace.tasks[0];
    assert_eq!((task.queued, task.sent, task.turned, task.arrived), (60, 60, 60, 60));
    assert_eq!((task.queue(), task.behind(), task.taken), (0, 0, 90));
}

#[test]
fn times_never_run_backwards() {
    // Clocks of different cores may differ by some nanoseconds.
    let mut odd = run(0, 25, 30, 100);
    (odd.called, odd.returned, odd.ended) = (29, 28, 27);
    let events = vec![
        Event::Fed { job: JOB, first: 0, count: 1, at: 40 },
        sent(1, 0, 1, 35),
        ran(1, vec![odd], 20),
        Event::Taken { job: JOB, first: 0, count: 1, at: 10 },
    ];
    let trace = Trace::assemble(1, 0, 1000, events);
    let task = &trace.tasks[0];
    let times = [
        task.queued,
        task.sent,
        task.turned,
        task.arrived,
        task.begun,
        task.called,
        task.returned,
        task.ended,
        task.received,
        task.taken,
    ];
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn the_phases_of_a_worker_fill_its_time() {
    // 200 tasks on one worker, sent in messages of ten: what it does and waits for adds up from the first to the last.
    let mut events = vec![Event::Fed { job: JOB, first: 0, count: 200, at: 0 }];
    let mut at = 10;
    for message in 0..20 {
        let first = message * 10;
        events.push(sent(1, first, 10, at));
        let mut runs = Vec::new();
        let arrived = at + 5;
        at = arrived;
        for index in first..first + 10 {
            at += 2;
            runs.push(run(index, arrived, at, 7 * (index % 5)));
            at = runs.last().unwrap().ended;
        }
        at += 3;
        events.push(ran(1, runs, at));
    }
    let trace = Trace::assemble(1, 0, at, events);
    let spent: Nanos =
        trace.tasks.iter().map(|task| task.worker_transfer() + task.dispatch() + task.run()).sum();
    let idle: Nanos = 20 * 3;
    assert_eq!(spent + idle, at - 10);
}
