//! The stored form of a question with its reply.

use chat::{ConversationKey, TurnKey};
use serde::{Deserialize, Serialize};
use store::{Exchange, ParkReason};
use vault::Vault;

/// What an exchange holds once it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What the person said.
    pub question: String,
    /// What the bot replies, as Markdown.
    pub reply: String,
    /// Set when the reply is an apology: the turn is parked for this reason once the apology is sent.
    pub parked: Option<ParkReason>,
}

/// The stored forms, by version.
#[derive(Serialize, Deserialize)]
#[serde(tag = "v")]
enum Stored {
    #[serde(rename = "1")]
    V1 { question: String, reply: String, parked: Option<ParkReason> },
}

/// A stored exchange that cannot be read: damaged, sealed with a key that is gone, or of a later version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored exchange cannot be opened with the vault's keys, or is of an unknown version")]
pub struct UnreadableContent;

impl Content {
    /// Seals the content for its place; it opens nowhere else.
    #[must_use]
    pub fn seal(&self, vault: &Vault, conversation: &ConversationKey, turn: &TurnKey) -> Vec<u8> {
        let stored =
            Stored::V1 { question: self.question.clone(), reply: self.reply.clone(), parked: self.parked };
        // These types always serialise; were it to fail, the empty text would be refused when it is read.
        let json = serde_json::to_vec(&stored).unwrap_or_default();
        vault.seal(&context(conversation, turn), &json)
    }

    /// Opens an exchange's content.
    ///
    /// # Errors
    ///
    /// [`UnreadableContent`].
    pub fn open(
        exchange: &Exchange,
        vault: &Vault,
        conversation: &ConversationKey,
    ) -> Result<Self, UnreadableContent> {
        let plain = vault
            .open(&context(conversation, &exchange.turn), &exchange.sealed)
            .map_err(|_| UnreadableContent)?;
        let Stored::V1 { question, reply, parked } =
            serde_json::from_slice(&plain).map_err(|_| UnreadableContent)?;
        Ok(Self { question, reply, parked })
    }
}

/// Both keys are 64 hexadecimal characters, so joining them is unambiguous.
fn context(conversation: &ConversationKey, turn: &TurnKey) -> Vec<u8> {
    ["exchange", conversation.as_str(), turn.as_str()].concat().into_bytes()
}
