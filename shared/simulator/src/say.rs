//! What a pretend person says, and the webhook that carries it.

use serde::{Deserialize, Serialize};

/// Where something is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatPlace {
    /// One person and the bot.
    Direct,
    /// A group. On Feishu the id gets the prefix `oc_` and on DingTalk `cid` unless it has it.
    Group {
        /// The group.
        id: String,
    },
}

/// In what form something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SayForm {
    /// Plain text.
    Text,
    /// Formatted text: `post` on Feishu, `richText` on DingTalk.
    RichText,
    /// A picture.
    Picture,
    /// A voice message; DingTalk passes [`Say::text`] on as its own transcript.
    Voice,
    /// A file named [`Say::text`].
    File,
    /// A sticker; DingTalk has no such type and pushes a picture.
    Sticker,
}

/// Something a person says to a bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Say {
    /// Where.
    pub chat: ChatPlace,
    /// Who: a short name such as `ann`, from which the platform's ids are made (`ou_ann`, …).
    pub user: String,
    /// The name that is displayed.
    pub name: String,
    /// The words.
    pub text: String,
    /// Whether the message mentions the bot.
    pub mention_bot: bool,
    /// The Feishu thread it is in (`omt_…`); DingTalk has none.
    pub thread: Option<String>,
    /// Text, picture, voice, …
    pub form: SayForm,
    /// Whether a bot, not a person, says it.
    pub from_bot: bool,
}

impl Say {
    /// Plain text in a direct chat.
    #[must_use]
    pub fn direct(user: &str, text: &str) -> Self {
        Self {
            chat: ChatPlace::Direct,
            user: user.to_owned(),
            name: user.to_owned(),
            text: text.to_owned(),
            mention_bot: false,
            thread: None,
            form: SayForm::Text,
            from_bot: false,
        }
    }

    /// Plain text in a group, mentioning the bot.
    #[must_use]
    pub fn group(id: &str, user: &str, text: &str) -> Self {
        Self { chat: ChatPlace::Group { id: id.to_owned() }, mention_bot: true, ..Self::direct(user, text) }
    }

    /// The same in another form.
    #[must_use]
    pub fn form(self, form: SayForm) -> Self {
        Self { form, ..self }
    }
}

/// A request that the platform would make to a bot's webhook. Deliver a clone again to redeliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Header names as the platform writes them, and values.
    pub headers: Vec<(String, String)>,
    /// The query without the question mark; empty for none.
    pub query: String,
    /// The body, byte for byte as it was signed.
    pub body: Vec<u8>,
    /// The message's id, or the event's; empty when it has none.
    pub message_id: String,
}
