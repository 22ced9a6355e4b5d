//! How much memory may still be taken: asked before allocating, because afterwards it is the kernel's
//! out-of-memory killer who answers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::cgroup::Cgroups;

/// A reading of the memory that may still be taken.
pub trait MemoryReading {
    /// Bytes that this process may still take without anyone being killed or swapped out, as far as can be
    /// known.
    fn available(&self) -> u64;
}

/// The machine's own reading: the least of what the kernel calls available (`MemAvailable`) and of what each
/// limit of the cgroups that this process is in leaves.
pub struct SystemMemory {
    meminfo: PathBuf,
    cgroups: Cgroups,
}

impl SystemMemory {
    /// Reads the machine that this process runs on.
    pub fn new() -> SystemMemory {
        SystemMemory::at(Path::new("/proc"), Path::new("/sys/fs/cgroup"))
    }

    /// Reads the files below these folders, which stand for `/proc` and `/sys/fs/cgroup`.
    pub fn at(proc: &Path, cgroup: &Path) -> SystemMemory {
        SystemMemory { meminfo: proc.join("meminfo"), cgroups: Cgroups::at(proc, cgroup) }
    }

    /// `MemAvailable` in bytes; no limit where it cannot be read (a sandbox without /proc): rather let an
    /// allocation fail than refuse all.
    fn machine(&self) -> u64 {
        let kibibytes = |text: String| {
            let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
            line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
        };
        std::fs::read_to_string(&self.meminfo)
            .ok()
            .and_then(kibibytes)
            .map_or(u64::MAX, |kib| kib.saturating_mul(1024))
    }
}

impl Default for SystemMemory {
    fn default() -> SystemMemory {
        SystemMemory::new()
    }
}

impl MemoryReading for SystemMemory {
    fn available(&self) -> u64 {
        self.machine().min(self.cgroups.memory_left())
    }
}

/// A reading that never changes, for tests: `FixedMemory(0)` is a machine with nothing left.
pub struct FixedMemory(pub u64);

impl MemoryReading for FixedMemory {
    fn available(&self) -> u64 {
        self.0
    }
}

/// A reading that is set from outside while its clone is in use, for tests of memory that runs out midway.
#[derive(Clone)]
pub struct SettableMemory(Arc<AtomicU64>);

impl SettableMemory {
    pub fn new(available: u64) -> SettableMemory {
        SettableMemory(Arc::new(AtomicU64::new(available)))
    }

    /// From now on, `available` bytes are free.
    pub fn set(&self, available: u64) {
        self.0.store(available, Ordering::Relaxed);
    }
}

impl MemoryReading for SettableMemory {
    fn available(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cgroup::fake_tree;

    #[test]
    fn this_machine_has_memory_and_not_too_much() {
        let available = SystemMemory::new().available();
        assert!((1 << 20..1 << 50).contains(&available), "{available}");
    }

    #[test]
    fn the_lesser_of_machine_and_limit_counts() {
        let check = |meminfo: &str, limit: &str, expected: u64| {
            let tree = fake_tree(&[
                ("proc/meminfo", meminfo),
                ("proc/self/cgroup", "0::/job\n"),
                ("cgroup/job/memory.max", limit),
                ("cgroup/job/memory.current", "1000000"),
            ]);
            let memory = SystemMemory::at(&tree.path().join("proc"), &tree.path().join("cgroup"));
            assert_eq!(memory.available(), expected, "{meminfo} {limit}");
        };
        let meminfo = "MemTotal:       24000 kB\nMemAvailable:   2000 kB\nBuffers: 1 kB\n";
        check(meminfo, "max", 2_048_000);
        check(meminfo, "1500000", 500_000);
        check(meminfo, "9000000", 2_048_000);
        check(meminfo, "900000", 0);
        check("", "1500000", 500_000);
        check("MemAvailable: soon", "max", u64::MAX);
    }

    #[test]
    fn a_settable_reading_is_seen_through_its_clone() {
        let memory = SettableMemory::new(5);
        let clone = memory.clone();
        memory.set(7);
        assert_eq!(clone.available(), 7);
        assert_eq!(FixedMemory(3).available(), 3);
    }
}
