//! What is believed and what is not.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[expect(dead_code, reason = "the other tests use the rest")]
mod support;

use http::HeaderValue;
use platform::{Event, KeyRing, Rejection};
use proptest::prelude::*;
use support::{KEY, NOW, TOKEN, feishu, hear, keys, request, sealed, signed, with_ring};

const CHALLENGE: &str = r#"{"challenge":"c\"1","token":"vtok","type":"url_verification"}"#;
const EVENT: &str =
    r#"{"schema":"2.0","header":{"event_type":"im.message.recalled_v1","token":"vtok"},"event":{"a":1}}"#;
const FIRST: &str =
    r#"{"uuid":"u","token":"vtok","type":"event_callback","event":{"type":"p2p_chat_create"}}"#;

/// `200`, `401` or `400`.
fn status(encrypt_key: &str, request: &platform::RawRequest) -> u16 {
    match hear(&*feishu(TOKEN, encrypt_key), request) {
        Ok(_) => 200,
        Err(Rejection::Unverified(_)) => 401,
        Err(Rejection::Malformed(_)) => 400,
    }
}

/// Flips every bit of the body and of the signature's headers in turn, each of which must be refused; gives how many
/// bits there were.
fn flip_all(platform: &dyn platform::Platform, good: &platform::RawRequest) -> usize {
    assert!(platform.verify(good, NOW).is_ok());
    let mut tried = 0;
    let mut refused = |bad: &platform::RawRequest, what: &str| {
        assert!(matches!(platform.verify(bad, NOW), Err(Rejection::Unverified(_))), "{what}");
        tried += 1;
    };
    let mut body = good.body.to_vec();
    for bit in 0..body.len() * 8 {
        body[bit / 8] ^= 1 << (bit % 8);
        refused(&platform::RawRequest { body: body.clone().into(), ..good.clone() }, "body");
        body[bit / 8] ^= 1 << (bit % 8);
    }
    for name in ["x-lark-signature", "x-lark-request-timestamp", "x-lark-request-nonce"] {
        let value = good.headers[name].as_bytes();
        for bit in 0..value.len() * 8 {
            let mut value = value.to_vec();
            value[bit / 8] ^= 1 << (bit % 8);
            // Not every byte may stand in a header; one that may not never arrives.
            let Ok(value) = HeaderValue::from_bytes(&value) else { continue };
            let mut bad = good.clone();
            bad.headers.insert(name, value);
            refused(&bad, name);
        }
    }
    tried
}

#[test]
fn every_flipped_bit_of_a_signed_request_is_refused() {
    let tried = flip_all(&*feishu(TOKEN, KEY), &signed(KEY, sealed(KEY, EVENT.as_bytes())));
    assert!(tried > 2000, "only {tried} bits");
}

/// The same for every recorded request that is signed and believed.
#[test]
fn every_flipped_bit_of_a_recorded_request_is_refused() {
    let all: serde_json::Value = serde_json::from_str(include_str!("vectors/feishu.json")).unwrap();
    let mut believed = 0;
    for case in all["http_requests"]["cases"].as_array().unwrap() {
        let headers = case["headers"].as_object().unwrap();
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| (&**name, value.as_str().unwrap())).collect();
        let request = request(&headers, case["body"].as_str().unwrap().to_owned());
        let config = |name: &str| case["config"][name].as_str().unwrap();
        let platform = feishu(config("verification_token"), config("encrypt_key"));
        let is_signed = request.headers.contains_key("x-lark-signature");
        if is_signed && platform.verify(&request, NOW).is_ok() {
            assert!(flip_all(&*platform, &request) > 3000);
            believed += 1;
        }
    }
    assert_eq!(believed, 3, "an encrypted message, one of the first version, one of an unknown type");
}

