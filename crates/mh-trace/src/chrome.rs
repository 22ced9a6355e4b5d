//! The format that Perfetto and `chrome://tracing` open: JSON of the Trace Event Format
//! (<https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>).
//!
//! Each worker is a row. On it each task is a slice, and in it three: its arguments come, the function runs, its answer goes.
//! What a task waited for (to be sent, behind others, on its way back) overlaps with what its worker did meanwhile, so these
//! are asynchronous slices, which viewers put in rows of their own. The caller's threads have a row each, and so
//! have those that help with compiled loops.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::event::{Activity, Kind, Nanos, Worker};
use crate::trace::{Ending, Task, Trace};

/// Slices shorter than this (nanoseconds) are left out within a task: a viewer shows nothing of them.
const SHORTEST: Nanos = 100;

/// Writes the trace. Times are in microseconds from its beginning.
pub fn chrome(trace: &Trace, out: &mut impl Write) -> io::Result<()> {
    let mut writer = Writer { out, trace, first: true };
    writer.out.write_all(b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n")?;
    writer.rows()?;
    for (number, task) in trace.tasks.iter().enumerate() {
        writer.task(number, task)?;
    }
    writer.callers()?;
    for sample in &trace.memory {
        let of_each: serde_json::Map<String, Value> = sample
            .processes
            .iter()
            .map(|process| (format!("{} {}", process.name, process.pid), json!(process.pss)))
            .collect();
        let ts = writer.since(sample.at);
        let event = json!({"name": "memory (PSS)", "ph": "C", "ts": ts, "pid": trace.pid, "args": of_each});
        writer.event(&event)?;
    }
    let other = json!({"began_monotonic_ns": trace.began, "events_not_kept": trace.dropped});
    write!(writer.out, "\n],\"otherData\":{other}}}")
}

/// A worker's row: (process, thread).
fn row(worker: &Worker) -> (u32, u64) {
    match worker.kind {
        Kind::Process => (worker.pid, u64::from(worker.pid)),
        // Threads of several pools have the same numbers; those of the system are far below.
        Kind::Thread | Kind::Elsewhere => (worker.pid, worker.pool << 32 | worker.id),
        Kind::Caller => (worker.pid, worker.id),
    }
}

struct Writer<'a, W: Write> {
    out: &'a mut W,
    trace: &'a Trace,
    first: bool,
}

