//! What it runs on, whether it is quiet, and who gets which processor.

use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail};

/// Above this load in the last minute, a machine does something else.
pub const QUIET: f64 = 1.0;

/// How long to wait for it to become quiet: what a build leaves behind fades in two minutes.
const PATIENCE: Duration = Duration::from_secs(240);

/// Between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);

/// A machine's class. Nothing that tells which one it is.
#[derive(Debug, Clone)]
pub struct Machine {
    /// How many processors it lets us use.
    pub processors: usize,
    /// What they call themselves.
    pub model: String,
    /// Linux's version, without what a distribution adds.
    pub kernel: String,
    /// Its memory, in GB.
    pub memory: u64,
    /// The load of the last minute.
    pub load: f64,
}

impl Machine {
    /// This one, now.
    #[must_use]
    pub fn here() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = after_colon(&cpuinfo, "model name").unwrap_or("unknown").to_owned();
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let kernel = release.trim().split('-').next().unwrap_or_default().to_owned();
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let memory =
            after_colon(&meminfo, "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        Self {
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            model,
            kernel,
            memory: memory.unwrap_or_default() / 1_000_000,
            load: load(),
        }
    }
}

fn after_colon<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim())
}

/// The load of the last minute; 0 where it cannot be known.
#[must_use]
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default()
}

/// Waits until the machine is quiet.
///
/// # Errors
///
/// When it does not become so.
pub async fn wait_until_quiet(tell: impl Fn(f64)) -> anyhow::Result<()> {
    let looks = PATIENCE.as_secs() / BETWEEN_LOOKS.as_secs();
    for _ in 0..looks {
        let load = load();
        if load <= QUIET {
            return Ok(());
        }
        tell(load);
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    bail!(
        "the load of the last minute is {}, above {QUIET}: figures from a busy machine mislead; stop what else runs, \
         or say --busy to measure all the same",
        load()
    )
}

/// Which processors the two sides get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    ours: String,
    theirs: String,
}

impl Split {
    /// The first for us, the second for the gateways, as this machine lets us use them.
    ///
    /// # Errors
    ///
    /// When there are fewer than two, or it is not Linux.
    pub fn here() -> anyhow::Result<Self> {
        let status = fs::read_to_string("/proc/self/status").context("only on Linux")?;
        let allowed = after_colon(&status, "Cpus_allowed_list").context("no list of processors")?;
        Self::of(allowed).context("two processors are needed, one for each side")
    }

    fn of(allowed: &str) -> Option<Self> {
        let range = |part: &str| -> Option<std::ops::RangeInclusive<u32>> {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            Some(from.parse().ok()?..=to.parse().ok()?)
        };
        let mut each = allowed.split(',').filter_map(range).flatten();
        Some(Self { ours: each.next()?.to_string(), theirs: each.next()?.to_string() })
    }

    /// Puts us onto the gateways' processor, where those that are started then stay: whoever sets up as many workers as
    /// there are processors finds one.
    ///
    /// # Errors
    ///
    /// When `taskset` is missing or refuses.
    pub fn go_there(&self) -> anyhow::Result<()> {
        pin(std::process::id(), &self.theirs)
    }

    /// Puts us onto our own.
    ///
    /// # Errors
    ///
    /// When `taskset` is missing or refuses.
    pub fn go_home(&self) -> anyhow::Result<()> {
        pin(std::process::id(), &self.ours)
    }
}

/// All threads of a process onto these processors.
fn pin(process: u32, processors: &str) -> anyhow::Result<()> {
    let mut taskset = Command::new("taskset");
    taskset.args(["--all-tasks", "--cpu-list", "--pid", processors, &process.to_string()]);
    let status = taskset.stdout(Stdio::null()).status().context("taskset cannot be started")?;
    if !status.success() {
        bail!("taskset could not put process {process} on {processors}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_two_processors_are_taken() {
        for (allowed, ours, theirs) in [("2-3,7", "2", "3"), ("1,5-6", "1", "5")] {
            let split = Split { ours: ours.to_owned(), theirs: theirs.to_owned() };
            assert_eq!(Split::of(allowed), Some(split), "{allowed}");
        }
        assert_eq!(Split::of("0"), None);
    }
}
