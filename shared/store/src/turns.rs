//! Who works on a turn, and how far it came.
//!
//! The record is small on purpose: it is written four or five times per turn, and DynamoDB charges each write by the
//! size of the whole item. The answer itself is kept once, in the [exchange](crate::Exchange).

use std::time::Duration;

use async_trait::async_trait;
use chat::{Timestamp, TurnKey};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Counts the claims of a turn. Every write carries the fence of its claim, so a worker that lost its lease can write
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(pub u64);

/// How a turn ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The answer was sent whole.
    Done,
    /// It was not, and no further try is made by itself. Operators can bring it back.
    Parked(ParkReason),
}

/// Why a turn was parked. Words for operators and metrics; never anybody's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParkReason {
    /// No endpoint gave an answer; the person got an apology.
    NoAnswer,
    /// The platform refused to take the answer.
    SendRefused,
    /// Whether the platform took the answer is not known, and a repetition might show twice.
    SendUncertain,
    /// It failed in every try that the queue allows.
    TriesExhausted,
}

impl ParkReason {
    /// The reason as operators read it, in logs and on the command line. Stored records have words of their own
    /// ([`crate::words`]), which may never change.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::SendRefused => "send_refused",
            Self::SendUncertain => "send_uncertain",
            Self::TriesExhausted => "tries_exhausted",
        }
    }
}

/// What is known of a claimed turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnRecord {
    /// The fence of this claim; 1 for the first.
    pub fence: Fence,
    /// When the message was first accepted. Of all deliveries of an event the first claim's counts, because the
    /// exchange is stored under it.
    pub accepted_at: Timestamp,
    /// How many segments are known to be sent.
    pub segments_sent: u32,
    /// The segment that was about to be sent when this was last written, if its outcome is not known.
    pub sending: Option<u32>,
    /// How often the turn was reopened after it was parked.
    pub redrive: u32,
}

/// What to claim with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimRequest {
    /// The present.
    pub now: Timestamp,
    /// For how long the claim holds. Longer than the worker can run.
    pub lease: Duration,
    /// When the message was accepted.
    pub accepted_at: Timestamp,
    /// Until when the record must be kept: no platform delivers the event again after this.
    pub keep_until: Timestamp,
}

/// What a claim yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The turn is yours until the lease ends.
    Granted(TurnRecord),
    /// Another worker has it.
    Held {
        /// When its lease ends.
        until: Timestamp,
    },
    /// It is over; there is nothing to do.
    Ended(Ending),
}

/// What became of a turn that was to be reopened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reopening {
    /// It was parked, and is open again.
    Opened,
    /// A worker has it, and may be about to end it. It is left as it is.
    Held {
        /// When the worker's lease ends.
        until: Timestamp,
    },
    /// It was not parked, and nobody can end it who has not claimed it after this: it is over, given back, unknown, past
    /// its time, or was held under a lease that is over, which is taken away.
    NotParked,
}

/// The turns of all bots.
#[async_trait]
pub trait Turns: Send + Sync {
    /// Takes a turn: a new one, one that was released, or one whose lease has ended (`lease_until <= now`). One atomic
    /// write; of any number of concurrent claims exactly one is granted. A record past its `keep_until` counts as
    /// absent even where the store has not removed it yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it is not known whether the claim holds; the lease then guards the next one.
    async fn claim(&self, key: &TurnKey, request: ClaimRequest) -> Result<Claim, StoreError>;

    /// Marks segment `segment` as about to be sent.
    ///
    /// # Errors
    ///
    /// [`StoreError::FenceLost`] when the turn was taken over, ended or released.
    async fn sending(&self, key: &TurnKey, fence: Fence, segment: u32) -> Result<(), StoreError>;

    /// Records that the first `count` segments are sent, and clears the mark of [`Turns::sending`].
    ///
    /// # Errors
    ///
    /// [`StoreError::FenceLost`] when the turn was taken over, ended or released.
    async fn sent(&self, key: &TurnKey, fence: Fence, count: u32) -> Result<(), StoreError>;

    /// Ends the turn.
    ///
    /// # Errors
    ///
    /// [`StoreError::FenceLost`] when the turn was taken over, ended or released.
    async fn end(&self, key: &TurnKey, fence: Fence, ending: Ending) -> Result<(), StoreError>;

    /// Gives the turn back for another try, keeping how far it came. The fence does not move: the next claim moves it.
    ///
    /// # Errors
    ///
    /// [`StoreError::FenceLost`] when the turn was taken over, ended or released.
    async fn release(&self, key: &TurnKey, fence: Fence) -> Result<(), StoreError>;

    /// Whether the turn was ever claimed. Reads what was written before the call (strong consistency).
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn begun(&self, key: &TurnKey) -> Result<bool, StoreError>;

    /// Opens a parked turn for another try and counts that. The segments known to be sent stay sent; the mark of
    /// [`Turns::sending`] goes, because whoever brings a turn back has decided that it is to be sent. A turn that is not
    /// parked is left as it is, but for one thing: where the lease has ended (`lease_until <= now`), the turn is given
    /// back and the fence goes up by one, so that a worker that stood still cannot park it after this.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it is not known whether it is open.
    async fn reopen(&self, key: &TurnKey, now: Timestamp) -> Result<Reopening, StoreError>;
}
