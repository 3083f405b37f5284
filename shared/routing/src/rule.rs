//! What holds before the strategy does: whose questions go where, and what never leaves the house.
//!
//! A rule that forbids the cloud looks for its words and its pattern in all that would be sent: what was said before is
//! sent again, with every question. Everything else that follows from a rule is decided by the line to answer alone.

use chat::{AttachmentKind, BotId, ChatKind, UserId};

use crate::{Strategy, UnknownWord};

/// One rule: when it holds, and what follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name in logs and explanations.
    pub name: String,
    /// When it holds.
    pub when: When,
    /// What follows.
    pub then: Then,
}

/// When a rule holds: all that is given must be so; a list holds when one of it does. A rule that gives nothing always
/// holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct When {
    /// The bot is one of these.
    pub bots: Vec<BotId>,
    /// Alone with the bot, or among others.
    pub chat: Option<ChatKind>,
    /// The person is one of these.
    pub users: Vec<UserId>,
    /// One of these words occurs, whatever its case or width; as part of a longer word too.
    pub words: Vec<String>,
    /// This pattern occurs.
    pub pattern: Option<Pattern>,
    /// The prompt, memory included, is longer than this many tokens by estimate.
    pub longer_than: Option<u32>,
    /// The prompt, memory included, is shorter than this many tokens by estimate.
    pub shorter_than: Option<u32>,
    /// One of these came with the message.
    pub attachments: Vec<AttachmentKind>,
}

/// What follows from a rule.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Then {
    /// Never the cloud, whatever else is configured, chosen or fails. Of several rules that hold, each that says so
    /// counts.
    pub local_only: bool,
    /// This strategy, if no earlier rule that holds has said another.
    pub strategy: Option<Strategy>,
    /// Only the endpoints of these names, if no earlier rule that holds has said others; empty for all.
    pub endpoints: Vec<String>,
}

/// A regular expression: linear in time, whatever people write.
#[derive(Debug, Clone)]
pub struct Pattern(regex_lite::Regex);

impl Pattern {
    /// Reads one, in the syntax of the `regex` crates.
    ///
    /// # Errors
    ///
    /// It is no regular expression, or too large.
    pub fn parse(text: &str) -> Result<Self, UnknownWord> {
        regex_lite::Regex::new(text).map(Self).map_err(|error| UnknownWord {
            found: text.to_owned(),
            expected: format!("a regular expression: {error}"),
        })
    }

    /// Whether it occurs in this text.
    #[must_use]
    pub fn occurs_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}
