//! One item that the caller no longer wants.
//!
//! Unsent, it ends at once. At a worker it is recalled, with what stands behind it in its message (which goes out again);
//! the recall tells whether it has begun. One that has begun ends as if nothing had been asked, unless it is to be
//! killed: then a look tells whether it is what the worker is running, and not one that is done and whose answer is on its
//! way. Until it is known, it stands in `Job::withdrawn`; should it come back in any other way, by a death say, it ends, too.

use super::Engine;
use crate::worker::Ending;
use crate::{Fault, Index, Instruction, JobId, MessageId, WorkerId};

impl Engine {
    pub(super) fn withdraw(&mut self, id: JobId, index: Index, kill: bool, out: &mut Vec<Instruction>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if index >= job.fed.min(job.limit) {
            return;
        }
        if job.take_out(index) {
            return self.end_withdrawn(id, index, out);
        }
        let workers = &self.workers;
        let holds = |message: &MessageId, worker: &WorkerId| {
            let Some(worker) = workers.get(worker) else { return false };
            let Some(position) = worker.position(*message) else { return false };
            let message = &worker.messages[position];
            message.items().contains(&index) && message.hole != Some(index)
        };
        let found = job.messages.iter().find(|(message, worker)| holds(message, worker));
        let Some((&message, &worker)) = found else { return };
        *job.withdrawn.entry(index).or_insert(false) |= kill;
        self.drop_unneeded(worker, message, out);
    }

    /// A withdrawn item that no worker holds has ended.
    pub(super) fn end_withdrawn(&mut self, id: JobId, index: Index, out: &mut Vec<Instruction>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.moves.remove(&index);
        job.end(index..index + 1);
        out.push(Instruction::Lost { job: id, index, fault: Fault::Cancelled });
        self.rotate_in(id);
    }

    /// A recall has brought all that it could: withdrawn items that the message still has were begun.
    pub(super) fn look_for_withdrawn(
        &mut self,
        id: WorkerId,
        message: MessageId,
        out: &mut Vec<Instruction>,
    ) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let Some(position) = worker.position(message) else { return };
        let message = &worker.messages[position];
        let Some(job) = self.jobs.get_mut(&message.job) else { return };
        // What a killed worker is running comes back with its death.
        let undecided = worker.killed();
        let mut look = false;
        job.withdrawn.retain(|index, kill| {
            look |= *kill && message.items().contains(index);
            *kill || undecided || !message.items().contains(index)
        });
        if look && !undecided && !worker.looking {
            worker.looking = true;
            out.push(Instruction::Look { worker: id });
            self.set_due(id, None);
        }
    }

    /// The worker is killed if it runs an item that is to be (`true`). Other items of its that were to be are done.
    pub(super) fn kill_withdrawn(
        &mut self,
        id: WorkerId,
        running: Option<(MessageId, Index)>,
        out: &mut Vec<Instruction>,
    ) -> bool {
        let Some(worker) = self.workers.get_mut(&id) else { return false };
        for message in &mut worker.messages {
            let Some(job) = self.jobs.get_mut(&message.job) else { continue };
            if job.withdrawn.is_empty() || message.recall.is_some() {
                continue;
            }
            let is_running = |index: Index| running == Some((message.id, index));
            let doomed =
                job.withdrawn.range(message.items()).find(|(index, kill)| **kill && is_running(**index));
            if let Some((&index, _)) = doomed {
                let job = message.job;
                message.hole = Some(index);
                self.end_worker(id, Ending::Killed, out);
                self.cut_short(job, index, |_| Fault::Cancelled, out);
                return true;
            }
            let items = message.items();
            job.withdrawn.retain(|index, _| !items.contains(index));
        }
        false
    }
}