#[test]
fn only_a_challenge_may_come_unsigned() {
    let unsigned = |plain: &str| request(&[], sealed(KEY, plain.as_bytes()));
    for (plain, expected) in [
        (CHALLENGE, 200),
        (EVENT, 401),
        (FIRST, 401),
        (r#"{"challenge":"c","token":"other","type":"url_verification"}"#, 401),
        (r#"{"challenge":"c","type":"url_verification"}"#, 401),
        (r#"{"token":"vtok","type":"url_verification"}"#, 401),
        (r#"{"challenge":"c","token":"vtok","type":"event_callback","event":{}}"#, 401),
        (r#"{"schema":"2.0","challenge":"c","token":"vtok","type":"url_verification"}"#, 401),
        (r#"{"schema":"2.0","header":{"token":"vtok"},"challenge":"c","type":"url_verification"}"#, 401),
        ("not json", 401),
    ] {
        assert_eq!(status(KEY, &unsigned(plain)), expected, "{plain}");
    }
}

#[test]
fn a_wrong_signature_is_refused_for_a_challenge_too() {
    let mut bad = signed("other key", sealed(KEY, CHALLENGE.as_bytes()));
    assert_eq!(status(KEY, &bad), 401);
    bad.headers.insert("x-lark-signature", HeaderValue::from_static(""));
    assert_eq!(status(KEY, &bad), 401);
    bad.headers.insert("x-lark-signature", HeaderValue::from_bytes(b"\xff").unwrap());
    assert_eq!(status(KEY, &bad), 401);
    let mut half = signed(KEY, sealed(KEY, CHALLENGE.as_bytes()));
    half.headers.remove("x-lark-request-nonce");
    assert_eq!(status(KEY, &half), 401);
}

#[test]
fn nothing_plain_is_believed_once_a_key_is_configured() {
    for body in [CHALLENGE, EVENT, FIRST, r#"{"encrypt":""}"#, r#"{"encrypt":7}"#, "[]", "", "not json"] {
        assert_eq!(status(KEY, &request(&[], body)), 401, "{body}");
        assert_eq!(status(KEY, &signed(KEY, body.to_owned())), 401, "signed {body}");
    }
}

#[test]
fn the_token_is_compared_always() {
    for body in [CHALLENGE, EVENT, FIRST] {
        assert_eq!(status("", &request(&[], body)), 200, "{body}");
        assert_eq!(status(KEY, &signed(KEY, sealed(KEY, body.as_bytes()))), 200, "{body}");
        for token in ["other", ""] {
            let body = body.replace(TOKEN, token);
            assert_eq!(status("", &request(&[], body.clone())), 401, "{body}");
            assert_eq!(status(KEY, &signed(KEY, sealed(KEY, body.as_bytes()))), 401, "{body}");
        }
    }
    // The token must stand where the envelope has it.
    let moved = r#"{"schema":"2.0","token":"vtok","header":{"event_type":"x"},"event":{}}"#;
    assert_eq!(status("", &request(&[], moved)), 401);
}

#[test]
fn what_is_no_event_is_malformed() {
    let deep = format!(
        r#"{{"token":"vtok","type":"event_callback","event":{}{}}}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    // A token that is no text is none; an event with nothing but its token is a new shape, and verified.
    let events = ["", "not json", "[]", "7", "{\"token\":\"vtok\"", &deep].map(|body| (body, 400));
    for (body, expected) in events.into_iter().chain([(r#"{"token":7}"#, 401), (r#"{"token":"vtok"}"#, 200)])
    {
        assert_eq!(status("", &request(&[], body.to_owned())), expected, "{body}");
        assert_eq!(status(KEY, &signed(KEY, sealed(KEY, body.as_bytes()))), expected, "sealed {body}");
    }
    assert_eq!(status("", &request(&[], sealed(KEY, EVENT.as_bytes()))), 401, "no key to open it with");
}

#[test]
fn while_keys_rotate_both_versions_are_accepted() {
    let ring = KeyRing::new(keys("new token", "new key"), Some(keys("old token", "old key")));
    let platform = with_ring(&ring);
    for (token, key, accepted) in [
        ("new token", "new key", true),
        ("old token", "old key", true),
        ("old token", "new key", false),
        ("vtok", "other key", false),
    ] {
        let body = EVENT.replace(TOKEN, token);
        let verdict = platform.verify(&signed(key, sealed(key, body.as_bytes())), NOW);
        assert_eq!(verdict.is_ok(), accepted, "{token} {key}");
    }
}

#[test]
fn an_envelope_may_be_written_in_any_json() {
    let compact = sealed(KEY, EVENT.as_bytes());
    for body in [
        compact.replace("\":\"", "\" :\n \""),
        compact.replace('/', "\\/").replace('A', "\\u0041"),
        compact.replace('}', ",\"of_tomorrow\":[\"\"]}"),
        format!(" {compact} "),
    ] {
        assert_ne!(body, compact);
        assert_eq!(status(KEY, &signed(KEY, body.clone())), 200, "{body}");
    }
    for body in [compact.replace("\"}", "\""), compact.replace('=', ""), compact.replace("\"}", "A\"}")] {
        assert_ne!(body, compact);
        assert_eq!(status(KEY, &signed(KEY, body.clone())), 401, "{body}");
    }
}

#[test]
fn a_challenge_is_echoed_with_its_escapes() {
    let heard = hear(&*feishu(TOKEN, KEY), &request(&[], sealed(KEY, CHALLENGE.as_bytes()))).unwrap();
    assert!(matches!(heard.event, Event::Handshake));
    assert_eq!(heard.answer.body, r#"{"challenge":"c\"1"}"#);
}

#[test]
fn an_old_event_is_believed_because_redeliveries_come_for_seven_hours() {
    let later = NOW.as_millis() + 8 * 3_600_000;
    for now in [later, i64::MIN, 0, i64::MAX].map(chat::Timestamp::from_millis) {
        assert!(feishu(TOKEN, KEY).verify(&signed(KEY, sealed(KEY, EVENT.as_bytes())), now).is_ok());
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (open, closed) = (feishu(TOKEN, ""), feishu(TOKEN, KEY));
        prop_assert!(hear(&*open, &request(&[], body.clone())).is_err());
        prop_assert!(hear(&*closed, &request(&[], body.clone())).is_err());
        prop_assert!(hear(&*closed, &signed(KEY, sealed(KEY, &body))).is_err());
    }

    #[test]
    fn no_envelope_makes_it_panic(data in "[A-Za-z0-9+/]{0,200}={0,2}") {
        let body = format!(r#"{{"encrypt":"{data}"}}"#);
        prop_assert!(hear(&*feishu(TOKEN, KEY), &signed(KEY, body)).is_err());
    }
}
