//! One page of HTML that needs nothing else: timeline, how busy the workers were, memory, the slowest items, graphs.
//!
//! What is drawn is data in the page (`DATA`), drawn by the script beside this file.

use std::cmp::Reverse;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::event::{Activity, Nanos};
use crate::trace::{Task, Trace};
use crate::usage::usage;

const STYLE: &str = include_str!("report/page.css");
const SCRIPT: &str = include_str!("report/page.js");

/// Of more tasks the longest are drawn; all of them count in the figures.
const MOST_TASKS: usize = 50_000;
const MOST_STRETCHES: usize = 20_000;
const SLOWEST: usize = 25;

/// A picture that goes into the page: SVG, trusted, and what it shows.
pub struct Figure {
    pub title: String,
    pub svg: String,
}

/// Writes the page. `title`: what is said at its top.
pub fn report(trace: &Trace, title: &str, figures: &[Figure], out: &mut impl Write) -> io::Result<()> {
    // A "<" would end the script where the text says so.
    let data = data(trace).to_string().replace('<', "\\u003c");
    let title = escaped(title);
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
         <p id=\"summary\"></p>\n\
         <section><h2>Timeline</h2><p class=\"hint\">Wheel: zoom; drag: move; double click: everything. \
         Point at a slice to read about it.</p><div id=\"legend\"></div>\
         <div id=\"timeline\"><canvas></canvas><div id=\"tip\" hidden></div></div></section>\n\
         <section id=\"busy\"><h2>What the workers did</h2></section>\n\
         <section id=\"memory\"><h2>Memory</h2></section>\n\
         <section id=\"slowest\"><h2>Slowest items</h2></section>"
    )?;
    for figure in figures {
        let (title, svg) = (escaped(&figure.title), &figure.svg);
        writeln!(out, "<section class=\"figure\"><h2>{title}</h2>{svg}</section>")?;
    }
    writeln!(out, "<script>\nconst DATA = {data};\n{SCRIPT}</script>\n</body>\n</html>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Microseconds since the trace began.
fn since(trace: &Trace, at: Nanos) -> f64 {
    (i128::from(at) - i128::from(trace.began)) as f64 / 1e3
}

fn data(trace: &Trace) -> Value {
    let us = |at: Nanos| since(trace, at);
    let mut drawn: Vec<&Task> = trace.tasks.iter().collect();
    if drawn.len() > MOST_TASKS {
        drawn.sort_by_key(|task| Reverse(task.ended - task.begun));
        drawn.truncate(MOST_TASKS);
    }
    let tasks: Vec<Value> = drawn
        .iter()
        .map(|task| {
            json!([
                task.worker,
                trace.name(task),
                us(task.queued),
                us(task.sent),
                us(task.turned),
                us(task.arrived),
                us(task.begun),
                us(task.called),
                us(task.returned),
                us(task.ended),
                us(task.received),
                us(task.taken),
                task.cpu as f64 / 1e3,
                task.bytes_in,
                task.bytes_out,
                task.ending.word(),
            ])
        })
        .collect();
    let mut slowest: Vec<&Task> = trace.tasks.iter().filter(|task| task.count == 1).collect();
    slowest.sort_by_key(|task| Reverse(task.run()));
    let slowest: Vec<Value> = slowest
        .iter()
        .take(SLOWEST)
        .map(|task| {
            let spent = [task.run(), task.cpu, task.queue() + task.behind(), task.transfer()];
            let spent = spent.map(|nanos| nanos as f64 / 1e3);
            let worker = trace.workers[task.worker].label();
            json!([trace.name(task), worker, spent, task.bytes_in, task.bytes_out, task.ending.word()])
        })
        .collect();
    let used = usage(trace);
    let busy: Vec<Value> = used
        .workers
        .iter()
        .map(|found| {
            let parts = [found.run, found.transfer, found.dispatch, found.start, found.idle, found.end];
            json!([
                found.worker.label(),
                found.worker.pid,
                found.tasks,
                parts.map(|nanos| nanos as f64 / 1e3),
                found.cpu as f64 / 1e3
            ])
        })
        .collect();
    let mut callers: Vec<_> = trace.callers.iter().collect();
    callers.sort_by_key(|caller| Reverse(caller.to - caller.from));
    callers.truncate(MOST_STRETCHES);
    let callers: Vec<Value> = callers
        .iter()
        .map(|caller| {
            let what = match caller.activity {
                Activity::Encode => "pickles items",
                Activity::Decode => "rebuilds answers",
                Activity::Wait => "waits",
            };
            json!([caller.thread, what, us(caller.from), us(caller.to), caller.items])
        })
        .collect();
    let kernels: Vec<Value> = trace
        .kernels
        .iter()
        .take(MOST_STRETCHES)
        .map(|kernel| {
            json!([kernel.thread, kernel.name, us(kernel.from), us(kernel.to), kernel.threads, kernel.blocks])
        })
        .collect();
    let stints: Vec<Value> = trace
        .kernels
        .iter()
        .flat_map(|kernel| kernel.stints.iter().map(move |stint| (kernel, stint)))
        // The caller's own lie under its call.
        .filter(|(kernel, stint)| kernel.thread != stint.thread)
        .take(MOST_STRETCHES)
        .map(|(kernel, stint)| json!([stint.thread, kernel.name, us(stint.from), us(stint.to), stint.blocks]))
        .collect();
    let memory: Vec<Value> = trace
        .memory
        .iter()
        .map(|sample| {
            let of_each: Vec<Value> = sample
                .processes
                .iter()
                .map(|process| json!([process.name, process.pid, process.pss]))
                .collect();
            json!([us(sample.at), of_each])
        })
        .collect();
    let items: u64 = trace.tasks.iter().map(|task| task.count).sum();
    json!({
        "seconds": (trace.ended - trace.began) as f64 / 1e9,
        "pid": trace.pid,
        "items": items,
        "all": trace.tasks.len(),
        "utilisation": used.utilisation(),
        "dropped": trace.dropped,
        "workers": trace.workers.iter().map(|worker| json!([worker.label(), worker.pid])).collect::<Vec<_>>(),
        "tasks": tasks,
        "slowest": slowest,
        "busy": busy,
        "callers": callers,
        "kernels": kernels,
        "stints": stints,
        "memory": memory,
    })
}

#[cfg(test)]
mod tests;
