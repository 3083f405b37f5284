//! Percentiles, and their range over several runs.

use std::fmt;

/// Some times, in milliseconds, in order.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<f64>);

impl Times {
    /// These, put in order.
    #[must_use]
    pub fn new(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self(times)
    }

    /// The time that this share of them does not exceed; the share is between 0 and 1. Not a number when there are none.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank is small and not negative"
    )]
    pub fn percentile(&self, share: f64) -> f64 {
        let rank = (self.0.len() as f64 * share).ceil() as usize;
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
    }
}

/// A figure of several runs: the middle one, and how far apart they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The median.
    pub middle: f64,
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
}

impl Range {
    /// Over these, if there are any.
    #[must_use]
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let times = Times::new(figures.into_iter().filter(|figure| figure.is_finite()).collect());
        let (least, most) = (*times.0.first()?, *times.0.last()?);
        Some(Self { middle: times.percentile(0.5), least, most })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        let Self { middle, least, most } = self;
        write!(f, "{middle:.digits$}")?;
        if least < most { write!(f, " ({least:.digits$}–{most:.digits$})") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let times = Times::new((1..=100).rev().map(f64::from).collect());
        let found: Vec<_> = [0.5, 0.9, 0.99, 1.0].map(|share| times.percentile(share)).into();
        assert_eq!(found, [50.0, 90.0, 99.0, 100.0]);
        assert!(Times::default().percentile(0.5).is_nan());
    }

    #[test]
    fn a_range_shows_how_far_apart_the_runs_are() {
        assert_eq!(Range::of([0.5, 0.3, 0.4]).unwrap().to_string(), "0.40 (0.30–0.50)");
        assert_eq!(format!("{:.0}", Range::of([7.0]).unwrap()), "7");
        assert_eq!(Range::of([]), None);
    }
}
