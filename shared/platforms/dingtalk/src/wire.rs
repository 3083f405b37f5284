//! DingTalk's JSON as it comes, and how lenient we read it. Nothing here is ever stored.

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
pub(crate) struct PushEvent {
    #[serde(rename = "EventType")]
    pub(crate) event_type: String,
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
pub(crate) struct RobotMessage {
    pub(crate) msg_id: Option<String>,
    pub(crate) msgtype: Option<String>,
    pub(crate) conversation_id: Option<String>,
    pub(crate) conversation_type: Option<Loose>,
    pub(crate) is_in_at_list: Option<Loose>,
    pub(crate) at_users: Option<Vec<AtUser>>,
    pub(crate) chatbot_user_id: Option<String>,
    pub(crate) sender_staff_id: Option<String>,
    pub(crate) sender_id: Option<String>,
    pub(crate) sender_nick: Option<String>,
    pub(crate) create_at: Option<Loose>,
    pub(crate) session_webhook: Option<String>,
    pub(crate) session_webhook_expired_time: Option<Loose>,
    pub(crate) text: Option<Value>,
    pub(crate) content: Option<Value>,
    #[serde(alias = "errCode")]
    pub(crate) error_code: Option<Loose>,
}

/// Somebody who is mentioned.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AtUser {
    pub(crate) dingtalk_id: Option<String>,
}
