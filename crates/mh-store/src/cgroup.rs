//! The control groups that this process is in, as far as they limit memory: version 2, version 1, and both at
//! once.
//!
//! `/proc/self/cgroup` names the group; its files lie below the mounted hierarchy. Inside of a container the
//! name may be that of the world outside, while the mount shows only the container's own part of it: so each
//! folder on the way from the group up to the mount is looked at, and those that are not there are passed
//! over. That walk is needed anyway, since the limits of all ancestors hold.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// The folders of the groups whose limits hold for this process, innermost first.
pub(crate) struct Cgroups {
    version_2: Vec<PathBuf>,
    version_1: Vec<PathBuf>,
}

impl Cgroups {
    /// Finds the groups of this process; `proc` and `mount` stand for `/proc` and `/sys/fs/cgroup`.
    pub(crate) fn at(proc: &Path, mount: &Path) -> Cgroups {
        let membership = read_to_string(proc.join("self/cgroup")).unwrap_or_default();
        let mut groups = Cgroups { version_2: Vec::new(), version_1: Vec::new() };
        for line in membership.lines() {
            // "0::/path" is version 2; "4:memory:/path" or "4:cpu,memory:/path" is version 1.
            let mut fields = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
            let path = Path::new(path.trim_start_matches('/'));
            if controllers.is_empty() {
                // Beside version 1 ("hybrid"), version 2 is mounted in a folder of its own.
                groups.version_2.extend(upwards(mount, path));
                groups.version_2.extend(upwards(&mount.join("unified"), path));
            } else if controllers.split(',').any(|name| name == "memory") {
                groups.version_1.extend(upwards(&mount.join("memory"), path));
            }
        }
        groups
    }

    /// Bytes that the tightest limit leaves; `u64::MAX` where there is none.
    pub(crate) fn memory_left(&self) -> u64 {
        let left_2 = self
            .version_2
            .iter()
            .filter_map(|group| left(group, ["memory.max", "memory.current"], "inactive_file"));
        let left_1 = self.version_1.iter().filter_map(|group| {
            left(group, ["memory.limit_in_bytes", "memory.usage_in_bytes"], "total_inactive_file")
        });
        left_2.chain(left_1).min().unwrap_or(u64::MAX)
    }

    /// The file that counts out-of-memory kills in this process's own group; None where no group counts them.
    pub(crate) fn kill_counter(&self) -> Option<PathBuf> {
        let files_2 = self.version_2.iter().map(|group| group.join("memory.events"));
        let files_1 = self.version_1.iter().map(|group| group.join("memory.oom_control"));
        files_2.chain(files_1).find(|file| keyed(file, "oom_kill").is_some())
    }
}

/// The folder of a group and those of all its ancestors up to the mount that exist, innermost first.
fn upwards(mount: &Path, group: &Path) -> Vec<PathBuf> {
    group.ancestors().map(|ancestor| mount.join(ancestor)).filter(|folder| folder.is_dir()).collect()
}

/// What the limit of one group leaves. Cached file pages that nobody has used lately do not count as taken:
/// the kernel drops them before it kills anyone.
fn left(group: &Path, [limit, usage]: [&str; 2], cache: &str) -> Option<u64> {
    let number = |name: &str| read_to_string(group.join(name)).ok()?.trim().parse::<u64>().ok();
    let limit = number(limit)?; // "max" is no number: no limit
    let cached = keyed(&group.join("memory.stat"), cache).unwrap_or(0);
    Some(limit.saturating_sub(number(usage)?.saturating_sub(cached)))
}

/// The number behind a key in a file of lines "key number".
pub(crate) fn keyed(file: &Path, key: &str) -> Option<u64> {
    let text = read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

/// A folder of made-up files for tests, removed when dropped.
#[cfg(test)]
pub(crate) fn fake_tree(files: &[(&str, &str)]) -> FakeTree {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("mh-store-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let tree = FakeTree(std::env::temp_dir().join(name));
    for (path, text) in files {
        let path = tree.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder for the test");
        std::fs::write(path, text).expect("a file for the test");
    }
    tree
}

#[cfg(test)]
pub(crate) struct FakeTree(PathBuf);

#[cfg(test)]
impl FakeTree {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

#[cfg(test)]
impl Drop for FakeTree {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], expected: u64) {
        let tree = fake_tree(files);
        let groups = Cgroups::at(&tree.path().join("proc"), &tree.path().join("cgroup"));
        assert_eq!(groups.memory_left(), expected, "{files:?}");
    }

    #[test]
    fn no_group_is_no_limit() {
        check(&[], u64::MAX);
        check(&[("proc/self/cgroup", "nonsense\n0::\n")], u64::MAX);
    }

    #[test]
    fn the_tightest_ancestor_counts() {
        let files = |outer| {
            [
                ("proc/self/cgroup", "0::/slice/job/step\n"),
                ("cgroup/slice/memory.max", outer),
                ("cgroup/slice/memory.current", "100"),
                ("cgroup/slice/job/step/memory.max", "500"),
                ("cgroup/slice/job/step/memory.current", "50"),
            ]
        };
        check(&files("max"), 450);
        check(&files("1000"), 450);
        check(&files("300"), 200);
    }

    #[test]
    fn idle_cache_counts_as_free() {
        check(
            &[
                ("proc/self/cgroup", "0::/job\n"),
                ("cgroup/job/memory.max", "500"),
                ("cgroup/job/memory.current", "400"),
                ("cgroup/job/memory.stat", "anon 100\ninactive_file 250\nactive_file 50\n"),
            ],
            350,
        );
    }

    #[test]
    fn version_1_inside_of_a_container_is_found_at_the_mount() {
        check(
            &[
                ("proc/self/cgroup", "5:devices:/x\n4:cpu,memory:/docker/0123\n0::/\n"),
                ("cgroup/memory/memory.limit_in_bytes", "1000"),
                ("cgroup/memory/memory.usage_in_bytes", "900"),
                ("cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 300\n"),
            ],
            400,
        );
    }

    #[test]
    fn version_2_beside_version_1_is_found() {
        check(
            &[
                ("proc/self/cgroup", "4:cpu:/\n0::/job\n"),
                ("cgroup/unified/job/memory.max", "10"),
                ("cgroup/unified/job/memory.current", "4"),
            ],
            6,
        );
    }
}
