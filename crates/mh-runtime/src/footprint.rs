//! How much memory a process and all of its descendants take, over time.
//!
//! The kernel tells each process's PSS (proportional set size): of a page that n processes have mapped, each is charged the n-th
//! part, so that the sum over all of them counts each page once, which the sum of resident sets does not. Pages of our
//! own segments that no process has touched yet (they were written through the file) are in nobody's PSS; they are counted beside.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use mh_trace::{MemorySample, ProcessMemory};
use rustix::process::Pid;

use crate::following::children_of;
use crate::state::now;

/// What our segments are called.
const SEGMENT: &str = "/memfd:manyhands";

/// Says what a process is, by its arguments; `None`: as the system calls it.
pub type Naming = Box<dyn Fn(&[&str]) -> Option<String> + Send>;

/// A thread that looks again and again.
pub struct Footprint {
    /// Told how young the last look may be so that there is no further one.
    stop: Option<Sender<Duration>>,
    thread: Option<JoinHandle<Vec<MemorySample>>>,
    pid: u32,
}

impl Footprint {
    /// Looks at `root` and its descendants every `period`, or less often where that takes more than the `share`-th part of
    /// the time.
    pub fn watch(root: u32, period: Duration, share: u32, naming: Naming) -> io::Result<Footprint> {
        // So that whatever prevents it is told here.
        std::fs::File::open(format!("/proc/{root}/smaps_rollup"))?;
        let (stop, stopped) = channel();
        let mut names = Names::new(naming);
        // The first look is over before whatever is to be watched begins.
        let mut samples = vec![sample(root, &mut names)];
        let look = move || {
            let mut took = Duration::from_nanos(now().saturating_sub(samples[0].at));
            let young = loop {
                match stopped.recv_timeout(period.max(took * share)) {
                    Ok(young) => break young,
                    Err(RecvTimeoutError::Disconnected) => break Duration::ZERO,
                    Err(RecvTimeoutError::Timeout) => {}
                }
                let began = now();
                samples.push(sample(root, &mut names));
                took = Duration::from_nanos(now().saturating_sub(began));
            };
            let last = samples[samples.len() - 1].at;
            if samples.len() < 2 || Duration::from_nanos(now().saturating_sub(last)) > young {
                samples.push(sample(root, &mut names));
            }
            names.give(&mut samples);
            samples
        };
        let builder = std::thread::Builder::new().name("manyhands-memory".into()).stack_size(256 * 1024);
        Ok(Footprint { stop: Some(stop), thread: Some(builder.spawn(look)?), pid: std::process::id() })
    }

