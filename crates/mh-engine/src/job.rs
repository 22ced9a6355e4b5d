//! What is known about one job: where its items are, how long they take, how many more may be fed.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::ranges::Ranges;
use crate::{Index, JobOptions, MessageId, Nanos, Settings, WorkerId};

/// Most items in one message, and most items waiting unsent of a job without a buffer of its own.
pub(crate) const MOST: u64 = 1 << 20;

/// Items in a message while nothing is known about how long they take.
pub(crate) const FIRST_MESSAGE: u64 = 16;

/// Where nothing can be taken back, a message holds at most so many times the items that have been answered.
const GROWTH: u64 = 4;

/// And no less, near the end of the input, than such a part of a whole message.
const SMALLEST: u64 = 16;

/// Fewest items that a job without a buffer may have waiting.
const LEAST_WINDOW: u64 = 64;

/// A job that has not ended.
///
/// Each item below `limit` is in one place: not fed (from `fed` on), fed and unsent (from `cursor` on, or in
/// `returned` or `suspects`), outstanding in one message of one worker, or ended. Items from `limit` on are nobody's business any
/// more: they are unsent no longer, and what workers still say about them is not accepted.
#[derive(Debug)]
pub(crate) struct Job {
    /// How often items were taken from workers that held nothing else and had not begun them.
    pub moves: BTreeMap<Index, u32>,
    pub options: JobOptions,
    /// Indices below this one have been fed.
    pub fed: Index,
    /// Whether all items have been fed.
    pub closed: bool,
    /// Indices below this one have been sent at least once, or taken out, or stand in `returned`.
    pub cursor: Index,
    /// Items that are to be sent before anything new: most were sent and came back unanswered.
    pub returned: Ranges,
    /// Parts of messages that were lost without a word about which item was at fault: each goes out again by itself,
    /// before all else, so that the search ends.
    pub suspects: Vec<Range<Index>>,
    /// Items below `limit` that workers hold.
    pub outstanding: u64,
    /// Items that were answered or lost (those below `limit` and the failures that lowered it).
    pub ended: u64,
    /// Messages at workers in which something is unanswered, needed or not.
    pub messages: BTreeMap<MessageId, WorkerId>,
    /// The failing item of lowest index, with `OnError::Raise`; the job waits only for what is below.
    pub limit: Index,
    /// How often items have failed by death or timeout that have not ended yet.
    pub attempts: BTreeMap<Index, u32>,
    /// Items that the caller withdrew while a worker held them, and of which it is not known yet whether they have begun (or,
    /// for `true`, whether they are running, and then they are to be killed).
    pub withdrawn: BTreeMap<Index, bool>,
    /// Items that the consumer took.
    pub taken: u64,
    /// Whether the last `Want` has not been answered by any `Feed`.
    pub wanting: bool,
    /// The job's place in the rotation; `Some` exactly while something is unsent.
    pub turn: Option<u64>,
    /// How long an item takes.
    pub estimate: Estimate,
}

/// A running mean of the time an item takes, weighted to the recent.
#[derive(Debug, Default)]
pub(crate) struct Estimate {
    mean: f64,
    items: u64,
}

impl Estimate {
    /// The least weight of a new answer: a change of pace is followed within a dozen messages.
    const RECENT: f64 = 0.125;

    /// `count` items took `busy` together.
    pub fn add(&mut self, count: u64, busy: Nanos) {
        if count == 0 {
            return;
        }
        self.items += count;
        let weight = (count as f64 / self.items as f64).max(Self::RECENT);
        self.mean += (busy as f64 / count as f64 - self.mean) * weight;
    }

    /// Nanoseconds an item, at least 1; nothing before the first answer.
    pub fn per_item(&self) -> Option<Nanos> {
        (self.items > 0).then_some((self.mean as Nanos).max(1))
    }
}

impl Job {
    pub fn new(options: JobOptions) -> Self {
        Job {
            moves: BTreeMap::new(),
            options,
            fed: 0,
            closed: false,
            cursor: 0,
            returned: Ranges::default(),
            suspects: Vec::new(),
            outstanding: 0,
            ended: 0,
            messages: BTreeMap::new(),
            limit: Index::MAX,
            attempts: BTreeMap::new(),
            withdrawn: BTreeMap::new(),
            taken: 0,
            wanting: false,
            turn: None,
            estimate: Estimate::default(),
        }
    }

    /// Whether an item has failed that ends the job.
    pub fn failed(&self) -> bool {
        self.limit < Index::MAX
    }

    /// Items that were fed, are needed, and are at no worker.
    pub fn unsent(&self) -> u64 {
        let suspects: u64 = self.suspects.iter().map(|part| part.end - part.start).sum();
        suspects + self.returned.len() + self.fed.min(self.limit).saturating_sub(self.cursor)
    }

    /// Whether nothing remains to be waited for.
    pub fn is_over(&self) -> bool {
        self.outstanding == 0 && self.unsent() == 0 && (self.closed || self.failed())
    }

    /// Items in a message that takes about the target.
    fn message_size(&self, settings: &Settings) -> u64 {
        match self.estimate.per_item() {
            Some(nanos) => (settings.target / nanos).clamp(1, MOST).min(self.trusted(settings)),
            None if settings.recall => FIRST_MESSAGE,
            None => 1,
        }
    }

    /// The most items that the estimate is trusted for.
    fn trusted(&self, settings: &Settings) -> u64 {
        if settings.recall { MOST } else { self.estimate.items.saturating_mul(GROWTH) }
    }

