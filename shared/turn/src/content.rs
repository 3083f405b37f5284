//! The stored form of a question with its reply.
//!
//! It is deflated before it is sealed, since stores charge by size: an answer takes two thirds of what it would. What that
//! gives away is the length that the text has when deflated, beside the length alone that an envelope gives away in any
//! case. Guesses can be checked by such a length where an attacker's words and somebody's secret are deflated together and
//! the result is seen again and again (CRIME, BREACH). Here each exchange is deflated by itself, holds nothing but what one
//! person said in one conversation and was answered there, is written once, and its length is seen by nobody but who runs
//! the store.

use std::borrow::Cow;

use chat::{ConversationKey, TurnKey};
use miniz_oxide::{deflate::compress_to_vec, inflate::decompress_to_vec_with_limit};
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
    /// What caused the apology, for operators. One that was kept before this was has none.
    pub cause: Option<String>,
    /// Set when the question has no reply of its own: the turn whose answer is for it too. A question that was merged before
    /// this was kept has none.
    pub left_to: Option<TurnKey>,
}

/// The first stored form: JSON, which begins with a brace. Short texts are stored in it still.
#[derive(Serialize, Deserialize)]
#[serde(tag = "v")]
// Planted: what a later Magpie adds is not passed over.
#[cfg_attr(planted = "later_form_refused", serde(deny_unknown_fields))]
enum Plain {
    #[serde(rename = "1")]
    V1 {
        question: String,
        reply: String,
        parked: Option<ParkReason>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left_to: Option<TurnKey>,
    },
}

/// The byte that begins the second stored form. Behind it stands [`Packed`] as JSON, deflated (RFC 1951).
const PACKED: u8 = 2;

/// What is deflated, under short names, because a short text has nothing to deflate them against.
#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    #[serde(rename = "q")]
    question: Cow<'a, str>,
    #[serde(rename = "r")]
    reply: Cow<'a, str>,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    parked: Option<ParkReason>,
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    left_to: Option<TurnKey>,
}

/// The most that is inflated, in bytes: a webhook's mebibyte and a model server's four, and some. Nobody but us seals what
/// is read here; this is for the day when somebody's key is stolen, or we are wrong.
const INFLATED_MAX: usize = 8 << 20;

/// From how many bytes on a text is deflated. Below, it comes out no shorter.
const SHORT: usize = 150;

/// How hard to deflate, of 10. The dearest level costs 0.1 ms for a long answer, and is within 1 % of the smallest.
const LEVEL: u8 = 9;

/// A stored exchange that cannot be read: damaged, sealed with a key that is gone, or of a later version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored exchange cannot be opened with the vault's keys, or is of an unknown version")]
pub struct UnreadableContent;

impl Content {
    /// Seals the content for its place; it opens nowhere else.
    #[must_use]
    pub fn seal(&self, vault: &Vault, conversation: &ConversationKey, turn: &TurnKey) -> Vec<u8> {
        vault.seal(&context(conversation, turn), &self.stored())
    }

    /// These types always serialise; were it to fail, the empty text would be refused when it is read.
    fn stored(&self) -> Vec<u8> {
        let (parked, cause, left_to) = (self.parked, self.cause.clone(), self.left_to.clone());
        if self.question.len() + self.reply.len() < SHORT {
            let (question, reply) = (self.question.clone(), self.reply.clone());
            let plain = Plain::V1 { question, reply, parked, cause, left_to };
            return serde_json::to_vec(&plain).unwrap_or_default();
        }
        let (question, reply) = (Cow::Borrowed(&*self.question), Cow::Borrowed(&*self.reply));
        let packed = Packed { question, reply, parked, cause, left_to };
        let json = serde_json::to_vec(&packed).unwrap_or_default();
        let mut stored = vec![PACKED];
        stored.extend(compress_to_vec(&json, LEVEL));
        stored
    }

    /// Opens an exchange's content, of either form.
    ///
    /// # Errors
    ///
    /// [`UnreadableContent`].
    pub fn open(
        exchange: &Exchange,
        vault: &Vault,
        conversation: &ConversationKey,
    ) -> Result<Self, UnreadableContent> {
        let stored = vault
            .open(&context(conversation, &exchange.turn), &exchange.sealed)
            .map_err(|_| UnreadableContent)?;
        Self::read(&stored).ok_or(UnreadableContent)
    }

    fn read(stored: &[u8]) -> Option<Self> {
        if let Some((&PACKED, deflated)) = stored.split_first() {
            let json = decompress_to_vec_with_limit(deflated, INFLATED_MAX).ok()?;
            let Packed { question, reply, parked, cause, left_to } = serde_json::from_slice(&json).ok()?;
            let (question, reply) = (question.into_owned(), reply.into_owned());
            return Some(Self { question, reply, parked, cause, left_to });
        }
        let Plain::V1 { question, reply, parked, cause, left_to } = serde_json::from_slice(stored).ok()?;
        Some(Self { question, reply, parked, cause, left_to })
    }
}

/// Both keys are 64 hexadecimal characters, so joining them is unambiguous.
fn context(conversation: &ConversationKey, turn: &TurnKey) -> Vec<u8> {
    ["exchange", conversation.as_str(), turn.as_str()].concat().into_bytes()
}

#[cfg(test)]
mod tests;
