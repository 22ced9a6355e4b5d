//! Against the kernel's own figures.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::*;

const MIB: u64 = 1 << 20;

fn names() -> Names {
    Names::new(Box::new(|_| None))
}

/// A look at one process.
fn seen(names: &mut Names, pid: u32) -> MemorySample {
    assert!(names.look(0, pid));
    let process = ProcessMemory { pid, name: String::new(), pss: 1, anonymous: 1, shared: 0 };
    MemorySample { at: 0, processes: vec![process] }
}

/// A shell that holds `count` MiB in a variable, and so do its forked children.
fn holder(script: &str) -> (Child, impl FnMut()) {
    let mut child = Command::new("sh")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell starts");
    let mut out = BufReader::new(child.stdout.take().expect("it was asked for"));
    let wait = move || drop(out.read_line(&mut String::new()));
    (child, wait)
}

#[test]
fn a_rollup_is_read() {
    let text = "55-7f ---p 00000000 00:00 0 [rollup]\nRss: 9 kB\nPss:        9627 kB\nPss_Dirty: 1 kB\nPss_Anon: 6880 kB\n\
                Pss_File:   2747 kB\nPss_Shmem:   12 kB\n";
    let found = rollup(text).expect("it is one");
    assert_eq!((found.pss, found.anonymous, found.shared), (9627 << 10, 6880 << 10, 12 << 10));
    assert!(rollup("Rss: 9 kB\n").is_none());
    assert!(rollup("").is_none());
}

#[test]
fn a_child_that_holds_a_known_amount_is_found_with_its_amount() {
    let (mut child, mut wait) = holder("a=$(head -c 33554432 /dev/zero | tr '\\0' x); echo; read line");
    wait();
    let found = sample(child.id(), &mut names());
    let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", child.id())).expect("it lives");
    assert_eq!(found.processes.len(), 1);
    assert!(found.pss() >= 32 * MIB, "{}", found.pss());
    // It does nothing between the two looks; what it shares with others may be charged differently.
    let of_kernel = rollup(&text).expect("it is one").anonymous;
    assert_eq!(found.processes[0].anonymous, of_kernel);
    child.stdin.take().map(|mut to| to.write_all(b"\n"));
    child.wait().expect("it ends");
}

#[test]
fn pages_that_processes_share_are_counted_once() {
    // Three children of the shell's have its 32 MiB too.
    let script = "a=$(head -c 33554432 /dev/zero | tr '\\0' x); for i in 1 2 3; do (read line; echo $a >/dev/null) <&0 & done; \
                  echo; read line; wait";
    let (mut child, mut wait) = holder(script);
    wait();
    let found = sample(child.id(), &mut names());
    assert_eq!(found.processes.len(), 4, "{found:?}");
    assert!((32 * MIB..48 * MIB).contains(&found.pss()), "{found:?}");
    let rss: u64 = found
        .processes
        .iter()
        .map(|process| {
            let text = std::fs::read_to_string(format!("/proc/{}/statm", process.pid)).expect("it lives");
            text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * 4096
        })
        .sum();
    assert!(rss > 4 * 32 * MIB, "else there would be nothing to tell apart: {rss}");
    child.stdin.take().map(|mut to| to.write_all(b"\n\n\n\n"));
    child.wait().expect("it ends");
}

#[test]
fn a_segment_that_nobody_maps_is_counted() {
    let file = rustix::fs::memfd_create("manyhands-test", rustix::fs::MemfdFlags::CLOEXEC).expect("memory");
    rustix::io::write(&file, &vec![1; 3 * MIB as usize]).expect("there is room");
    let mut segments = HashMap::new();
    segments_of(std::process::id(), &mut segments);
    let number = rustix::fs::fstat(&file).expect("it is open").st_ino;
    assert_eq!(segments.get(&number), Some(&(3 * MIB)));
}

#[test]
fn it_looks_at_the_beginning_and_at_the_end() {
    let watch = Footprint::watch(std::process::id(), Duration::from_secs(3600), 1, Box::new(|_| None));
    let samples = watch.expect("this process can be looked at").stop(Duration::ZERO);
    assert_eq!(samples.len(), 2);
    assert_eq!(samples[0].processes[0].name, "caller");
    assert!(samples.iter().all(|sample| sample.pss() > 0));
    assert!(samples[0].at <= samples[1].at);
}

#[test]
fn who_cannot_be_looked_at_is_told_at_once() {
    assert!(Footprint::watch(u32::MAX, Duration::from_secs(1), 1, Box::new(|_| None)).is_err());
}

#[test]
fn a_name_that_is_known_late_holds_for_all_samples() {
    let asked = AtomicUsize::new(0);
    let naming = move |_: &[&str]| (asked.fetch_add(1, Relaxed) > 0).then(|| "worker 1".to_owned());
    let mut names = Names::new(Box::new(naming));
    let pid = std::process::id();
    let mut samples = [seen(&mut names, pid), seen(&mut names, pid), seen(&mut names, pid)];
    names.give(&mut samples);
    assert!(samples.iter().all(|sample| sample.processes[0].name == "worker 1"));
}

#[test]
fn a_process_that_ends_while_it_is_looked_at_keeps_its_name() {
    let (mut child, mut wait) = holder("echo; read line");
    let mut names = names();
    wait();
    let alive = seen(&mut names, child.id());
    child.stdin.take().map(|mut to| to.write_all(b"\n"));
    child.wait().expect("it ends");
    let mut samples = [alive, seen(&mut names, child.id())];
    names.give(&mut samples);
    assert!(samples.iter().all(|sample| sample.processes[0].name == "sh"), "{samples:?}");
    // One that was never seen alive has none.
    assert!(!names.look(0, u32::MAX));
}
