//! When each message is to be sent, whatever becomes of those before it.

use std::{
    thread,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

/// Moments after the start at which messages arrive.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrivals(Vec<Duration>);

impl Arrivals {
    /// So many at random moments, at this rate on average (a Poisson process). The same seed gives the same moments.
    #[must_use]
    pub fn at_rate(per_second: f64, count: usize, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut at = 0.0;
        let mut next = || {
            // 1 − [0, 1) is never 0, whose logarithm is none.
            at -= (1.0 - random.f64()).ln() / per_second;
            Duration::from_secs_f64(at)
        };
        Self((0..count).map(|_| next()).collect())
    }

    /// So many at the same moment.
    #[must_use]
    pub fn at_once(count: usize) -> Self {
        Self(vec![Duration::ZERO; count])
    }

    /// The moments, in order.
    #[must_use]
    pub fn moments(&self) -> &[Duration] {
        &self.0
    }

    /// Tells each message's number when its moment has come, from a thread of its own: a thread's sleep ends within a
    /// tenth of a millisecond, a runtime's timer only within a whole one.
    pub(crate) fn tell(self, start: Instant) -> mpsc::UnboundedReceiver<(usize, Instant)> {
        let (tell, told) = mpsc::unbounded_channel();
        thread::spawn(move || {
            for (number, moment) in self.0.into_iter().enumerate() {
                let due = start + moment;
                let left = due.saturating_duration_since(Instant::now());
                if !left.is_zero() {
                    thread::sleep(left);
                }
                if tell.send((number, due)).is_err() {
                    return;
                }
            }
        });
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_have_the_rate_that_is_asked_for() {
        let arrivals = Arrivals::at_rate(200.0, 10_000, 1);
        let moments = arrivals.moments();
        assert!(moments.is_sorted());
        let rate = 10_000.0 / moments[9_999].as_secs_f64();
        assert!((190.0..210.0).contains(&rate), "{rate}");
        let gaps = moments.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64());
        let short = gaps.filter(|gap| *gap < 0.005).count();
        assert!((6_000..6_700).contains(&short), "63 % of the gaps are shorter than the mean: {short}");
        assert_eq!(arrivals, Arrivals::at_rate(200.0, 10_000, 1));
        assert_ne!(arrivals, Arrivals::at_rate(200.0, 10_000, 2));
    }

    #[tokio::test]
    async fn each_arrival_is_told_once_and_in_order() {
        let start = Instant::now();
        let mut told = Arrivals::at_rate(100_000.0, 50, 1).tell(start);
        let mut numbers = Vec::new();
        while let Some((number, due)) = told.recv().await {
            assert!(due >= start && Instant::now() >= due);
            numbers.push(number);
        }
        assert_eq!(numbers, (0..50).collect::<Vec<_>>());
    }
}
