//! The slot protocol under loom: every interleaving of parent and worker, and every value that the memory
//! orderings let a load give, for messages of a few items.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p mh-store --test loom --release --target-dir target/loom`

#![cfg(loom)]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use loom::sync::Arc;
use loom::thread;
use mh_store::Slot;

/// The items of a message that a worker gets to run, in order.
fn run_all(slot: &Slot, generation: u16) -> Vec<u32> {
    std::iter::from_fn(|| slot.claim(generation)).collect()
}

#[test]
fn an_item_is_begun_or_stolen_never_both_never_neither() {
    for all in [false, true] {
        loom::model(move || {
            let slot = Arc::new(Slot::default());
            slot.publish(1, 3);
            let worker = {
                let slot = slot.clone();
                thread::spawn(move || run_all(&slot, 1))
            };
            let stolen = slot.steal(1, 2, all) + slot.steal(1, 1, all);
            let ran = worker.join().unwrap();
            assert_eq!(ran, (0..3 - stolen).collect::<Vec<_>>());
        });
    }
}

#[test]
fn several_claimed_at_once_are_not_stolen() {
    loom::model(|| {
        let slot = Arc::new(Slot::default());
        slot.publish(1, 5);
        let worker = {
            let slot = slot.clone();
            thread::spawn(move || {
                let first = slot.claim_some(1, 2);
                first.chain(slot.claim_some(1, 5)).collect::<Vec<_>>()
            })
        };
        let stolen = slot.steal(1, 5, false) + slot.steal(1, 5, false);
        let ran = worker.join().unwrap();
        assert_eq!(ran, (0..5 - stolen).collect::<Vec<_>>());
    });
}

#[test]
fn a_worker_that_is_late_takes_nothing_of_the_next_message() {
    loom::model(|| {
        let slot = Arc::new(Slot::default());
        slot.publish(1, 2);
        let late = {
            let slot = slot.clone();
            thread::spawn(move || run_all(&slot, 1))
        };
        let stolen = slot.steal(1, 2, true);
        slot.publish(2, 2); // nothing of the first is left to claim, whatever the worker is doing
        let ran = late.join().unwrap();
        assert_eq!(ran, (0..2 - stolen).collect::<Vec<_>>());
        assert_eq!(run_all(&slot, 2), [0, 1]);
    });
}

#[test]
fn progress_never_runs_ahead_of_itself() {
    loom::model(|| {
        let slot = Arc::new(Slot::default());
        slot.publish(1, 2);
        let worker = {
            let slot = slot.clone();
            thread::spawn(move || {
                while let Some(item) = slot.claim(1) {
                    slot.finished(1, item + 1);
                }
            })
        };
        let first = slot.progress(1).unwrap();
        let second = slot.progress(1).unwrap();
        for progress in [first, second] {
            assert!(progress.finished <= progress.begun && progress.begun <= progress.end);
        }
        assert!(first.begun <= second.begun && first.finished <= second.finished);
        worker.join().unwrap();
        let last = slot.progress(1).unwrap();
        assert_eq!((last.begun, last.finished, last.end), (2, 2, 2));
    });
}

#[test]
fn what_an_item_wrote_is_seen_by_who_sees_it_finished() {
    use loom::sync::atomic::{AtomicU64, Ordering::Relaxed};
    loom::model(|| {
        let slot = Arc::new(Slot::default());
        let outcome = Arc::new(AtomicU64::new(0));
        slot.publish(1, 1);
        let worker = {
            let (slot, outcome) = (slot.clone(), outcome.clone());
            thread::spawn(move || {
                let begun = slot.claim(1);
                outcome.store(7, Relaxed);
                slot.finished(1, 1);
                begun
            })
        };
        if slot.progress(1).unwrap().finished == 1 {
            assert_eq!(outcome.load(Relaxed), 7);
        }
        assert_eq!(worker.join().unwrap(), Some(0));
    });
}
