//! Every vector of `vectors/feishu.json`, made with and checked against the official SDKs.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

#[expect(dead_code, reason = "the other tests use the rest")]
mod support;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chat::Timestamp;
use platform::{Event, Rejection};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use support::{NOW, feishu, hear, request};
use webhook::{EnvelopeKey, PadBlock, ReplayWindow, mac};

/// Where we are stricter, or kinder, than the SDK whose answer a vector records: name, our status, why.
const DIFFERENT: [(&str, u16, &str); 2] = [
    (
        "unregistered-event-type",
        200,
        "the event is genuine and needs nothing from us; a 500 would make Feishu send it four times more",
    ),
    (
        "plaintext-challenge-but-key-configured",
        401,
        "once a key is configured nothing plain is believed, or leaving encryption out would get round the signature",
    ),
];

fn vectors(section: &str, list: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("vectors/feishu.json")).unwrap();
    let found = all[section][list].as_array().unwrap().clone();
    assert!(!found.is_empty(), "{section}/{list}");
    found
}

fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field].as_str().unwrap_or_else(|| panic!("{field} is missing in {vector}"))
}

/// What stands in an envelope, by the steps that `verify` takes.
fn open(vector: &Value) -> Option<String> {
    let key = EnvelopeKey::new(Sha256::digest(text(vector, "encrypt_key")).into());
    let mut data = STANDARD.decode(text(vector, "encrypt")).unwrap();
    let iv = *data.first_chunk::<16>()?;
    data.drain(..16);
    String::from_utf8(key.open(iv, data, PadBlock::Sixteen).ok()?).ok()
}

#[test]
fn envelopes_open_to_the_recorded_text() {
    for vector in vectors("event_decrypt", "positive") {
        assert_eq!(open(&vector).as_deref(), Some(text(&vector, "plaintext")), "{}", vector["name"]);
    }
}

#[test]
fn spoilt_envelopes_are_refused() {
    for vector in vectors("event_decrypt", "negative") {
        let opened = open(&vector);
        let is_json = opened.as_deref().is_some_and(|text| serde_json::from_str::<Value>(text).is_ok());
        match text(&vector, "expect") {
            "error" => assert_eq!(opened, None, "{}", vector["name"]),
            "error-or-not-json" => assert!(!is_json, "{}", vector["name"]),
            other => panic!("{other}"),
        }
        // And through the door: signed rightly, and unsigned.
        let body = serde_json::json!({ "encrypt": vector["encrypt"] }).to_string();
        let platform = feishu("vtok", text(&vector, "encrypt_key"));
        for request in [support::signed(text(&vector, "encrypt_key"), body.clone()), request(&[], body)] {
            assert!(hear(&*platform, &request).is_err(), "{}", vector["name"]);
        }
    }
}

fn check_signature(vector: &Value) -> bool {
    let parts = ["timestamp", "nonce", "encrypt_key", "body"].map(|field| text(vector, field).as_bytes());
    mac::check_sha256_hex(&parts, text(vector, "signature")).is_ok()
}

/// Whether the signature stops a request: the reason tells, as a body that passes is stopped later.
fn signature_stops(vector: &Value) -> bool {
    let headers = [
        ("X-Lark-Request-Timestamp", text(vector, "timestamp")),
        ("X-Lark-Request-Nonce", text(vector, "nonce")),
        ("X-Lark-Signature", text(vector, "signature")),
    ];
    let platform = feishu("vtok", text(vector, "encrypt_key"));
    let verdict = platform.verify(&request(&headers, text(vector, "body").to_owned()), NOW).map(|_| ());
    verdict == Err(Rejection::Unverified("the signature does not match"))
}

