//! How the endpoints fare: who is left alone, how long they take, how many questions they have in work.
//!
//! - `absence`: when an endpoint is tried again that is waited for
//! - `breaker`: when an endpoint is left alone, and for how long; `change`: how operators hear of that
//! - `failing`: what it failed with since it last answered
//! - `pace`: how long its first token takes

mod absence;
mod breaker;
pub(crate) mod change;
mod failing;
mod pace;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chat::{Entropy, Timestamp};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, futures::Notified};

use self::{absence::Absence, breaker::Breaker, change::Change, pace::Pace};
use crate::{Attempt, AttemptOutcome, Endpoint, Failure, Place};

pub use self::failing::Failing;

/// Whether an endpoint may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// It may.
    Closed,
    /// It failed, and one question may try whether it is back.
    Probing,
    /// It failed, and is left alone until then.
    Open {
        /// When a question may try again.
        until: Timestamp,
    },
}

/// An endpoint that is to be left alone, as the instances tell each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Its name.
    pub endpoint: String,
    /// Since when. An instance that had an answer from it later does not believe it any more.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How often in a row it was opened; the wait grows with it.
    pub step: u32,
}

/// Where instances tell each other which endpoints are to be left alone. Neither call may take long or fail loudly: a
/// board that is down costs what it would have saved, and no answer.
///
/// That an endpoint is back is not told: what was told ends by itself, and who asks earlier finds out.
#[async_trait]
pub trait Board: Send + Sync {
    /// What all instances have told and is not over.
    async fn openings(&self, now: Timestamp) -> Vec<Opening>;

    /// Tells the others.
    async fn tell(&self, opening: &Opening);
}

/// How one endpoint fares, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    /// Its name.
    pub endpoint: String,
    /// Where it stands.
    pub place: Place,
    /// Whether it may be asked.
    pub gate: Gate,
    /// How many questions it has in work, of this process.
    pub in_work: u32,
    /// How long its first token took of late; nothing before the first answer.
    pub first_token: Option<Duration>,
    /// What it failed with since it last answered, of this process's questions.
    pub failing: Option<Failing>,
}

/// How an attempt went, as far as health goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) outcome: AttemptOutcome,
    /// When the attempt began.
    pub(crate) started: Timestamp,
    /// How long its first token took; how long it was waited for in vain when outrun.
    pub(crate) first_token: Option<Duration>,
}

/// A connection that breaks within this time, before anything came, was taken by a proxy in front of a server that is
/// not there: that of Docker does so.
const BROKEN_AT_ONCE: Duration = Duration::from_millis(250);

impl Verdict {
    /// Whether nothing came that tells whether the server is there.
    pub(crate) const fn was_silent(&self) -> bool {
        use AttemptOutcome::{Failed, Outrun};
        matches!(self.outcome, Outrun | Failed(Failure::SlowFirstToken | Failure::Stalled | Failure::Timeout))
    }

    /// Whether the server is not there, and may be soon.
    pub(crate) fn shows_absence(&self, now: Timestamp) -> bool {
        match self.outcome {
            AttemptOutcome::Failed(Failure::Broken) => {
                self.first_token.is_none() && now.since(self.started) < BROKEN_AT_ONCE
            }
            AttemptOutcome::Failed(failure) => failure.is_absence(),
            AttemptOutcome::Answered | AttemptOutcome::Outrun => false,
        }
    }
}

/// How all endpoints of a router fare. Indices are those of its endpoints.
pub(crate) struct Health {
    slots: Vec<Arc<Slot>>,
    /// Counts what was asked, so that turns can be taken.
    turn: AtomicU64,
    entropy: Arc<dyn Entropy>,
    /// Wakes those who wait for an endpoint when one is back.
    back: Notify,
}

/// How one endpoint fares.
struct Slot {
    name: String,
    place: Place,
    room: Option<Arc<Semaphore>>,
    in_work: AtomicU32,
    /// The last question's place among all questions; 0 before the first.
    turn: AtomicU64,
    state: Mutex<State>,
}

/// What an attempt changes.
#[derive(Default)]
struct State {
    breaker: Breaker,
    pace: Pace,
    absence: Absence,
    failing: Option<Failing>,
}

