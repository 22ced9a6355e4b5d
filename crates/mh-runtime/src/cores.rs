//! How many cores this process may use: the least of what each authority over it allows.
//!
//! The number of cores that a machine *has* is the wrong answer in a container, on a cluster node that is shared with
//! other jobs, or under `taskset`. Four authorities are asked, and each is kept by name so that `mh info` can say
//! which one decided: the scheduler's affinity mask, the CPU quota of the control group and of every group above it,
//! the batch system that started the job, and the topology (two hardware threads of one core are one physical core).
//!
//! Nothing here fails: an authority that cannot be read sets no limit.

use std::collections::HashSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use rustix::thread::{CpuSet, sched_getaffinity};

/// What each authority allows, as read at one moment (a quota or a mask may change while the process runs).
#[derive(Clone, Debug, PartialEq)]
pub struct Cores {
    /// Logical cores in the affinity mask of this process.
    pub affinity: usize,
    /// The tightest CPU quota on the way from our control group to the root, in cores: 1.5 is one and a half.
    pub quota: Option<f64>,
    /// What the batch system granted on this node: the variable that said so, and its number.
    pub batch: Option<(String, usize)>,
    /// Distinct physical cores among those in the affinity mask.
    pub physical: usize,
}

impl Cores {
    /// Asks the system that we run on.
    pub fn read() -> Cores {
        Sources::system().read()
    }

    /// The cores to use: at least 1, a quota rounded up. `logical = false` counts the hardware threads of one core once.
    pub fn usable(&self, logical: bool) -> usize {
        let mut least = if logical { self.affinity } else { self.physical };
        if let Some(quota) = self.quota {
            // A quota of 1.5 is used up by two workers and left idle by one. (A float beyond usize saturates.)
            least = least.min(quota.ceil() as usize);
        }
        if let Some((_, granted)) = &self.batch {
            least = least.min(*granted);
        }
        least.max(1)
    }
}

/// Where the answers are read from: the system's own places, or a test's.
struct Sources {
    /// `/proc/self`: `cgroup` and `mountinfo` are read from it, and `status` where the affinity call cannot answer.
    process: PathBuf,
    /// `/sys/devices/system/cpu`
    topology: PathBuf,
    /// The affinity mask, or `None` where the call failed: its mask of 1024 bits is too short for the largest machines.
    allowed: Option<Vec<usize>>,
    environment: Box<Lookup>,
}

/// The value of an environment variable.
type Lookup = dyn Fn(&str) -> Option<String>;

impl Sources {
    fn system() -> Sources {
        let mask = sched_getaffinity(None).ok();
        Sources {
            process: PathBuf::from("/proc/self"),
            topology: PathBuf::from("/sys/devices/system/cpu"),
            allowed: mask.map(|mask| (0..CpuSet::MAX_CPU).filter(|&cpu| mask.is_set(cpu)).collect()),
            environment: Box::new(|name| std::env::var(name).ok()),
        }
    }

    fn read(&self) -> Cores {
        let allowed = self.allowed.clone().unwrap_or_else(|| allowed_by_status(&self.process));
        Cores {
            affinity: allowed.len().max(1),
            quota: self.quota(),
            batch: self.batch(),
            physical: self.physical(&allowed).max(1),
        }
    }

    /// The tightest quota over all hierarchies that control the CPU (a hybrid system mounts both versions).
    fn quota(&self) -> Option<f64> {
        let membership = fs::read_to_string(self.process.join("cgroup")).ok()?;
        let mounts = fs::read_to_string(self.process.join("mountinfo")).ok()?;
        let mounts: Vec<Mount> = mounts.lines().filter_map(Mount::parse).collect();
        membership
            .lines()
            .filter_map(Membership::parse)
            .flat_map(|group| mounts.iter().filter_map(move |mount| mount.quota_above(&group)))
            .reduce(f64::min)
    }

