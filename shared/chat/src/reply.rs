//! What we say back.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::TurnKey;

/// An answer as Markdown, before a platform splits and dresses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// CommonMark with tables and strikethrough, as models write it.
    pub markdown: String,
}

/// One platform call's worth of a [`Reply`]: the payload in the platform's own form, ready to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Segment(pub String);

/// The idempotency key of one segment: the same for ever for the same turn, round and place.
///
/// 32 hexadecimal characters, which fits Feishu's `uuid` (50) and DingTalk's `outTrackId`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendKey(String);

impl SendKey {
    /// The key of segment number `index` (from 0) of a turn's first reply.
    #[must_use]
    pub fn new(turn: &TurnKey, index: u32) -> Self {
        Self::in_round(turn, 0, index)
    }

    /// The key of segment number `index` (from 0) of the reply in a later round: a turn that is brought back after an
    /// apology gets another reply, and a platform that remembers the apology's key would swallow it.
    #[must_use]
    pub fn in_round(turn: &TurnKey, round: u32, index: u32) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"segment");
        hash.update(index.to_be_bytes());
        hash.update(turn.as_str().as_bytes());
        if round > 0 {
            hash.update(round.to_be_bytes());
        }
        let mut text = hex::encode(hash.finalize());
        text.truncate(32);
        Self(text)
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BotId, ChatId, Conversation, EventId, PlatformId};

    #[test]
    fn every_turn_round_and_place_has_a_key_of_its_own() {
        let turn = |event: &str| {
            let conversation = Conversation {
                platform: PlatformId::parse("feishu").unwrap(),
                bot: BotId::parse("b").unwrap(),
                chat: ChatId::parse("c").unwrap(),
                thread: None,
                user: None,
            };
            TurnKey::new(&conversation, &EventId::parse(event).unwrap())
        };
        let mut keys = Vec::new();
        for event in ["a", "b"] {
            for (round, index) in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)] {
                keys.push(SendKey::in_round(&turn(event), round, index).0);
            }
        }
        assert_eq!(keys[1], SendKey::new(&turn("a"), 1).0, "the first round is the one without a number");
        assert!(keys.iter().all(|key| key.len() == 32), "{keys:?}");
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 10);
    }
}
