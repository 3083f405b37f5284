//! How a run ends: the turn is over, or it comes again.

use std::time::Duration;

use store::{ParkReason, StoreError};

use crate::access::AccessError;

/// How soon a turn that failed for want of a store or a token is tried again.
pub(crate) const AGAIN_SOON: Duration = Duration::from_secs(5);

/// What became of a queued message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// Its turn is over: answered, parked, or none of ours.
    Done,
    /// It is to be handed out again.
    Again {
        /// Not before this has passed.
        after: Duration,
    },
}

/// What became of a message whose tries are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenUp {
    /// Its turn is over without it: answered after all, ended before, or none of ours.
    Over,
    /// It is a dead letter: its turn is parked, or could not even be parked.
    DeadLetter,
}

/// Why a turn is to be parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parked {
    pub(crate) reason: ParkReason,
    /// What caused that, for operators: it goes to the log and to the dead letters as it is.
    pub(crate) cause: Option<String>,
}

impl From<ParkReason> for Parked {
    fn from(reason: ParkReason) -> Self {
        Self { reason, cause: None }
    }
}

/// Why a run stops before its turn is over.
pub(crate) enum Again {
    /// Try later; the turn is given back first.
    Later { after: Duration, cause: String },
    /// Another worker has the turn: stop at once and touch nothing.
    FenceLost,
}

impl Again {
    pub(crate) fn later(after: Duration, cause: &str) -> Self {
        Self::Later { after, cause: cause.to_owned() }
    }
}

impl From<StoreError> for Again {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::FenceLost => Self::FenceLost,
            StoreError::Unavailable(_) | StoreError::Unreadable(_) => {
                Self::Later { after: AGAIN_SOON, cause: error.to_string() }
            }
        }
    }
}

impl From<AccessError> for Again {
    fn from(error: AccessError) -> Self {
        if error.is_final() {
            // Keys that the platform refuses are mended by a person, who needs a moment.
            return Self::Later { after: Duration::from_secs(60), cause: error.to_string() };
        }
        Self::Later { after: AGAIN_SOON, cause: error.to_string() }
    }
}