    /// The first batch variable that holds a number. A variable whose name could mean anything counts only beside the
    /// one that every job of its system has.
    fn batch(&self) -> Option<(String, usize)> {
        const VARIABLES: [(&str, Option<&str>); 5] = [
            ("SLURM_CPUS_PER_TASK", None),
            ("SLURM_CPUS_ON_NODE", None),
            ("PBS_NCPUS", None),
            ("NCPUS", Some("PBS_JOBID")),
            ("NSLOTS", Some("JOB_ID")),
        ];
        VARIABLES.iter().find_map(|(name, beside)| {
            if beside.is_some_and(|beside| (self.environment)(beside).is_none()) {
                return None;
            }
            let granted = (self.environment)(name)?.trim().parse().ok()?;
            (granted > 0).then(|| (name.to_string(), granted))
        })
    }

    /// Logical cores with the same list of siblings are one physical core; one without topology counts for itself.
    fn physical(&self, allowed: &[usize]) -> usize {
        let siblings = |cpu: usize| {
            let folder = self.topology.join(format!("cpu{cpu}/topology"));
            // `core_cpus_list` is the name since Linux 5.2, `thread_siblings_list` the older one.
            ["core_cpus_list", "thread_siblings_list"]
                .iter()
                .find_map(|name| fs::read_to_string(folder.join(name)).ok())
                .map(|list| list.trim().to_string())
                .filter(|list| !list.is_empty())
                .unwrap_or_else(|| cpu.to_string())
        };
        allowed.iter().map(|&cpu| siblings(cpu)).collect::<HashSet<_>>().len()
    }
}

/// The mask as `/proc/self/status` words it, for example `0-3,8,10-11`.
fn allowed_by_status(process: &Path) -> Vec<usize> {
    let status = fs::read_to_string(process.join("status")).unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or("");
    let mut allowed = Vec::new();
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        if let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) {
            allowed.extend(first..=last);
        }
    }
    allowed
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    /// One hierarchy for each controller: `cpu.cfs_quota_us` over `cpu.cfs_period_us`.
    V1,
    /// One hierarchy for all: `cpu.max` holds the quota and the period.
    V2,
}

/// Our group in one hierarchy: a line `number:controllers:path` of `/proc/self/cgroup`.
struct Membership {
    version: Version,
    path: PathBuf,
}

impl Membership {
    /// `None` for a hierarchy that does not control the CPU. (That of version 2 names no controllers.)
    fn parse(line: &str) -> Option<Membership> {
        let mut fields = line.splitn(3, ':');
        let (number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let version = match (number, controllers) {
            ("0", "") => Version::V2,
            (_, named) if named.split(',').any(|controller| controller == "cpu") => Version::V1,
            _ => return None,
        };
        Some(Membership { version, path: PathBuf::from(path) })
    }
}

/// Where a hierarchy, or the part of it that a container may see, is mounted: a line of `/proc/self/mountinfo`.
struct Mount {
    version: Version,
    /// The group whose folder stands at the mount point: `/`, or the container's group.
    root: PathBuf,
    point: PathBuf,
}

impl Mount {
    fn parse(line: &str) -> Option<Mount> {
        // Optional fields of any number end with a lone dash; the type, source and options follow it.
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ').skip(3);
        let (root, point) = (before.next()?, before.next()?);
        let mut after = after.split(' ');
        let (kind, options) = (after.next()?, after.nth(1)?);
        let version = match kind {
            "cgroup2" => Version::V2,
            "cgroup" if options.split(',').any(|option| option == "cpu") => Version::V1,
            _ => return None,
        };
        Some(Mount { version, root: unescaped(root), point: unescaped(point) })
    }

    /// The tightest quota from `group` upwards, as far as this mount shows: a child may not exceed its parents, but its
    /// own file does not say what they allow.
    fn quota_above(&self, group: &Membership) -> Option<f64> {
        if group.version != self.version {
            return None;
        }
        // A path outside the mounted part (`/..` in a namespace of its own) leaves only the mount point to ask.
        let below = group.path.strip_prefix(&self.root).unwrap_or(Path::new(""));
        let climbs = below.components().any(|part| part == Component::ParentDir);
        let folder = if climbs { self.point.clone() } else { self.point.join(below) };
        folder
            .ancestors()
            .take_while(|folder| folder.starts_with(&self.point))
            .filter_map(|folder| self.quota_of(folder))
            .reduce(f64::min)
    }

