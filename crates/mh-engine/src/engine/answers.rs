//! What becomes of an item: answered, failed, lost, or given back to be sent again.

use std::ops::Range;

use super::Engine;
use crate::worker::Recall;
use crate::{Fault, Index, Instruction, JobId, MessageId, Nanos, OnError, WorkerId};

impl Engine {
    /// Takes the answers to a message's next items.
    pub(super) fn on_done(
        &mut self,
        worker_id: WorkerId,
        message_id: MessageId,
        count: u64,
        failed: &[Index],
        busy: Nanos,
        out: &mut Vec<Instruction>,
    ) {
        let Some(worker) = self.workers.get_mut(&worker_id) else { return };
        let Some(position) = worker.position(message_id) else { return };
        let message = &mut worker.messages[position];
        let count = count.min(message.end - message.next);
        if count == 0 {
            return;
        }
        let items = message.next..message.next + count;
        let (job_id, hole) = (message.job, message.hole);
        message.next = items.end;
        message.barren = false;
        if message.is_empty() {
            self.stealing -= usize::from(message.recall == Some(Recall::Steal));
            worker.messages.remove(position);
            if let Some(job) = self.jobs.get_mut(&job_id) {
                job.messages.remove(&message_id);
            }
        }
        worker.answered = true;
        worker.suspect = false;
        worker.since = self.now;
        self.failures.forget();
        if let Some(job) = self.jobs.get_mut(&job_id) {
            job.estimate.add(count, busy);
            if !job.moves.is_empty() {
                job.moves.retain(|index, _| !items.contains(index));
            }
        }
        self.accept(job_id, items, hole, failed, out);
        self.watch(worker_id);
        self.file(worker_id);
    }

    /// Keeps those of the answers that are needed, up to the first failure that ends the job.
    fn accept(
        &mut self,
        id: JobId,
        items: Range<Index>,
        hole: Option<Index>,
        failed: &[Index],
        out: &mut Vec<Instruction>,
    ) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let mut items = job.needed(items);
        let pieces = around(items.clone(), hole);
        job.outstanding -= pieces.iter().map(|piece| piece.end - piece.start).sum::<u64>();
        let failure = match job.options.on_error {
            OnError::Return => None,
            OnError::Raise => failed.iter().copied().filter(|&i| items.contains(&i) && hole != Some(i)).min(),
        };
        if let Some(index) = failure {
            items.end = index + 1;
        }
        for piece in around(items, hole) {
            if !piece.is_empty() {
                let (first, count) = (piece.start, piece.end - piece.start);
                out.push(Instruction::Accept { job: id, first, count });
                job.end(piece);
            }
        }
        self.touch(id);
        if let Some(index) = failure {
            self.fail(id, index, out);
        }
    }

    /// The job ends with this failing item, unless one below it fails too: what is above is dropped.
    fn fail(&mut self, id: JobId, index: Index, out: &mut Vec<Instruction>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.limit = index;
        job.returned.truncate(index);
        job.suspects.iter_mut().for_each(|part| part.end = part.end.min(index));
        job.suspects.retain(|part| !part.is_empty());
        job.attempts.split_off(&index);
        job.withdrawn.split_off(&index);
        job.outstanding = 0;
        let messages: Vec<_> = job.messages.iter().map(|(&message, &worker)| (message, worker)).collect();
        for &(message, worker) in &messages {
            let Some(worker) = self.workers.get(&worker) else { continue };
            if let Some(position) = worker.position(message) {
                let message = &worker.messages[position];
                let pieces = around(job.needed(message.items()), message.hole);
                job.outstanding += pieces.iter().map(|piece| piece.end - piece.start).sum::<u64>();
            }
        }
        for (message, worker) in messages {
            self.drop_unneeded(worker, message, out);
        }
        self.rotate_in(id);
    }

    /// An item that was outstanding has been cut short: it is tried again, or the fault is its answer.
    pub(super) fn cut_short(
        &mut self,
        id: JobId,
        index: Index,
        fault: impl FnOnce(u32) -> Fault,
        out: &mut Vec<Instruction>,
    ) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if index >= job.limit {
            return;
        }
        job.outstanding -= 1;
        if job.withdrawn.contains_key(&index) {
            self.end_withdrawn(id, index, out);
            return;
        }
        let (attempts, again) = job.attempt(index);
        if again {
            if self.settings.recall {
                job.returned.insert(index..index + 1);
            } else {
                job.suspects.push(index..index + 1); // by itself, lest others are lost with it
            }
            self.rotate_in(id);
            return;
        }
        out.push(Instruction::Lost { job: id, index, fault: fault(attempts) });
        job.end(index..index + 1);
        let ends_the_job = job.options.on_error == OnError::Raise;
        self.touch(id);
        if ends_the_job {
            self.fail(id, index, out);
        }
    }

    /// Items that were outstanding and will not be answered (but for the hole) are to be sent again.
    pub(super) fn give_back(
        &mut self,
        id: JobId,
        items: Range<Index>,
        hole: Option<Index>,
        out: &mut Vec<Instruction>,
    ) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let mut withdrawn = Vec::new();
        for piece in around(job.needed(items), hole) {
            job.outstanding -= piece.end - piece.start;
            let mut start = piece.start;
            for (&index, _) in job.withdrawn.range(piece.clone()) {
                job.returned.insert(start..index);
                withdrawn.push(index);
                start = index + 1;
            }
            job.returned.insert(start..piece.end);
        }
        self.rotate_in(id);
        for index in withdrawn {
            self.end_withdrawn(id, index, out);
        }
    }
}

/// The items before and after the hole (all of them, and none, if it does not lie among them).
fn around(items: Range<Index>, hole: Option<Index>) -> [Range<Index>; 2] {
    match hole {
        Some(hole) if items.contains(&hole) => [items.start..hole, hole + 1..items.end],
        _ => [items.clone(), items.end..items.end],
    }
}
