//! Every vector of `vectors/dingtalk.json`, through the crate's own doors wherever there is one.
//!
//! Where Magpie is stricter than the vectors' source, the vector's name and the reason stand in [`STRICTER`].
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot read its own data has failed")]

use std::sync::Arc;

use chat::{AttachmentKind, BotId, ChatKind, Message, Timestamp};
use dingtalk::{CustomRobot, PushKeys, custom_robot};
use http::{HeaderMap, HeaderName, HeaderValue};
use platform::{ConnectOptions, Event, KeyRing, Keys, Moment, Platform, RawRequest, Rejection};
use secrecy::SecretString;
use serde_json::{Value, json};
use webhook::mac;

/// Vectors that their source takes and Magpie refuses.
const STRICTER: &[(&str, &str)] = &[(
    "docs-secret",
    "DingTalk's secrets begin with SEC, so a secret without it is a slip of the operator's",
)];

fn vectors(section: &str, list: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("vectors/dingtalk.json")).unwrap();
    let vectors = all[section][list].as_array().unwrap().clone();
    assert!(!vectors.is_empty());
    vectors
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap_or_else(|| panic!("{name} in {vector}"))
}

fn bot(keys: &Value) -> Arc<dyn Platform> {
    let keys = Keys::from_json(&keys.to_string()).unwrap();
    (dingtalk::KIND.connect)(&KeyRing::new(keys, None), &ConnectOptions::default()).unwrap()
}

fn robot_bot(secret: &str) -> Arc<dyn Platform> {
    bot(&json!({"client_id": "ding1", "client_secret": secret, "robot_code": "dingrobot1"}))
}

fn robot_request(timestamp: &str, sign: &str, body: &str) -> RawRequest {
    let mut headers = HeaderMap::new();
    for (name, value) in [("timestamp", timestamp), ("sign", sign)] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    RawRequest { headers, query: Vec::new(), body: body.to_owned().into() }
}

fn verifies(secret: &str, timestamp: &str, sign: &str, now: i64) -> bool {
    let request = robot_request(timestamp, sign, "{}");
    match robot_bot(secret).verify(&request, Timestamp::from_millis(now)) {
        Ok(_) => true,
        Err(Rejection::Unverified(_)) => false,
        Err(Rejection::Malformed(why)) => panic!("{why}"),
    }
}

#[test]
fn robot_http_sign() {
    for vector in vectors("robot_http_sign", "positive") {
        let timestamp = text(&vector, "timestamp");
        let now = timestamp.parse::<i64>().unwrap() + 1;
        assert!(verifies(text(&vector, "app_secret"), timestamp, text(&vector, "sign"), now), "{vector}");
    }
    for vector in vectors("robot_http_sign", "negative") {
        let accepted = verifies(
            text(&vector, "app_secret"),
            text(&vector, "timestamp"),
            text(&vector, "sign"),
            vector["now_ms"].as_i64().unwrap(),
        );
        assert_eq!(accepted, text(&vector, "expect") == "accept", "{vector}");
    }
}

#[test]
fn an_hour_away_is_outside_the_window() {
    let vector = &vectors("robot_http_sign", "negative")[0];
    let (secret, timestamp, sign) =
        (text(vector, "app_secret"), text(vector, "timestamp"), text(vector, "sign"));
    let signed: i64 = timestamp.parse().unwrap();
    for (offset, inside) in [(3_599_999, true), (3_600_000, false), (-3_599_999, true), (-3_600_000, false)] {
        assert_eq!(verifies(secret, timestamp, sign, signed + offset), inside, "{offset}");
    }
    for now in [i64::MIN, -signed, 0, i64::MAX] {
        assert!(!verifies(secret, timestamp, sign, now), "{now}");
    }
}

