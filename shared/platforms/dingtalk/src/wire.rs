//! DingTalk's JSON as it comes, and how lenient we read it. Nothing here is ever stored.

use platform::lenient::List;
pub(crate) use platform::lenient::{Text, filled};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// [`platform::RawEvent::way`] of a robot message.
pub(crate) const ROBOT: &str = "robot";

/// [`platform::RawEvent::way`] of an event push.
pub(crate) const PUSH: &str = "push";

/// A decrypted event push on its way from `verify` to `parse`, with the key version that its answer needs.
#[derive(Serialize, Deserialize)]
pub(crate) struct Pushed {
    /// The index of the key version: 0 is the current one.
    pub(crate) key: usize,
    /// The event's JSON text.
    pub(crate) event: String,
}

impl Pushed {
    pub(crate) fn to_json(&self) -> Vec<u8> {
        // A number and a text always serialize; nothing would be malformed.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// What an event push is about.
#[derive(Deserialize)]
pub(crate) struct PushEvent<'a> {
    #[serde(borrow, rename = "EventType")]
    pub(crate) event_type: Option<Text<'a>>,
}

/// A scalar that DingTalk's pages and samples disagree about: `createAt` is a number here and a text there.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Loose {
    Flag(bool),
    Number(i64),
    Text(String),
}

impl Loose {
    pub(crate) fn number(&self) -> Option<i64> {
        match self {
            Self::Flag(_) => None,
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// A robot message: the fields that Magpie reads, each of which may be missing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RobotMessage<'a> {
    #[serde(borrow)]
    pub(crate) msg_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) msgtype: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) conversation_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) conversation_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) conversation_title: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) is_in_at_list: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) at_users: List<AtUser<'a>>,
    #[serde(borrow)]
    pub(crate) chatbot_user_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) sender_staff_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) sender_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) sender_nick: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) create_at: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) session_webhook: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) session_webhook_expired_time: Option<Text<'a>>,
    #[serde(default)]
    pub(crate) text: Value,
    #[serde(default)]
    pub(crate) content: Value,
    /// What is quoted, in payloads that have it outside of `text`.
    #[serde(default)]
    pub(crate) replied_msg: Value,
    #[serde(default)]
    pub(crate) quote_message: Value,
    #[serde(borrow, alias = "errCode")]
    pub(crate) error_code: Option<Text<'a>>,
}

/// Somebody who is mentioned.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AtUser<'a> {
    #[serde(borrow)]
    pub(crate) dingtalk_id: Option<Text<'a>>,
}
