//! The embedded store and durable queue of standalone, on SQLite.
//!
//! One file holds everything that DynamoDB and SQS hold in the cloud, behind the same traits and under the same
//! conformance suite. What returned is on the disk: a process or a machine that dies afterwards loses nothing.
//!
//! One thread writes. Jobs that wait together share a transaction, with a savepoint each, and one fsync; a webhook's
//! message goes before a turn's writes. Two threads read, and see all that was committed before they were asked. Nothing
//! of it blocks the caller's thread.
//!
//! # Layout
//!
//! - [`SqliteStore`]: opening, and every trait of [`store`]
//! - `database`: the connections, their pragmas, errors
//! - `writer`, `job`, `backlog`: writes in groups; `checkpoint`: when the log goes into the file; `readers`: reads
//! - `schema`: tables and migrations
//! - `turns`, `conversations`, `tokens`, `queue`, `signals`, `budgets`, `choices`, `openings`, `dead_letters`: the traits
//! - `probe`: whether anything can be written
//! - `sweep`: what is past its time goes
//! - `reclaim`: what a process that died had in work
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use chat::Timestamp;
//! use store::{Dequeue, Enqueue, QueueItem};
//! use store_sqlite::SqliteStore;
//! # use chat::{BotId, ChatId, Conversation, EventId, PlatformId, TurnKey};
//! # let conversation = Conversation {
//! #     platform: PlatformId::parse("feishu").unwrap(), bot: BotId::parse("b").unwrap(),
//! #     chat: ChatId::parse("c").unwrap(), thread: None, user: None };
//! # let (group, dedup) = (conversation.key(), TurnKey::new(&conversation, &EventId::parse("e").unwrap()));
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let store = SqliteStore::open_in_memory()?;
//! let now = Timestamp::from_millis(1_000);
//! store.enqueue(QueueItem { group, dedup, body: "sealed".to_owned() }, now).await?;
//! store.enqueued().notified().await;
//! let delivery = store.next(now, Duration::from_secs(60)).await?.expect("it was just put in");
//! store.done(&delivery.receipt).await?;
//! # Ok::<(), store::StoreError>(())
//! # }).unwrap();
//! ```

mod backlog;
mod budgets;
mod checkpoint;
mod choices;
mod conversations;
mod database;
mod dead_letters;
mod job;
mod openings;
mod probe;
mod queue;
mod readers;
mod reclaim;
mod schema;
mod signals;
mod sweep;
mod tokens;
mod turns;
mod writer;

use std::{path::Path, sync::Arc};

use store::StoreError;
use tokio::sync::Notify;

use crate::database::Database;

/// One SQLite file as a store. Clones share its threads, which end with the last of them.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    database: Database,
    enqueued: Arc<Notify>,
}

impl SqliteStore {
    /// Opens the file, makes it where there is none, and brings an older schema up to date. Blocks while it does.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unreadable`] when a newer Magpie wrote the file: it is left as it is.
    /// [`StoreError::Unavailable`] when it cannot be opened or is no database.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { database: Database::open(path)?, enqueued: Arc::default() })
    }

    /// A store that lasts as long as the process, for tests.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], when there is no memory for it.
    pub fn open_in_memory() -> Result<Self, StoreError> {
        Ok(Self { database: Database::open_in_memory()?, enqueued: Arc::default() })
    }

    /// Is notified of each item that was put in and can be handed out, so that whoever takes them out need not poll. One
    /// waiter is woken per item; a notice that nobody waits for is kept for the next one who does. Not announced: what comes
    /// due later ([`store::Received::next_due`]), what waits behind another of its conversation ([`store::Dequeue::done`]
    /// says so), and what another process puts in.
    #[must_use]
    pub fn enqueued(&self) -> Arc<Notify> {
        Arc::clone(&self.enqueued)
    }
}
