//! A server that is not there and is waited for: when it is tried next, by all who wait for it together.
//!
//! The breaker keeps questions away from such an endpoint as long as others can answer. This is for those that have no
//! other: they try again, soon at first, and never more often together than one of them would alone.

use std::time::Duration;

use chat::Timestamp;

use super::Verdict;

/// How long until the first try. Each wait is twice the one before.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait: how long an answer may be late once the server is there.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How much chance adds to a wait, so that processes that lost the server together do not try it together.
const JITTER: f64 = 0.25;

/// What was not tried for this long begins with the first wait again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// Whether one endpoint is there.
#[derive(Debug, Default)]
pub(super) struct Absence(Option<Waiting>);

#[derive(Debug, Clone, Copy)]
struct Waiting {
    /// How often it was tried.
    tries: u32,
    /// When it may be tried again.
    next: Timestamp,
}

impl Absence {
    /// Takes an attempt's verdict. Returns whether it is this that shows that the endpoint is back.
    pub(super) fn note(&mut self, verdict: Verdict, now: Timestamp, chance: impl FnOnce() -> f64) -> bool {
        if verdict.shows_absence(now) {
            let known = self.0.filter(|waiting| now.since(waiting.next) < FORGOTTEN_AFTER);
            self.0 = Some(known.unwrap_or_else(|| Waiting { tries: 0, next: now.plus(wait(0, chance())) }));
            return false;
        }
        !verdict.was_silent() && self.0.take().is_some()
    }

    /// When it may be tried next; at once when it is there.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.map(|waiting| waiting.next)
    }

    /// Takes the next try, if it is due.
    pub(super) fn try_now(&mut self, now: Timestamp, chance: impl FnOnce() -> f64) -> bool {
        let Some(waiting) = &mut self.0 else { return true };
        if now < waiting.next {
            return false;
        }
        waiting.tries = waiting.tries.saturating_add(1);
        waiting.next = now.plus(wait(waiting.tries, chance()));
        true
    }
}

/// The wait after so many tries.
fn wait(tries: u32, chance: f64) -> Duration {
    let factor = 1_u32.checked_shl(tries).unwrap_or(u32::MAX);
    FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT).mul_f64(1.0 + JITTER * chance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AttemptOutcome, Failure};

    const BEGIN: Timestamp = Timestamp::from_millis(1_000_000);

    fn at(millis: u64) -> Timestamp {
        BEGIN.plus(Duration::from_millis(millis))
    }

    fn note(absence: &mut Absence, outcome: AttemptOutcome, millis: u64) -> bool {
        absence.note(Verdict { outcome, started: at(millis), first_token: None }, at(millis), || 0.0)
    }

    #[test]
    fn all_who_wait_together_try_as_often_as_one() {
        let mut absence = Absence::default();
        for _ in 0..1_000 {
            assert!(!note(&mut absence, AttemptOutcome::Failed(Failure::Unreachable), 0));
        }
        let mut tries = Vec::new();
        for millis in (0..30_000).step_by(100) {
            for _ in 0..1_000 {
                if absence.try_now(at(millis), || 0.0) {
                    tries.push(millis);
                    note(&mut absence, AttemptOutcome::Failed(Failure::Starting), millis);
                }
            }
        }
        assert_eq!(tries, [500, 1_500, 3_500, 7_500, 12_500, 17_500, 22_500, 27_500]);
    }

    #[test]
    fn chance_spreads_the_tries() {
        let mut absence = Absence::default();
        let verdict = Verdict {
            outcome: AttemptOutcome::Failed(Failure::Unreachable),
            started: BEGIN,
            first_token: None,
        };
        absence.note(verdict, BEGIN, || 1.0);
        assert_eq!(absence.next(), Some(at(625)));
        assert!(absence.try_now(at(625), || 1.0));
        assert_eq!(absence.next(), Some(at(625 + 1_250)));
    }

    #[test]
    fn whatever_it_says_shows_that_it_is_back() {
        for outcome in [AttemptOutcome::Answered, AttemptOutcome::Failed(Failure::Empty)] {
            let mut absence = Absence::default();
            assert!(!note(&mut absence, outcome, 0), "it was never away");
            note(&mut absence, AttemptOutcome::Failed(Failure::Unreachable), 0);
            for silent in [AttemptOutcome::Outrun, AttemptOutcome::Failed(Failure::Timeout)] {
                assert!(!note(&mut absence, silent, 0) && absence.next().is_some());
            }
            assert!(note(&mut absence, outcome, 1) && absence.next().is_none());
            assert!(absence.try_now(at(1), || 0.0));
        }
    }

    #[test]
    fn an_absence_of_long_ago_begins_anew() {
        let mut absence = Absence::default();
        note(&mut absence, AttemptOutcome::Failed(Failure::Unreachable), 0);
        for millis in [500, 1_500, 3_500] {
            assert!(absence.try_now(at(millis), || 0.0));
        }
        note(&mut absence, AttemptOutcome::Failed(Failure::Unreachable), 900_000);
        assert_eq!(absence.next(), Some(at(900_500)));
    }
}
