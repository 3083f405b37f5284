//! What Magpie remembers: narrow traits, the in-memory reference, and the suite that every store must pass.
//!
//! One trait per capability, so that a function's signature says what it may touch, as its IAM policy does:
//!
//! | trait | holds | kept for |
//! |---|---|---|
//! | [`Turns`] | who works on a turn and how far it came | 15 days |
//! | [`Conversations`] | each question with its answer, enciphered | 90 days by default |
//! | [`Tokens`] | access tokens and identities shared by all instances, enciphered | until they end |
//! | [`Enqueue`], [`Dequeue`] | accepted messages on their way to a worker, enciphered | until answered |
//! | [`Signals`] | word that reaches a worker past the queue | a day |
//! | [`Budgets`] | what was spent on models, by month | 13 months |
//! | [`Choices`] | the model that people chose for a conversation | 400 days |
//! | [`Openings`] | which model endpoints are to be left alone | until they end |
//! | [`Park`], [`DeadLetters`] | turns that ended without an answer, enciphered | 14 days |
//!
//! Stored records are versioned and are none of the wire types. What people wrote comes in sealed (see `vault`) and is
//! opaque here.
//!
//! # Layout
//!
//! - [`turns`], [`conversations`], [`tokens`], [`queue`], [`signals`], [`budgets`], [`choices`], [`openings`], [`dead_letters`]: the traits and their records
//! - [`memory`]: the reference, in memory
//! - [`words`]: how endings and kinds are spelled in storage
//! - `conformance` (feature `conformance`): what every implementation must do, as one callable suite
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use chat::Timestamp;
//! use store::{Claim, ClaimRequest, Ending, MemoryStore, Turns};
//! # use chat::{BotId, ChatId, Conversation, EventId, PlatformId, TurnKey};
//! # let conversation = Conversation {
//! #     platform: PlatformId::parse("feishu").unwrap(), bot: BotId::parse("b").unwrap(),
//! #     chat: ChatId::parse("c").unwrap(), thread: None, user: None };
//! # let key = TurnKey::new(&conversation, &EventId::parse("e").unwrap());
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let store = MemoryStore::default();
//! let now = Timestamp::from_millis(1_000);
//! let request = ClaimRequest { now, lease: Duration::from_secs(60), accepted_at: now, keep_until: now.plus(Duration::from_secs(604_800)) };
//! let Claim::Granted(turn) = store.claim(&key, request).await? else { panic!("nobody else has it") };
//! assert!(matches!(store.claim(&key, request).await?, Claim::Held { .. }), "one worker at a time");
//! store.end(&key, turn.fence, Ending::Done).await?;
//! assert!(matches!(store.claim(&key, request).await?, Claim::Ended(Ending::Done)), "answered once");
//! # Ok::<(), store::StoreError>(())
//! # }).unwrap();
//! ```

pub mod budgets;
pub mod choices;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod conversations;
pub mod dead_letters;
pub mod memory;
pub mod openings;
pub mod queue;
pub mod signals;
pub mod tokens;
pub mod turns;
pub mod words;

pub use budgets::{Account, Budgets, Month};
pub use choices::Choices;
pub use conversations::{Conversations, Exchange, ExchangeKind, Kept, ReadFrom};
pub use dead_letters::{
    DEAD_LETTERS_KEPT, DeadLetter, DeadLetters, Park, ParkedTurn, RedriveParts, Redriven, redrive,
};
pub use memory::MemoryStore;
pub use openings::{OPENINGS_MAX, Opening, Openings};
pub use queue::{Delivery, Dequeue, Enqueue, QueueItem, Receipt, Received};
pub use signals::{SIGNALS_MAX, Signal, SignalKind, Signals};
pub use tokens::{SealedToken, TokenSlot, Tokens};
pub use turns::{Claim, ClaimRequest, Ending, Fence, ParkReason, Reopening, TurnRecord, Turns};

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached or is overloaded; whether it acted is not known. Holds the cause in the store's
    /// own words, without anybody's data.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Another worker has taken the turn over: whoever gets this must stop at once and write nothing.
    #[error("the fence is lost: another worker has taken this turn over")]
    FenceLost,
    /// A record that this version cannot read.
    #[error("a stored record cannot be read: {0}")]
    Unreadable(String),
}
