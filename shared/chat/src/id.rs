//! Names that cannot be wrong: parsed once, carried as proof.
//!
//! [`PlatformId`] and [`BotId`] are ours and appear in URLs, table keys and metrics, so they are slugs. The other ids
//! belong to the platforms and are opaque: any text without control characters, up to [`OPAQUE_MAX`] bytes.

use serde::{Deserialize, Serialize};

/// Longest slug, in bytes. Long enough for a name, short enough for a queue's group id beside other parts.
pub const SLUG_MAX: usize = 64;

/// Longest id taken from a platform, in bytes. The longest in the documents is below 100; a longer one is an attack
/// on our keys, not an id.
pub const OPAQUE_MAX: usize = 512;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing where an id is due.
    #[error("{what} is empty")]
    Empty {
        /// Which id.
        what: &'static str,
    },
    /// More bytes than any honest id has.
    #[error("{what} has {length} bytes, more than {max}")]
    TooLong {
        /// Which id.
        what: &'static str,
        /// Bytes found.
        length: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// A character that the id may not hold.
    #[error("{what} holds a character that is not allowed: {allowed}")]
    Character {
        /// Which id.
        what: &'static str,
        /// What would be right.
        allowed: &'static str,
    },
}

fn check_slug(what: &'static str, text: &str) -> Result<(), IdError> {
    check_length(what, text, SLUG_MAX)?;
    let inner = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !inner || text.starts_with('-') || text.ends_with('-') {
        return Err(IdError::Character { what, allowed: "lower-case letters, digits and inner hyphens" });
    }
    Ok(())
}

fn check_opaque(what: &'static str, text: &str) -> Result<(), IdError> {
    check_length(what, text, OPAQUE_MAX)?;
    if text.chars().any(char::is_control) {
        return Err(IdError::Character { what, allowed: "anything but control characters" });
    }
    Ok(())
}

fn check_length(what: &'static str, text: &str, max: usize) -> Result<(), IdError> {
    match text.len() {
        0 => Err(IdError::Empty { what }),
        length if length > max => Err(IdError::TooLong { what, length, max }),
        _ => Ok(()),
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes the text if it is such an id.
            ///
            /// # Errors
            ///
            /// Says what is wrong with the text.
            pub fn parse(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                $check($what, &text)?;
                Ok(Self(text))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A chat product, as it stands in `/webhook/{platform}/{bot}`: `feishu`, `dingtalk`.
    PlatformId, "platform", check_slug
);
id!(
    /// One configured app on a platform, as it stands in `/webhook/{platform}/{bot}`.
    BotId, "bot", check_slug
);
id!(
    /// A chat on a platform: Feishu `chat_id`, DingTalk `conversationId`.
    ChatId, "chat id", check_opaque
);
id!(
    /// A thread inside a chat: Feishu `thread_id`.
    ThreadId, "thread id", check_opaque
);
id!(
    /// A person, or the bot itself, on a platform.
    UserId, "user id", check_opaque
);
id!(
    /// What makes an event the same event when it is delivered again: Feishu `message_id`, DingTalk `msgId`.
    EventId, "event id", check_opaque
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_safe_in_urls_and_keys() {
        for good in ["feishu", "help-desk-2", "a"] {
            assert_eq!(BotId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", "a-", "A", "a/b", "a_b", "a b", "名", &"a".repeat(SLUG_MAX + 1)] {
            assert!(BotId::parse(bad).is_err(), "{bad:?} must be refused");
        }
    }

    #[test]
    fn opaque_ids_refuse_control_characters_and_floods() {
        assert!(EventId::parse("msgX==").is_ok());
        assert!(EventId::parse("a\nb").is_err());
        assert!(EventId::parse("a".repeat(OPAQUE_MAX + 1)).is_err());
    }

    #[test]
    fn deserializing_checks_like_parsing() {
        assert!(serde_json::from_str::<BotId>("\"Not A Slug\"").is_err());
        assert!(serde_json::from_str::<BotId>("\"slug\"").is_ok());
    }
}
