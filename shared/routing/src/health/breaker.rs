//! When one endpoint is left alone, and for how long.

use std::time::Duration;

use chat::Timestamp;

use super::{Gate, Opening, Verdict};
use crate::{AttemptOutcome, Failure};

/// The first wait. Each wait is taken twice and then doubled: 10, 10, 20, 20, 40 s and so on. A plain doubling would
/// reach 40 s while an outage of a minute still lasts, and then leave the endpoint alone for long after its return.
const FIRST_WAIT: Duration = Duration::from_secs(10);

/// The longest wait that grew by itself.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);

/// The longest wait that an endpoint may ask for: a `Retry-After` can be a mistake.
const LONGEST_WISH: Duration = Duration::from_secs(60 * 60);

/// How much chance adds to a wait, so that all who met the same failure do not come back together.
const SPREAD: f64 = 0.1;

/// How much chance adds to a wait that another instance has told: there may be a thousand who heard of it.
const SPREAD_TOLD: f64 = 0.25;

/// How long an endpoint is left alone that refuses the key: somebody has to mend that.
const KEY_WAIT: Duration = Duration::from_secs(5 * 60);

/// How long an endpoint is left alone that says that it is starting. Always the same, since it works on it.
const STARTING_WAIT: Duration = Duration::from_secs(10);

/// How many points in a row open it.
const POINTS_MOST: u32 = 6;

/// Two silences open it: each of them costs somebody the time of the first token.
const SILENCE: u32 = 3;

/// Three errors open it, which cost little each.
const ERROR: u32 = 2;

/// Six lost races open it: an endpoint that always loses only costs its tokens.
const LOST_RACE: u32 = 1;

/// What was given less time than this was cut short, and has not been silent for long.
const FAIR_TIME: Duration = Duration::from_secs(10);

/// The breaker of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: State,
    /// Points in a row.
    points: u32,
    /// How often in a row it was opened.
    step: u32,
    /// When the last attempt began that showed it alive.
    alive: Option<Timestamp>,
    /// Counts probes, so that an old one takes nothing from a new one.
    probes: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Closed,
    /// Left alone from `since` to `until`, and on probation after that. `probe` is the one that is out.
    Open { since: Timestamp, until: Timestamp, probe: Option<(u64, Timestamp)> },
}

/// The right to try whether the endpoint is back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Probe(u64);

/// What an opening came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) until: Timestamp,
    pub(super) step: u32,
}

/// What an attempt says of its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    /// It works.
    Works,
    /// It is there; what went wrong was the question's fault.
    Alive,
    /// Nothing.
    Nothing,
    /// It went wrong, and so many points in a row are enough.
    Points(u32),
    /// It is to be left alone at once; for exactly so long, where that is known.
    Leave(Option<Duration>),
    /// It is starting, and will be back by itself.
    Starting,
}

impl Says {
    fn of(verdict: Verdict, now: Timestamp) -> Self {
        let failure = match verdict.outcome {
            AttemptOutcome::Answered => return Self::Works,
            AttemptOutcome::Outrun => return Self::Points(LOST_RACE),
            AttemptOutcome::Failed(failure) => failure,
        };
        match failure {
            Failure::Unreachable | Failure::Certificate | Failure::Proxy(_) => Self::Leave(None),
            Failure::Starting => Self::Starting,
            Failure::Auth(_) => Self::Leave(Some(KEY_WAIT)),
            Failure::RateLimited { retry_after: Some(wait) } => Self::Leave(Some(wait)),
            // The question's time was over, or nearly so, when it was asked.
            Failure::Timeout if now.since(verdict.started) < FAIR_TIME => Self::Nothing,
            Failure::Timeout | Failure::SlowFirstToken | Failure::Stalled => Self::Points(SILENCE),
            Failure::Server(_) | Failure::Broken | Failure::RateLimited { retry_after: None } => {
                Self::Points(ERROR)
            }
            // It answers. What it answers can be this question's fault, and costs little where it is not.
            Failure::BadRequest(_)
            | Failure::ContextTooLong
            | Failure::ContentFiltered
            | Failure::Empty
            | Failure::Malformed
            | Failure::TooLarge => Self::Alive,
        }
    }
}

impl Breaker {
    pub(super) fn gate(&self, now: Timestamp) -> Gate {
        match self.state {
            State::Closed => Gate::Closed,
            State::Open { probe: Some((_, began)), .. } => Gate::Open { until: began },
            State::Open { until, .. } if now < until => Gate::Open { until },
            State::Open { .. } => Gate::Probing,
        }
    }

