//! Word that reaches a worker past the queue.
//!
//! In the queue a message waits behind those before it in its conversation. `stop` must not wait behind the very turn
//! that it is to end, and short messages in a row can be answered together only if the first one's worker learns of the
//! next. So the receiving function leaves a signal beside the queue, after the message itself is durable in it. A signal
//! that is lost costs a comfort and never a message.

use async_trait::async_trait;
use chat::{ConversationKey, Timestamp, TurnKey};

use crate::StoreError;

/// The most signals that are read at once. A burst holds fewer messages; whoever writes more is answered in pieces.
pub const SIGNALS_MAX: usize = 20;

/// What a message signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalKind {
    /// What is in work in the conversation is to end without its answer.
    Stop,
    /// A question, which may be answered together with the one before it.
    Question,
    /// Any other message: it is answered by itself, so what came before it is too.
    Other,
}

/// Word of a message that is in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// The turn of that message.
    pub turn: TurnKey,
    /// When the platform says it was sent: the same in all deliveries, and by the same clock for the whole conversation.
    pub at: Timestamp,
    /// What it signals.
    pub kind: SignalKind,
    /// Whom it mentions, by the platform's ids, when only the worker can tell whether that is the bot. Empty when the
    /// bot was certainly meant.
    pub mentions: Vec<String>,
}

/// The signals of all conversations.
#[async_trait]
pub trait Signals: Send + Sync {
    /// Leaves a signal. Leaving it again changes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it is not known whether it is left.
    async fn signal(
        &self,
        conversation: &ConversationKey,
        signal: &Signal,
        keep_until: Timestamp,
    ) -> Result<(), StoreError>;

    /// The signals of messages sent after `after`, oldest first, at most [`SIGNALS_MAX`]. May lag behind a write for a
    /// moment: it is asked again and again, and a read that may lag is half the price.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn signals(
        &self,
        conversation: &ConversationKey,
        after: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Signal>, StoreError>;
}
