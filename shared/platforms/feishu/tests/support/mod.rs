//! What the tests share: a bound platform, and requests as Feishu makes them.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chat::{
    BotId, ChatId, Conversation, EventId, PlatformId, Reply, ReplyTo, Segment, SendKey, Timestamp, TurnKey,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use platform::{AccessToken, ConnectOptions, Heard, KeyRing, Keys, Moment, Platform, RawRequest, Rejection};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use webhook::{EnvelopeKey, PadBlock, mac};

pub(crate) const TOKEN: &str = "vtok";
pub(crate) const KEY: &str = "encrypt-key";
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_200_000);

pub(crate) fn keys(token: &str, encrypt_key: &str) -> Keys {
    let json = json!({
        "app_id": "cli_1", "app_secret": "app-secret", "verification_token": token, "encrypt_key": encrypt_key,
    });
    Keys::from_json(&json.to_string()).unwrap()
}

/// Feishu with this token and this Encrypt Key, none when empty.
pub(crate) fn feishu(token: &str, encrypt_key: &str) -> Arc<dyn Platform> {
    with_ring(&KeyRing::new(keys(token, encrypt_key), None))
}

pub(crate) fn with_ring(ring: &KeyRing) -> Arc<dyn Platform> {
    (feishu::KIND.connect)(ring, &ConnectOptions::default()).ok().unwrap()
}

pub(crate) fn at(base_url: &str) -> Arc<dyn Platform> {
    let options = ConnectOptions { base_url: Some(base_url.parse().unwrap()) };
    (feishu::KIND.connect)(&KeyRing::new(keys(TOKEN, ""), None), &options).ok().unwrap()
}

pub(crate) fn request(headers: &[(&str, &str)], body: impl Into<Bytes>) -> RawRequest {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    RawRequest { headers: map, query: Vec::new(), body: body.into() }
}

/// `{"encrypt": …}` around these bytes.
pub(crate) fn sealed(key: &str, plain: &[u8]) -> String {
    let iv = [7; 16];
    let envelope = EnvelopeKey::new(Sha256::digest(key).into());
    let data = [&iv[..], &envelope.seal(iv, plain.to_vec(), PadBlock::Sixteen)].concat();
    format!(r#"{{"encrypt":"{}"}}"#, STANDARD.encode(data))
}

/// A request with the signature over its body.
pub(crate) fn signed(key: &str, body: String) -> RawRequest {
    let signature = mac::sha256_hex(&[b"1700000100", b"nonce", key.as_bytes(), body.as_bytes()]);
    let headers = [
        ("x-lark-request-timestamp", "1700000100"),
        ("x-lark-request-nonce", "nonce"),
        ("x-lark-signature", signature.as_str()),
    ];
    request(&headers, body)
}

/// Verifies and parses.
pub(crate) fn hear(platform: &dyn Platform, request: &RawRequest) -> Result<Heard, Rejection> {
    let event = platform.verify(request, NOW)?;
    let bot = BotId::parse("helpdesk").unwrap();
    platform.parse(event, &Moment { bot, now: NOW, nonce: [0; 16] })
}

/// What a reply of one turn is sent under.
pub(crate) fn key() -> SendKey {
    let conversation = Conversation {
        platform: PlatformId::parse("feishu").unwrap(),
        bot: BotId::parse("helpdesk").unwrap(),
        chat: ChatId::parse("oc_c").unwrap(),
        thread: None,
        user: None,
    };
    SendKey::new(&TurnKey::new(&conversation, &EventId::parse("om_m").unwrap()), 0)
}

/// The address that the platform makes of such a message.
pub(crate) fn to(message_id: &str, in_thread: bool) -> ReplyTo {
    ReplyTo(json!({"v": 1, "message_id": message_id, "in_thread": in_thread}).to_string())
}

/// An access token.
pub(crate) fn access() -> AccessToken {
    AccessToken("t-1".to_owned().into())
}

/// The segments of a reply.
pub(crate) fn render(markdown: &str) -> Vec<Segment> {
    feishu(TOKEN, "").render(&Reply { markdown: markdown.to_owned() }, &to("om_m", false))
}
