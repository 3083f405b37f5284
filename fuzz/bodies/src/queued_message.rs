//! A queued message: what the queue hands over, raw, and as JSON under a valid seal.

use std::sync::{Arc, LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chat::Entropy;
use receive::QueuedMessage;
use vault::{DataKey, Vault};

use crate::Reach;

/// What `receive` binds its envelopes to. Were this another, nothing would open and the corpus's test would fail.
const CONTEXT: &[u8] = b"magpie queued message";

/// The same bytes each time, so that the same input does the same.
struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(5);
    }
}

pub(crate) static VAULT: LazyLock<Vault> = LazyLock::new(|| {
    let key = DataKey::from_base64("fuzz", &STANDARD.encode([1; 32])).expect("a key of 32 bytes");
    Vault::new(vec![key], Arc::new(Fixed)).expect("a vault with a key")
});

/// The input as a whole body, as an envelope, and as the JSON inside of one.
#[must_use]
pub fn run(data: &[u8]) -> Reach {
    assert!(VAULT.open(CONTEXT, data).is_err(), "a forged envelope opens");
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(QueuedMessage::open(text, &VAULT).is_err(), "a forged body opens");
    }
    let sealed = STANDARD.encode(VAULT.seal(CONTEXT, data));
    let Ok(queued) = QueuedMessage::open(&sealed, &VAULT) else { return Reach::Door };
    let again = QueuedMessage::open(&queued.seal(&VAULT), &VAULT);
    assert_eq!(again.as_ref(), Ok(&queued), "a message survives the queue");
    let message = &queued.message;
    assert_eq!(message.turn().as_str().len(), 64);
    let _ = message.text_without(|_| true);
    Reach::Inside
}
