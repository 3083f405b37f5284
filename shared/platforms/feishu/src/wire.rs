//! The JSON that Feishu sends, borrowed from the bytes it came in. Unknown fields are skipped everywhere.

use std::borrow::Cow;

use platform::lenient::{List, Nested, Object};
use serde::{Deserialize, de::IgnoredAny};

pub(crate) use platform::lenient::{Text, filled};

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
    #[serde(borrow, default)]
    header: Object<Header<'a>>,
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
        match (&self.schema, &self.header.0) {
            (Some(_), Some(header)) => filled(header.token.as_ref()),
            (Some(_), None) => None,
            (None, _) => filled(self.token.as_ref()),
        }
    }

    /// What this is. Whoever verifies and whoever parses must agree on it, so both ask here.
    pub(crate) fn shape(&self) -> Shape<'_> {
        match (&self.schema, &self.header.0) {
            (Some(_), Some(header)) => {
                filled(header.event_type.as_ref()).map_or(Shape::Unknown, Shape::Second)
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

/// An event of the type [`MESSAGE`], if [`MessageEnvelope::is_message`]. Every part may be missing.
#[derive(Deserialize)]
pub(crate) struct MessageEnvelope<'a> {
    #[serde(borrow)]
    schema: Option<Text<'a>>,
    #[serde(borrow, default)]
    header: Object<MessageHeader<'a>>,
    #[serde(borrow, default)]
    event: Object<MessageEvent<'a>>,
}

/// The parts of a message's event.
pub(crate) struct Parts<'a> {
    pub(crate) header: MessageHeader<'a>,
    pub(crate) sender: Sender<'a>,
    pub(crate) message: Message<'a>,
}

impl<'a> MessageEnvelope<'a> {
    /// The parts, if [`Outer::shape`] would say that this is a message.
    pub(crate) fn message(self) -> Option<Parts<'a>> {
        let header = self.header.0?;
        if self.schema.is_none() || filled(header.event_type.as_ref()) != Some(MESSAGE) {
            return None;
        }
        let event = self.event.0.unwrap_or_default();
        let (sender, message) = (event.sender.0.unwrap_or_default(), event.message.0.unwrap_or_default());
        Some(Parts { header, sender, message })
    }
}

#[derive(Deserialize)]
pub(crate) struct MessageHeader<'a> {
    #[serde(borrow)]
    event_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) create_time: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
struct MessageEvent<'a> {
    #[serde(borrow, default)]
    sender: Object<Sender<'a>>,
    #[serde(borrow, default)]
    message: Object<Message<'a>>,
}

#[derive(Default, Deserialize)]
pub(crate) struct Sender<'a> {
    #[serde(borrow, default)]
    pub(crate) sender_id: Object<Ids<'a>>,
    #[serde(borrow)]
    pub(crate) sender_type: Option<Text<'a>>,
}

/// A person's ids. Only `open_id` is always there.
#[derive(Default, Deserialize)]
pub(crate) struct Ids<'a> {
    #[serde(borrow)]
    pub(crate) open_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) union_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) user_id: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(borrow)]
    pub(crate) message_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) parent_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) thread_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) create_time: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) chat_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) chat_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) message_type: Option<Text<'a>>,
    /// JSON once more, for most types.
    #[serde(borrow, default)]
    pub(crate) content: Nested<'a>,
    #[serde(borrow, default)]
    pub(crate) mentions: List<Mention<'a>>,
    /// Of the person's client; needs a scope.
    #[serde(borrow)]
    pub(crate) user_agent: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Mention<'a> {
    /// What stands in the text, `@_user_1`.
    #[serde(borrow)]
    pub(crate) key: Option<Text<'a>>,
    /// An object of ids in events. Feishu's API answers have the `open_id` as a text.
    #[serde(borrow, default)]
    pub(crate) id: MentionId<'a>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
}

/// Who is mentioned, in either form.
#[derive(Default, Deserialize)]
#[serde(from = "Nested<'a>", bound(deserialize = "'de: 'a"))]
pub(crate) struct MentionId<'a>(Option<Cow<'a, str>>);

impl<'a> From<Nested<'a>> for MentionId<'a> {
    fn from(id: Nested<'a>) -> Self {
        let Nested(text) = id;
        if !text.starts_with('{') {
            return Self(Some(text).filter(|text| !text.is_empty()));
        }
        let ids = serde_json::from_str::<Ids<'_>>(&text).unwrap_or_default();
        Self(filled(ids.open_id.as_ref()).map(|id| Cow::Owned(id.to_owned())))
    }
}

impl MentionId<'_> {
    pub(crate) fn open_id(&self) -> Option<&str> {
        self.0.as_deref()
    }
}
