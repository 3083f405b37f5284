//! A DingTalk webhook: a robot message under a valid header, an event push under a valid signature, and both without.

use std::sync::{Arc, LazyLock};

use dingtalk::{PushKeys, custom_robot};
use platform::{Event, Heard, Platform, RawRequest, Rejection};
use serde_json::{Value, json};

use crate::{Reach, fixed};

const SECRET: &str = "secret";
const TOKEN: &str = "tok123";
const AES_KEY: &str = "ahovCJQX4bipwDKRY5cjqxELSZ6dkryFMT07elszGNU";

/// A robot with event push.
pub(crate) static BOT: LazyLock<Arc<dyn Platform>> = LazyLock::new(|| {
    let keys = json!({
        "client_id": "ding1", "client_secret": SECRET, "robot_code": "dingrobot1", "token": TOKEN, "aes_key": AES_KEY,
    });
    fixed::bind(dingtalk::KIND, &keys)
});

static PUSH: LazyLock<PushKeys> = LazyLock::new(|| {
    PushKeys::new(TOKEN.to_owned().into(), &AES_KEY.to_owned().into(), "ding1")
        .expect("a key of 43 characters")
});

/// The input as a robot message, as an event, as the envelope of one, and as each of them unsigned.
#[must_use]
pub fn run(data: &[u8]) -> Reach {
    let robot = robot(data);
    if let Ok(heard) = &robot {
        fixed::check_heard(heard);
        check_address(heard);
    }
    let event = push(&json!({"encrypt": PUSH.seal(*b"0123456789abcdef", data)}).to_string().into_bytes());
    let envelope = push(data);
    for heard in [&event, &envelope].into_iter().flatten() {
        fixed::check_heard(heard);
        assert!(
            !matches!(heard.event, Event::Message(_)),
            "people write through the robot, never through push"
        );
        assert!(answers_success(&heard.answer.body), "a push is answered with a sealed `success`");
    }
    for (headers, query) in [(true, false), (false, true), (false, false)] {
        let refused = fixed::hear(&**BOT, &forged(data, headers, query));
        assert!(matches!(refused, Err(Rejection::Unverified(_))), "a forged webhook is believed");
    }
    // Every push is answered; one whose type can be read came inside.
    Reach::inside(
        robot.is_ok_and(|heard| matches!(heard.event, Event::Message(_)))
            || event.is_ok_and(|heard| heard.unknown.is_empty()),
    )
}

/// A robot message with this body.
pub(crate) fn robot(body: &[u8]) -> Result<Heard, Rejection> {
    let timestamp = fixed::NOW.as_millis().to_string();
    let sign = custom_robot::sign(&timestamp, SECRET);
    let headers = [("timestamp", timestamp.as_str()), ("sign", sign.as_str())];
    fixed::hear(&**BOT, &fixed::request(&headers, body.to_vec()))
}

/// A push with this body, signed if there is an envelope in it to sign.
fn push(body: &[u8]) -> Result<Heard, Rejection> {
    let body_json: Option<Value> = serde_json::from_slice(body).ok();
    let encrypt = body_json.as_ref().and_then(|body| body.get("encrypt")).and_then(Value::as_str);
    let signature = PUSH.sign("1700000001000", "n1", encrypt.unwrap_or_default());
    let query = [("msg_signature", signature.as_str()), ("timestamp", "1700000001000"), ("nonce", "n1")];
    let query = query.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    fixed::hear(&**BOT, &RawRequest { query, ..fixed::request(&[], body.to_vec()) })
}

/// The input with a signature that is none.
fn forged(data: &[u8], headers: bool, query: bool) -> RawRequest {
    let timestamp = fixed::NOW.as_millis().to_string();
    let sign = [("timestamp", timestamp.as_str()), ("sign", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")];
    let pairs = [("msg_signature", "00"), ("timestamp", timestamp.as_str()), ("nonce", "n1")];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let query = if query { pairs.to_vec() } else { Vec::new() };
    RawRequest { query, ..fixed::request(if headers { &sign } else { &[] }, data.to_vec()) }
}

/// The body of a robot message is not signed, and it names the address of its answer: DingTalk's, or none.
fn check_address(heard: &Heard) {
    let Event::Message(message) = &heard.event else { return };
    if let Some(call) = fixed::answer(&**BOT, &message.reply_to) {
        let host = call.url.host_str().unwrap_or_default();
        assert!(matches!(host, "oapi.dingtalk.com" | "api.dingtalk.com"), "an answer would go to {host}");
        assert_eq!(call.url.scheme(), "https");
    }
}

fn answers_success(answer: &str) -> bool {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    PUSH.check(text("timeStamp"), text("nonce"), text("encrypt"), text("msg_signature")).is_ok()
        && PUSH.open(text("encrypt")).as_deref() == Ok(b"success")
}