    /// Items to put in the next message: about the target's worth, but no more than half of an even share of what is
    /// there, so that the end of the input comes in small pieces. Where nothing can be taken back, messages are dear, and
    /// the pieces are not cut below a fraction of a message.
    pub fn next_size(&self, settings: &Settings) -> u64 {
        let share = self.unsent().div_ceil(2 * settings.workers as u64);
        let size = self.message_size(settings);
        let least = if settings.recall { 1 } else { size / SMALLEST };
        size.min(share.max(least)).max(1)
    }

    /// Takes out the lowest unsent items, at most `most`; suspects before all others, as they are.
    pub fn take_unsent(&mut self, most: u64) -> Option<Range<Index>> {
        if let Some(part) = self.suspects.pop() {
            return Some(part);
        }
        if let Some(range) = self.returned.take_first(most) {
            return Some(range);
        }
        let end = self.fed.min(self.limit).min(self.cursor.saturating_add(most));
        let range = self.cursor..end;
        (!range.is_empty()).then(|| {
            self.cursor = end;
            range
        })
    }

    /// Takes one item out of those that are unsent; whether it was one.
    pub fn take_out(&mut self, index: Index) -> bool {
        if index < self.cursor {
            return self.returned.remove(index);
        }
        if index >= self.fed.min(self.limit) {
            return false;
        }
        // Those before it go out before the rest, as what came back does.
        self.returned.insert(self.cursor..index);
        self.cursor = index + 1;
        true
    }

    /// The most items that may be fed and not taken (buffered), or fed and not sent.
    fn window(&self, settings: &Settings) -> u64 {
        match self.options.buffer {
            Some(buffer) => buffer.max(1),
            None => {
                let messages = 2 * settings.workers as u64 * settings.depth as u64;
                messages.saturating_mul(self.message_size(settings)).clamp(LEAST_WINDOW, MOST)
            }
        }
    }

    /// How many more items may be fed now.
    pub fn room(&self, settings: &Settings) -> u64 {
        if self.closed || self.failed() {
            return 0;
        }
        let held =
            if self.options.buffer.is_some() { self.fed.saturating_sub(self.taken) } else { self.unsent() };
        self.window(settings).saturating_sub(held)
    }

    /// The room, where it is worth asking for: no question is open, and half of the window is free.
    pub fn want(&self, settings: &Settings) -> Option<u64> {
        let room = self.room(settings);
        (!self.wanting && room > 0 && room.saturating_mul(2) >= self.window(settings)).then_some(room)
    }

    /// The part of a message's items that is still needed.
    pub fn needed(&self, items: Range<Index>) -> Range<Index> {
        items.start..items.end.min(self.limit).max(items.start)
    }

    /// Items have ended: they are counted, and their attempts forgotten.
    pub fn end(&mut self, items: Range<Index>) {
        self.ended += items.end - items.start;
        while let Some((&index, _)) = self.attempts.range(items.clone()).next() {
            self.attempts.remove(&index);
        }
        while let Some((&index, _)) = self.withdrawn.range(items.clone()).next() {
            self.withdrawn.remove(&index);
        }
    }

    /// One more failed attempt at the item: how many there are now, and whether it may be tried again.
    pub fn attempt(&mut self, index: Index) -> (u32, bool) {
        let attempts = self.attempts.entry(index).or_insert(0);
        *attempts += 1;
        (*attempts, *attempts <= self.options.retries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_follows_a_change_of_pace() {
        let mut estimate = Estimate::default();
        assert_eq!(estimate.per_item(), None);
        for _ in 0..100 {
            estimate.add(3000, 3_000_000);
        }
        assert_eq!(estimate.per_item(), Some(1000));
        for _ in 0..24 {
            estimate.add(1, 1_000_000_000);
        }
        assert!(estimate.per_item() > Some(900_000_000), "{estimate:?}");
    }

    #[test]
    fn messages_shrink_towards_the_end_of_the_input() {
        let settings = Settings::new(2);
        let mut job = Job::new(JobOptions::default());
        job.fed = 1000;
        job.estimate.add(1, 1000);
        let mut sizes = Vec::new();
        while job.unsent() > 0 {
            let items = job.take_unsent(job.next_size(&settings)).expect("something is unsent");
            sizes.push(items.end - items.start);
        }
        assert_eq!(sizes[..3], [250, 188, 141]);
        assert!(sizes.is_sorted_by(|a, b| a >= b) && sizes.ends_with(&[1, 1, 1, 1]), "{sizes:?}");
    }

    #[test]
    fn returned_items_go_first() {
        let mut job = Job::new(JobOptions::default());
        job.fed = 10;
        assert_eq!(job.take_unsent(8), Some(0..8));
        job.returned.insert(3..5);
        assert_eq!(job.unsent(), 4);
        assert_eq!(job.take_unsent(8), Some(3..5));
        assert_eq!(job.take_unsent(8), Some(8..10));
        assert_eq!(job.take_unsent(8), None);
    }

    #[test]
    fn a_failure_ends_the_wish_for_more() {
        let settings = Settings::new(2);
        let mut job = Job::new(JobOptions::default());
        assert_eq!(job.want(&settings), Some(128));
        job.fed = 128;
        job.limit = 5;
        assert_eq!((job.unsent(), job.room(&settings), job.want(&settings)), (5, 0, None));
    }

    #[test]
    fn a_buffer_counts_what_was_not_taken() {
        let settings = Settings::new(2);
        let mut job = Job::new(JobOptions { buffer: Some(5), ..JobOptions::default() });
        assert_eq!(job.want(&settings), Some(5));
        (job.fed, job.cursor) = (5, 5);
        assert_eq!(job.want(&settings), None);
        job.taken = 2;
        assert_eq!((job.room(&settings), job.want(&settings)), (2, None));
        job.taken = 3;
        assert_eq!(job.want(&settings), Some(3));
    }
}