#[test]
fn every_flipped_bit_of_a_robot_signature_is_refused() {
    for vector in vectors("robot_http_sign", "positive") {
        let (timestamp, sign) = (text(&vector, "timestamp"), text(&vector, "sign"));
        let now = timestamp.parse().unwrap();
        let bot = robot_bot(text(&vector, "app_secret"));
        for (which, whole) in [("timestamp", timestamp), ("sign", sign)] {
            for (index, bit) in (0..whole.len()).flat_map(|index| (0..8).map(move |bit| (index, bit))) {
                let mut bytes = whole.as_bytes().to_vec();
                bytes[index] ^= 1 << bit;
                // What no header can hold cannot arrive.
                let Ok(value) = HeaderValue::from_bytes(&bytes) else { continue };
                let mut request = robot_request(timestamp, sign, "{}");
                request.headers.insert(HeaderName::from_static(which), value);
                let answer = bot.verify(&request, Timestamp::from_millis(now));
                assert!(matches!(answer, Err(Rejection::Unverified(_))), "{which} {index}/{bit}");
            }
        }
    }
}

#[test]
fn custom_robot_sign() {
    for vector in vectors("custom_robot_sign", "positive") {
        let (timestamp, secret) = (text(&vector, "timestamp"), text(&vector, "secret"));
        assert_eq!(custom_robot::sign(timestamp, secret), text(&vector, "sign_base64"));
        let keys = json!({"access_token": "TOKEN", "secret": secret}).to_string();
        let robot = CustomRobot::connect(&Keys::from_json(&keys).unwrap(), &ConnectOptions::default());
        if STRICTER.iter().any(|(name, _)| *name == text(&vector, "name")) {
            assert!(robot.is_err(), "{vector}");
            continue;
        }
        let now = Timestamp::from_millis(timestamp.parse().unwrap());
        let url = robot.unwrap().request(&custom_robot::notices("hi")[0], now, "u").url;
        assert_eq!(url.as_str(), text(&vector, "url"));
        assert!(url.as_str().ends_with(text(&vector, "sign_urlencoded")));
    }
}

/// What the server refuses must not be what we send.
#[test]
fn custom_robot_sign_negatives() {
    let sent = |timestamp: &str, secret: &str| {
        let keys = json!({"access_token": "TOKEN", "secret": secret}).to_string();
        let robot =
            CustomRobot::connect(&Keys::from_json(&keys).unwrap(), &ConnectOptions::default()).unwrap();
        let now = Timestamp::from_millis(timestamp.parse().unwrap());
        robot.request(&custom_robot::notices("hi")[0], now, "u").url
    };
    for vector in vectors("custom_robot_sign", "negative") {
        match text(&vector, "name") {
            "unencoded-plus-becomes-space" => {
                // The same signature, encoded as `KEPT` says, decodes to itself; the vector's does not.
                let raw = format!("https://example.com/?sign={}", text(&vector, "sign_base64"));
                let decoded = raw.parse::<url::Url>().unwrap().query_pairs().next().unwrap().1.into_owned();
                assert_eq!(decoded, text(&vector, "decoded_by_server"));
                let ours = sent("1700000001999", "SEC密钥");
                let decoded = ours.query_pairs().find(|(name, _)| name == "sign").unwrap().1.into_owned();
                assert_eq!(decoded, custom_robot::sign("1700000001999", "SEC密钥"));
            }
            "wrong-secret" => {
                let sign = custom_robot::sign(text(&vector, "timestamp"), text(&vector, "secret"));
                assert_ne!(sign, text(&vector, "sign_base64"));
            }
            "double-encoded" => {
                let url = sent("1700000001000", "SEC0123456789abcdef0123456789abcdef");
                assert!(!url.as_str().ends_with(text(&vector, "sign")), "{url}");
            }
            other => panic!("a vector without a test: {other}"),
        }
    }
}

/// A bot with the vector's push keys, and the vector's request.
fn push(vector: &Value) -> Result<(Arc<dyn Platform>, RawRequest), ()> {
    let keys = json!({
        "client_id": text(vector, "owner_key"), "client_secret": "s", "robot_code": "dingrobot1",
        "token": text(vector, "token"), "aes_key": text(vector, "aes_key"),
    });
    let ring = KeyRing::new(Keys::from_json(&keys.to_string()).unwrap(), None);
    let bot = (dingtalk::KIND.connect)(&ring, &ConnectOptions::default()).map_err(|_| ())?;
    let query = [("msg_signature", "msg_signature"), ("timestamp", "timestamp"), ("nonce", "nonce")]
        .map(|(name, field)| (name.to_owned(), text(vector, field).to_owned()));
    let body = json!({"encrypt": text(vector, "encrypt")}).to_string().into();
    Ok((bot, RawRequest { headers: HeaderMap::new(), query: query.to_vec(), body }))
}

