#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

use super::*;
use crate::event::{Event, JobKey, Kind, Run};

const JOB: JobKey = JobKey { pool: 1, job: 1 };

fn worker(id: u64) -> Worker {
    Worker { kind: Kind::Thread, pool: 1, id, pid: 9 }
}

fn ran(id: u64, first: u64, arrived: Nanos, begun: Nanos, returned: Nanos) -> Event {
    let run = Run {
        first,
        count: 1,
        arrived,
        begun,
        called: begun + 2,
        returned,
        ended: returned + 1,
        cpu: 5,
        ..Run::default()
    };
    Event::Ran { job: JOB, worker: worker(id), runs: vec![run], at: returned + 1 }
}

#[test]
fn the_time_of_each_worker_adds_up() {
    let trace = Trace::assemble(
        9,
        0,
        500,
        vec![
            Event::Fed { job: JOB, first: 0, count: 3, at: 100 },
            ran(1, 0, 110, 112, 200),
            ran(2, 1, 120, 122, 400),
            ran(1, 2, 230, 232, 300),
            Event::Taken { job: JOB, first: 0, count: 3, at: 410 },
        ],
    );
    let usage = usage(&trace);
    assert_eq!((usage.from, usage.to), (100, 410));
    let one = &usage.workers[0];
    assert_eq!((one.tasks, one.run, one.transfer, one.dispatch), (2, 86 + 66, 3 + 3, 2 + 2));
    assert_eq!((one.start, one.idle, one.end, one.cpu), (10, 29, 109, 10));
    for found in &usage.workers {
        let whole = found.run + found.transfer + found.dispatch + found.start + found.idle + found.end;
        assert_eq!(whole, usage.to - usage.from);
    }
    assert!((usage.utilisation() - (152.0 + 276.0) / 620.0).abs() < 1e-12);
}

#[test]
fn nothing_is_no_error() {
    let usage = usage(&Trace::assemble(9, 5, 10, Vec::new()));
    assert_eq!((usage.workers.len(), usage.utilisation()), (0, 0.0));
}
