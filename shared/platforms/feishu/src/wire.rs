//! The JSON that Feishu sends, borrowed from the bytes it came in. Unknown fields are skipped everywhere.

use std::borrow::Cow;

use serde::{Deserialize, de::IgnoredAny};

/// A text that is borrowed where it holds no escapes. A type of its own, because serde borrows a bare `Cow` only
/// outside of an `Option`.
#[derive(Deserialize, Default)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text of an optional field; a missing one and an empty one are the same.
pub(crate) fn filled<'a>(text: Option<&'a Text<'_>>) -> Option<&'a str> {
    text.map(Text::as_str).filter(|text| !text.is_empty())
}

/// What wraps an encrypted event.
#[derive(Deserialize)]
pub(crate) struct Sealed<'a> {
    #[serde(borrow)]
    pub(crate) encrypt: Text<'a>,
}

/// The outside of an event: enough to know the token and the kind. The event itself is skipped over.
#[derive(Deserialize)]
pub(crate) struct Outer<'a> {
    #[serde(borrow)]
    schema: Option<Text<'a>>,
    #[serde(borrow)]
    header: Option<Header<'a>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    token: Option<Text<'a>>,
    #[serde(borrow)]
    challenge: Option<Text<'a>>,
    event: Option<IgnoredAny>,
    encrypt: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    token: Option<Text<'a>>,
    #[serde(borrow)]
    event_type: Option<Text<'a>>,
}

/// What an event is, by its outside.
pub(crate) enum Shape<'a> {
    /// `url_verification` with this challenge.
    Challenge(&'a str),
    /// An envelope of the second version, of this type.
    Second(&'a str),
    /// An envelope of the first version. No message comes in one.
    First,
    /// None of these.
    Unknown,
}

impl Outer<'_> {
    /// The Verification Token, where an envelope of this version has it.
    pub(crate) fn token(&self) -> Option<&str> {
        match (&self.schema, &self.header) {
            (Some(_), Some(header)) => filled(header.token.as_ref()),
            (Some(_), None) => None,
            (None, _) => filled(self.token.as_ref()),
        }
    }

    /// What this is. Whoever verifies and whoever parses must agree on it, so both ask here.
    pub(crate) fn shape(&self) -> Shape<'_> {
        match (&self.schema, &self.header) {
            (Some(_), Some(header)) => {
                header.event_type.as_ref().map_or(Shape::Unknown, |t| Shape::Second(t.as_str()))
            }
            (Some(_), None) => Shape::Unknown,
            (None, _) => match (filled(self.kind.as_ref()), &self.challenge) {
                (Some("url_verification"), Some(challenge)) => Shape::Challenge(challenge.as_str()),
                _ if self.event.is_some() => Shape::First,
                _ => Shape::Unknown,
            },
        }
    }

    /// Whether this is an encrypted event rather than one.
    pub(crate) const fn is_sealed(&self) -> bool {
        self.encrypt.is_some()
    }
}

/// The type of an event that is a message.
pub(crate) const MESSAGE: &str = "im.message.receive_v1";

/// An event of the type [`MESSAGE`], if [`MessageEnvelope::is_message`].
#[derive(Deserialize)]
pub(crate) struct MessageEnvelope<'a> {
    #[serde(borrow)]
    schema: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) header: MessageHeader<'a>,
    #[serde(borrow)]
    pub(crate) event: MessageEvent<'a>,
}

impl MessageEnvelope<'_> {
    /// Whether [`Outer::shape`] would say so.
    pub(crate) fn is_message(&self) -> bool {
        self.schema.is_some() && self.header.event_type.as_str() == MESSAGE
    }
}

#[derive(Deserialize)]
pub(crate) struct MessageHeader<'a> {
    #[serde(borrow)]
    event_type: Text<'a>,
    #[serde(borrow)]
    pub(crate) create_time: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct MessageEvent<'a> {
    #[serde(borrow)]
    pub(crate) sender: Sender<'a>,
    #[serde(borrow)]
    pub(crate) message: Message<'a>,
}

#[derive(Deserialize)]
pub(crate) struct Sender<'a> {
    #[serde(borrow)]
    pub(crate) sender_id: Option<Ids<'a>>,
    #[serde(borrow)]
    pub(crate) sender_type: Option<Text<'a>>,
}

/// A person's ids. Only `open_id` is always there.
#[derive(Deserialize)]
pub(crate) struct Ids<'a> {
    #[serde(borrow)]
    pub(crate) open_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(borrow)]
    pub(crate) message_id: Text<'a>,
    #[serde(borrow)]
    pub(crate) thread_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) create_time: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) chat_id: Text<'a>,
    #[serde(borrow)]
    pub(crate) chat_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) message_type: Text<'a>,
    /// JSON once more, for most types.
    #[serde(borrow)]
    pub(crate) content: Text<'a>,
    #[serde(borrow)]
    pub(crate) mentions: Option<Vec<Mention<'a>>>,
}

#[derive(Deserialize)]
pub(crate) struct Mention<'a> {
    /// What stands in the text, `@_user_1`.
    #[serde(borrow)]
    pub(crate) key: Text<'a>,
    #[serde(borrow)]
    pub(crate) id: Option<Ids<'a>>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
}
