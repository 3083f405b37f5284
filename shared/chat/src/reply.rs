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

/// The idempotency key of one segment: the same for ever for the same turn and place.
///
/// 32 hexadecimal characters, which fits Feishu's `uuid` (50) and DingTalk's `outTrackId`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendKey(String);

impl SendKey {
    /// The key of segment number `index` (from 0) of a turn's reply.
    #[must_use]
    pub fn new(turn: &TurnKey, index: u32) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"segment");
        hash.update(index.to_be_bytes());
        hash.update(turn.as_str().as_bytes());
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
