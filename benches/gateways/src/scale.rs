//! How fast the clocks of a run go.

use std::time::Duration;

/// How much room a bound gets in a run whose clocks are not the real ones: a machine's hiccups do not shrink with them.
/// Small enough that what is too slow by a third is still found.
const ROOM: f64 = 1.2;

/// No wait for an answer is given up before this many seconds, however small the scale.
const PATIENCE: f64 = 5.0;

/// The factor by which every time of a scenario is multiplied: 1 is the published run, 0.1 a quick one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale(f64);

impl Scale {
    /// The times as they are published.
    pub const REAL: Self = Self(1.0);

    /// A scale between a hundredth and one.
    #[must_use]
    pub fn new(factor: f64) -> Option<Self> {
        (0.01..=1.0).contains(&factor).then_some(Self(factor))
    }

    /// The factor.
    #[must_use]
    pub fn factor(self) -> f64 {
        self.0
    }

    /// Scaled seconds, as a number.
    #[must_use]
    pub fn seconds(self, seconds: f64) -> f64 {
        seconds * self.0
    }

    /// Scaled seconds.
    #[must_use]
    pub fn of(self, seconds: f64) -> Duration {
        Duration::from_secs_f64(self.seconds(seconds))
    }

    /// The latest moment that still counts as within these seconds.
    #[must_use]
    pub fn bound(self, seconds: f64) -> Duration {
        self.of(if self.0 < 1.0 { seconds * ROOM } else { seconds })
    }

    /// How long a client waits before it gives an answer up.
    #[must_use]
    pub fn patience(self, seconds: f64) -> Duration {
        Duration::from_secs_f64(self.seconds(seconds).max(PATIENCE))
    }

    /// `Retry-After` has whole seconds, so a scaled one is rounded up to the next.
    #[must_use]
    pub fn retry_after(self, seconds: f64) -> Duration {
        Duration::from_secs_f64(self.seconds(seconds).ceil())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_shrink_and_their_bounds_keep_room() {
        let tenth = Scale::new(0.1).unwrap();
        assert_eq!(tenth.of(15.0), Duration::from_millis(1500));
        assert_eq!(tenth.bound(15.0), Duration::from_millis(1800));
        assert_eq!(Scale::REAL.bound(15.0), Duration::from_secs(15));
        assert_eq!(tenth.retry_after(2.0), Duration::from_secs(1));
        assert_eq!(tenth.patience(20.0), Duration::from_secs(5));
        assert_eq!((Scale::new(0.0), Scale::new(2.0)), (None, None));
    }
}