    /// What was seen: at the beginning, in between, and now, or not longer than `young` ago. Nothing in a forked child.
    pub fn stop(mut self, young: Duration) -> Vec<MemorySample> {
        if std::process::id() != self.pid {
            return Vec::new();
        }
        if let Some(stop) = self.stop.take() {
            // It has ended where nobody listens.
            let _ = stop.send(young);
        }
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for Footprint {
    fn drop(&mut self) {
        if std::process::id() != self.pid {
            // The thread has stayed behind in the parent, and may have been using these.
            std::mem::forget((self.stop.take(), self.thread.take()));
        }
    }
}

/// What the processes are called: one name for each, the latest that was read, given to all samples at the end.
/// A process that is seen between its fork and its exec still has its parent's arguments, and one that is seen at its
/// end has none.
struct Names {
    naming: Naming,
    known: HashMap<u32, String>,
    /// Those that `naming` knew, whose names stay.
    settled: HashSet<u32>,
}

impl Names {
    fn new(naming: Naming) -> Names {
        Names { naming, known: HashMap::new(), settled: HashSet::new() }
    }

    /// Looks at a process. False where it has ended before it could be named.
    fn look(&mut self, root: u32, pid: u32) -> bool {
        if self.settled.contains(&pid) {
            return true;
        }
        let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let arguments: Vec<&str> = line.split_terminator('\0').collect();
        let name = if pid == root { Some("caller".into()) } else { (self.naming)(&arguments) };
        if let Some(name) = name {
            self.settled.insert(pid);
            self.known.insert(pid, name);
        } else if let Ok(name) = std::fs::read_to_string(format!("/proc/{pid}/comm")) {
            self.known.insert(pid, name.trim_end().to_owned());
        }
        self.known.contains_key(&pid)
    }

    fn give(&self, samples: &mut [MemorySample]) {
        for process in samples.iter_mut().flat_map(|sample| &mut sample.processes) {
            if let Some(name) = self.known.get(&process.pid) {
                process.name.clone_from(name);
            }
        }
    }
}

/// What all of them take now; they get their names at the end. A process that ends meanwhile, or that may not be looked
/// at, is left out.
fn sample(root: u32, names: &mut Names) -> MemorySample {
    let at = now();
    let mut segments = HashMap::new();
    let mut processes = Vec::new();
    for pid in tree(root) {
        let Ok(text) = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else { continue };
        let Some(memory) = rollup(&text).filter(|_| names.look(root, pid)) else { continue };
        processes.push(ProcessMemory { pid, ..memory });
        segments_of(pid, &mut segments);
    }
    let filled: u64 = segments.values().sum();
    let mapped: u64 = processes.iter().map(|process| process.shared).sum();
    // Other shared memory of the program's makes this less, never more.
    if let Some(unmapped) = filled.checked_sub(mapped).filter(|unmapped| *unmapped > 0) {
        let name = "shared memory".into();
        processes.push(ProcessMemory { pid: 0, name, pss: unmapped, anonymous: 0, shared: unmapped });
    }
    MemorySample { at, processes }
}

/// The process and its descendants.
fn tree(root: u32) -> Vec<u32> {
    let mut found: Vec<Pid> = i32::try_from(root).ok().and_then(Pid::from_raw).into_iter().collect();
    let mut looked = 0;
    while looked < found.len() {
        children_of(found[looked], &mut found);
        looked += 1;
    }
    let mut seen = HashSet::new();
    found.retain(|process| seen.insert(*process));
    found.iter().map(|process| process.as_raw_nonzero().get().unsigned_abs()).collect()
}

/// Seconds that the living descendants of a process have computed so far, with those of their own children that have been waited for.
/// In steps of a tick, which are usually a hundredth of a second.
pub fn computed_by_descendants(root: u32) -> f64 {
    let ticks = |pid: u32| -> Option<u64> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Behind the name, which may hold anything, the state is field 3; own and children's times are fields 14 to 17.
        let fields = text.rsplit_once(')')?.1.split_whitespace().skip(11).take(4);
        fields.map(|field| field.parse::<u64>().ok()).sum()
    };
    let all: u64 = tree(root).into_iter().filter(|pid| *pid != root).filter_map(ticks).sum();
    all as f64 / rustix::param::clock_ticks_per_second() as f64
}

/// What a `smaps_rollup` says.
fn rollup(text: &str) -> Option<ProcessMemory> {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes << 10)
    };
    let pss = field("Pss")?;
    // Kernels before 5.3 do not divide it.
    let (anonymous, shared) = (field("Pss_Anon").unwrap_or(0), field("Pss_Shmem").unwrap_or(0));
    Some(ProcessMemory { pid: 0, name: String::new(), pss, anonymous, shared })
}

/// Adds the segments of ours that a process has open: their memory by number of the file.
fn segments_of(pid: u32, segments: &mut HashMap<u64, u64>) {
    let Ok(files) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return };
    for file in files.flatten() {
        let is_segment =
            std::fs::read_link(file.path()).is_ok_and(|to| to.to_string_lossy().starts_with(SEGMENT));
        if is_segment && let Ok(found) = rustix::fs::stat(file.path()) {
            segments.insert(found.st_ino, found.st_blocks.unsigned_abs() * 512);
        }
    }
}

#[cfg(test)]
mod tests;
