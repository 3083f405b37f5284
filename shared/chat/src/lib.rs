//! The words of Magpie as types: platforms, bots, conversations, messages, replies.
//!
//! One word stands for one thing, here and in configuration, logs and documents. This crate does no I/O, reads no
//! clock and knows no platform.
//!
//! # Layout
//!
//! - [`id`]: names that cannot be wrong or mixed up ([`BotId`], [`EventId`], …)
//! - [`time`]: [`Timestamp`], and time and waiting as parameters ([`Clock`], [`Pause`])
//! - [`entropy`]: randomness as a parameter ([`Entropy`])
//! - [`conversation`]: where memory lives ([`Conversation`]) and the identity of a turn ([`TurnKey`])
//! - [`message`]: what a person said ([`Message`])
//! - [`mention`]: where in a text people are mentioned ([`MentionSpan`])
//! - [`reply`]: what we say back ([`Reply`])
//! - [`command`]: words that steer the bot and never reach a model ([`Command`])
//!
//! # Example
//!
//! ```
//! use chat::{BotId, ChatId, Conversation, EventId, PlatformId, TurnKey, UserId};
//!
//! let conversation = Conversation {
//!     platform: PlatformId::parse("feishu")?,
//!     bot: BotId::parse("helpdesk")?,
//!     chat: ChatId::parse("oc_1")?,
//!     thread: None,
//!     user: Some(UserId::parse("ou_1")?),
//! };
//! let turn = TurnKey::new(&conversation, &EventId::parse("om_1")?);
//! assert_eq!(turn, TurnKey::new(&conversation, &EventId::parse("om_1")?));
//! assert_ne!(turn, TurnKey::new(&conversation, &EventId::parse("om_2")?));
//! # Ok::<(), chat::IdError>(())
//! ```

pub mod command;
pub mod conversation;
pub mod entropy;
pub mod id;
pub mod mention;
pub mod message;
pub mod reply;
pub mod time;

pub use command::Command;
pub use conversation::{Conversation, ConversationKey, TurnKey};
pub use entropy::Entropy;
pub use id::{BotId, ChatId, EventId, IdError, PlatformId, ThreadId, UserId};
pub use mention::MentionSpan;
pub use message::{
    Attachment, AttachmentKind, Audience, ChatKind, Language, Mention, Message, Quoted, ReplyTo, Sender,
};
pub use reply::{Reply, Segment, SendKey};
pub use time::{Clock, Pause, Timestamp};
