#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::sync::Barrier;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicI64, AtomicUsize};

use super::*;
use crate::threads::with_threads;

/// A loop whose blocks a closure runs; one that gives true fails.
struct Blocks<F>(F);

impl<F: Fn(i64, Place) -> bool + Sync> Task for Blocks<F> {
    fn help(&self, claims: &Claims<'_>, place: Place) {
        while let Some(block) = claims.next() {
            if (self.0)(block, place) {
                claims.fail(block);
            }
        }
    }
}

fn each(blocks: i64, place: Place, body: impl Fn(i64, Place) -> bool + Sync) {
    run(&Blocks(body), 0, blocks, false, place, &|| ());
}

fn zeros(length: i64) -> Vec<AtomicI64> {
    (0..length).map(|_| AtomicI64::new(0)).collect()
}

#[test]
fn each_block_is_run_once() {
    with_threads(4, || {
        for round in 0..2000 {
            let length = 1 + round % 37;
            let seen = zeros(length);
            let _entered = Entered::new();
            each(length, Place::default(), |block, _| {
                seen[block as usize].fetch_add(1, SeqCst);
                false
            });
            assert!(seen.iter().all(|times| times.load(SeqCst) == 1), "round {round}");
        }
    });
}

#[test]
fn loops_begun_alone_and_loops_in_order_too() {
    with_threads(3, || {
        let _entered = Entered::new();
        for length in 1..200 {
            for (first, ordered) in [(0, true), (length / 3, false), (length / 2, true)] {
                let seen = zeros(length);
                let body = Blocks(|block: i64, _| {
                    seen[block as usize].fetch_add(1, SeqCst);
                    false
                });
                run(&body, first, length, ordered, Place::default(), &|| ());
                let times: Vec<i64> = seen.iter().map(|times| times.load(SeqCst)).collect();
                let wanted: Vec<i64> = (0..length).map(|block| i64::from(block >= first)).collect();
                assert_eq!(times, wanted, "from {first}, {ordered}");
            }
        }
    });
}

#[test]
fn a_thread_keeps_its_blocks_from_loop_to_loop() {
    with_threads(2, || {
        let _entered = Entered::new();
        let helper_ran = || {
            let (meeting, owner) = (Barrier::new(2), std::thread::current().id());
            let seen = zeros(256);
            each(256, Place::default(), |block, _| {
                seen[block as usize].store(i64::from(std::thread::current().id() != owner), SeqCst);
                // Side by side: nobody is done before the other.
                meeting.wait();
                false
            });
            seen.iter().map(|by| by.load(SeqCst)).collect::<Vec<_>>()
        };
        let first = helper_ran();
        assert_eq!(first.iter().sum::<i64>(), 128);
        assert!(first.is_sorted(), "one half each: {first:?}");
        for _ in 0..20 {
            assert_eq!(helper_ran(), first);
        }
    });
}

#[test]
fn helpers_take_part() {
    with_threads(3, || {
        let _entered = Entered::new();
        // Nobody gets on before three threads are here.
        let meeting = Barrier::new(3);
        each(3, Place::default(), |_, _| {
            meeting.wait();
            false
        });
    });
}

#[test]
fn nested_loops_end_and_use_idle_threads() {
    with_threads(4, || {
        let _entered = Entered::new();
        for _ in 0..50 {
            let sum = AtomicI64::new(0);
            each(5, Place::default(), |i, place| {
                each(4, place, |j, place| {
                    each(3, place, |k, _| {
                        sum.fetch_add(i * 100 + j * 10 + k, SeqCst);
                        false
                    });
                    false
                });
                false
            });
            assert_eq!(sum.load(SeqCst), 12 * 1000 + 15 * 60 + 20 * 3);
        }
        // Two outer blocks, and inner ones that only get on when two threads are in one inner loop: the waiting owner must help.
        let meeting = Barrier::new(2);
        with_two_threads_in_one_inner_loop(&meeting);
    });
}

fn with_two_threads_in_one_inner_loop(meeting: &Barrier) {
    each(2, Place::default(), |outer, place| {
        if outer == 1 {
            each(2, place, |_, _| {
                meeting.wait();
                false
            });
        }
        false
    });
}

#[test]
fn the_owner_that_waits_helps_loops_below() {
    with_threads(2, || {
        let _entered = Entered::new();
        with_two_threads_in_one_inner_loop(&Barrier::new(2));
    });
}