    /// Since when it is open, also while a probe is out.
    pub(super) const fn open_since(&self) -> Option<Timestamp> {
        match self.state {
            State::Closed => None,
            State::Open { since, .. } => Some(since),
        }
    }

    /// Takes the probe.
    pub(super) fn probe(&mut self, now: Timestamp) -> Probe {
        self.probes += 1;
        if let State::Open { probe, .. } = &mut self.state {
            *probe = Some((self.probes, now));
        }
        Probe(self.probes)
    }

    /// Lets another question have the probe, if this one's attempt has not decided the matter.
    pub(super) fn give_back(&mut self, Probe(number): Probe) {
        if let State::Open { probe, .. } = &mut self.state
            && probe.is_some_and(|(out, _)| out == number)
        {
            *probe = None;
        }
    }

    /// Takes an attempt's verdict. Returns an opening when it is this that opens or opens again; `chance` is from 0 to 1.
    pub(super) fn note(
        &mut self,
        verdict: Verdict,
        now: Timestamp,
        chance: impl FnOnce() -> f64,
    ) -> Option<Opened> {
        let says = Says::of(verdict, now);
        match self.state {
            State::Closed => match says {
                Says::Works => {
                    self.close(verdict.started);
                    None
                }
                Says::Leave(wait) => Some(self.open(wait, now, chance)),
                Says::Starting => Some(self.open_for_start(now, chance)),
                Says::Points(points) => {
                    self.points += points;
                    (self.points >= POINTS_MOST).then(|| self.open(None, now, chance))
                }
                Says::Alive | Says::Nothing => None,
            },
            // What began before tells nothing new: many questions fail at once when a server goes down.
            State::Open { since, .. } if verdict.started < since => None,
            State::Open { until, .. } => match says {
                Says::Works | Says::Alive => {
                    self.close(verdict.started);
                    None
                }
                Says::Points(LOST_RACE) | Says::Nothing => None,
                // Asked only because nobody else was left: the wait goes on as it is.
                Says::Points(_) | Says::Leave(_) | Says::Starting if now < until => None,
                Says::Points(_) => Some(self.open(None, now, chance)),
                Says::Leave(wait) => Some(self.open(wait, now, chance)),
                Says::Starting => Some(self.open_for_start(now, chance)),
            },
        }
    }

    /// Believes another instance, unless there was an answer since.
    pub(super) fn adopt(&mut self, opening: &Opening, now: Timestamp, chance: impl FnOnce() -> f64) {
        if opening.until <= now || self.alive.is_some_and(|alive| alive >= opening.since) {
            return;
        }
        if let State::Open { since, until, .. } = self.state
            && (since >= opening.since || until >= opening.until)
        {
            return;
        }
        let spread = opening.until.since(opening.since).mul_f64(SPREAD_TOLD * chance());
        self.state = State::Open { since: opening.since, until: opening.until.plus(spread), probe: None };
        self.step = self.step.max(opening.step);
    }

    fn close(&mut self, started: Timestamp) {
        self.state = State::Closed;
        self.points = 0;
        self.step = 0;
        self.alive = self.alive.max(Some(started));
    }

    /// Opens without a longer wait the next time: that it is starting says when it was down, and that it no longer is.
    fn open_for_start(&mut self, now: Timestamp, chance: impl FnOnce() -> f64) -> Opened {
        let step = self.step;
        let wait = STARTING_WAIT.mul_f64(1.0 + SPREAD * chance());
        let opened = self.open(Some(wait), now, || 0.0);
        self.step = step;
        opened
    }

    fn open(&mut self, wait: Option<Duration>, now: Timestamp, chance: impl FnOnce() -> f64) -> Opened {
        self.step = self.step.saturating_add(1);
        self.points = 0;
        let wait = match wait {
            Some(wait) => wait.min(LONGEST_WISH),
            None => ladder(self.step).mul_f64(1.0 + SPREAD * chance()),
        };
        let until = now.plus(wait);
        self.state = State::Open { since: now, until, probe: None };
        Opened { until, step: self.step }
    }
}

/// The wait after so many openings in a row.
fn ladder(step: u32) -> Duration {
    let doublings = step.saturating_sub(1) / 2;
    let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
    FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests;
