//! Envelopes that are opened with a key: what opens was sealed so, and what was sealed opens.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dingtalk::PushKeys;
use webhook::{EnvelopeKey, PadBlock};

use crate::Reach;

const KEY: [u8; 32] = [7; 32];

static PUSH: LazyLock<PushKeys> = LazyLock::new(|| {
    // 43 characters: the padding of Base64 is left out.
    let text = STANDARD.encode(KEY).trim_end_matches('=').to_owned();
    PushKeys::new("token".to_owned().into(), &text.into(), "owner").expect("a key of 43 characters")
});

/// The first 16 bytes are the initialisation vector; the rest is a ciphertext, and also a plain text.
#[must_use]
pub fn run(data: &[u8]) -> Reach {
    let Some((iv, rest)) = data.split_first_chunk::<16>() else { return Reach::Door };
    let key = EnvelopeKey::new(KEY);
    let mut opened = false;
    for (pad, block) in [(PadBlock::Sixteen, 16), (PadBlock::ThirtyTwo, 32)] {
        let sealed = key.seal(*iv, rest.to_vec(), pad);
        assert!(sealed.len().is_multiple_of(block) && sealed.len() > rest.len());
        assert_eq!(key.open(*iv, sealed, pad).as_deref(), Ok(rest), "what was sealed opens");
        if let Ok(plain) = key.open(*iv, rest.to_vec(), pad) {
            opened = true;
            assert!(!rest.is_empty() && rest.len().is_multiple_of(16));
            assert!((1..=block).contains(&(rest.len() - plain.len())));
            let again = key.seal(*iv, plain, pad);
            // Padding to 32 has two forms where a sender counted blocks of 16: both open, one is ours.
            assert!(again == rest || !rest.len().is_multiple_of(block), "what opens was sealed so");
        }
    }
    // The inside of an event push: random, length, message, owner, in whatever order the input has them.
    let inside = STANDARD.encode(key.seal(key.first_half(), rest.to_vec(), PadBlock::ThirtyTwo));
    let message = PUSH.open(&inside);
    if let Ok(message) = &message {
        assert_eq!(rest.len(), 16 + 4 + message.len() + "owner".len());
        assert!(rest.ends_with(b"owner"));
    }
    Reach::inside(opened || message.is_ok())
}
