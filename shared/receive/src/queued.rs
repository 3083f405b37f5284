//! The message on its way to a worker.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chat::{Message, Timestamp};
use serde::{Deserialize, Serialize};
use vault::Vault;

/// What the envelope is bound to, so that no other sealed text can be passed off as a queued message.
const CONTEXT: &[u8] = b"magpie queued message";

/// An accepted message. Its stored form is JSON with a version, sealed, in Base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMessage {
    /// The message.
    pub message: Message,
    /// When the webhook was accepted.
    pub accepted_at: Timestamp,
}

/// The stored forms, by version. A reader knows every version that may still be in a queue.
#[derive(Serialize, Deserialize)]
#[serde(tag = "v")]
// Planted: what a later Magpie adds is not passed over.
#[cfg_attr(planted = "later_form_refused", serde(deny_unknown_fields))]
enum Stored {
    #[serde(rename = "1")]
    V1 { message: Message, accepted_at: Timestamp },
}

/// A queued body that cannot be read: damaged, sealed with a key that is gone, or of a later version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queued message cannot be opened with the vault's keys, or is of an unknown version")]
pub struct UnreadableMessage;

impl QueuedMessage {
    /// The sealed form.
    #[must_use]
    pub fn seal(&self, vault: &Vault) -> String {
        let stored = Stored::V1 { message: self.message.clone(), accepted_at: self.accepted_at };
        // These types always serialise; were it to fail, the empty text would not open again and be parked.
        let json = serde_json::to_vec(&stored).unwrap_or_default();
        STANDARD.encode(vault.seal(CONTEXT, &json))
    }

    /// Reads the sealed form.
    ///
    /// # Errors
    ///
    /// [`UnreadableMessage`], without a cause that could help a forger.
    pub fn open(body: &str, vault: &Vault) -> Result<Self, UnreadableMessage> {
        let sealed = STANDARD.decode(body).map_err(|_| UnreadableMessage)?;
        let json = vault.open(CONTEXT, &sealed).map_err(|_| UnreadableMessage)?;
        let Stored::V1 { message, accepted_at } =
            serde_json::from_slice(&json).map_err(|_| UnreadableMessage)?;
        Ok(Self { message, accepted_at })
    }
}
