//! What the simulator remembers of what was done to it.

use chat::Timestamp;
use serde::Serialize;

use crate::Target;

/// Something that people can see because a bot sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// `feishu` or `dingtalk`.
    pub platform: &'static str,
    /// `app_id`, `client_id`, the access token of a custom robot, or the id of a custom bot.
    pub app: String,
    /// The chat it shows up in; empty for a custom robot or bot, whose group the simulator does not know.
    pub chat: String,
    /// The message it answers.
    pub in_reply_to: Option<String>,
    /// The platform's word for its form: `text`, `post`, `interactive`, `markdown`, `sampleMarkdown`, …
    pub form: String,
    /// The words in it, as text or markdown.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// The idempotency key it came under: Feishu's `uuid`, a custom robot's `msgUuid`.
    pub key: Option<String>,
    /// Which call: `reply`, `send`, `edit`, `update`, `recall`, `session_webhook`, `oto`, `group` or `custom_robot`, `custom_bot`.
    pub by: &'static str,
}

/// A call of an API, whatever came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Which API.
    pub target: Target,
    /// The path, without the query: that may hold secrets.
    pub path: String,
    /// When it arrived.
    pub at: Timestamp,
    /// Whether its credentials were good: token, secret, session or signature. A model server takes any bearer key.
    pub authorized: bool,
}
