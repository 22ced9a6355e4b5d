//! Has the kernel killed a process for lack of memory? Its counters turn "killed by signal 9" into a reason.

use std::path::{Path, PathBuf};

use crate::cgroup::{Cgroups, keyed};

/// A count of out-of-memory kills: read it when a worker starts and again when one dies by SIGKILL; if it has
/// grown, the worker was probably one of them.
///
/// The counter of this process's own cgroup is taken where there is one: it counts the kills in that group,
/// whether the group's limit or the machine was out of memory. Otherwise the whole machine's, where another's
/// process may be meant: hence "probably".
pub struct OomCounter {
    file: PathBuf,
}

impl OomCounter {
    /// Counts on the machine that this process runs on.
    pub fn new() -> OomCounter {
        OomCounter::at(Path::new("/proc"), Path::new("/sys/fs/cgroup"))
    }

    /// Reads the files below these folders, which stand for `/proc` and `/sys/fs/cgroup`.
    pub fn at(proc: &Path, cgroup: &Path) -> OomCounter {
        let file = Cgroups::at(proc, cgroup).kill_counter().unwrap_or_else(|| proc.join("vmstat"));
        OomCounter { file }
    }

    /// Kills so far; 0 where the kernel does not tell.
    pub fn read(&self) -> u64 {
        keyed(&self.file, "oom_kill").unwrap_or(0)
    }
}

impl Default for OomCounter {
    fn default() -> OomCounter {
        OomCounter::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cgroup::fake_tree;

    fn check(files: &[(&str, &str)], expected: u64) {
        let tree = fake_tree(files);
        let counter = OomCounter::at(&tree.path().join("proc"), &tree.path().join("cgroup"));
        assert_eq!(counter.read(), expected, "{files:?}");
    }

    #[test]
    fn the_own_group_goes_before_the_machine() {
        let machine = ("proc/vmstat", "nr_free_pages 5\noom_kill 9\n");
        check(&[], 0);
        check(&[machine], 9);
        let group = ("proc/self/cgroup", "4:memory:/a\n0::/b\n");
        check(
            &[machine, group, ("cgroup/b/memory.events", "max 1\noom 4\noom_kill 3\noom_group_kill 0\n")],
            3,
        );
        check(&[machine, group, ("cgroup/memory/a/memory.oom_control", "under_oom 0\noom_kill 2\n")], 2);
        check(&[machine, group, ("cgroup/memory/a/memory.oom_control", "under_oom 0\n")], 9);
    }

    #[test]
    fn it_grows_when_the_file_does() {
        let tree = fake_tree(&[("proc/vmstat", "oom_kill 1\n")]);
        let counter = OomCounter::at(&tree.path().join("proc"), &tree.path().join("cgroup"));
        assert_eq!(counter.read(), 1);
        std::fs::write(tree.path().join("proc/vmstat"), "oom_kill 2\n").unwrap();
        assert_eq!(counter.read(), 2);
    }

    #[test]
    fn this_machine_has_a_counter() {
        let counter = OomCounter::new();
        assert!(counter.file.exists(), "{:?}", counter.file);
        counter.read();
    }
}