impl<W: Write> Writer<'_, W> {
    fn since(&self, at: Nanos) -> f64 {
        // What was under way when the trace began lies before zero.
        (at as i128 - self.trace.began as i128) as f64 / 1e3
    }

    fn event(&mut self, event: &Value) -> io::Result<()> {
        if !std::mem::take(&mut self.first) {
            self.out.write_all(b",\n")?;
        }
        serde_json::to_writer(&mut *self.out, event)?;
        Ok(())
    }

    fn metadata(&mut self, what: &str, pid: u32, tid: u64, args: &Value) -> io::Result<()> {
        self.event(&json!({"name": what, "ph": "M", "pid": pid, "tid": tid, "args": args}))
    }

    fn rows(&mut self) -> io::Result<()> {
        let trace = self.trace;
        self.metadata("process_name", trace.pid, 0, &json!({"name": "caller"}))?;
        self.metadata("process_sort_index", trace.pid, 0, &json!({"sort_index": -1}))?;
        for (place, worker) in trace.workers.iter().enumerate() {
            let ((pid, tid), name) = (row(worker), worker.label());
            if pid != trace.pid {
                self.metadata("process_name", pid, tid, &json!({"name": name}))?;
                self.metadata("process_sort_index", pid, tid, &json!({"sort_index": place}))?;
            }
            self.metadata("thread_name", pid, tid, &json!({"name": name}))?;
            self.metadata("thread_sort_index", pid, tid, &json!({"sort_index": place + 1}))?;
        }
        let mut threads: Vec<u64> = trace.callers.iter().map(|caller| caller.thread).collect();
        threads.extend(trace.kernels.iter().map(|kernel| kernel.thread));
        threads.sort_unstable();
        threads.dedup();
        for thread in &threads {
            self.metadata("thread_name", trace.pid, *thread, &json!({"name": "caller"}))?;
            self.metadata("thread_sort_index", trace.pid, *thread, &json!({"sort_index": 0}))?;
        }
        let stints = trace.kernels.iter().flat_map(|kernel| &kernel.stints);
        let helpers: BTreeSet<u64> = stints.map(|stint| stint.thread).collect();
        for helper in helpers.into_iter().filter(|helper| threads.binary_search(helper).is_err()) {
            self.metadata("thread_name", trace.pid, helper, &json!({"name": "compiled loops"}))?;
            self.metadata("thread_sort_index", trace.pid, helper, &json!({"sort_index": 0}))?;
        }
        Ok(())
    }

    /// A slice that lies on a row.
    #[allow(clippy::too_many_arguments)] // The fields of one event.
    fn slice(
        &mut self,
        name: &str,
        cat: &str,
        pid: u32,
        tid: u64,
        from: Nanos,
        to: Nanos,
        args: Value,
    ) -> io::Result<()> {
        let (ts, dur) = (self.since(from), (to - from) as f64 / 1e3);
        self.event(&json!({
            "name": name, "cat": cat, "ph": "X", "ts": ts, "dur": dur, "pid": pid, "tid": tid, "args": args,
        }))
    }

    /// One that may overlap with others.
    fn beside(&mut self, name: &str, worker: &Worker, id: usize, from: Nanos, to: Nanos) -> io::Result<()> {
        if to - from < SHORTEST {
            return Ok(());
        }
        let (pid, tid) = row(worker);
        let id = format!("{id:x}");
        for (ph, at) in [("b", from), ("e", to)] {
            let ts = self.since(at);
            self.event(&json!({
                "name": name, "cat": name, "ph": ph, "id": id, "ts": ts, "pid": pid, "tid": tid,
            }))?;
        }
        Ok(())
    }

    fn task(&mut self, number: usize, task: &Task) -> io::Result<()> {
        let worker = self.trace.workers[task.worker];
        let (pid, tid) = row(&worker);
        let called = self.trace.name(task);
        let mut args = json!({
            "job": task.job.job,
            "item": task.first,
            "items": task.count,
            "cpu_us": task.cpu as f64 / 1e3,
            "bytes_in": task.bytes_in,
            "bytes_out": task.bytes_out,
            "queue_us": task.queue() as f64 / 1e3,
            "behind_us": task.behind() as f64 / 1e3,
            "transfer_us": task.transfer() as f64 / 1e3,
            "run_us": task.run() as f64 / 1e3,
        });
        if task.ending != Ending::Done {
            args["ended"] = json!(task.ending.word());
        }
        if task.begun - task.turned >= SHORTEST && task.arrived > task.turned {
            self.slice("receive", "transfer", pid, tid, task.turned, task.arrived, json!({}))?;
        }
        self.slice(&called, "task", pid, tid, task.begun, task.ended, args)?;
        for (what, cat, from, to) in [
            ("transfer in", "transfer", task.begun, task.called),
            ("run", "run", task.called, task.returned),
            ("transfer out", "transfer", task.returned, task.ended),
        ] {
            if to - from >= SHORTEST || cat == "run" {
                self.slice(what, cat, pid, tid, from, to, json!({}))?;
            }
        }
        self.beside("queue", &worker, number, task.queued, task.sent)?;
        self.beside("behind others", &worker, number, task.sent, task.turned)?;
        self.beside("answer's way", &worker, number, task.ended, task.received)?;
        self.beside("answer waits", &worker, number, task.received, task.taken)
    }

    fn callers(&mut self) -> io::Result<()> {
        let trace = self.trace;
        for caller in &trace.callers {
            let name = match caller.activity {
                Activity::Encode => "pickle items",
                Activity::Decode => "rebuild answers",
                Activity::Wait => "wait",
            };
            let args = json!({"job": caller.job.job, "items": caller.items});
            self.slice(name, "caller", trace.pid, caller.thread, caller.from, caller.to, args)?;
        }
        for kernel in &trace.kernels {
            let args = json!({"threads": kernel.threads, "blocks": kernel.blocks});
            self.slice(&kernel.name, "kernel", trace.pid, kernel.thread, kernel.from, kernel.to, args)?;
            for stint in &kernel.stints {
                let args =
                    json!({"of": &kernel.name, "blocks": stint.blocks, "cpu_us": stint.cpu as f64 / 1e3});
                self.slice("blocks", "kernel", trace.pid, stint.thread, stint.from, stint.to, args)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
