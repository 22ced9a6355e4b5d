//! How jobs and workers end.
//!
//! A job that ends leaves nothing here but messages at workers: those are recalled, and what cannot be recalled keeps
//! its worker busy until it is done. A worker is ended by `Retire` or `Kill` and stays known until it has died.

use super::{Engine, Stage};
use crate::worker::{Ending, Recall};
use crate::{Index, Instruction, JobId, MessageId, Outcome, WorkerId};

impl Engine {
    /// Ends those of the touched jobs that wait for nothing any more.
    pub(super) fn finish_touched(&mut self, out: &mut Vec<Instruction>) {
        for i in 0..self.touched.len() {
            let id = self.touched[i];
            let Some(job) = self.jobs.get(&id) else { continue };
            if job.is_over() {
                let outcome =
                    if job.failed() { Outcome::Failed { index: job.limit } } else { Outcome::Complete };
                self.end_job(id, outcome, out);
            }
        }
    }

    /// The job ends now. Its messages, if there are any, are nobody's work from here on.
    pub(super) fn end_job(&mut self, id: JobId, outcome: Outcome, out: &mut Vec<Instruction>) {
        let Some(job) = self.jobs.remove(&id) else { return };
        if let Some(turn) = job.turn {
            self.rotation.remove(&(turn, id));
        }
        for worker in job.messages.into_values() {
            self.file(worker);
        }
        out.push(Instruction::Finished { job: id, outcome });
    }

    /// The caller does not want the job any more.
    pub(super) fn cancel(&mut self, id: JobId, kill: bool, out: &mut Vec<Instruction>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let messages = std::mem::take(&mut job.messages);
        // The job goes first, so that all its items count as unneeded; the caller is told last.
        let mut finished = Vec::new();
        self.end_job(id, Outcome::Cancelled, &mut finished);
        for (message, worker_id) in messages {
            let Some(worker) = self.workers.get_mut(&worker_id) else { continue };
            let Some(position) = worker.position(message) else { continue };
            worker.messages[position].kill = kill;
            if kill && worker.ready && position == 0 {
                self.end_worker(worker_id, Ending::Killed, out);
            } else {
                self.drop_unneeded(worker_id, message, out);
            }
        }
        out.append(&mut finished);
    }

    /// Recalls what nobody needs of the message (and what stands behind something that was withdrawn), now or when the recall under way has been answered.
    pub(super) fn drop_unneeded(
        &mut self,
        worker_id: WorkerId,
        message: MessageId,
        out: &mut Vec<Instruction>,
    ) {
        let Some(worker) = self.workers.get_mut(&worker_id) else { return };
        let killed = worker.killed();
        let Some(position) = worker.position(message) else { return };
        let message = &mut worker.messages[position];
        let job = self.jobs.get(&message.job);
        let withdrawn = job.and_then(|job| job.withdrawn.range(message.items()).next());
        let withdrawn = withdrawn.map_or(Index::MAX, |(&index, _)| index);
        // What a killed worker has not begun comes back with its death; only who withdraws something asks now.
        let limit = if killed { Index::MAX } else { job.map_or(0, |job| job.limit) };
        let most = message.end.saturating_sub(message.next.max(limit.min(withdrawn)));
        if most > 0 && message.recall.is_some() {
            message.drop_next = true;
        } else if most > 0 {
            message.recall = Some(Recall::Drop);
            out.push(Instruction::Recall { worker: worker_id, message: message.id, most, all: true });
        }
        self.file(worker_id);
    }

    /// Ends the worker, or says more strongly that it is to end. One that has not started yet is told when it has.
    pub(super) fn end_worker(&mut self, id: WorkerId, ending: Ending, out: &mut Vec<Instruction>) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        if worker.ending >= Some(ending) {
            return;
        }
        worker.ending = Some(ending);
        if worker.started {
            out.push(farewell(id, ending));
        }
        self.watch(id);
        self.file(id);
    }

    /// After `Drain`, retires the workers when the last job has ended, and says so when the last worker is gone.
    pub(super) fn retire_all(&mut self, out: &mut Vec<Instruction>) {
        if self.stage == Stage::Draining && self.jobs.is_empty() {
            self.stage = Stage::Retiring;
            let workers: Vec<_> = self.workers.keys().copied().collect();
            for worker in workers {
                self.end_worker(worker, Ending::Retired, out);
            }
        }
        if self.stage == Stage::Retiring && self.workers.is_empty() {
            self.stage = Stage::Drained;
            out.push(Instruction::Drained);
        }
    }
}

/// The instruction that ends a worker.
pub(super) fn farewell(worker: WorkerId, ending: Ending) -> Instruction {
    match ending {
        Ending::Retired => Instruction::Retire { worker },
        Ending::Killed => Instruction::Kill { worker },
    }
}
