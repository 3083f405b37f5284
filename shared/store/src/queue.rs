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

/// Items handed out together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// The items, of one group each, oldest first.
    pub deliveries: Vec<Delivery>,
    /// The earliest moment after `now` at which some item comes due by itself: one that was put off, or one whose visibility
    /// ends, those of `deliveries` included. `None` when there is no such item.
    pub next_due: Option<Timestamp>,
}

/// Hands items out.
#[async_trait]
pub trait Dequeue: Send + Sync {
    /// At most `max` items that are due and whose group has no item in work and no older item waiting, the oldest first. They
    /// are in work until their receipt is used or `visibility` has passed; then they are handed out again. One atomic step:
    /// no item goes to two callers.
    ///
    /// Where very many that were handed out before are due, those that came due first may go before older ones.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn receive(&self, now: Timestamp, visibility: Duration, max: usize)
    -> Result<Received, StoreError>;

    /// [`Dequeue::receive`] of one item.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn next(&self, now: Timestamp, visibility: Duration) -> Result<Option<Delivery>, StoreError> {
        Ok(self.receive(now, visibility, 1).await?.deliveries.pop())
    }

    /// The item is finished with. Returns whether a later item of its group waits, which can now be handed out. A receipt
    /// that is no longer valid is passed over in silence: somebody else has the item now, and the turn's record keeps the
    /// answer single.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn done(&self, receipt: &Receipt) -> Result<bool, StoreError>;

    /// The item is to be handed out again, not before `due`. Later items of its group wait behind it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn again(&self, receipt: &Receipt, due: Timestamp) -> Result<(), StoreError>;

    /// The item is moved to the dead letters, and its group goes on. Returns what [`Dequeue::done`] returns.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn bury(&self, receipt: &Receipt, now: Timestamp) -> Result<bool, StoreError>;

    /// How many items wait or are in work.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn depth(&self) -> Result<u64, StoreError>;
}
