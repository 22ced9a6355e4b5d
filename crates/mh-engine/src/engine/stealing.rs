//! Taking back what a worker has been sent and has not begun, for a worker with nothing to do.
//!
//! A worker whose unbegun work is expected to take long is asked at once. One whose unbegun work looks like nothing is
//! asked only after a silence, because then a long item, which the estimate did not know of, stands before the others.
//! Each idle worker has at most one recall under way on its behalf, and each message at most one at all. A recall that
//! brings nothing marks its message `barren` until the next answer; one that brings something gives it to an idle worker,
//! which begins it: so recalls end.

use super::Engine;
use crate::worker::{Ending, Prey, Recall, Worker};
use crate::{Instruction, MessageId, Nanos, WorkerId};

/// Unbegun work below this is not worth the messages that it takes to move it.
const WORTHWHILE: Nanos = 100_000;

/// How much longer a worker may be silent that holds one item and no other: it most likely runs it, or loads what the
/// item needs, which another would have to load as well.
/// Doubled each time that the item was moved so, lest one that takes long to arrive goes to and fro for ever.
const LAST_ITEM: Nanos = 100_000_000;
const MOST_DOUBLINGS: u32 = 16;

/// The silence after which an estimate is not believed any more.
const PATIENCE: Nanos = 1_000_000;

impl Engine {
    /// Recalls something for each idle worker, as far as there is something to recall.
    pub(super) fn steal(&mut self, out: &mut Vec<Instruction>) {
        while self.thirst() > 0 && self.rotation.is_empty() {
            let Some((prey, victim)) = self.victim() else { return };
            // Estimates move; what the worker was filed by may be old.
            self.file(victim);
            if self.prey.contains(&(prey, victim)) {
                self.steal_from(victim, out);
            }
        }
    }

    /// When a worker that is not worth asking now will have been silent for too long, if somebody waits for it.
    pub(super) fn next_victim_at(&self) -> Option<Nanos> {
        if self.thirst() == 0 || !self.rotation.is_empty() {
            return None;
        }
        match self.longest_silent()? {
            (Prey::Modest { since }, _) => Some(since.saturating_add(PATIENCE)),
            (Prey::Rich { .. }, _) => None,
        }
    }

    /// The worker with the most to give or, if none is worth asking, one that has been silent for too long.
    fn victim(&self) -> Option<(Prey, WorkerId)> {
        let richest = self.prey.range(..(Prey::Modest { since: 0 }, WorkerId(0))).next_back();
        richest.copied().or_else(|| {
            let silent = self.longest_silent()?;
            let since = |prey| if let Prey::Modest { since } = prey { since } else { Nanos::MAX };
            (since(silent.0).saturating_add(PATIENCE) <= self.now).then_some(silent)
        })
    }

    fn longest_silent(&self) -> Option<(Prey, WorkerId)> {
        self.prey.range((Prey::Modest { since: 0 }, WorkerId(0))..).next().copied()
    }

    /// How the worker stands as somebody to take work back from. What it was sent last is taken first.
    pub(super) fn prey_of(&self, worker: &Worker) -> Option<Prey> {
        if worker.killed() || worker.messages.is_empty() {
            return None;
        }
        let (mut items, mut unbegun) = (0, 0);
        for (position, message) in worker.messages.iter().enumerate() {
            let Some(job) = self.jobs.get(&message.job) else { continue };
            let count = worker.unbegun(position);
            // With nothing known, an item is taken to be worth moving: there is no cheaper way to find out.
            let cost = message.cost.or(job.estimate.per_item()).unwrap_or(self.settings.target);
            items += count;
            unbegun = Nanos::saturating_add(unbegun, cost.saturating_mul(count));
        }
        match items {
            0 => None,
            // Asked for only after a long silence, and once: whether it has begun the item is for the recall to find out.
            // One that was sent its last task is as good as any other that would have to be started for it.
            _ if worker.ready && worker.is_last_item() => {
                let longer = LAST_ITEM << worker.messages[0].moves.min(MOST_DOUBLINGS);
                let since = worker.since.saturating_add(longer);
                worker.ending.is_none().then_some(Prey::Modest { since })
            }
            _ if unbegun >= WORTHWHILE => Some(Prey::Rich { unbegun }),
            _ => Some(Prey::Modest { since: worker.since }),
        }
    }

    /// Recalls from the worker's last message, leaving it its share of what it has not begun.
    fn steal_from(&mut self, id: WorkerId, out: &mut Vec<Instruction>) {
        let thieves = self.thirst() as u64;
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let jobs = &self.jobs;
        let available = |worker: &Worker, position: usize| {
            if jobs.contains_key(&worker.messages[position].job) { worker.unbegun(position) } else { 0 }
        };
        let total: u64 = (0..worker.messages.len()).map(|position| available(worker, position)).sum();
        let last = (0..worker.messages.len()).rfind(|&position| available(worker, position) > 0);
        if let Some(position) = last {
            let share = total - total / (thieves + 1);
            let most = share.min(available(worker, position));
            let message = &mut worker.messages[position];
            message.recall = Some(Recall::Steal);
            self.stealing += 1;
            out.push(Instruction::Recall { worker: id, message: message.id, most, all: false });
        }
        self.file(id);
    }

    /// What a recall brought: items that are still needed go out again before anything new.
    pub(super) fn on_recalled(
        &mut self,
        worker_id: WorkerId,
        message_id: MessageId,
        count: u64,
        out: &mut Vec<Instruction>,
    ) {
        let Some(worker) = self.workers.get_mut(&worker_id) else { return };
        let Some(position) = worker.position(message_id) else { return };
        let message = &mut worker.messages[position];
        let Some(recall) = message.recall.take() else { return };
        self.stealing -= usize::from(recall == Recall::Steal);
        let count = count.min(message.end - message.next);
        let tasks = message.tasks();
        message.end -= count;
        message.barren = count == 0;
        if let Some(left) = &mut worker.tasks_left {
            *left += tasks - message.tasks();
        }
        let (job, hole, back) = (message.job, message.hole, message.end..message.end + count);
        let drop_next = std::mem::take(&mut message.drop_next) && !message.is_empty();
        let begun = message.kill && !drop_next && !message.is_empty();
        if message.is_empty() {
            worker.messages.remove(position);
            if let Some(job) = self.jobs.get_mut(&job) {
                job.messages.remove(&message_id);
            }
        }
        if recall == Recall::Steal && worker.messages.is_empty() {
            worker.suspect = true;
            if let Some(job) = self.jobs.get_mut(&job) {
                *job.moves.entry(back.start).or_insert(0) += 1;
            }
        }
        self.give_back(job, back, hole, out);
        if begun {
            self.end_worker(worker_id, Ending::Killed, out);
        } else if drop_next {
            self.drop_unneeded(worker_id, message_id, out);
        } else {
            self.look_for_withdrawn(worker_id, message_id, out);
        }
        self.watch(worker_id);
        self.file(worker_id);
    }
}
