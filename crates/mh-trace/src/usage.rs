//! How busy the workers were: what each did with its time, from the first item given to the last answer taken.

use crate::event::{Nanos, Worker};
use crate::trace::Trace;

/// What one worker did. The stretches add up to the length of the whole.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerUsage {
    pub worker: Worker,
    pub tasks: u64,
    /// The function ran.
    pub run: Nanos,
    /// Messages were read, arguments rebuilt, answers pickled.
    pub transfer: Nanos,
    /// An item was there, and not begun yet.
    pub dispatch: Nanos,
    /// Before it was sent anything: it may have been starting.
    pub start: Nanos,
    /// Between two messages: it had nothing to do.
    pub idle: Nanos,
    /// After its last item, while others were still busy.
    pub end: Nanos,
    /// What its threads computed while it ran items; only the calling thread of each item is counted.
    pub cpu: Nanos,
}

/// What all of them did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    pub from: Nanos,
    pub to: Nanos,
    pub workers: Vec<WorkerUsage>,
}

impl Usage {
    /// The share of all workers' time in which functions ran, from 0 to 1.
    pub fn utilisation(&self) -> f64 {
        let whole = (self.to - self.from) as f64 * self.workers.len() as f64;
        let run: Nanos = self.workers.iter().map(|worker| worker.run).sum();
        if whole > 0.0 { run as f64 / whole } else { 0.0 }
    }
}

/// What the workers of a trace did.
pub fn usage(trace: &Trace) -> Usage {
    let from = trace.tasks.iter().map(|task| task.queued).min().unwrap_or(trace.began);
    let to = trace.tasks.iter().map(|task| task.taken).max().unwrap_or(from);
    let fresh = |worker: &Worker| WorkerUsage {
        worker: *worker,
        tasks: 0,
        run: 0,
        transfer: 0,
        dispatch: 0,
        start: to - from,
        idle: 0,
        end: 0,
        cpu: 0,
    };
    let mut workers: Vec<WorkerUsage> = trace.workers.iter().map(fresh).collect();
    let mut done: Vec<Option<Nanos>> = vec![None; workers.len()];
    for task in &trace.tasks {
        let found = &mut workers[task.worker];
        found.tasks += task.count;
        found.cpu += task.cpu;
        // Of tasks that overlap on one worker (a plain loop within a task, say) no moment counts twice.
        let already = done[task.worker].unwrap_or(from);
        let after = |at: Nanos| at.max(already);
        found.run += after(task.returned) - after(task.called);
        found.transfer += (after(task.arrived) - after(task.turned))
            + (after(task.called) - after(task.begun))
            + (after(task.ended) - after(task.returned));
        found.dispatch += after(task.begun) - after(task.arrived);
        match done[task.worker] {
            None => found.start = task.turned - from,
            Some(before) => found.idle += task.turned.saturating_sub(before),
        }
        done[task.worker] = Some(after(task.ended));
    }
    for (found, done) in workers.iter_mut().zip(done) {
        found.end = done.map_or(0, |done| to - done);
    }
    Usage { from, to, workers }
}

#[cfg(test)]
mod tests;
