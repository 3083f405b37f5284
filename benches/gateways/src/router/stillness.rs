//! That nobody's work falls on another: what a gateway still does after its answer, and what it does unasked.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};

use super::cost::family;

/// Between two looks at who wants a processor.
const BETWEEN_LOOKS: Duration = Duration::from_micros(100);

/// How often to look: whoever is busy for 50 ms without a question does something of its own.
const LOOKS: usize = 500;

/// Waits until nobody but ourselves wants a processor: gateways write their logs, count and collect garbage once their
/// answer is out, and whoever is asked next would pay for it.
pub(super) fn settle() {
    for _ in 0..LOOKS {
        if running().is_none_or(|running| running <= 1) {
            return;
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}

/// How many threads of this machine want a processor now, the one that asks among them.
fn running() -> Option<u32> {
    running_of(&fs::read_to_string("/proc/loadavg").ok()?)
}

/// The fourth field: those that run, of all that there are.
fn running_of(loadavg: &str) -> Option<u32> {
    loadavg.split(' ').nth(3)?.split_once('/')?.0.parse().ok()
}

/// Processes that stand still with all their descendants, until this is dropped. Should we be killed before that, Linux
/// lets them go on, since nobody is left who could, and they end as they are told to when we do.
#[derive(Debug)]
pub(super) struct Still(Vec<u32>);

impl Still {
    /// Stops these.
    pub(super) fn of(processes: impl IntoIterator<Item = u32>) -> anyhow::Result<Self> {
        let still = Self(processes.into_iter().flat_map(family).collect());
        still.signal("STOP")?;
        Ok(still)
    }

    fn signal(&self, name: &str) -> anyhow::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut kill = Command::new("kill");
        kill.arg("-s").arg(name).args(self.0.iter().map(u32::to_string)).stderr(Stdio::null());
        if !kill.status().context("kill cannot be started")?.success() {
            bail!("gateways that are not measured could not be sent {name}");
        }
        Ok(())
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        // One that has ended meanwhile shows where it is asked next.
        let _ = self.signal("CONT");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_run_are_told_from_those_that_are() {
        assert_eq!(running_of("0.00 0.03 0.51 2/243 14821\n"), Some(2));
        assert_eq!(running_of(""), None);
    }

    #[test]
    fn what_is_stopped_goes_on_when_it_is_let_go() {
        let mut sleeper = Command::new("sleep").arg("60").spawn().unwrap();
        let state = |id: u32| {
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
            stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
        };
        let still = Still::of([sleeper.id()]).unwrap();
        while state(sleeper.id()) != 'T' {
            thread::yield_now();
        }
        drop(still);
        while state(sleeper.id()) == 'T' {
            thread::yield_now();
        }
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    }
}