    /// The quota of one group in cores; `None` where it has none (`max`, or -1) or no such file (the root group).
    fn quota_of(&self, folder: &Path) -> Option<f64> {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let (quota, period) = match self.version {
            Version::V1 => (read("cpu.cfs_quota_us")?, read("cpu.cfs_period_us")?),
            Version::V2 => {
                let text = read("cpu.max")?;
                let mut fields = text.split_whitespace();
                (fields.next()?.to_string(), fields.next()?.to_string())
            }
        };
        let (quota, period) = (quota.trim().parse::<f64>().ok()?, period.trim().parse::<f64>().ok()?);
        (quota > 0.0 && period > 0.0).then(|| quota / period)
    }
}

/// `mountinfo` writes blanks and backslashes as three octal digits.
fn unescaped(field: &str) -> PathBuf {
    let escapes = [(r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")];
    PathBuf::from(escapes.iter().fold(field.to_string(), |text, (code, plain)| text.replace(code, plain)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system in a folder of its own: files are written into it, and the answers read from it.
    struct System {
        folder: PathBuf,
        sources: Sources,
    }

    impl System {
        /// Four logical cores, siblings in pairs (0 with 2, 1 with 3), and no other authority.
        fn new(name: &str) -> System {
            let folder = std::env::temp_dir().join(format!("manyhands-cores-{name}-{}", std::process::id()));
            let sources = Sources {
                process: folder.join("proc"),
                topology: folder.join("cpu"),
                allowed: Some(vec![0, 1, 2, 3]),
                environment: Box::new(|_| None),
            };
            let system = System { folder, sources };
            for cpu in 0..4 {
                let siblings = format!("{},{}\n", cpu % 2, cpu % 2 + 2);
                system.write(&format!("cpu/cpu{cpu}/topology/core_cpus_list"), &siblings);
            }
            system
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.folder.join(path);
            fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("folder is made");
            fs::write(path, text).expect("file is written");
        }

        /// Our group, and one hierarchy of the given type and options whose group `root` is mounted in `mounted` (where
        /// `mountinfo` writes a blank in its own way).
        fn hierarchy(&self, membership: &str, root: &str, mounted: &str, kind: &str, options: &str) {
            let point = self.folder.join(mounted).display().to_string().replace(' ', r"\040");
            self.write("proc/cgroup", membership);
            let line = format!("31 23 0:27 {root} {point} ro,nosuid shared:9 - {kind} {kind} {options}\n");
            self.write("proc/mountinfo", &format!("23 1 8:1 / / rw - ext4 /dev/root rw\n{line}"));
        }

        fn environment(mut self, variables: &'static [(&str, &str)]) -> System {
            self.sources.environment = Box::new(|name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
            });
            self
        }

        fn read(&self) -> Cores {
            self.sources.read()
        }
    }

    impl Drop for System {
        fn drop(&mut self) {
            // Left behind only if the temporary folder itself went away.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }

    #[test]
    fn with_no_other_authority_the_mask_decides() {
        let cores = System::new("mask").read();
        assert_eq!(cores, Cores { affinity: 4, quota: None, batch: None, physical: 2 });
        assert_eq!((cores.usable(true), cores.usable(false)), (4, 2));
    }

    #[test]
    fn the_tightest_group_on_the_way_up_decides() {
        let system = System::new("v2");
        system.hierarchy("0::/jobs/mine\n", "/", "groups of two", "cgroup2", "rw,nsdelegate");
        system.write("groups of two/jobs/mine/cpu.max", "max 100000\n");
        system.write("groups of two/jobs/cpu.max", "150000 100000\n");
        let cores = system.read();
        assert_eq!(cores.quota, Some(1.5));
        assert_eq!(cores.usable(true), 2, "one and a half cores are rounded up");
        system.write("groups of two/jobs/mine/cpu.max", "5000 100000\n");
        assert_eq!(system.read().usable(true), 1, "a twentieth of a core is still one worker");
    }

    #[test]
    fn a_container_sees_its_own_group_at_the_mount_point() {
        let system = System::new("container");
        system.hierarchy("0::/box/7\n", "/box/7", "inside", "cgroup2", "rw");
        system.write("inside/cpu.max", "300000 100000\n");
        assert_eq!(system.read().quota, Some(3.0));
        system.hierarchy("0::/../elsewhere\n", "/", "inside", "cgroup2", "rw");
        assert_eq!(system.read().quota, Some(3.0), "a group outside what is mounted");
    }

    #[test]
    fn version_one_has_its_quota_in_two_files() {
        let system = System::new("v1");
        let membership = "5:cpuset:/other\n4:cpu,cpuacct:/slice\n1:name=systemd:/x\n0::/y\n";
        system.hierarchy(membership, "/", "groups", "cgroup", "rw,cpu,cpuacct");
        system.write("groups/slice/cpu.cfs_quota_us", "-1\n");
        system.write("groups/slice/cpu.cfs_period_us", "100000\n");
        assert_eq!(system.read().quota, None, "-1 is no limit");
        system.write("groups/slice/cpu.cfs_quota_us", "250000\n");
        assert_eq!(system.read().quota, Some(2.5));
    }

    #[test]
    fn the_batch_system_is_believed_where_it_speaks_plainly() {
        let system = System::new("batch");
        let system = system.environment(&[("SLURM_CPUS_PER_TASK", "3"), ("SLURM_CPUS_ON_NODE", "8")]);
        assert_eq!(system.read().batch, Some(("SLURM_CPUS_PER_TASK".to_string(), 3)));
        assert_eq!((system.read().usable(true), system.read().usable(false)), (3, 2));
        let system = system.environment(&[("SLURM_CPUS_PER_TASK", "2(x4)"), ("SLURM_CPUS_ON_NODE", "2")]);
        assert_eq!(system.read().batch, Some(("SLURM_CPUS_ON_NODE".to_string(), 2)));
        let system = system.environment(&[("NSLOTS", "1"), ("NCPUS", "1"), ("PBS_NCPUS", "0")]);
        assert_eq!(system.read().batch, None, "outside a job these names may mean anything; 0 is no grant");
        let system = system.environment(&[("NSLOTS", "1"), ("JOB_ID", "12")]);
        assert_eq!(system.read().usable(true), 1);
    }

    #[test]
    fn cores_without_topology_count_each() {
        let mut system = System::new("topology");
        system.sources.allowed = Some(vec![0, 2, 8, 9]);
        system.write("cpu/cpu9/topology/thread_siblings_list", "8-9\n");
        system.write("cpu/cpu8/topology/core_cpus_list", "8-9\n");
        assert_eq!(system.read().physical, 2);
        system.sources.topology = system.folder.join("nowhere");
        assert_eq!(system.read().physical, 4);
    }

    #[test]
    fn a_machine_too_large_for_the_call_is_read_from_its_status() {
        let mut system = System::new("status");
        system.sources.allowed = None;
        system.write("proc/status", "Name:\tx\nCpus_allowed_list:\t0-1,8,1200-1203\nMems_allowed:\t1\n");
        assert_eq!(system.read().affinity, 7);
        system.write("proc/status", "Name:\tx\n");
        assert_eq!(system.read().usable(true), 1);
    }

    #[test]
    fn this_machine_gives_at_least_one_and_no_more_than_its_mask() {
        let cores = Cores::read();
        assert!(cores.physical <= cores.affinity);
        assert!((1..=cores.affinity).contains(&cores.usable(true)));
        assert!(cores.usable(false) <= cores.usable(true));
    }
}
