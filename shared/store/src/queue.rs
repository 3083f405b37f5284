//! Accepted messages on their way to a worker.
//!
//! First in, first out inside a group (a conversation), any order across groups; an item is delivered again until it
//! is done or its tries are used up. In the cloud this is an SQS FIFO queue, whose consumer is Lambda's event source
//! mapping; in standalone it is a table in SQLite, which implements [`Dequeue`] too.

use std::time::Duration;

use async_trait::async_trait;
use chat::{ConversationKey, Timestamp, TurnKey};

use crate::StoreError;

/// What is queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueItem {
    /// The order is kept inside this.
    pub group: ConversationKey,
    /// An item with the same id, put in within five minutes, is dropped. Later ones are caught by the turn's record.
    pub dedup: TurnKey,
    /// The sealed message, as text.
    pub body: String,
}

/// Takes items in.
#[async_trait]
pub trait Enqueue: Send + Sync {
    /// Returns once the item is durable.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it is not known whether the item is durable. The platform will deliver the
    /// event again, and the id makes that harmless.
    async fn enqueue(&self, item: QueueItem, now: Timestamp) -> Result<(), StoreError>;
}

/// Names one delivery of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt(pub String);

/// An item handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// To say what became of it.
    pub receipt: Receipt,
    /// The sealed message, as text.
    pub body: String,
    /// Its group.
    pub group: ConversationKey,
    /// How often it was handed out, this time included.
    pub tries: u32,
}

/// Hands items out.
#[async_trait]
pub trait Dequeue: Send + Sync {
    /// The oldest item that is due and whose group has no item in work and no older item waiting. It is in work until
    /// its receipt is used or `visibility` has passed; then it is handed out again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn next(&self, now: Timestamp, visibility: Duration) -> Result<Option<Delivery>, StoreError>;

    /// The item is finished with. A receipt that is no longer valid is passed over in silence: somebody else has the
    /// item now, and the turn's record keeps the answer single.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn done(&self, receipt: &Receipt) -> Result<(), StoreError>;

    /// The item is to be handed out again, not before `due`. Later items of its group wait behind it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn again(&self, receipt: &Receipt, due: Timestamp) -> Result<(), StoreError>;

    /// The item is moved to the dead letters, and its group goes on.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn bury(&self, receipt: &Receipt, now: Timestamp) -> Result<(), StoreError>;

    /// How many items wait or are in work.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn depth(&self) -> Result<u64, StoreError>;
}