fn push_keys(vector: &Value) -> PushKeys {
    let (token, key) =
        (SecretString::from(text(vector, "token")), SecretString::from(text(vector, "aes_key")));
    PushKeys::new(token, &key, text(vector, "owner_key")).unwrap()
}

#[test]
fn event_callback_positives_open() {
    for vector in vectors("event_callback", "positive") {
        let (bot, request) = push(&vector).unwrap();
        let event = bot.verify(&request, Timestamp::from_millis(0)).unwrap();
        assert_eq!(event.get().way, "push");
        let held: Value = serde_json::from_slice(&event.get().json).unwrap();
        assert_eq!(text(&held, "event"), text(&vector, "plaintext"), "{vector}");
        let keys = push_keys(&vector);
        if let Some(random) = vector["random16"].as_str() {
            let random = random.as_bytes().try_into().unwrap();
            let sealed = keys.seal(random, text(&vector, "plaintext").as_bytes());
            assert_eq!(sealed, text(&vector, "encrypt"), "sealing is the other direction");
        }
        let sign = keys.sign(text(&vector, "timestamp"), text(&vector, "nonce"), text(&vector, "encrypt"));
        assert_eq!(sign, text(&vector, "msg_signature"));
    }
}

#[test]
fn event_callback_negatives_are_refused() {
    for vector in vectors("event_callback", "negative") {
        let refused = match (push(&vector), vector["expect_error"].as_i64()) {
            (Err(()), code) => code == Some(900_004),
            (Ok((bot, request)), code) => {
                let why = bot.verify(&request, Timestamp::from_millis(0)).unwrap_err();
                let due = match code {
                    Some(900_005) => Rejection::Unverified("`msg_signature` does not match"),
                    _ => Rejection::Unverified("`encrypt` cannot be opened"),
                };
                why == due
            }
        };
        assert!(refused, "{vector}");
    }
}

/// The text with each of its bits flipped in turn, where that is still a text. One that is none cannot arrive: queries
/// and JSON are texts.
fn flipped(text: &str) -> impl Iterator<Item = String> {
    (0..text.len() * 8).filter_map(|bit| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        String::from_utf8(bytes).ok()
    })
}

