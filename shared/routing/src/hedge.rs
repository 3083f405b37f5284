//! Asking a second endpoint while the first is still silent, for a small share of all questions.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{Hedge, Router};

/// How many questions there were, and how many were asked twice.
#[derive(Default)]
pub(crate) struct Hedging {
    asked: AtomicU64,
    twice: AtomicU64,
}

impl Hedging {
    /// Counts a question.
    pub(crate) fn asked(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether one more may be asked twice; if so, it is counted.
    pub(crate) fn spend(&self, share: f64) -> bool {
        let asked = self.asked.load(Ordering::Relaxed);
        let most = allowed(asked, share);
        self.twice
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |twice| (twice < most).then_some(twice + 1))
            .is_ok()
    }
}

/// How many of so many questions may be asked twice.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of a count: what rounding takes away is less than one question"
)]
fn allowed(asked: u64, share: f64) -> u64 {
    (asked as f64 * share.clamp(0.0, 1.0)) as u64
}

/// How long this endpoint may be silent before another is asked as well.
pub(crate) fn delay(router: &Router, hedge: Hedge, index: usize) -> Option<Duration> {
    hedge.after.or_else(|| router.health.usual_first_token(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_its_share_is_asked_twice() {
        let hedging = Hedging::default();
        let mut twice = 0;
        for _ in 0..1000 {
            hedging.asked();
            twice += u32::from(hedging.spend(0.05));
        }
        assert_eq!(twice, 50);
        assert!(!hedging.spend(0.0));
    }
}
