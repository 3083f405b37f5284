//! Named steps, each printed with the time it took.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// The steps done so far.
pub(crate) struct Steps {
    began: Instant,
}

impl Steps {
    /// Starts the clock.
    pub(crate) fn begin() -> Self {
        Self { began: Instant::now() }
    }

    /// Does one step and prints its name before and its time after, however it ends.
    ///
    /// # Errors
    ///
    /// The step's own, with its name in front.
    pub(crate) fn run<T>(&mut self, name: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("==> {name}");
        let began = Instant::now();
        let result = step();
        let (verdict, took) = (if result.is_ok() { "done" } else { "FAILED" }, began.elapsed());
        println!("==> {name}: {verdict} in {}, {} so far", seconds(took), seconds(self.began.elapsed()));
        result.with_context(|| name.to_owned())
    }
}

/// A duration the way people read it, to a tenth of a second.
fn seconds(duration: Duration) -> String {
    let (minutes, rest) = (duration.as_secs() / 60, duration.as_secs() % 60);
    let tenths = duration.subsec_millis() / 100;
    if minutes == 0 { format!("{rest}.{tenths} s") } else { format!("{minutes} min {rest} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        for (millis, text) in [(0, "0.0 s"), (1_250, "1.2 s"), (59_999, "59.9 s"), (61_000, "1 min 1 s")] {
            assert_eq!(seconds(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn a_failed_step_is_named() {
        let error =
            Steps::begin().run("sweeping", || -> Result<()> { anyhow::bail!("no broom") }).unwrap_err();
        assert_eq!(format!("{error:#}"), "sweeping: no broom");
    }
}