#[test]
fn every_flipped_bit_of_a_push_is_refused() {
    for vector in vectors("event_callback", "positive") {
        let (bot, good) = push(&vector).unwrap();
        let mut tried = 0;
        let mut refused = |request: &RawRequest, what: &str| {
            let verdict = bot.verify(request, Timestamp::from_millis(0));
            assert!(matches!(verdict, Err(Rejection::Unverified(_))), "{what}: {vector}");
            tried += 1;
        };
        for (index, (name, value)) in good.query.iter().enumerate() {
            let values = flipped(value).map(|value| (name.clone(), value));
            // One bit from `timestamp` is its other spelling, which older senders use.
            let names = flipped(name).filter(|name| name != "timeStamp").map(|name| (name, value.clone()));
            for changed in values.chain(names) {
                let mut request = good.clone();
                request.query[index] = changed;
                refused(&request, "query");
            }
        }
        let mut body = good.body.to_vec();
        for bit in 0..body.len() * 8 {
            body[bit / 8] ^= 1 << (bit % 8);
            refused(&RawRequest { body: body.clone().into(), ..good.clone() }, "body");
            body[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(tried > 1000, "only {tried} bits");
    }
}

/// The body of a robot message is not signed. What is compared in it is whose robot it is for.
#[test]
fn every_flipped_bit_of_a_robot_code_is_refused() {
    for case in vectors("robot_requests", "cases") {
        let now = Timestamp::from_millis(case["now_ms"].as_i64().unwrap());
        let bot = robot_bot(text(&case, "app_secret"));
        let (headers, body) = (&case["headers"], text(&case, "body"));
        let code = body.split_once(r#""robotCode":""#).and_then(|(_, rest)| rest.split_once('"')).unwrap().0;
        let verdict = |body: &str| {
            bot.verify(&robot_request(text(headers, "timestamp"), text(headers, "sign"), body), now)
        };
        assert!(verdict(body).is_ok());
        for other in flipped(code).chain([String::new()]) {
            // A sign of JSON's own makes it no JSON, or another code; neither is for us.
            let body = body.replace(&format!(r#""{code}""#), &format!(r#""{other}""#));
            assert!(verdict(&body).is_err(), "{other:?}");
        }
    }
}

/// DingTalk documents no window for pushes, so whoever narrows one loses events; see `verify`.
#[test]
fn a_push_is_believed_at_any_time() {
    let (bot, request) = push(&vectors("event_callback", "positive")[1]).unwrap();
    for now in [i64::MIN, 0, 1_700_000_000_001, i64::MAX] {
        assert!(bot.verify(&request, Timestamp::from_millis(now)).is_ok(), "{now}");
    }
}

/// Magpie receives no card callbacks yet; their signature is made of the same primitive.
#[test]
fn card_callback_signature() {
    for (list, right) in [("positive", true), ("negative", false)] {
        for vector in vectors("card_callback_signature", list) {
            let (secret, timestamp) = (text(&vector, "api_secret"), text(&vector, "timestamp"));
            let given = text(&vector, "signature");
            let proof = mac::check_hmac_sha256_base64(secret.as_bytes(), timestamp.as_bytes(), given);
            assert_eq!(proof.is_ok(), right, "{vector}");
        }
    }
}

fn heard(case: &Value) -> Message {
    let now = Timestamp::from_millis(case["now_ms"].as_i64().unwrap());
    let bot = robot_bot(text(case, "app_secret"));
    let headers = &case["headers"];
    let request = robot_request(text(headers, "timestamp"), text(headers, "sign"), text(case, "body"));
    let event = bot.verify(&request, now).unwrap();
    assert_eq!(event.get().way, "robot");
    let moment = Moment { bot: BotId::parse("helpdesk").unwrap(), now, nonce: [7; 16] };
    let heard = bot.parse(event, &moment).unwrap();
    assert_eq!(heard.answer.body, "{}");
    match heard.event {
        Event::Message(message) => *message,
        Event::Handshake | Event::Ignored(_) => panic!("no message: {case}"),
    }
}

#[test]
fn robot_requests() {
    for case in vectors("robot_requests", "cases") {
        let message = heard(&case);
        assert_eq!(message.event.as_str(), "msgTEST==");
        assert_eq!(message.conversation.chat.as_str(), "cidTEST==");
        assert_eq!(message.conversation.user.as_ref().map(chat::UserId::as_str), Some("staff1"));
        assert_eq!(message.chat_kind, ChatKind::Direct);
        assert_eq!(message.sent_at, Timestamp::from_millis(1_700_000_000_000));
        assert!(message.reply_to.0.contains("sendBySession?session=abc"));
        let came: Vec<(AttachmentKind, &str, Option<&str>)> =
            message.attachments.iter().map(|a| (a.kind, a.handle.as_str(), a.name.as_deref())).collect();
        let (words, expected) = match text(&case, "name") {
            "p2p-text" => ("hello", vec![]),
            "picture" => ("", vec![(AttachmentKind::Picture, "code-pic", None)]),
            "rich-text" => ("look", vec![(AttachmentKind::Picture, "code-1", None)]),
            "video" => ("", vec![(AttachmentKind::Video, "code-vid", None)]),
            "file" => ("", vec![(AttachmentKind::File, "code-file", Some("a.pdf"))]),
            other => panic!("a vector without a test: {other}"),
        };
        assert_eq!((message.text.as_str(), came), (words, expected), "{case}");
    }
}
