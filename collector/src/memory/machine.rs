//! What the machine grants this process, and the heap limit that follows from it.
//!
//! ```text
//!   physical memory      /proc/meminfo
//!   control group        v2 memory.max, v1 memory.limit_in_bytes: the least along the path, for each bounds what is below it
//!   address space, data  RLIMIT_AS, RLIMIT_DATA, less what the process has already
//! ```
//!
//! What cannot be read does not bound anything: a heap is made on any system.
use crate::units::{Bytes, REGION_BYTES};
use rustix::process::{Resource, getrlimit};
use std::fs::read_to_string;
use std::path::Path;

/// Bounds on the memory of this process; `None` where there is none, or none is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Physical memory.
    pub physical: Option<usize>,
    /// The control group's.
    pub group: Option<usize>,
    /// Address space that is left.
    pub address_space: Option<usize>,
    /// Writable memory that is left.
    pub data: Option<usize>,
}

/// The most that a default limit comes to: a heap for which more is meant is told so.
const MOST: usize = Bytes::gib(4).get();
/// The least: less would be refused as a setting soon.
const LEAST: usize = Bytes::mib(4).get();

impl Machine {
    /// This process, at this moment.
    pub(crate) fn here() -> Self {
        let (size, data) = mapped(Path::new("/")).unwrap_or_default();
        let left = |resource, used: usize| {
            let most = getrlimit(resource).current?;
            Some(usize::try_from(most).unwrap_or(usize::MAX).saturating_sub(used))
        };
        let (address_space, data) = (left(Resource::As, size), left(Resource::Data, data));
        Self { address_space, data, ..Self::read(Path::new("/")) }
    }
    /// What the files below `root` tell.
    pub(crate) fn read(root: &Path) -> Self {
        let physical = read_to_string(root.join("proc/meminfo")).ok().and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
            let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
            kib.checked_mul(1024)
        });
        Self { physical, group: group(root), ..Self::default() }
    }
    /// The limit of a heap that is not given one: half of the physical memory or of what may be written, three quarters of
    /// the group's, a quarter of the address space (a reservation is twice the limit, and a power of two), 4 GiB at most.
    pub(crate) fn default_limit(self) -> Bytes {
        let parts = [
            self.physical.map(|b| b / 2),
            self.group.map(|b| b / 4 * 3),
            self.address_space.map(|b| b / 4),
            self.data.map(|b| b / 2),
        ];
        let least = parts.into_iter().flatten().fold(MOST, usize::min);
        Bytes::new(least.max(LEAST) / REGION_BYTES * REGION_BYTES)
    }
}

/// Bytes that the process has mapped, and those of them that it may write.
fn mapped(root: &Path) -> Option<(usize, usize)> {
    let text = read_to_string(root.join("proc/self/status")).ok()?;
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
    };
    Some((of("VmSize:")?, of("VmData:")?))
}

/// The least limit of the control groups that the process is in.
fn group(root: &Path) -> Option<usize> {
    let groups = read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mut least = None;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(number), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let (mounts, file): (&[&str], &str) = if number == "0" && controllers.is_empty() {
            (&["sys/fs/cgroup", "sys/fs/cgroup/unified"], "memory.max")
        } else if controllers.split(',').any(|c| c == "memory") {
            (&["sys/fs/cgroup/memory"], "memory.limit_in_bytes")
        } else {
            continue;
        };
        for mount in mounts {
            // Inside a container the path may be the host's, which is not there; its root is the container's own group.
            for part in Path::new(path.trim_start_matches('/')).ancestors() {
                let limit = read_to_string(root.join(mount).join(part).join(file)).ok();
                let limit = limit.and_then(|text| text.trim().parse::<usize>().ok()).filter(|limit| *limit < UNLIMITED);
                least = [least, limit].into_iter().flatten().min();
            }
        }
    }
    least
}

/// Version 1 writes "no limit" as the largest page-aligned number.
const UNLIMITED: usize = 1 << 62;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A root of a file system with these files.
    fn root(name: &str, files: &[(&str, &str)]) -> std::path::PathBuf {
        let root = std::env::temp_dir().join(format!("orinoco-machine-{name}-{}", std::process::id()));
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }
    fn read(name: &str, files: &[(&str, &str)]) -> Machine {
        let root = root(name, files);
        let machine = Machine::read(&root);
        let _ = fs::remove_dir_all(root);
        machine
    }

    #[test]
    fn the_least_limit_along_the_path_of_a_control_group_counts() {
        let v2 = [
            ("proc/meminfo", "MemTotal:       16384 kB\nMemFree: 1 kB\n"),
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/memory.max", "1048576\n"),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
        ];
        let found = read("v2", &v2);
        assert_eq!((found.physical, found.group), (Some(16 << 20), Some(1 << 20)));
        let v1 = [
            ("proc/self/cgroup", "5:devices:/\n4:cpu,memory:/x:y/z\n0::/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/x:y/z/memory.limit_in_bytes", "2097152\n"),
        ];
        assert_eq!(read("v1", &v1).group, Some(2 << 20));
        let container = [
            ("proc/self/cgroup", "3:memory:/docker/0123\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "4194304\n"),
        ];
        assert_eq!(read("container", &container).group, Some(4 << 20));
    }

    #[test]
    fn what_is_missing_or_broken_bounds_nothing() {
        assert_eq!(read("nothing", &[]), Machine::default());
        let broken = [
            ("proc/meminfo", "MemTotal: 99999999999999999999 kB"),
            ("proc/self/cgroup", "\n0\n0:\n::\n0::/../..\n7:memory\n"),
            ("sys/fs/cgroup/memory.max", "-5"),
        ];
        assert_eq!(read("broken", &broken), Machine::default());
    }

    #[test]
    fn the_default_limit_is_a_part_of_what_bounds_the_process_most() {
        let none = Machine::default();
        let gib = |n: usize| Some(Bytes::gib(n).get());
        for (machine, mib) in [
            (none, 4096),
            (Machine { physical: gib(64), ..none }, 4096),
            (Machine { physical: gib(2), ..none }, 1024),
            (Machine { physical: gib(64), group: gib(1), ..none }, 768),
            (Machine { address_space: gib(2), data: gib(4), ..none }, 512),
            (Machine { data: gib(1), group: gib(8), ..none }, 512),
            (Machine { physical: Some(usize::MAX), group: Some(usize::MAX), ..none }, 4096),
            (Machine { physical: Some(0), ..none }, 4),
            (Machine { group: Some(1), address_space: Some(0), ..none }, 4),
        ] {
            assert_eq!(machine.default_limit(), Bytes::mib(mib), "{machine:?}");
        }
        assert!(Machine::here().default_limit() >= Bytes::mib(4));
    }
}
