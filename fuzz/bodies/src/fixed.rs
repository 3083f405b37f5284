//! Keys, moments and addresses that never change, so that a file of the corpus means the same tomorrow.

use std::sync::Arc;

use chat::{BotId, ReplyTo, SendKey, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue};
use platform::{ConnectOptions, Event, Heard, KeyRing, Keys, Kind, Moment, Platform, RawRequest, Rejection};
use transport::OutRequest;

/// The present.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_001_000);

/// A platform bound to these keys.
pub(crate) fn bind(kind: Kind, keys: &serde_json::Value) -> Arc<dyn Platform> {
    let keys = Keys::from_json(&keys.to_string()).expect("keys are texts");
    (kind.connect)(&KeyRing::new(keys, None), &ConnectOptions::default()).expect("the keys are whole")
}

/// A webhook without a query.
pub(crate) fn request(headers: &[(&'static str, &str)], body: impl Into<bytes::Bytes>) -> RawRequest {
    let pair = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).expect("headers are plain"))
    };
    RawRequest {
        headers: headers.iter().map(pair).collect::<HeaderMap>(),
        query: Vec::new(),
        body: body.into(),
    }
}

/// Verifies and parses.
pub(crate) fn hear(platform: &dyn Platform, request: &RawRequest) -> Result<Heard, Rejection> {
    let event = platform.verify(request, NOW)?;
    let bot = BotId::parse("helpdesk").expect("a slug");
    platform.parse(event, &Moment { bot, now: NOW, nonce: [3; 16] })
}

/// What holds for everything that was understood.
pub(crate) fn check_heard(heard: &Heard) {
    assert_eq!(heard.answer.status, 200, "what is understood is answered with 200");
    let body = &heard.answer.body;
    assert!(
        body.is_empty() || serde_json::from_str::<serde_json::Value>(body).is_ok(),
        "an answer is JSON or nothing"
    );
    if let Event::Message(message) = &heard.event {
        assert_eq!(message.conversation.user.is_some(), message.chat_kind == chat::ChatKind::Direct);
        assert_eq!(message.turn().as_str().len(), 64);
    }
}

/// The call that sends a reply's first segment to this address.
pub(crate) fn answer(platform: &dyn Platform, to: &ReplyTo) -> Option<OutRequest> {
    let reply = chat::Reply { markdown: "hello".to_owned() };
    let segments = platform.render(&reply, to);
    platform.send(to, segments.first()?, &key(), None, NOW).ok()
}

/// Some turn's key.
pub(crate) fn key() -> SendKey {
    let conversation = chat::Conversation {
        platform: chat::PlatformId::parse("feishu").expect("a slug"),
        bot: BotId::parse("helpdesk").expect("a slug"),
        chat: chat::ChatId::parse("chat").expect("an id"),
        thread: None,
        user: None,
    };
    SendKey::new(&chat::TurnKey::new(&conversation, &chat::EventId::parse("event").expect("an id")), 0)
}
