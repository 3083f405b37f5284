//! How the endpoints fare: who is closed off, how long they take, how many questions they have in work.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chat::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{AttemptOutcome, Endpoint};

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
    /// Until when.
    pub until: Timestamp,
    /// How often in a row it was opened; the wait grows with it.
    pub step: u32,
}

/// Where instances tell each other which endpoints are to be left alone. Neither call may take long or fail loudly: a
/// board that is down costs what it would have saved, and no answer.
#[async_trait]
pub trait Board: Send + Sync {
    /// What all instances have told and is not over.
    async fn openings(&self, now: Timestamp) -> Vec<Opening>;

    /// Tells the others.
    async fn tell(&self, opening: &Opening);
}

/// How an attempt went, as far as health goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) outcome: AttemptOutcome,
    /// How long its first token took; how long it was waited for in vain when outrun.
    pub(crate) first_token: Option<Duration>,
}

/// How all endpoints of a router fare. Indices are those of its endpoints.
pub(crate) struct Health {
    room: Vec<Option<Arc<Semaphore>>>,
}

impl Health {
    pub(crate) fn new(endpoints: &[Endpoint]) -> Self {
        let room = |endpoint: &Endpoint| {
            endpoint
                .concurrency
                .map(|most| Arc::new(Semaphore::new(most.try_into().unwrap_or(usize::MAX >> 3))))
        };
        Self { room: endpoints.iter().map(room).collect() }
    }

    /// Takes a place among the questions that this endpoint has in work; nothing when there is none.
    pub(crate) fn admit(&self, index: usize, _now: Timestamp) -> Option<Admission> {
        match self.room.get(index)? {
            None => Some(Admission { _room: None }),
            Some(room) => {
                Arc::clone(room).try_acquire_owned().ok().map(|room| Admission { _room: Some(room) })
            }
        }
    }

    /// Waits for a place.
    pub(crate) async fn room(&self, index: usize) {
        if let Some(Some(room)) = self.room.get(index) {
            // Fails only when the semaphore is closed, which nobody does.
            drop(room.acquire().await);
        }
    }

    /// Whether it may be asked.
    pub(crate) fn gate(&self, _index: usize, _now: Timestamp) -> Gate {
        Gate::Closed
    }

    /// Tells how an attempt went. Returns the opening when it is this that closes the endpoint off.
    pub(crate) fn note(&self, _index: usize, _verdict: Verdict, _now: Timestamp) -> Option<Opening> {
        None
    }

    /// In how much time its first token comes in 95 of 100 answers, once that is known.
    pub(crate) fn usual_first_token(&self, _index: usize) -> Option<Duration> {
        None
    }

    /// Believes what other instances have told.
    pub(crate) fn adopt(&self, _openings: &[Opening], _now: Timestamp) {}
}

/// A place among the questions that an endpoint has in work.
pub(crate) struct Admission {
    _room: Option<OwnedSemaphorePermit>,
}
