//! Events → trace: which message brought a task, when its items were given and its answers taken.

use std::collections::{BTreeMap, HashMap};

use crate::event::{Event, JobKey, Nanos, Run, Worker};
use crate::trace::{Caller, Ending, Job, Kernel, Task, Trace};

/// Stretches of indices, each with something; where they overlap, the later one counts.
#[derive(Default)]
struct Stretches<T>(BTreeMap<u64, Vec<(u64, T)>>);

impl<T> Stretches<T> {
    fn add(&mut self, first: u64, count: u64, value: T) {
        self.0.entry(first).or_default().push((count, value));
    }

    /// The latest for which `fits` holds.
    fn find(&self, index: u64, fits: impl Fn(&T) -> bool) -> Option<&T> {
        // Items that were taken back go out again in stretches of their own, so that an earlier, longer one may lie behind
        // several short ones.
        for (first, found) in self.0.range(..=index).rev().take(64) {
            let covers = |(count, value): &&(u64, T)| index - first < *count && fits(value);
            if let Some((_, value)) = found.iter().rev().find(covers) {
                return Some(value);
            }
        }
        None
    }
}

/// One message.
#[derive(Default)]
struct Message {
    at: Nanos,
    /// Bytes of shared memory by index.
    shared: Vec<(u64, u64)>,
}

#[derive(Default)]
struct OneJob {
    name: Option<String>,
    names: HashMap<u64, String>,
    fed: Stretches<Nanos>,
    taken: Stretches<Nanos>,
    items: u64,
    began: Option<Nanos>,
    ended: Nanos,
}

impl Trace {
    /// What happened from `began` to `ended` in the process `pid`.
    pub fn assemble(pid: u32, began: Nanos, ended: Nanos, events: Vec<Event>) -> Trace {
        let mut jobs: BTreeMap<JobKey, OneJob> = BTreeMap::new();
        let mut messages: HashMap<(JobKey, Worker), Stretches<Message>> = HashMap::new();
        let mut runs: Vec<(JobKey, Worker, Run, Nanos, Ending)> = Vec::new();
        let (mut callers, mut kernels) = (Vec::new(), Vec::new());
        let mut ready: HashMap<Worker, Nanos> = HashMap::new();
        for event in events {
            match event {
                Event::Ready { worker, at } => drop(ready.insert(worker, at)),
                Event::Fed { job, first, count, at } => {
                    let found = jobs.entry(job).or_default();
                    found.fed.add(first, count, at);
                    found.items += count;
                    found.began.get_or_insert(at);
                }
                Event::Named { job, index: None, text } => jobs.entry(job).or_default().name = Some(text),
                Event::Named { job, index: Some(index), text } => {
                    jobs.entry(job).or_default().names.insert(index, text);
                }
                Event::Sent { job, worker, first, count, shared, at, .. } => {
                    let message = Message { at, shared };
                    messages.entry((job, worker)).or_default().add(first, count, message);
                }
                Event::Ran { job, worker, runs: noted, at } => {
                    runs.extend(noted.into_iter().map(|run| {
                        let ending = if run.failed { Ending::Failed } else { Ending::Done };
                        (job, worker, run, at, ending)
                    }));
                }
                Event::Lost { job, index, worker: Some((worker, begun)), at } => {
                    let begun = begun.min(at);
                    runs.push((job, worker, Run::one(index, begun, at, 0, true), at, Ending::Lost));
                }
                // It was never begun: there is no row on which it could be shown.
                Event::Lost { worker: None, .. } => {}
                Event::Taken { job, first, count, at } => {
                    let found = jobs.entry(job).or_default();
                    found.taken.add(first, count, at);
                    found.ended = found.ended.max(at);
                }
                Event::Spent { job, activity, thread, from, to, items } => {
                    callers.push(Caller { job, activity, thread, from, to: to.max(from), items });
                }
                Event::Kernel { name, thread, from, to, threads, blocks, stints } => {
                    kernels.push(Kernel { name, thread, from, to: to.max(from), threads, blocks, stints });
                }
            }
        }
        let mut workers: Vec<Worker> = runs.iter().map(|run| run.1).collect();
        workers.extend(messages.keys().map(|(_, worker)| *worker));
        workers.sort_unstable();
        workers.dedup();
        runs.sort_by_key(|run| run.2.begun);
        // How far each worker had come.
        let mut done: Vec<Nanos> =
            workers.iter().map(|worker| ready.get(worker).copied().unwrap_or_default()).collect();
        let mut tasks = Vec::with_capacity(runs.len());
        for (key, worker, run, received, ending) in runs {
            let place = workers.binary_search(&worker).unwrap_or_default();
            let message = messages
                .get(&(key, worker))
                .and_then(|found| found.find(run.first, |message| message.at <= run.begun));
            let job = jobs.entry(key).or_default();
            let sent = message.map_or(run.arrived, |message| message.at);
            let queued = job.fed.find(run.first, |at| *at <= run.begun).copied().unwrap_or(sent).min(sent);
            let turned = sent.max(done[place]).min(run.begun);
            let arrived = run.arrived.clamp(turned, run.begun);
            done[place] = done[place].max(run.ended);
            let called = run.called.max(run.begun);
            let returned = run.returned.max(called);
            let ended = run.ended.max(returned);
            let received = received.max(ended);
            // Of several, the last.
            let taken = job.taken.find(run.first.saturating_add(run.count.max(1) - 1), |at| *at >= ended);
            let taken = taken.copied().unwrap_or(received).max(received);
            job.began = Some(job.began.map_or(queued, |at| at.min(queued)));
            job.ended = job.ended.max(received);
            let indices = run.first..run.first.saturating_add(run.count);
            let shared = message.map_or(0, |message| {
                message
                    .shared
                    .iter()
                    .filter(|(index, _)| indices.contains(index))
                    .map(|(_, bytes)| bytes)
                    .sum()
            });
            tasks.push(Task {
                job: key,
                name: job.names.get(&run.first).cloned(),
                first: run.first,
                count: run.count,
                worker: place,
                queued,
                sent,
                turned,
                arrived,
                begun: run.begun,
                called,
                returned,
                ended,
                received,
                taken,
                cpu: run.cpu,
                bytes_in: run.bytes_in.saturating_add(shared),
                bytes_out: run.bytes_out,
                ending,
            });
        }
        let jobs = jobs
            .into_iter()
            .map(|(key, job)| Job {
                key,
                name: job.name.unwrap_or_else(|| "item".into()),
                items: job.items,
                began: job.began.unwrap_or(began),
                ended: job.ended,
            })
            .collect();
        Trace { began, ended, pid, workers, jobs, tasks, callers, kernels, memory: Vec::new(), dropped: 0 }
    }
}

#[cfg(test)]
mod tests;
