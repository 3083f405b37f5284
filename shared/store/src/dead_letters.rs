//! Turns that ended without an answer, where operators find them.
//!
//! A worker that parks a turn puts its sealed message here ([`Park`]), and so does the embedded queue with a message
//! that used up its tries. An operator sees what happened, never what was said, and can bring it back
//! ([`DeadLetters`]).

use std::time::Duration;

use async_trait::async_trait;
use chat::{ConversationKey, Timestamp, TurnKey};

use crate::{ParkReason, QueueItem, Reopening, StoreError};

/// For how long dead letters are kept: as long as SQS can keep them. They hold what people wrote, though sealed, so
/// they may not stay for ever. A turn's record must outlast this, or a redrive could not tell what was sent.
pub const DEAD_LETTERS_KEPT: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// A turn that is about to be parked, with what it takes to bring it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedTurn {
    /// The turn.
    pub turn: TurnKey,
    /// The queue's group, when it is brought back.
    pub conversation: ConversationKey,
    /// Why.
    pub reason: ParkReason,
    /// What caused that, for operators: the last failure of an endpoint, or the platform's refusal. Stored as it is, so
    /// it may hold neither a secret nor anybody's words.
    pub cause: Option<String>,
    /// The sealed message as it was queued, as text.
    pub body: String,
    /// How often it was tried.
    pub tries: u32,
    /// When.
    pub at: Timestamp,
}

/// What an operator sees of a dead letter. Its name is its turn's key: a turn has one at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The turn.
    pub turn: TurnKey,
    /// Its conversation.
    pub conversation: ConversationKey,
    /// Why it was parked; not known of a message that used up its tries without a worker that could park its turn.
    pub reason: Option<ParkReason>,
    /// What caused that, where it is known.
    pub cause: Option<String>,
    /// How often it was tried.
    pub tries: u32,
    /// When it became a dead letter.
    pub at: Timestamp,
}

/// What a redrive came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redriven {
    /// The turn was parked. It is open again, and its message is in the queue.
    Reopened,
    /// The message is in the queue. The turn was not parked: it goes on where it stands, and if it was answered
    /// meanwhile nothing is sent.
    Requeued,
    /// A worker has the turn and may be about to park it. Nothing was done, and the dead letter is still there.
    Held {
        /// When the worker's lease ends, and the dead letter can be redriven in any case.
        until: Timestamp,
    },
    /// There is no such dead letter.
    NotFound,
}

/// Takes dead letters in.
#[async_trait]
pub trait Park: Send + Sync {
    /// Keeps a turn for the operators. To be called before the turn ends parked, so that a crash between the two
    /// leaves a turn that comes again and not one that nobody hears of. A turn that is here already is replaced.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it is not known whether it is kept; trying again is harmless.
    async fn park(&self, parked: ParkedTurn) -> Result<(), StoreError>;
}

/// The dead letters of all bots, for operators.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// The `limit` latest, newest first; those of one moment in the order of their keys.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn list(&self, limit: usize) -> Result<Vec<DeadLetter>, StoreError>;

    /// The dead letter of a turn.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn show(&self, turn: &TurnKey) -> Result<Option<DeadLetter>, StoreError>;

    /// Brings a turn back: opens it again if it is parked (see [`Turns::reopen`](crate::Turns::reopen)), puts its
    /// message into the queue with all tries before it, whatever the queue has seen in the last five minutes, and
    /// takes it off the dead letters. While a worker holds the turn nothing is done: it could still park the turn, and
    /// the message would find it ended. May be repeated after a failure.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]; the dead letter is still there then, or the redrive has happened.
    async fn redrive(&self, turn: &TurnKey, now: Timestamp) -> Result<Redriven, StoreError>;
}

/// The parts of a redrive, where dead letters, turns and queue have no transaction in common.
#[async_trait]
pub trait RedriveParts: Send + Sync {
    /// A dead letter with its sealed message.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn letter(&self, turn: &TurnKey) -> Result<Option<(DeadLetter, String)>, StoreError>;

    /// As [`Turns::reopen`](crate::Turns::reopen).
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn open(&self, turn: &TurnKey, now: Timestamp) -> Result<Reopening, StoreError>;

    /// Puts a message into the queue, whatever the queue has seen. `name` names this sending and no other.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it is not known whether it is in the queue.
    async fn requeue(&self, item: QueueItem, name: String) -> Result<(), StoreError>;

    /// Removes the dead letter that came at `at`, and not one that a worker has put in its place since.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it is not known whether it is gone.
    async fn remove(&self, turn: &TurnKey, at: Timestamp) -> Result<(), StoreError>;
}

/// [`DeadLetters::redrive`] in parts: opens, sends, then removes. A crash on the way leaves the letter, and the next try
/// repeats what was done to no effect: a message that is sent twice finds its turn ended the second time.
///
/// # Errors
///
/// [`StoreError::Unavailable`]; the dead letter is still there then, or the redrive has happened.
pub async fn redrive(
    parts: &impl RedriveParts,
    turn: &TurnKey,
    now: Timestamp,
) -> Result<Redriven, StoreError> {
    let Some((letter, body)) = parts.letter(turn).await? else { return Ok(Redriven::NotFound) };
    let DeadLetter { conversation: group, at, .. } = letter;
    let redriven = match parts.open(turn, now).await? {
        Reopening::Opened => Redriven::Reopened,
        // Planted: what a worker still holds is taken for over.
        Reopening::Held { until } if !cfg!(planted = "held_redriven") => return Ok(Redriven::Held { until }),
        Reopening::Held { .. } | Reopening::NotParked => Redriven::Requeued,
    };
    // Planted: the letter goes before its message is safe.
    if cfg!(planted = "letter_removed_first") {
        parts.remove(turn, at).await?;
    }
    let name = format!("{}.{}.{}", turn.as_str(), at.as_millis(), now.as_millis());
    parts.requeue(QueueItem { group, dedup: turn.clone(), body }, name).await?;
    parts.remove(turn, at).await?;
    Ok(redriven)
}
