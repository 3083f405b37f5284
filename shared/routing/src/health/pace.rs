//! How long the first token of one endpoint takes: of late, and usually.

use std::{collections::VecDeque, time::Duration};

use chat::Timestamp;

use super::Verdict;
use crate::{AttemptOutcome, Failure};

/// How many first tokens are remembered.
const WINDOW: usize = 128;

/// How many must be known before anything is called usual.
const ENOUGH: usize = 20;

/// In how long what was learnt fades to about a third. Chats are quiet for minutes, and an endpoint that was slow once
/// must be tried again.
const FADE: Duration = Duration::from_secs(60);

/// What an endpoint counts for that has its first question in work and is not known yet: more than any that is.
const UNKNOWN_AND_BUSY: f64 = 1e12;

/// The pace of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// A mean in milliseconds that follows rises at once and falls slowly, and when it was taken.
    peak: Option<(f64, Timestamp)>,
    window: VecDeque<Duration>,
}

impl Pace {
    pub(super) fn note(&mut self, verdict: Verdict, now: Timestamp) {
        // What was silent for so long would have taken longer still.
        let silent =
            matches!(verdict.outcome, AttemptOutcome::Failed(Failure::SlowFirstToken | Failure::Timeout));
        let waited = match verdict.first_token {
            Some(first_token) => {
                self.remember(first_token);
                first_token
            }
            None if silent => now.since(verdict.started),
            None => return,
        };
        let millis = waited.as_secs_f64() * 1000.0;
        let mean = self.peak.map_or(millis, |(mean, then)| {
            let kept = fading(then, now);
            if millis > mean { millis } else { mean * kept + millis * (1.0 - kept) }
        });
        self.peak = Some((mean, now));
    }

    /// Only what came, or lost a race: what broke off says nothing of how long an answer takes to begin.
    fn remember(&mut self, first_token: Duration) {
        if self.window.len() == WINDOW {
            self.window.pop_front();
        }
        self.window.push_back(first_token);
    }

    /// In how much time 95 of 100 first tokens come, once enough are known.
    pub(super) fn usual(&self) -> Option<Duration> {
        if self.window.len() < ENOUGH {
            return None;
        }
        let mut sorted: Vec<_> = self.window.iter().copied().collect();
        let at = (sorted.len() * 95).div_ceil(100).saturating_sub(1);
        sorted.select_nth_unstable(at);
        sorted.get(at).copied()
    }

    /// How long the first token took of late.
    pub(super) fn first_token(&self) -> Option<Duration> {
        self.peak.map(|(mean, _)| Duration::from_secs_f64(mean / 1000.0))
    }

    /// What a question may expect, in milliseconds; the lower, the better.
    pub(super) fn expected(&self, in_work: u32, now: Timestamp) -> f64 {
        let busy = f64::from(in_work);
        match self.peak {
            Some((mean, then)) => mean * fading(then, now) * (busy + 1.0),
            None if in_work == 0 => 0.0,
            None => UNKNOWN_AND_BUSY + busy,
        }
    }
}

/// What is left after this time of what was learnt: from 1, nothing faded, to 0.
fn fading(then: Timestamp, now: Timestamp) -> f64 {
    (-now.since(then).as_secs_f64() / FADE.as_secs_f64()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Timestamp = Timestamp::from_millis(1_000_000);

    fn answered(pace: &mut Pace, millis: u64, after: u64) {
        let verdict = Verdict {
            outcome: AttemptOutcome::Answered,
            started: BEGIN,
            first_token: Some(Duration::from_millis(millis)),
        };
        pace.note(verdict, BEGIN.plus(Duration::from_secs(after)));
    }

    #[test]
    fn a_rise_is_followed_at_once_and_a_fall_slowly() {
        let mut pace = Pace::default();
        answered(&mut pace, 100, 0);
        answered(&mut pace, 2_000, 1);
        assert_eq!(pace.first_token(), Some(Duration::from_secs(2)));
        answered(&mut pace, 100, 2);
        let then = pace.first_token().unwrap();
        assert!(then > Duration::from_millis(1_900) && then < Duration::from_secs(2), "{then:?}");
        answered(&mut pace, 100, 600);
        assert!(pace.first_token().unwrap() < Duration::from_millis(101));
    }

    #[test]
    fn questions_in_work_count_and_what_was_slow_is_forgiven() {
        let mut pace = Pace::default();
        answered(&mut pace, 1_000, 0);
        assert!((pace.expected(0, BEGIN) - 1_000.0).abs() < 1e-6);
        assert!((pace.expected(3, BEGIN) - 4_000.0).abs() < 1e-6);
        assert!(pace.expected(0, BEGIN.plus(Duration::from_secs(600))) < 1.0);
    }

    #[test]
    fn an_unknown_endpoint_gets_one_question_at_a_time() {
        let pace = Pace::default();
        assert!(pace.expected(0, BEGIN) < 1.0);
        let mut slow = Pace::default();
        answered(&mut slow, 60_000, 0);
        assert!(pace.expected(1, BEGIN) > slow.expected(1_000, BEGIN));
    }

    #[test]
    fn silence_makes_slow_and_is_not_usual() {
        let mut pace = Pace::default();
        for _ in 0..ENOUGH {
            answered(&mut pace, 100, 0);
        }
        let silent = Verdict {
            outcome: AttemptOutcome::Failed(Failure::SlowFirstToken),
            started: BEGIN,
            first_token: None,
        };
        pace.note(silent, BEGIN.plus(Duration::from_secs(15)));
        assert_eq!(pace.first_token(), Some(Duration::from_secs(15)));
        assert_eq!(pace.usual(), Some(Duration::from_millis(100)));
    }

    #[test]
    fn what_lost_a_race_was_slow() {
        let mut pace = Pace::default();
        let outrun = Verdict {
            outcome: AttemptOutcome::Outrun,
            started: BEGIN,
            first_token: Some(Duration::from_secs(4)),
        };
        pace.note(outrun, BEGIN);
        assert_eq!(pace.first_token(), Some(Duration::from_secs(4)));
    }

    #[test]
    fn the_usual_time_is_known_after_twenty_and_of_the_last_ones() {
        let mut pace = Pace::default();
        for number in 1..=19 {
            answered(&mut pace, number, 0);
            assert_eq!(pace.usual(), None);
        }
        answered(&mut pace, 20, 0);
        assert_eq!(pace.usual(), Some(Duration::from_millis(19)), "95 of 100");
        for _ in 0..1_000 {
            answered(&mut pace, 7, 0);
        }
        assert_eq!(pace.usual(), Some(Duration::from_millis(7)));
        assert_eq!(pace.window.len(), WINDOW, "and no more are kept");
    }
}
