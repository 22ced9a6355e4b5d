#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

use super::*;
use crate::event::JobKey;

const JOB: JobKey = JobKey { pool: 1, job: 1 };

fn fed(first: u64) -> Event {
    Event::Fed { job: JOB, first, count: 1, at: first }
}

#[test]
fn what_nobody_listens_to_is_not_kept() {
    let recorder = Recorder::new();
    assert!(!recorder.on());
    recorder.add(fed(0));
    let mark = recorder.begin().unwrap();
    assert!(recorder.on());
    recorder.add(fed(1));
    assert_eq!(recorder.end(&mark), (vec![fed(1)], 0));
    assert!(!recorder.on());
    assert_eq!(recorder.end(&mark), (vec![], 0));
}

#[test]
fn each_listener_has_its_own_stretch() {
    let recorder = Recorder::new();
    let outer = recorder.begin().unwrap();
    recorder.add(fed(1));
    let inner = recorder.begin().unwrap();
    recorder.add(fed(2));
    assert_eq!(recorder.end(&inner).0, vec![fed(2)]);
    assert!(recorder.on());
    recorder.add(fed(3));
    assert_eq!(recorder.end(&outer).0, vec![fed(1), fed(2), fed(3)]);
    assert!(!recorder.on());
}

#[test]
fn what_is_not_kept_is_counted() {
    let recorder = Recorder::new();
    let mark = recorder.begin().unwrap();
    for index in 0..MOST as u64 + 3 {
        recorder.add(fed(index));
    }
    let (events, dropped) = recorder.end(&mark);
    assert_eq!((events.len(), dropped), (MOST, 3));
}

#[test]
fn a_forked_child_starts_anew() {
    let recorder = Recorder::new();
    let mark = recorder.begin().unwrap();
    recorder.add(fed(1));
    recorder.forget();
    assert!(!recorder.on());
    assert_eq!(recorder.end(&mark), (vec![], 0));
    let held = recorder.lock();
    assert_eq!(recorder.begin(), None);
    recorder.forget();
    drop(held);
}
