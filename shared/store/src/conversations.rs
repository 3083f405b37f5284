//! Each question with its answer.

use async_trait::async_trait;
use chat::{ConversationKey, Timestamp, TurnKey};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// A question and its answer, written once and never changed. It is both the kept answer of its turn (a resumed turn
/// sends these bytes, and the model is not asked again) and an entry of the conversation's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The turn that it belongs to.
    pub turn: TurnKey,
    /// When the message was accepted: its place in the conversation's order.
    pub at: Timestamp,
    /// What it counts as.
    pub kind: ExchangeKind,
    /// The sealed content.
    pub sealed: Vec<u8>,
    /// Until when it is kept.
    pub keep_until: Timestamp,
}

/// What an exchange counts as when memory is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeKind {
    /// A model's answer: remembered.
    Answer,
    /// The bot's own words (help, an apology): kept for its turn, not part of the memory.
    Notice,
    /// The memory begins anew after this one.
    Reset,
    /// A question without a reply of its own: the answer to a later message of the same burst is for it too.
    Merged,
}

/// What became of an exchange that was to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It is kept.
    New,
    /// The turn had one already, which stands: send that one.
    Already(Exchange),
}

/// Where reading a memory backwards begins, and what the reading may miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFrom<'a> {
    /// The newest. Sees all that was written before the call (strong consistency).
    Newest,
    /// Behind this exchange, which a reading returned. Sees all that was written before the call.
    Behind(&'a Exchange),
    /// Behind this exchange, of what was written some time ago: what was written within the last seconds may be missing
    /// (eventual consistency), which is what such a reading is cheaper for.
    SettledBehind(&'a Exchange),
}

impl<'a> ReadFrom<'a> {
    /// The exchange that this begins behind.
    #[must_use]
    pub const fn behind(self) -> Option<&'a Exchange> {
        match self {
            Self::Newest => None,
            Self::Behind(exchange) | Self::SettledBehind(exchange) => Some(exchange),
        }
    }
}

/// The exchanges of all conversations.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// Keeps an exchange unless its turn (in this conversation, accepted at this moment) has one already. The first
    /// one stands for ever, whoever writes it, so that all tries of a turn send the same bytes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it is not known whether it is kept; trying again is harmless.
    async fn keep(&self, conversation: &ConversationKey, exchange: &Exchange) -> Result<Kept, StoreError>;

    /// The exchange of a turn that was accepted at `at`, if one is kept.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn find(
        &self,
        conversation: &ConversationKey,
        at: Timestamp,
        turn: &TurnKey,
    ) -> Result<Option<Exchange>, StoreError>;

    /// Up to `limit` exchanges of the memory, newest first, from where `from` says: answers, and merged questions. Notices
    /// are passed over and do not count. The memory ends at the last reset: fewer than `limit` mean that nothing older
    /// is remembered.
    /// Exchanges past their `keep_until` are not returned even where the store has not removed them yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn recent(
        &self,
        conversation: &ConversationKey,
        now: Timestamp,
        from: ReadFrom<'_>,
        limit: usize,
    ) -> Result<Vec<Exchange>, StoreError>;
}
