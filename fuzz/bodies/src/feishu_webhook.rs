//! A Feishu webhook: as it comes, as a signed body, and sealed and signed so that the parser is reached.

use std::sync::{Arc, LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use platform::{Event, Heard, Platform, RawRequest, Rejection};
use sha2::{Digest as _, Sha256};
use webhook::{EnvelopeKey, PadBlock, mac};

use crate::{Reach, fixed};

const KEY: &str = "encrypt-key";

/// Without an Encrypt Key, where only the token is compared.
static OPEN: LazyLock<Arc<dyn Platform>> = LazyLock::new(|| bind(""));

/// With one, where nothing plain and nothing unsigned is believed.
static CLOSED: LazyLock<Arc<dyn Platform>> = LazyLock::new(|| bind(KEY));

fn bind(encrypt_key: &str) -> Arc<dyn Platform> {
    let keys = serde_json::json!({
        "app_id": "cli_1", "app_secret": "s", "verification_token": "vtok", "encrypt_key": encrypt_key,
    });
    fixed::bind(feishu::KIND, &keys)
}

/// The input as a body in four dresses. What is believed sealed must be what is believed plain.
#[must_use]
pub fn run(data: &[u8]) -> Reach {
    let bare = fixed::hear(&**CLOSED, &fixed::request(&[], data.to_vec()));
    let is_refused = matches!(bare, Err(Rejection::Unverified(_)));
    // Only somebody with the key makes an envelope around a challenge with the token.
    assert!(is_refused || is_handshake(&bare), "an unsigned body is believed");
    let signed_bare = fixed::hear(&**CLOSED, &signed(data.to_vec()));
    let plain = fixed::hear(&**OPEN, &fixed::request(&[], data.to_vec()));
    let sealed_body = seal(data);
    let unsigned = fixed::hear(&**CLOSED, &fixed::request(&[], sealed_body.clone()));
    let sealed = fixed::hear(&**CLOSED, &signed(sealed_body));
    for heard in [&signed_bare, &plain, &unsigned, &sealed].into_iter().flatten() {
        fixed::check_heard(heard);
    }
    assert!(unsigned.is_err() || is_handshake(&unsigned), "only a challenge may come unsigned");
    if let Ok(plain) = &plain {
        let sealed = sealed.as_ref().expect("what is believed plain is believed sealed and signed");
        assert_eq!(format!("{:?}", plain.event), format!("{:?}", sealed.event));
        assert_eq!(plain.answer, sealed.answer);
    }
    if let Ok(Heard { event: Event::Message(message), .. }) = &plain {
        check_address(&message.reply_to);
    }
    Reach::inside(plain.is_ok_and(|heard| matches!(heard.event, Event::Message(_))))
}

fn is_handshake(heard: &Result<Heard, Rejection>) -> bool {
    matches!(heard, Ok(Heard { event: Event::Handshake, .. }))
}

/// An answer to a message goes to Feishu, below one path.
fn check_address(to: &chat::ReplyTo) {
    if let Some(call) = fixed::answer(&**OPEN, to) {
        assert_eq!(call.url.host_str(), Some("open.feishu.cn"));
        assert!(call.url.path().starts_with("/open-apis/im/v1/messages/"), "{}", call.url.path());
        assert_eq!(call.url.path_segments().map(Iterator::count), Some(6), "{}", call.url.path());
    }
}

fn seal(plain: &[u8]) -> Vec<u8> {
    let iv = [7; 16];
    let envelope = EnvelopeKey::new(Sha256::digest(KEY).into());
    let data = [&iv[..], &envelope.seal(iv, plain.to_vec(), PadBlock::Sixteen)].concat();
    format!(r#"{{"encrypt":"{}"}}"#, STANDARD.encode(data)).into_bytes()
}

fn signed(body: Vec<u8>) -> RawRequest {
    let signature = mac::sha256_hex(&[b"1700000100", b"nonce", KEY.as_bytes(), &body]);
    let headers = [
        ("x-lark-request-timestamp", "1700000100"),
        ("x-lark-request-nonce", "nonce"),
        ("x-lark-signature", signature.as_str()),
    ];
    fixed::request(&headers, body)
}
