//! Who runs which item: one word per message, which parent and worker change only by compare-and-swap.
//!
//! The parent can take back items that it has sent, without asking the worker and without waiting for it, and
//! still no item is run twice or by nobody. States, races and memory orderings are argued in the crate's
//! `README.md`; loom checks them (`tests/loom.rs`).

use std::ops::Range;

#[cfg(loom)]
use loom::sync::atomic::AtomicU64;
#[cfg(not(loom))]
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};

/// Items that one message may hold at most.
pub const MAX_ITEMS: u32 = (1 << 24) - 1;

/// How far a worker is with a message. Items are counted from the message's first, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Items that the worker has claimed. If `begun > finished`, it runs item `finished`.
    pub begun: u32,
    /// Items that the worker has finished, never more than `begun`.
    pub finished: u32,
    /// Items left to the worker: those from `end` on were taken back.
    pub end: u32,
}

/// One message's place on the shared page: what is offered, what has been begun, what is done.
///
/// All zeros is a slot that offers nothing. The parent calls `publish`, `steal` and `progress`, the worker
/// `claim` and `finished`; one thread on each side at a time for `publish` and `finished`.
#[repr(C, align(64))]
pub struct Slot {
    /// Generation, next item to begin, end of what is offered: see `Offer`.
    offer: AtomicU64,
    /// Generation in the upper half, items finished in the lower. Written by the worker alone.
    done: AtomicU64,
}

impl Default for Slot {
    fn default() -> Slot {
        Slot { offer: AtomicU64::new(0), done: AtomicU64::new(0) }
    }
}

impl Slot {
    /// Parent: offers a message of `count` items.
    ///
    /// Only when nothing is left to claim of the slot's last message, and its outcome is known or its worker
    /// dead: what was left would be lost. `generation` is one that the slot has not had in living memory: a
    /// counter of messages will do, as 65,535 others come between.
    ///
    /// # Panics
    ///
    /// When `count` exceeds [`MAX_ITEMS`].
    pub fn publish(&self, generation: u16, count: u32) {
        assert!(count <= MAX_ITEMS, "a message of {count} items: at most {MAX_ITEMS} fit a slot");
        self.offer.store(Offer { generation, next: 0, end: count }.pack(), Release);
    }

    /// Parent: takes back items that the worker has not begun, from the end; how many there were.
    ///
    /// At most `most`, and at most half of what is left (rounded up) unless `all`: the worker keeps something
    /// to do. From the return on the worker cannot begin them. 0 when the slot holds another generation.
    pub fn steal(&self, generation: u16, most: u32, all: bool) -> u32 {
        let mut word = self.offer.load(Acquire);
        loop {
            let offer = Offer::unpack(word);
            let left = offer.left();
            let taken = if all { left } else { left.div_ceil(2) }.min(most);
            if offer.generation != generation || taken == 0 {
                return 0;
            }
            let lowered = Offer { end: offer.end - taken, ..offer };
            match self.offer.compare_exchange_weak(word, lowered.pack(), AcqRel, Acquire) {
                Ok(_) => return taken,
                Err(now) => word = now,
            }
        }
    }

    /// Worker: the next item of the message, which is then its own to run; None when all are begun or taken
    /// back, or the slot holds another generation.
    pub fn claim(&self, generation: u16) -> Option<u32> {
        self.claim_some(generation, 1).next()
    }

    /// Worker: the next items of the message, at most `most`, which are then its own to run, in order. Empty
    /// when `claim` would give None.
    ///
    /// Items of less than a microsecond are claimed some at a time: the compare-and-swap costs as much as
    /// they do. Claimed items cannot be taken back, so it should be no more than a few microseconds' worth.
    pub fn claim_some(&self, generation: u16, most: u32) -> Range<u32> {
        let mut word = self.offer.load(Acquire);
        loop {
            let offer = Offer::unpack(word);
            let taken = offer.left().min(most);
            if offer.generation != generation || taken == 0 {
                return 0..0;
            }
            let raised = Offer { next: offer.next + taken, ..offer };
            match self.offer.compare_exchange_weak(word, raised.pack(), AcqRel, Acquire) {
                Ok(_) => return offer.next..raised.next,
                Err(now) => word = now,
            }
        }
    }

    /// Worker: says that the first `count` items of the message are finished.
    pub fn finished(&self, generation: u16, count: u32) {
        self.done.store(u64::from(generation) << 32 | u64::from(count), Release);
    }

    /// Parent: how far the worker is with the message; None when the slot holds another generation.
    pub fn progress(&self, generation: u16) -> Option<Progress> {
        // In this order: an item is finished after it was begun, so the later reading of `begun` cannot be
        // behind.
        let done = self.done.load(Acquire);
        let offer = Offer::unpack(self.offer.load(Acquire));
        let finished = if done >> 32 == u64::from(generation) { done as u32 } else { 0 };
        // A worker that is out of its mind may have scribbled on the page: never promise more than was begun.
        let finished = finished.min(offer.next);
        (offer.generation == generation).then_some(Progress { begun: offer.next, finished, end: offer.end })
    }
}

