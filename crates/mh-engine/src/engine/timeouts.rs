//! Items that may run only so long, and the one timer that the engine asks for.
//!
//! The engine does not know when an item begins: the worker's own page does. So it looks, at most once per timeout: an
//! item that was running then is due a timeout after it began, and one that begins later is due no earlier than a
//! timeout after the look. A look costs nothing to the worker, and items much shorter than the timeout are never seen.

use super::Engine;
use crate::worker::Ending;
use crate::{Fault, Index, Instruction, MessageId, Nanos, WorkerId};

impl Engine {
    /// Sets when to look at the worker, by what it holds now: no later than the shortest timeout from now.
    pub(super) fn watch(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id) else { return };
        let due = match worker.least_timeout().filter(|_| !worker.killed()) {
            Some(_) if worker.looking => None,
            Some(timeout) => {
                let latest = self.now.saturating_add(timeout);
                Some(worker.due.map_or(latest, |due| due.min(latest)))
            }
            None => None,
        };
        self.set_due(id, due);
    }

    pub(super) fn set_due(&mut self, id: WorkerId, due: Option<Nanos>) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let before = std::mem::replace(&mut worker.due, due);
        if before == due {
            return;
        }
        if let Some(before) = before {
            self.deadlines.remove(&(before, id));
        }
        if let Some(due) = due {
            self.deadlines.insert((due, id));
        }
    }

    /// Looks at every worker that is due.
    pub(super) fn look_at_due(&mut self, out: &mut Vec<Instruction>) {
        while let Some(&(due, id)) = self.deadlines.first() {
            if due > self.now {
                return;
            }
            self.set_due(id, None);
            if let Some(worker) = self.workers.get_mut(&id) {
                worker.looking = true;
                out.push(Instruction::Look { worker: id });
            }
        }
    }

    /// What the worker is running: out of time, or due a timeout after it began.
    pub(super) fn on_running(
        &mut self,
        id: WorkerId,
        item: Option<(MessageId, Index, Nanos)>,
        out: &mut Vec<Instruction>,
    ) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.looking = false;
        if worker.killed() {
            return;
        }
        self.watch(id);
        if self.kill_withdrawn(id, item.map(|(message, index, _)| (message, index)), out) {
            return;
        }
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let Some((message, index, since)) = item else { return };
        let Some(position) = worker.position(message) else { return };
        let message = &mut worker.messages[position];
        let Some(timeout) = message.timeout.filter(|_| message.items().contains(&index)) else { return };
        let after = self.now.saturating_sub(since);
        if after < timeout {
            let due = since.saturating_add(timeout);
            let due = worker.due.map_or(due, |watched| watched.min(due));
            self.set_due(id, Some(due));
            return;
        }
        message.hole = Some(index);
        let job = message.job;
        self.end_worker(id, Ending::Killed, out);
        self.cut_short(job, index, |attempts| Fault::TimedOut { after, attempts }, out);
    }

    /// Asks for a tick at the next time at which something is to be done, unless one comes no later anyway.
    pub(super) fn ask_for_tick(&mut self, out: &mut Vec<Instruction>) {
        let deadline = self.deadlines.first().map(|&(due, _)| due);
        let Some(time) = deadline.into_iter().chain(self.next_victim_at()).min() else { return };
        if self.wake.is_none_or(|wake| time < wake) {
            self.wake = Some(time);
            out.push(Instruction::WakeAt { time });
        }
    }
}