#[test]
fn event_signatures_are_checked() {
    for vector in vectors("event_signature", "positive") {
        assert!(check_signature(&vector), "{}", vector["name"]);
        assert!(!signature_stops(&vector), "{}", vector["name"]);
    }
    for vector in vectors("event_signature", "negative") {
        assert_eq!(text(&vector, "expect"), "reject");
        assert!(!check_signature(&vector), "{}", vector["name"]);
        assert!(signature_stops(&vector), "{}", vector["name"]);
    }
}

#[test]
fn whole_requests_get_the_answer_of_the_sdk_or_a_better_one() {
    let mut differing = Vec::new();
    for case in vectors("http_requests", "cases") {
        let headers: Vec<_> = case["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str().unwrap()))
            .collect();
        let platform =
            feishu(text(&case["config"], "verification_token"), text(&case["config"], "encrypt_key"));
        let heard = hear(&*platform, &request(&headers, text(&case, "body").to_owned()));
        let status = match &heard {
            Ok(heard) => heard.answer.status.as_u16(),
            Err(Rejection::Unverified(_)) => 401,
            Err(Rejection::Malformed(_)) => 400,
        };
        let (name, sdk) = (text(&case, "name"), case["sdk_status"].as_u64().unwrap());
        if let Some((_, ours, why)) = DIFFERENT.iter().find(|(known, ..)| *known == name) {
            assert_eq!(status, *ours, "{name}: {why}");
            differing.push(name.to_owned());
        } else if sdk == 200 {
            assert_eq!(heard.unwrap().answer.body, text(&case, "sdk_body"), "{name}");
        } else {
            assert_eq!(status, 401, "{name}: the SDK refuses with {sdk}");
        }
    }
    assert_eq!(differing.len(), DIFFERENT.len(), "each difference is one of the vectors");
}

#[test]
fn whole_requests_say_what_they_say() {
    for case in vectors("http_requests", "cases") {
        let said = match text(&case, "name") {
            "message-encrypted-signed" | "message-plain-no-encrypt-key" => "ping",
            _ => continue,
        };
        let headers: Vec<_> = case["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str().unwrap()))
            .collect();
        let platform =
            feishu(text(&case["config"], "verification_token"), text(&case["config"], "encrypt_key"));
        let heard = hear(&*platform, &request(&headers, text(&case, "body").to_owned())).unwrap();
        let Event::Message(message) = heard.event else { panic!("{:?}", heard.event) };
        assert_eq!((message.text.as_str(), message.event.as_str()), (said, "om_full"));
        assert_eq!(message.sent_at, Timestamp::from_millis(1_700_000_099_000));
    }
}

#[test]
fn old_card_signatures_are_checked() {
    let check = |vector: &Value| {
        let parts =
            ["timestamp", "nonce", "verification_token", "body"].map(|field| text(vector, field).as_bytes());
        mac::check_sha1_hex(&parts, text(vector, "signature")).is_ok()
    };
    assert!(vectors("legacy_card_signature", "positive").iter().all(check));
    assert!(!vectors("legacy_card_signature", "negative").iter().any(check));
}

#[test]
fn custom_bot_signs_are_checked() {
    /// How long a custom bot's sign is good for.
    const WINDOW: ReplayWindow = ReplayWindow::new(Duration::from_secs(3600));
    let check = |vector: &Value| {
        let signed: i64 = text(vector, "timestamp").parse().unwrap();
        let now = vector["now"].as_i64().unwrap_or(signed);
        let [signed, now] = [signed, now].map(|seconds| Timestamp::from_millis(seconds * 1000));
        let key = format!("{}\n{}", text(vector, "timestamp"), text(vector, "secret"));
        mac::check_hmac_sha256_base64(key.as_bytes(), b"", text(vector, "sign")).is_ok()
            && WINDOW.check(signed, now).is_ok()
    };
    for vector in vectors("custom_bot_sign", "positive") {
        assert!(check(&vector), "{}", vector["name"]);
    }
    for vector in vectors("custom_bot_sign", "negative") {
        assert_eq!(check(&vector), text(&vector, "expect") == "accept", "{}", vector["name"]);
    }
}
