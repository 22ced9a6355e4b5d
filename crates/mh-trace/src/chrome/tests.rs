#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

use serde_json::Value;

use super::*;
use crate::event::{Event, JobKey, Run, Stint};
use crate::trace::{MemorySample, ProcessMemory};

const JOB: JobKey = JobKey { pool: 1, job: 1 };

fn example() -> Trace {
    let worker = |id: u64| Worker { kind: Kind::Process, pool: 1, id, pid: 100 + id as u32 };
    let run = |first: u64, begun: Nanos| Run {
        first,
        count: 1,
        arrived: begun - 500,
        begun,
        called: begun + 1_000,
        returned: begun + 9_000,
        ended: begun + 9_500,
        cpu: 7_000,
        bytes_in: 3,
        bytes_out: 4,
        failed: first == 1,
    };
    let sent = |id, first, at| Event::Sent {
        job: JOB,
        worker: worker(id),
        first,
        count: 1,
        bytes: 9,
        shared: Vec::new(),
        at,
    };
    let mut trace = Trace::assemble(
        42,
        100_000,
        200_000,
        vec![
            Event::Named { job: JOB, index: None, text: "say \"ä\"\n".into() },
            Event::Fed { job: JOB, first: 0, count: 2, at: 101_000 },
            sent(1, 0, 102_000),
            sent(2, 1, 103_000),
            Event::Ran { job: JOB, worker: worker(1), runs: vec![run(0, 110_000)], at: 130_000 },
            Event::Ran { job: JOB, worker: worker(2), runs: vec![run(1, 111_000)], at: 131_000 },
            Event::Taken { job: JOB, first: 0, count: 2, at: 140_000 },
            Event::Spent {
                job: JOB,
                activity: Activity::Wait,
                thread: 42,
                from: 104_000,
                to: 139_000,
                items: 0,
            },
            Event::Kernel {
                name: "f".into(),
                thread: 42,
                from: 150_000,
                to: 160_000,
                threads: 2,
                blocks: 8,
                stints: vec![
                    Stint { thread: 77, number: 0, from: 152_000, to: 158_000, cpu: 5_000, blocks: 3 },
                    Stint { thread: 42, number: 0, from: 151_000, to: 159_000, cpu: 8_000, blocks: 5 },
                ],
            },
        ],
    );
    let memory = ProcessMemory { pid: 42, name: "caller".into(), pss: 1 << 20, ..ProcessMemory::default() };
    trace.memory.push(MemorySample { at: 120_000, processes: vec![memory] });
    trace
}

fn events(trace: &Trace) -> Vec<Value> {
    let mut text = Vec::new();
    chrome(trace, &mut text).unwrap();
    let whole: Value = serde_json::from_slice(&text).unwrap();
    whole["traceEvents"].as_array().unwrap().clone()
}

#[test]
fn each_task_lies_on_its_workers_row() {
    let events = events(&example());
    let tasks: Vec<_> = events.iter().filter(|event| event["cat"] == "task").collect();
    assert_eq!(tasks.len(), 2);
    assert_eq!((&tasks[0]["name"], &tasks[0]["pid"]), (&json!("say \"ä\"\n [0]"), &json!(101)));
    assert_eq!((&tasks[1]["pid"], &tasks[1]["args"]["ended"]), (&json!(102), &json!("failed")));
    assert_eq!((&tasks[0]["ts"], &tasks[0]["dur"]), (&json!(10.0), &json!(9.5)));
    for task in tasks {
        // Its parts lie within it, one after the other.
        let (from, to) =
            (task["ts"].as_f64().unwrap(), task["ts"].as_f64().unwrap() + task["dur"].as_f64().unwrap());
        let parts: Vec<_> = events
            .iter()
            .filter(|event| event["ph"] == "X" && event["pid"] == task["pid"] && event["cat"] != "task")
            .map(|event| {
                let begins = event["ts"].as_f64().unwrap();
                (event["name"].as_str().unwrap(), begins, begins + event["dur"].as_f64().unwrap())
            })
            .collect();
        let names: Vec<_> = parts.iter().map(|part| part.0).collect();
        assert_eq!(names, ["receive", "transfer in", "run", "transfer out"]);
        assert!(parts[0].2 <= from);
        assert!(parts[1..].windows(2).all(|pair| (pair[0].2 - pair[1].1).abs() < 1e-9));
        assert!((parts[1].1 - from).abs() < 1e-9 && (parts[3].2 - to).abs() < 1e-9);
    }
}

#[test]
fn what_a_task_waited_for_opens_and_closes() {
    let events = events(&example());
    let queue: Vec<_> = events.iter().filter(|event| event["cat"] == "queue").collect();
    let times: Vec<_> =
        queue.iter().map(|event| (event["ph"].as_str().unwrap(), event["ts"].as_f64().unwrap())).collect();
    assert_eq!(times, [("b", 1.0), ("e", 2.0), ("b", 1.0), ("e", 3.0)]);
    assert_eq!(queue[0]["id"], queue[1]["id"]);
    assert_ne!(queue[0]["id"], queue[2]["id"]);
}

#[test]
fn callers_kernels_memory_and_rows_have_names() {
    let events = events(&example());
    let found =
        |name: &str| events.iter().find(|event| event["name"] == name).unwrap_or(&Value::Null).clone();
    assert_eq!(found("wait")["dur"], 35.0);
    assert_eq!(found("f")["args"], json!({"threads": 2, "blocks": 8}));
    assert_eq!(found("memory (PSS)")["args"], json!({"caller 42": 1 << 20}));
    let named: Vec<_> = events
        .iter()
        .filter(|event| event["name"] == "thread_name")
        .map(|event| (event["pid"].as_u64().unwrap(), event["args"]["name"].as_str().unwrap()))
        .collect();
    assert_eq!(named, [(101, "worker 1"), (102, "worker 2"), (42, "caller"), (42, "compiled loops")]);
    let helped = found("blocks");
    assert_eq!((&helped["tid"], &helped["ts"], &helped["dur"]), (&json!(77), &json!(52.0), &json!(6.0)));
    assert_eq!(helped["args"], json!({"of": "f", "blocks": 3, "cpu_us": 5.0}));
}

#[test]
fn every_event_has_what_viewers_ask_for() {
    for event in events(&example()) {
        assert!(event["name"].is_string() && event["pid"].is_u64(), "{event}");
        match event["ph"].as_str().unwrap() {
            "X" => assert!(event["ts"].as_f64().unwrap() >= 0.0 && event["dur"].as_f64().unwrap() >= 0.0),
            "b" | "e" => assert!(event["id"].is_string() && event["cat"].is_string()),
            "C" | "M" => assert!(event["args"].is_object()),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn an_empty_trace_is_valid() {
    let mut text = Vec::new();
    chrome(&Trace::default(), &mut text).unwrap();
    serde_json::from_slice::<Value>(&text).unwrap();
}