#[test]
fn never_more_run_than_may() {
    with_threads(8, || {
        let _entered = Entered::new();
        let meeting = Barrier::new(8);
        each(8, Place::default(), |_, _| {
            meeting.wait();
            false
        });
        // Seven helpers are there now, and must keep out.
        assert_eq!(set_threads(3), Ok(()));
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        for _ in 0..100 {
            each(60, Place::default(), |_, _| {
                most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                std::thread::yield_now();
                now.fetch_sub(1, SeqCst);
                false
            });
        }
        assert!(most.load(SeqCst) <= 3, "{most:?}");
    });
}

#[test]
fn helpers_leave_when_callers_come() {
    with_threads(2, || {
        let _entered = Entered::new();
        let owner = std::thread::current().id();
        let (meeting, other) = (Barrier::new(2), Mutex::new(None));
        let (strangers, begun) = (AtomicUsize::new(0), AtomicUsize::new(0));
        each(200, Place::default(), |_, _| {
            if begun.fetch_add(1, SeqCst) < 2 {
                meeting.wait();
                if std::thread::current().id() == owner {
                    *other.lock().unwrap() = Some(Entered::new());
                }
                meeting.wait();
            } else if std::thread::current().id() != owner {
                strangers.fetch_add(1, SeqCst);
            }
            false
        });
        assert_eq!(strangers.load(SeqCst), 0, "with a second caller, both cores are taken");
    });
}

#[test]
fn several_callers_get_their_own_answers() {
    with_threads(4, || {
        std::thread::scope(|scope| {
            for caller in 0..6_i64 {
                scope.spawn(move || {
                    for round in 0..300 {
                        let _entered = Entered::new();
                        let sum = AtomicI64::new(0);
                        each(30, Place::default(), |block, _| {
                            sum.fetch_add(block * caller + round, SeqCst);
                            false
                        });
                        assert_eq!(sum.load(SeqCst), 435 * caller + 30 * round);
                    }
                });
            }
        });
    });
}

#[test]
fn all_blocks_below_a_failing_one_are_run() {
    with_threads(4, || {
        for round in 0..500 {
            let _entered = Entered::new();
            let (seen, lowest) = (zeros(100), AtomicI64::new(i64::MAX));
            let fails = |block: i64| (block * 7 + round) % 23 == 5;
            each(100, Place::default(), |block, _| {
                seen[block as usize].fetch_add(1, SeqCst);
                fails(block) && lowest.fetch_min(block, SeqCst) >= 0
            });
            let first = (0..100).find(|&block| fails(block)).unwrap();
            assert_eq!(lowest.load(SeqCst), first);
            assert!((0..=first as usize).all(|block| seen[block].load(SeqCst) == 1));
            assert!(seen.iter().all(|times| times.load(SeqCst) <= 1));
        }
    });
}

#[test]
fn a_panic_comes_out_behind_the_loop() {
    with_threads(2, || {
        for panics in 0..2 {
            let inside = AtomicUsize::new(0);
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let _entered = Entered::new();
                let meeting = Barrier::new(2);
                each(2, Place::default(), |block, _| {
                    inside.fetch_add(1, SeqCst);
                    meeting.wait();
                    assert_ne!(block, panics, "as it should");
                    inside.fetch_sub(1, SeqCst);
                    false
                });
            }));
            assert!(result.is_err());
            assert_eq!(inside.load(SeqCst), 1, "nobody is inside any more");
        }
    });
}

#[test]
fn a_child_of_fork_has_helpers_of_its_own() {
    with_threads(3, || {
        let _entered = Entered::new();
        each(64, Place::default(), |_, _| false);
        // SAFETY: the child uses what is its own after a fork, and leaves by `_exit`.
        let child = unsafe { libc::fork() };
        assert!(child >= 0);
        if child == 0 {
            // SAFETY: a child that hangs is ended by the alarm.
            unsafe { libc::alarm(30) };
            let meeting = Barrier::new(3);
            let _entered = Entered::new();
            each(3, Place::default(), |_, _| {
                meeting.wait();
                false
            });
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(7) };
        }
        let mut status = 0;
        // SAFETY: waits for our own child.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 7, "{status:#x}");
    });
}

#[test]
fn the_number_of_threads_is_what_was_asked_for() {
    with_threads(5, || {
        assert_eq!(threads(), 5);
        assert!(set_threads(1025).unwrap_err().contains("1025"));
        assert_eq!(threads(), 5);
        set_threads(0).unwrap();
        assert_eq!(threads(), std::thread::available_parallelism().unwrap().get());
    });
}
