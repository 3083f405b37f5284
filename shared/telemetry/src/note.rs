//! The steps of a message, as data.

use chat::{BotId, PlatformId, Timestamp, TurnKey};
use serde::Serialize;

/// One step that a message, or a webhook that never became one, has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The turn, once the webhook is understood as a message.
    pub turn: Option<TurnKey>,
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub step: Step,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", content = "detail", rename_all = "snake_case")]
pub enum Step {
    /// A webhook was verified and understood as a message.
    Verified {
        /// Whose webhook.
        platform: PlatformId,
        /// Which bot's.
        bot: BotId,
    },
    /// The platform checked the webhook's address, and the check was verified and answered.
    #[serde(rename = "webhook.url_verified")]
    UrlVerified {
        /// Whose webhook.
        platform: PlatformId,
        /// Which bot's.
        bot: BotId,
    },
    /// A webhook's path names a bot that is not configured, and was answered with 404. Of many within a short time only
    /// some are noted, because anybody can send them.
    #[serde(rename = "webhook.unknown_bot")]
    UnknownBot {
        /// The platform that the path names; absent when no platform can be named so.
        platform: Option<PlatformId>,
        /// The bot that the path names; absent when no bot can be named so.
        bot: Option<BotId>,
        /// How many were not noted since the last one that was.
        unreported: u64,
    },
    /// A webhook was not believed or not understood.
    Rejected {
        /// Whose webhook, as its path says.
        platform: PlatformId,
        /// Which bot's.
        bot: BotId,
        /// Why, for us; the sender is not told.
        cause: &'static str,
    },
    /// A webhook, or a message, needs nothing from us.
    Ignored {
        /// Whose.
        platform: PlatformId,
        /// Which bot's.
        bot: BotId,
        /// What it was.
        what: &'static str,
    },
    /// Something in a verified webhook is of a shape that is not known. What could be read of it was used.
    UnknownShape {
        /// Whose.
        platform: PlatformId,
        /// Which bot's.
        bot: BotId,
        /// What, of a fixed set of words without anybody's data.
        what: &'static str,
        /// Whether it became a message all the same, so that somebody is answered.
        answered: bool,
    },
    /// The message is durable in the queue.
    Queued {
        /// What queueing took.
        millis: u64,
    },
    /// The queue or the store could not be reached; the platform was asked to deliver again.
    NotQueued {
        /// Why, in the store's words.
        cause: String,
    },
    /// A worker has the turn.
    Claimed {
        /// How often the turn was claimed so far, this time included.
        fence: u64,
    },
    /// One endpoint was asked: an attempt, noted when it ends.
    #[serde(rename = "model.attempt")]
    Asked {
        /// The endpoint's name.
        endpoint: String,
        /// `local` or `cloud`.
        place: &'static str,
        /// The model asked for.
        model: String,
        /// From whom the question came.
        #[serde(flatten)]
        asker: Asker,
        /// `answered`, `outrun` (another endpoint was faster), or the class of the failure.
        outcome: &'static str,
        /// Whether it ended without an answer that could be used.
        #[serde(skip)]
        failed: bool,
        /// The HTTP status of a failure, if the server gave one.
        status: Option<u16>,
        /// What the server said of a failure: cut, without control characters, and without what the question says.
        message: Option<String>,
        /// What it took.
        millis: u64,
        /// What it took until its first token, if one came.
        first_token_millis: Option<u64>,
        /// What it used, if it read the question.
        #[serde(flatten)]
        used: Option<Used>,
    },
    /// The reply is kept and will be sent as it is.
    Answered {
        /// `answer`, `notice`, `apology`, `reset` or `merged`.
        kind: &'static str,
        /// Who answered, when a model did.
        #[serde(flatten)]
        by: Option<AnsweredBy>,
        /// The attempts that failed before: their endpoints, each with the class of its failure.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        failed_over: Vec<String>,
        /// From the claim to here.
        millis: u64,
    },
    /// The platform accepted a segment.
    Sent {
        /// Which one, from 1.
        segment: usize,
        /// Of how many.
        of: usize,
        /// What sending took.
        millis: u64,
    },
    /// The turn is over.
    Ended {
        /// `done` or `parked`.
        ending: &'static str,
        /// Why it was parked.
        reason: Option<&'static str>,
        /// What caused that: the last failure of an endpoint, or the platform's refusal.
        cause: Option<String>,
    },
    /// The turn goes back to the queue for another try.
    Returned {
        /// Why, in our words.
        cause: String,
    },
}

/// From whom a question to an endpoint came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asker {
    /// The platform; `gateway` for a program.
    pub platform: PlatformId,
    /// The bot that was spoken to.
    pub bot: Option<BotId>,
    /// The name of the gateway's token.
    pub program: Option<String>,
}

/// Which model answered, and what it counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnsweredBy {
    /// The endpoint's name.
    pub endpoint: String,
    /// `local` or `cloud`.
    pub place: &'static str,
    /// The model that says it answered.
    pub model: String,
    /// Tokens of the question with its history.
    pub prompt_tokens: u32,
    /// Tokens of the answer.
    pub completion_tokens: u32,
    /// Whether the numbers are our estimate, because the server gave none.
    pub estimated: bool,
}

/// What one call of an endpoint used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Used {
    /// Tokens of the question with its history.
    pub prompt_tokens: u32,
    /// Tokens of the answer, as far as it came.
    pub completion_tokens: u32,
    /// Whether the numbers are our estimate, because the server gave none.
    pub estimated: bool,
    /// What they cost, in millionths of the currency of the configured prices.
    pub cost_micros: u64,
}

impl Step {
    /// The step's name: what metrics count and logs are searched by.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Verified { .. } => "verified",
            Self::UrlVerified { .. } => "webhook.url_verified",
            Self::UnknownBot { .. } => "webhook.unknown_bot",
            Self::Rejected { .. } => "rejected",
            Self::Ignored { .. } => "ignored",
            Self::UnknownShape { .. } => "unknown_shape",
            Self::Queued { .. } => "queued",
            Self::NotQueued { .. } => "not_queued",
            Self::Claimed { .. } => "claimed",
            Self::Asked { .. } => "model.attempt",
            Self::Answered { .. } => "answered",
            Self::Sent { .. } => "sent",
            Self::Ended { .. } => "ended",
            Self::Returned { .. } => "returned",
        }
    }
}

/// Takes notes. Must be quick and must not fail: a message does not wait for its observers.
pub trait Observer: Send + Sync {
    /// Takes one note.
    fn note(&self, note: &Note);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_flat_json_with_its_step_by_name() {
        let by = AnsweredBy {
            endpoint: "office".into(),
            place: "local",
            model: "m".into(),
            prompt_tokens: 3,
            completion_tokens: 4,
            estimated: false,
        };
        let step = Step::Answered { kind: "answer", by: Some(by), failed_over: Vec::new(), millis: 5 };
        let note = Note { turn: None, at: Timestamp::from_millis(7), step };
        let json = serde_json::to_value(&note).unwrap();
        assert_eq!(json["step"], note.step.name());
        assert_eq!(json["detail"]["endpoint"], "office");
        assert_eq!(json["at"], 7);
    }
}
