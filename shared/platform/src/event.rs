//! What verification and parsing yield, and what they refuse.

use chat::{BotId, Message, Timestamp};

use crate::HookAnswer;

/// The words of a verified event: decrypted, not yet understood. Only the platform that made it reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEvent {
    /// By which of the platform's ways it came, in the platform's own terms (`event`, `robot`, …).
    pub way: &'static str,
    /// The JSON text.
    pub json: Vec<u8>,
}

/// The circumstances of a parse: what a platform may not fetch for itself.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The bot that the path of the webhook names.
    pub bot: BotId,
    /// The present.
    pub now: Timestamp,
    /// Fresh random bytes for answers that need a nonce.
    pub nonce: [u8; 16],
}

/// An event understood, with what the platform wants to hear at once.
#[derive(Debug)]
pub struct Heard {
    /// What happened.
    pub event: Event,
    /// The answer for the platform once the event is safe (queued, or needing nothing).
    pub answer: HookAnswer,
    /// What of the event is of a shape that is not known, by kind: fixed words without anybody's data, for logs.
    pub unknown: Vec<&'static str>,
}

/// One thing that a platform tells us.
#[derive(Debug)]
pub enum Event {
    /// The platform checks that we are who we say; the answer is all it wants.
    Handshake,
    /// A person wrote to the bot.
    Message(Box<Message>),
    /// Something that needs nothing from us. Says what, in words without anybody's data, for the counters.
    Ignored(&'static str),
}

/// Why a webhook was not believed or not understood. The causes are for our log; the sender sees a status only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It could be forged. Answered with 401 and nothing else, the same for every cause.
    #[error("not verified: {0}")]
    Unverified(&'static str),
    /// It is no event at all, and nothing shows that the platform sent it. Answered with 400.
    #[error("malformed: {0}")]
    Malformed(&'static str),
}