impl Slot {
    fn new(endpoint: &Endpoint) -> Self {
        let room = endpoint
            .concurrency
            .map(|most| Arc::new(Semaphore::new(most.try_into().unwrap_or(usize::MAX >> 3))));
        Self {
            name: endpoint.name.clone(),
            place: endpoint.place,
            room,
            in_work: AtomicU32::new(0),
            turn: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    /// Locks, also after a panic elsewhere: no operation leaves a state half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Health {
    pub(crate) fn new(endpoints: &[Endpoint], entropy: Arc<dyn Entropy>) -> Self {
        let slots = endpoints.iter().map(|endpoint| Arc::new(Slot::new(endpoint))).collect();
        Self { slots, turn: AtomicU64::new(0), entropy, back: Notify::new() }
    }

    /// Takes a place among the questions that this endpoint has in work, and the probe if it is on probation; nothing
    /// when there is no place, or when it is to be left alone.
    pub(crate) fn admit(&self, index: usize, now: Timestamp) -> Option<Admission> {
        let slot = self.slots.get(index)?;
        let mut state = slot.state();
        let gate = state.breaker.gate(now);
        if matches!(gate, Gate::Open { .. }) {
            return None;
        }
        let mut admission = self.place(slot)?;
        if gate == Gate::Probing {
            admission.probe = Some(state.breaker.probe(now));
        }
        Some(admission)
    }

    /// Takes a place whether or not the endpoint is to be left alone: when nobody else is left, asking one that was down
    /// a moment ago is better than asking nobody.
    pub(crate) fn admit_anyway(&self, index: usize) -> Option<Admission> {
        self.place(self.slots.get(index)?)
    }

    fn place(&self, slot: &Arc<Slot>) -> Option<Admission> {
        let room = match &slot.room {
            None => None,
            Some(room) => Some(Arc::clone(room).try_acquire_owned().ok()?),
        };
        slot.in_work.fetch_add(1, Ordering::Relaxed);
        slot.turn.store(self.turn.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        Some(Admission { slot: Arc::clone(slot), probe: None, _room: room })
    }

    /// Waits for a place.
    pub(crate) async fn room(&self, index: usize) {
        if let Some(Some(room)) = self.slots.get(index).map(|slot| &slot.room) {
            // Fails only when the semaphore is closed, which nobody does.
            drop(room.acquire().await);
        }
    }

    /// Whether it may be asked.
    pub(crate) fn gate(&self, index: usize, now: Timestamp) -> Gate {
        self.slots.get(index).map_or(Gate::Closed, |slot| slot.state().breaker.gate(now))
    }

    /// Tells how an attempt went. Returns what it is this that changes about the breaker.
    pub(crate) fn attempted(
        &self,
        index: usize,
        verdict: Verdict,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Option<Change> {
        let slot = self.slots.get(index)?;
        let mut state = slot.state();
        state.failing = failing::after(state.failing.take(), attempt, now);
        state.pace.note(verdict, now);
        if state.absence.note(verdict, now, || self.chance()) {
            self.back.notify_waiters();
        }
        let before = state.breaker.open_since();
        if let Some(opened) = state.breaker.note(verdict, now, || self.chance()) {
            let (endpoint, since) = (slot.name.clone(), now);
            return Some(Change::Opened(Opening { endpoint, since, until: opened.until, step: opened.step }));
        }
        let since = before.filter(|_| state.breaker.open_since().is_none())?;
        Some(Change::Closed { after: now.since(since) })
    }

    /// As [`Health::attempted`], of the verdict alone.
    #[cfg(test)]
    pub(crate) fn note(&self, index: usize, verdict: Verdict, now: Timestamp) -> Option<Opening> {
        let attempt = Attempt {
            endpoint: String::new(),
            place: Place::Local,
            model: String::new(),
            millis: 0,
            first_token_millis: None,
            usage: None,
            cost: 0,
            outcome: verdict.outcome,
            status: None,
            message: None,
            overflow: crate::Overflow::default(),
        };
        match self.attempted(index, verdict, &attempt, now) {
            Some(Change::Opened(opening)) => Some(opening),
            Some(Change::Closed { .. }) | None => None,
        }
    }

    /// Takes the next try at an endpoint that is waited for, if it is due; always when it is there.
    pub(crate) fn try_now(&self, index: usize, now: Timestamp) -> bool {
        self.slots.get(index).is_some_and(|slot| slot.state().absence.try_now(now, || self.chance()))
    }

    /// When an endpoint that is waited for may be tried next.
    pub(crate) fn next_try(&self, index: usize) -> Option<Timestamp> {
        self.slots.get(index)?.state().absence.next()
    }

    /// Resolves when some endpoint that was waited for is back.
    pub(crate) fn back(&self) -> Notified<'_> {
        self.back.notified()
    }

    /// In how much time its first token comes in 95 of 100 answers, once that is known.
    pub(crate) fn usual_first_token(&self, index: usize) -> Option<Duration> {
        self.slots.get(index)?.state().pace.usual()
    }

    /// Believes what other instances have told.
    pub(crate) fn adopt(&self, openings: &[Opening], now: Timestamp) {
        for opening in openings {
            if let Some(slot) = self.slots.iter().find(|slot| slot.name == opening.endpoint) {
                slot.state().breaker.adopt(opening, now, || self.chance());
            }
        }
    }

    /// How many questions it has in work.
    pub(crate) fn in_work(&self, index: usize) -> u32 {
        self.slots.get(index).map_or(0, |slot| slot.in_work.load(Ordering::Relaxed))
    }

    /// When its last turn was, in turns of all endpoints.
    pub(crate) fn turn(&self, index: usize) -> u64 {
        self.slots.get(index).map_or(0, |slot| slot.turn.load(Ordering::Relaxed))
    }

    /// How long its first token may be expected to take, in milliseconds, with all that it has in work; the lower, the
    /// better. An endpoint that is not known yet is worth one try, and no more than one at a time.
    pub(crate) fn expected(&self, index: usize, now: Timestamp) -> f64 {
        let Some(slot) = self.slots.get(index) else { return f64::INFINITY };
        slot.state().pace.expected(self.in_work(index), now)
    }

    /// How all of them fare.
    pub(crate) fn signs(&self, now: Timestamp) -> Vec<Sign> {
        let sign = |slot: &Arc<Slot>| {
            let state = slot.state();
            Sign {
                endpoint: slot.name.clone(),
                place: slot.place,
                gate: state.breaker.gate(now),
                in_work: slot.in_work.load(Ordering::Relaxed),
                first_token: state.pace.first_token(),
                failing: state.failing.clone(),
            }
        };
        self.slots.iter().map(sign).collect()
    }

    /// From 0 to 1, by chance.
    fn chance(&self) -> f64 {
        let mut byte = [0];
        self.entropy.fill(&mut byte);
        f64::from(byte[0]) / 255.0
    }
}

/// A place among the questions that an endpoint has in work, and perhaps its probe. Dropped without a verdict, it gives
/// both back.
pub(crate) struct Admission {
    slot: Arc<Slot>,
    probe: Option<breaker::Probe>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.slot.in_work.fetch_sub(1, Ordering::Relaxed);
        if let Some(probe) = self.probe.take() {
            self.slot.state().breaker.give_back(probe);
        }
    }
}

#[cfg(test)]
mod tests;