/// What `Slot::offer` packs into one word: generation in the upper 16 bits, then 24 bits each for next and
/// end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offer {
    generation: u16,
    /// The first item that has not been begun.
    next: u32,
    /// The first item that is not the worker's, at least `next`.
    end: u32,
}

impl Offer {
    fn pack(self) -> u64 {
        u64::from(self.generation) << 48 | u64::from(self.next) << 24 | u64::from(self.end)
    }

    fn unpack(word: u64) -> Offer {
        let low = |word: u64| (word & u64::from(MAX_ITEMS)) as u32;
        Offer { generation: (word >> 48) as u16, next: low(word >> 24), end: low(word) }
    }

    /// Items that nobody has begun.
    fn left(self) -> u32 {
        self.end.saturating_sub(self.next)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_offer_survives_packing() {
        for offer in [
            Offer { generation: 0, next: 0, end: 0 },
            Offer { generation: u16::MAX, next: MAX_ITEMS, end: MAX_ITEMS },
            Offer { generation: 1, next: 2, end: 3 },
            Offer { generation: 7, next: 0, end: MAX_ITEMS },
        ] {
            assert_eq!(Offer::unpack(offer.pack()), offer);
        }
    }

    #[test]
    fn items_are_claimed_in_order_and_only_once() {
        let slot = Slot::default();
        slot.publish(5, 3);
        assert_eq!(slot.claim(4), None, "another generation's");
        assert_eq!(
            [slot.claim(5), slot.claim(5), slot.claim(5), slot.claim(5)],
            [Some(0), Some(1), Some(2), None]
        );
    }

    #[test]
    fn some_at_a_time_are_claimed_to_the_end_and_no_further() {
        let slot = Slot::default();
        slot.publish(5, 7);
        assert_eq!(slot.claim_some(4, 3), 0..0, "another generation's");
        assert_eq!([slot.claim_some(5, 3), slot.claim_some(5, 0), slot.claim_some(5, 2)], [0..3, 0..0, 3..5]);
        assert_eq!(slot.steal(5, 10, false), 1);
        assert_eq!([slot.claim_some(5, 3), slot.claim_some(5, 3)], [5..6, 0..0]);
    }

    #[test]
    fn a_slot_of_zeros_offers_nothing() {
        let slot = Slot::default();
        assert_eq!(slot.claim(0), None);
        assert_eq!(slot.steal(0, 10, true), 0);
        assert_eq!(slot.progress(0), Some(Progress { begun: 0, finished: 0, end: 0 }));
        assert_eq!(slot.progress(1), None);
    }

    /// Of `count` items, `begun` of them begun, how many `steal(most, all)` takes.
    fn check_steal(count: u32, begun: u32, most: u32, all: bool, expected: u32) {
        let slot = Slot::default();
        slot.publish(1, count);
        (0..begun).for_each(|_| _ = slot.claim(1));
        assert_eq!(slot.steal(2, most, all), 0, "another generation's");
        assert_eq!(slot.steal(1, most, all), expected);
        assert_eq!(slot.progress(1), Some(Progress { begun, finished: 0, end: count - expected }));
    }

    #[test]
    fn stealing_takes_half_rounded_up_unless_all() {
        check_steal(10, 0, u32::MAX, false, 5);
        check_steal(10, 1, u32::MAX, false, 5);
        check_steal(10, 9, u32::MAX, false, 1);
        check_steal(10, 10, u32::MAX, false, 0);
        check_steal(10, 4, u32::MAX, true, 6);
        check_steal(10, 4, 2, true, 2);
        check_steal(10, 0, 3, false, 3);
        check_steal(10, 0, 0, true, 0);
        check_steal(MAX_ITEMS, 1, u32::MAX, true, MAX_ITEMS - 1);
    }

    #[test]
    fn progress_forgets_the_last_generation() {
        let slot = Slot::default();
        slot.publish(1, 2);
        slot.claim(1);
        slot.claim(1);
        slot.finished(1, 2);
        assert_eq!(slot.progress(1), Some(Progress { begun: 2, finished: 2, end: 2 }));
        slot.publish(2, 5);
        assert_eq!(slot.progress(1), None);
        assert_eq!(slot.progress(2), Some(Progress { begun: 0, finished: 0, end: 5 }));
        assert_eq!(slot.claim(1), None);
    }

    #[test]
    #[should_panic(expected = "at most 16777215 fit a slot")]
    fn too_many_items_are_refused() {
        Slot::default().publish(1, MAX_ITEMS + 1);
    }
}
