//! Where memory lives, and what makes a turn the same turn.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{BotId, ChatId, EventId, PlatformId, ThreadId, UserId};

/// The place of one memory: platform + bot + chat (+ thread; + user in a direct chat).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// The chat product.
    pub platform: PlatformId,
    /// The bot that is spoken to.
    pub bot: BotId,
    /// The chat.
    pub chat: ChatId,
    /// The thread inside the chat, where the platform has threads.
    pub thread: Option<ThreadId>,
    /// The person, in a direct chat only: in a group everybody shares one memory.
    pub user: Option<UserId>,
}

impl Conversation {
    /// The key under which this conversation is stored and queued.
    #[must_use]
    pub fn key(&self) -> ConversationKey {
        ConversationKey(digest(&[
            Some("conversation"),
            Some(self.platform.as_str()),
            Some(self.bot.as_str()),
            Some(self.chat.as_str()),
            self.thread.as_ref().map(ThreadId::as_str),
            self.user.as_ref().map(UserId::as_str),
        ]))
    }
}

/// A conversation as a table key and as a queue's message group: 64 hexadecimal characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConversationKey(String);

impl ConversationKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A turn as a table key and as a queue's deduplication id: 64 hexadecimal characters.
///
/// Made of the conversation and the event, so that equal event ids of two bots, or of two chats, stay two turns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TurnKey(String);

impl TurnKey {
    /// The key of the turn that `event` starts in `conversation`.
    #[must_use]
    pub fn new(conversation: &Conversation, event: &EventId) -> Self {
        Self(digest(&[Some("turn"), Some(conversation.key().as_str()), Some(event.as_str())]))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// SHA-256 over length-prefixed parts, in hexadecimal. The prefix keeps one part from imitating another
/// (`"a" + "bc"` against `"ab" + "c"`), and an absent part differs from an empty one.
fn digest(parts: &[Option<&str>]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        match part {
            Some(text) => {
                hash.update([1]);
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text.as_bytes());
            }
            None => hash.update([0]),
        }
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(chat: &str, thread: Option<&str>, user: Option<&str>) -> Conversation {
        Conversation {
            platform: PlatformId::parse("feishu").unwrap(),
            bot: BotId::parse("bot").unwrap(),
            chat: ChatId::parse(chat).unwrap(),
            thread: thread.map(|t| ThreadId::parse(t).unwrap()),
            user: user.map(|u| UserId::parse(u).unwrap()),
        }
    }

    #[test]
    fn no_part_can_imitate_another() {
        let keys = [
            conversation("ab", None, Some("c")).key(),
            conversation("a", None, Some("bc")).key(),
            conversation("ab", Some("c"), None).key(),
            conversation("abc", None, None).key(),
        ];
        for (i, a) in keys.iter().enumerate() {
            assert!(keys.iter().skip(i + 1).all(|b| a != b));
        }
    }

    #[test]
    fn the_same_event_in_two_conversations_is_two_turns() {
        let event = EventId::parse("m1").unwrap();
        let here = TurnKey::new(&conversation("here", None, None), &event);
        let there = TurnKey::new(&conversation("there", None, None), &event);
        assert_ne!(here, there);
        assert_eq!(here.as_str().len(), 64);
    }
}
