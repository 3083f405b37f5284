//! What another version writes.
//!
//! The stored forms are spelled out here a second time, on purpose: it is what lies in tables that counts, and not what the
//! code of today calls it.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chat::ConversationKey;
use miniz_oxide::{deflate::compress_to_vec, inflate::decompress_to_vec};
use serde_json::{Map, Value, json};
use store::Exchange;
use vault::Vault;

use crate::upkeep::Version;

/// How a deflated exchange begins.
const PACKED: u8 = 2;

/// The form in which one process writes.
#[derive(Clone)]
pub(crate) struct Form {
    pub(crate) version: Version,
    pub(crate) vault: Arc<Vault>,
}

impl Form {
    /// An exchange as that version keeps it.
    pub(crate) fn exchange(&self, conversation: &ConversationKey, exchange: &Exchange) -> Exchange {
        let context = ["exchange", conversation.as_str(), exchange.turn.as_str()].concat();
        let change = |content: &mut Map<String, Value>| match self.version {
            Version::Earlier => ["left_to", "t"].into_iter().for_each(|name| drop(content.remove(name))),
            Version::Current => {}
            Version::Later => self.add(content),
        };
        let sealed = self.rewritten(context.as_bytes(), &exchange.sealed, change);
        Exchange { sealed: sealed.unwrap_or_else(|| exchange.sealed.clone()), ..exchange.clone() }
    }

    /// A queued message as that version seals it.
    pub(crate) fn queued(&self, body: String) -> String {
        let change = |queued: &mut Map<String, Value>| {
            if self.version == Version::Later {
                self.add(queued);
                if let Some(Value::Object(message)) = queued.get_mut("message") {
                    self.add(message);
                }
            }
        };
        let sealed = STANDARD.decode(&body).unwrap_or_default();
        let sealed = self.rewritten(b"magpie queued message", &sealed, change);
        sealed.map_or(body, |sealed| STANDARD.encode(sealed))
    }

    /// Changes the JSON inside, deflated or not.
    fn rewritten(
        &self,
        context: &[u8],
        sealed: &[u8],
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Option<Vec<u8>> {
        if self.version == Version::Current {
            return None;
        }
        let stored = self.vault.open(context, sealed).ok()?;
        let packed = stored.strip_prefix(&[PACKED]);
        let json = packed.map_or_else(|| Ok(stored.clone()), decompress_to_vec).ok()?;
        let mut form: Map<String, Value> = serde_json::from_slice(&json).ok()?;
        change(&mut form);
        let mut json = Value::Object(form).to_string().into_bytes();
        if packed.is_some() {
            json = [&[PACKED], compress_to_vec(&json, 1).as_slice()].concat();
        }
        Some(self.vault.seal(context, &json))
    }

    fn add(&self, form: &mut Map<String, Value>) {
        form.insert("of_a_later_version".to_owned(), json!({"words": ["nobody", "knows"], "number": 7}));
    }
}
