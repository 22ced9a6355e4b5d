//! Who is sent what next.
//!
//! Work goes first to workers with nothing to do; then every worker gets its next message while it works on this one,
//! so that none waits for the engine between two messages. How much goes into a message: [`Job::next_size`].
//!
//! [`Job::next_size`]: crate::job::Job::next_size

use super::Engine;
use crate::worker::{Class, Ending, Message};
use crate::{Instruction, JobId, WorkerId};

impl Engine {
    /// Sends while there is something to send and somebody who can be sent it. Jobs take turns.
    pub(super) fn dispatch(&mut self, out: &mut Vec<Instruction>) {
        while let Some(&(turn, job)) = self.rotation.first() {
            let Some(worker) = self.next_place() else { return };
            self.rotation.remove(&(turn, job));
            if let Some(job) = self.jobs.get_mut(&job) {
                job.turn = None;
            }
            self.send(worker, job, out);
            self.rotate_in(job);
        }
    }

    /// The worker that is sent the next message.
    pub(super) fn next_place(&self) -> Option<WorkerId> {
        let found = if self.busy < self.abreast {
            self.places.first()
        } else {
            self.places.range((Class::Busy, 0, WorkerId(0))..).next()
        };
        found.map(|&(_, _, worker)| worker)
    }

    /// Sends the worker the job's next message.
    fn send(&mut self, worker_id: WorkerId, job_id: JobId, out: &mut Vec<Instruction>) {
        let id = self.new_message();
        let (Some(worker), Some(job)) = (self.workers.get_mut(&worker_id), self.jobs.get_mut(&job_id)) else {
            return;
        };
        let chunk = job.options.chunk.unwrap_or(1).max(1);
        let affordable = worker.tasks_left.map_or(u64::MAX, |tasks| tasks.saturating_mul(chunk));
        let mut size = job.next_size(&self.settings);
        if worker.tasks_left.is_some() {
            // A part of a chunk would count for a whole one.
            size = size.next_multiple_of(chunk);
        }
        let size = size.min(affordable);
        let Some(items) = job.take_unsent(size) else { return };
        let message = Message {
            id,
            job: job_id,
            first: items.start,
            next: items.start,
            end: items.end,
            hole: None,
            cost: job.estimate.per_item(),
            timeout: job.options.timeout,
            chunk,
            recall: None,
            barren: false,
            moves: job.moves.get(&items.start).copied().unwrap_or(0),
            drop_next: false,
            kill: false,
        };
        job.outstanding += items.end - items.start;
        job.messages.insert(id, worker_id);
        if let Some(left) = &mut worker.tasks_left {
            *left -= message.tasks();
        }
        let spent = worker.tasks_left == Some(0);
        if worker.messages.is_empty() {
            worker.since = self.now;
        }
        worker.messages.push_back(message);
        let count = items.end - items.start;
        out.push(Instruction::Send {
            worker: worker_id,
            message: id,
            job: job_id,
            first: items.start,
            count,
        });
        self.watch(worker_id);
        if spent {
            self.end_worker(worker_id, Ending::Retired, out);
        }
        self.file(worker_id);
    }
}
