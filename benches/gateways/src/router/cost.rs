//! Processor time and memory of a process and all its descendants, as Linux counts them.

use std::fs;

/// The unit in which Linux tells processor time to programs: a hundredth of a second on every machine.
const TICK_MS: f64 = 10.0;

/// What a process and its descendants have used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// Processor time, in milliseconds.
    pub processor_ms: f64,
    /// The memory that each has resident now, added up, in KB.
    pub resident_kb: u64,
    /// The most memory that each had resident, added up, in KB.
    pub peak_kb: u64,
}

impl Cost {
    /// Of this process and its descendants. Nothing where it is gone.
    #[must_use]
    pub fn of(process: u32) -> Self {
        Self::sum(&family(process))
    }

    /// Of exactly these processes, without their descendants.
    #[must_use]
    pub fn sum(processes: &[u32]) -> Self {
        processes.iter().fold(Self::default(), |sum, id| {
            let (stat, status) = (read(*id, "stat"), read(*id, "status"));
            Self {
                processor_ms: sum.processor_ms + ticks(&stat) * TICK_MS,
                resident_kb: sum.resident_kb + memory(&status, "VmRSS:"),
                peak_kb: sum.peak_kb + memory(&status, "VmHWM:"),
            }
        })
    }
}

/// A process and its descendants.
#[must_use]
pub fn family(process: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let id: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let parent = field(&read(id, "stat"), 1)?.parse().ok()?;
            Some((id, parent))
        })
        .collect();
    let mut family = vec![process];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        let children = parents.iter().filter(|(id, its_parent)| *its_parent == parent && *id != parent);
        family.extend(children.map(|(id, _)| *id));
        next += 1;
    }
    family
}

fn read(process: u32, file: &str) -> String {
    fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default()
}

/// A field of `stat` after the name, which stands in parentheses and may hold anything.
fn field(stat: &str, index: usize) -> Option<&str> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(index)
}

/// User and system time.
fn ticks(stat: &str) -> f64 {
    let number = |index| field(stat, index).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
    number(11) + number(12)
}

fn memory(status: &str, key: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_is_understood() {
        let stat = "12 (a ) b) S 3 12 12 0 -1 4194560 500 0 0 0 7 5 0 0 20 0 1 0 100 1000 200";
        assert_eq!((field(stat, 1), ticks(stat)), (Some("3"), 12.0));
        let status = "Name:\tx\nVmHWM:\t   2048 kB\nVmRSS:\t   1024 kB\n";
        assert_eq!((memory(status, "VmHWM:"), memory(status, "VmRSS:")), (2048, 1024));
    }

    #[test]
    fn a_process_has_itself_in_its_family_and_uses_memory() {
        let me = std::process::id();
        assert_eq!(family(me).first(), Some(&me));
        if cfg!(target_os = "linux") {
            let cost = Cost::of(me);
            assert!(0 < cost.resident_kb && cost.resident_kb <= cost.peak_kb, "{cost:?}");
        }
    }
}
