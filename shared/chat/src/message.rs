//! What a person said, in no platform's dialect.

use serde::{Deserialize, Serialize};

use crate::{Conversation, EventId, MentionSpan, Timestamp, TurnKey, UserId, mention};

/// One message from a person to a bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// What makes a redelivery recognisable.
    pub event: EventId,
    /// Where it was said.
    pub conversation: Conversation,
    /// Alone with the bot or among others.
    pub chat_kind: ChatKind,
    /// Who said it.
    pub sender: Sender,
    /// Whom it speaks to.
    pub audience: Audience,
    /// The words, mentions resolved to names and mentions of the bot itself removed where that is known.
    pub text: String,
    /// The mentions in `text` that may be the bot's own, in order of place. Messages queued before places were kept have
    /// none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentioned: Vec<MentionSpan>,
    /// The message that this one quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted: Option<Quoted>,
    /// The language of the person's client, where the platform tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_language: Option<Language>,
    /// What came besides words.
    pub attachments: Vec<Attachment>,
    /// When the platform says it was sent.
    pub sent_at: Timestamp,
    /// Where an answer goes, in the platform's own terms.
    pub reply_to: ReplyTo,
}

impl Message {
    /// The key of the turn that this message starts.
    #[must_use]
    pub fn turn(&self) -> TurnKey {
        TurnKey::new(&self.conversation, &self.event)
    }

    /// The words without the mentions of whom `is_bot` says that it is the bot.
    #[must_use]
    pub fn text_without(&self, is_bot: impl Fn(&UserId) -> bool) -> String {
        if self.mentioned.is_empty() {
            // Queued by a version that kept no places: the mention as it is shown is all that is known.
            let Audience::Mentions(mentions) = &self.audience else { return self.text.clone() };
            let own = mentions.iter().filter(|mention| is_bot(&mention.id));
            let text = own.fold(self.text.clone(), |text, own| text.replacen(&own.shown, "", 1));
            return text.trim().to_owned();
        }
        let own = self.mentioned.iter().filter(|span| is_bot(&span.id));
        mention::without(&self.text, own.map(|span| span.start..span.end))
    }
}

/// Alone with the bot, or among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    /// One person and the bot.
    Direct,
    /// Several people, and the bot answers when it is mentioned.
    Group,
}

/// Who said it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The platform's id of the person.
    pub id: UserId,
    /// The person's name, where the platform tells it.
    pub name: Option<String>,
}

/// Whom a message speaks to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The bot, for certain.
    Bot,
    /// Whoever these mentions name. Whether the bot is among them shows once its own id on the platform is known,
    /// which takes a call that a webhook has no time for, so the worker decides.
    Mentions(Vec<Mention>),
}

/// One mention in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// Who is mentioned.
    pub id: UserId,
    /// The mention as it stands in [`Message::text`], for example `@Ann`.
    pub shown: String,
}

/// The message that a message quotes or replies to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quoted {
    /// Its words. Empty where the platform says only that there is a quotation.
    pub text: String,
    /// What it holds besides words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

/// Something that came besides words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What it is.
    pub kind: AttachmentKind,
    /// The platform's handle to fetch it with.
    pub handle: String,
    /// Its name, for files.
    pub name: Option<String>,
}

/// What an attachment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentKind {
    /// A picture.
    Picture,
    /// A voice message.
    Voice,
    /// A moving picture.
    Video,
    /// Any file.
    File,
    /// Something the platform shows and we cannot read: a sticker, a card, a location.
    Other,
}

/// Where an answer goes: the platform's own address, as JSON that only its crate reads.
///
/// It travels through the queue inside the sealed message, so a platform versions what it writes here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReplyTo(pub String);

/// The languages that the bot itself speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// 中文
    Zh,
    /// English
    En,
}

impl Language {
    /// Chinese when a Han character occurs or when there are no letters to judge by, else English.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::detect(text).unwrap_or(Self::Zh)
    }

    /// Chinese when a Han character occurs, English when other letters do, and nothing when there are no letters.
    #[must_use]
    pub fn detect(text: &str) -> Option<Self> {
        let han = |c: char| matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{2FA1F}');
        if text.chars().any(han) {
            return Some(Self::Zh);
        }
        text.chars().any(char::is_alphabetic).then_some(Self::En)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_follows_the_words() {
        for (text, language) in [
            ("你好", Language::Zh),
            ("帮我 review 一下", Language::Zh),
            ("hello", Language::En),
            ("", Language::Zh),
            ("👍 123", Language::Zh),
        ] {
            assert_eq!(Language::of(text), language, "{text:?}");
        }
    }
}
