//! Workers that come and go: starting, dying, being replaced, and when to give up.
//!
//! A death costs at most the item that the worker was running; everything else that it held is sent again, and costs
//! nobody an attempt. A worker that was killed by the engine costs no item but the one for which it was killed: it may
//! have gone on to another by the time the signal came.
//!
//! Giving up: a worker that ends by itself without ever having had an answer or an item under way is a *failed start*
//! (a broken initializer, a missing module, no memory). `Settings::failed_starts` of them in a row break the engine. Two
//! cases prove less and are given more patience, `Settings::killed_starts`: SIGKILL from somebody outside before the
//! worker was ready, and the death of one that was ready and held nothing. SIGKILL of a ready one proves nothing. A death under a running item is that item's failure, and never a
//! failed start: the number of attempts bounds those.

use super::endings::farewell;
use super::{Engine, Stage};
use crate::worker::{Ending, Filed, Recall, Worker};
use crate::{Death, Fault, Index, Instruction, MessageId, Outcome, WorkerId};

const SIGKILL: i32 = 9;

/// Failed starts since an item was last answered.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// Those that say that workers cannot start.
    ours: u32,
    /// Those that need not mean it.
    theirs: u32,
    /// A start failed while there was no work: no more are tried until there is.
    pub on_hold: bool,
}

impl Failures {
    /// An item was answered: workers can start.
    pub fn forget(&mut self) {
        (self.ours, self.theirs) = (0, 0);
    }
}

impl Engine {
    /// Asks for workers until there are as many as there should be.
    pub(super) fn replenish(&mut self, out: &mut Vec<Instruction>) {
        let wanted = match self.stage {
            Stage::Running => true,
            Stage::Draining => !self.jobs.is_empty(),
            Stage::New | Stage::Retiring | Stage::Drained => false,
        };
        if !wanted || self.broken || self.failures.on_hold {
            return;
        }
        while self.active < self.settings.workers {
            self.next_worker += 1;
            let id = WorkerId(self.next_worker);
            let tasks_left = self.settings.tasks_per_worker.map(|tasks| tasks.max(1));
            self.workers.insert(id, Worker { tasks_left, since: self.now, ..Worker::default() });
            self.file(id);
            out.push(Instruction::Start { worker: id });
        }
    }

    pub(super) fn on_started(&mut self, id: WorkerId, out: &mut Vec<Instruction>) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        if !std::mem::replace(&mut worker.started, true)
            && let Some(ending) = worker.ending
        {
            out.push(farewell(id, ending));
        }
        self.file(id);
    }

    pub(super) fn on_ready(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.ready = true;
        worker.since = self.now;
        self.file(id);
    }

    pub(super) fn on_not_started(&mut self, id: WorkerId, out: &mut Vec<Instruction>) {
        let Some(worker) = self.forget_worker(id) else { return };
        if worker.ending.is_none() {
            self.start_failed(None, false, false, out);
        }
    }

    pub(super) fn on_died(
        &mut self,
        id: WorkerId,
        running: Option<(MessageId, Index)>,
        death: Death,
        out: &mut Vec<Instruction>,
    ) {
        let Some(worker) = self.forget_worker(id) else { return };
        // The item to blame: begun, unanswered, and not cut short by the engine.
        let blamed = running.filter(|_| !worker.killed()).and_then(|(message, index)| {
            let message = &worker.messages[worker.position(message)?];
            message.items().contains(&index).then_some((message.job, message.id, index))
        });
        for message in &worker.messages {
            if let Some(job) = self.jobs.get_mut(&message.job) {
                job.messages.remove(&message.id);
            }
            let blamed_here = blamed.filter(|&(_, id, _)| id == message.id).map(|(_, _, index)| index);
            self.give_back(message.job, message.items(), message.hole.or(blamed_here), out);
        }
        if let Some((job, _, index)) = blamed {
            self.cut_short(job, index, |attempts| Fault::Died { death, attempts }, out);
        }
        // A worker may be retired as soon as it has been sent its share: it still has to answer that.
        let expected = match worker.ending {
            None => false,
            Some(Ending::Retired) => worker.messages.is_empty() || self.stage >= Stage::Retiring,
            Some(Ending::Killed) => true,
        };
        if !worker.answered && running.is_none() && !expected {
            let killed = matches!(death, Death::Signal { number: SIGKILL, out_of_memory: false });
            let unprovoked = worker.ready && worker.messages.is_empty();
            // A ready one that somebody kills says nothing about starts, however often it happens.
            if !(killed && worker.ready) {
                self.start_failed(Some(death), killed || unprovoked, worker.ready, out);
            }
        }
    }

    /// A message was lost, and its worker has gone on. With one item in it, that is the one at fault. Of several, each
    /// half is sent again by itself: the one at fault is found in as many steps as halvings, and costs no other its turn.
    pub(super) fn on_gone(
        &mut self,
        worker_id: WorkerId,
        message_id: MessageId,
        death: Death,
        out: &mut Vec<Instruction>,
    ) {
        let Some(worker) = self.workers.get_mut(&worker_id) else { return };
        let Some(position) = worker.position(message_id) else { return };
        // It has no hole: only messages of workers that the engine itself has killed have one.
        let Some(message) = worker.messages.remove(position) else { return };
        self.stealing -= usize::from(message.recall == Some(Recall::Steal));
        if let Some(job) = self.jobs.get_mut(&message.job) {
            job.messages.remove(&message_id);
            let items = job.needed(message.items());
            match items.end - items.start {
                0 => self.touch(message.job),
                1 => {
                    self.cut_short(message.job, items.start, |attempts| Fault::Died { death, attempts }, out)
                }
                count => {
                    job.outstanding -= count;
                    let middle = items.start + count / 2;
                    // The last is sent first.
                    job.suspects.push(middle..items.end);
                    job.suspects.push(items.start..middle);
                    self.rotate_in(message.job);
                }
            }
        }
        self.watch(worker_id);
        self.file(worker_id);
    }

    /// Takes the worker out of everything but its jobs.
    fn forget_worker(&mut self, id: WorkerId) -> Option<Worker> {
        self.set_due(id, None);
        self.refile(id, Filed::default());
        let worker = self.workers.remove(&id)?;
        self.stealing -= worker.messages.iter().filter(|m| m.recall == Some(Recall::Steal)).count();
        Some(worker)
    }

    /// A worker ended before its first item. Without work, no other is tried, unless this one did get ready: a pool
    /// keeps its size, but not by trying for ever what nobody waits for.
    fn start_failed(
        &mut self,
        death: Option<Death>,
        patient: bool,
        was_ready: bool,
        out: &mut Vec<Instruction>,
    ) {
        let (count, limit) = if patient {
            (&mut self.failures.theirs, self.settings.killed_starts)
        } else {
            (&mut self.failures.ours, self.settings.failed_starts)
        };
        *count += 1;
        if *count >= limit && !self.broken {
            self.break_down(death, out);
        } else if self.jobs.is_empty() && !was_ready {
            self.failures.on_hold = true;
        }
    }

    /// Gives up: ends every job and every worker.
    pub(super) fn break_down(&mut self, death: Option<Death>, out: &mut Vec<Instruction>) {
        self.broken = true;
        let jobs: Vec<_> = self.jobs.keys().copied().collect();
        for job in jobs {
            self.end_job(job, Outcome::Broken, out);
        }
        out.push(Instruction::Broken { death });
        let workers: Vec<_> = self.workers.keys().copied().collect();
        for worker in workers {
            self.end_worker(worker, Ending::Killed, out);
        }
    }
}
