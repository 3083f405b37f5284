//! The calls, and what came of them.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[expect(dead_code, reason = "the other tests use the rest")]
mod support;

use std::time::Duration;

use chat::{BotId, ChatId, Conversation, EventId, PlatformId, Reply, ReplyTo, Segment, SendKey, TurnKey};
use http::{HeaderMap, Method, StatusCode, header};
use platform::{AccessToken, SendGuarantee, SendOutcome, TokenError, UnknownAddress};
use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use support::{NOW, TOKEN, at, feishu};
use transport::{NetError, OutRequest, OutResponse};

fn key() -> SendKey {
    let conversation = Conversation {
        platform: PlatformId::parse("feishu").unwrap(),
        bot: BotId::parse("helpdesk").unwrap(),
        chat: ChatId::parse("oc_c").unwrap(),
        thread: None,
        user: None,
    };
    SendKey::new(&TurnKey::new(&conversation, &EventId::parse("om_m").unwrap()), 0)
}

fn to(message_id: &str, in_thread: bool) -> ReplyTo {
    ReplyTo(json!({"v": 1, "message_id": message_id, "in_thread": in_thread}).to_string())
}

fn access() -> AccessToken {
    AccessToken("t-1".to_owned().into())
}

fn render(markdown: &str) -> Vec<Segment> {
    feishu(TOKEN, "").render(&Reply { markdown: markdown.to_owned() }, &to("om_m", false))
}

fn call(segment: &Segment) -> OutRequest {
    feishu(TOKEN, "").send(&to("om_m", false), segment, &key(), Some(&access()), NOW).unwrap()
}

/// The `content` of a segment, read a second time.
fn content(segment: &Segment) -> (String, Value) {
    let body: Value = serde_json::from_slice(&call(segment).body).unwrap();
    let content = serde_json::from_str(body["content"].as_str().unwrap()).unwrap();
    (body["msg_type"].as_str().unwrap().to_owned(), content)
}

fn card_words(segment: &Segment) -> String {
    let (msg_type, content) = content(segment);
    assert_eq!(msg_type, "interactive");
    content["body"]["elements"][0]["content"].as_str().unwrap().to_owned()
}

fn response(status: u16, body: &str) -> OutResponse {
    let status = StatusCode::from_u16(status).unwrap();
    OutResponse { status, headers: HeaderMap::new(), body: body.to_owned().into() }
}

#[test]
fn a_reply_is_one_call_with_its_key() {
    let platform = at("http://127.0.0.1:1/simulator/feishu");
    let segment = &render("你好")[0];
    let call = platform.send(&to("om_m", true), segment, &key(), Some(&access()), NOW).unwrap();
    assert_eq!(call.method, Method::POST);
    assert_eq!(call.url.as_str(), "http://127.0.0.1:1/simulator/feishu/open-apis/im/v1/messages/om_m/reply");
    assert_eq!(call.headers[header::AUTHORIZATION], "Bearer t-1");
    assert!(call.headers[header::AUTHORIZATION].is_sensitive());
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    let expected = json!({
        "msg_type": "text", "content": "{\"text\":\"你好\"}", "uuid": key().as_str(), "reply_in_thread": true,
    });
    assert_eq!(body, expected);
    assert!(key().as_str().len() <= 50, "the longest uuid that Feishu takes");
}

#[test]
fn a_message_id_is_one_segment_of_the_path() {
    let platform = feishu(TOKEN, "");
    let segment = &render("hi")[0];
    let call = platform.send(&to("a/../b?c#d 中", false), segment, &key(), None, NOW).unwrap();
    assert_eq!(call.url.path(), "/open-apis/im/v1/messages/a%2F..%2Fb%3Fc%23d%20%E4%B8%AD/reply");
    for bad in [
        to("", false),
        to(".", false),
        to("..", false),
        ReplyTo(String::new()),
        ReplyTo(r#"{"v":2,"message_id":"om_m","in_thread":false}"#.to_owned()),
        ReplyTo(r#"{"webhook":"https://e.x"}"#.to_owned()),
    ] {
        assert_eq!(platform.send(&bad, segment, &key(), None, NOW).err(), Some(UnknownAddress), "{bad:?}");
    }
}

#[test]
fn a_repeated_send_is_dropped_for_an_hour() {
    let platform = feishu(TOKEN, "");
    let hour = SendGuarantee::Keyed { window: Duration::from_secs(3600) };
    assert_eq!(platform.guarantee(&to("om_m", false), NOW), hour);
    assert!(platform.needs_token(&to("om_m", false), NOW));
}

#[test]
fn the_code_decides_and_not_the_status() {
    let retry = SendOutcome::Retry { after: Duration::from_secs(1) };
    let refused = |code: &str| SendOutcome::Refused(code.to_owned());
    let cases = [
        (200, r#"{"code":0,"data":{"message_id":"om_n"}}"#, SendOutcome::Accepted(Some("om_n".to_owned()))),
        (200, r#"{"code":0}"#, SendOutcome::Accepted(None)),
        (400, r#"{"code":99991663,"msg":"x"}"#, SendOutcome::TokenExpired),
        (200, r#"{"code":99991668}"#, SendOutcome::TokenExpired),
        (400, r#"{"code":99991400}"#, retry.clone()),
        (429, "slow down", retry.clone()),
        (429, r#"{"code":1}"#, retry.clone()),
        (400, r#"{"code":230020}"#, retry.clone()),
        (200, r#"{"code":11232}"#, retry.clone()),
        (200, r#"{"code":230049}"#, retry),
        (400, r#"{"code":230002}"#, refused("230002")),
        (200, r#"{"code":230011}"#, refused("230011")),
        (500, r#"{"code":230099}"#, refused("230099")),
        (200, r#"{"code":4711}"#, refused("4711")),
        (500, r#"{"code":4711}"#, SendOutcome::Unknown),
        (200, "", SendOutcome::Unknown),
        (200, "<html>", SendOutcome::Unknown),
        (200, r#"{"data":{}}"#, SendOutcome::Unknown),
        (502, "<html>", SendOutcome::Unknown),
        (408, "", SendOutcome::Unknown),
        (404, "<html>", refused("HTTP 404")),
        (302, "", refused("HTTP 302")),
    ];
    for (status, body, expected) in cases {
        let found = feishu(TOKEN, "").outcome(&to("om_m", false), Ok(response(status, body)));
        assert_eq!(found, expected, "{status} {body}");
    }
}

#[test]
fn feishu_says_how_long_to_wait_within_reason() {
    for (reset, seconds) in [("7", 7), ("0", 1), ("99999999", 60), ("soon", 1), ("-5", 1)] {
        let mut answer = response(429, r#"{"code":99991400}"#);
        answer.headers.insert("x-ogw-ratelimit-reset", reset.parse().unwrap());
        let after = Duration::from_secs(seconds);
        let found = feishu(TOKEN, "").outcome(&to("om_m", false), Ok(answer));
        assert_eq!(found, SendOutcome::Retry { after }, "{reset}");
    }
}

#[test]
fn a_call_that_may_have_arrived_is_unknown() {
    for error in [
        NetError::Unreachable,
        NetError::ConnectTimeout,
        NetError::Timeout,
        NetError::Broken,
        NetError::TooLarge,
    ] {
        let found = feishu(TOKEN, "").outcome(&to("om_m", false), Err(error));
        assert_eq!(found == SendOutcome::Unknown, error.may_have_arrived(), "{error}");
    }
}

#[test]
fn tokens_are_fetched_with_the_apps_keys() {
    let platform = feishu(TOKEN, "");
    let call = platform.token_request();
    assert_eq!(call.url.as_str(), "https://open.feishu.cn/open-apis/auth/v3/tenant_access_token/internal");
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(body, json!({"app_id": "cli_1", "app_secret": "app-secret"}));
    assert!(!format!("{call:?}").contains("app-secret"));

    let good = platform
        .token_answer(&response(200, r#"{"code":0,"msg":"ok","tenant_access_token":"t-9","expire":7200}"#))
        .unwrap();
    assert_eq!(good.token.0.expose_secret(), "t-9");
    assert_eq!(good.lifetime, Duration::from_secs(7200));
    for (status, body, error) in [
        (200, r#"{"code":10015,"msg":"x"}"#, TokenError::Refused("10015".to_owned())),
        (400, r#"{"code":10003}"#, TokenError::Refused("10003".to_owned())),
        (200, r#"{"code":10014}"#, TokenError::Refused("10014".to_owned())),
        (429, r#"{"code":99991400}"#, TokenError::Unavailable("99991400".to_owned())),
        (502, "<html>", TokenError::Unavailable("HTTP 502".to_owned())),
        (200, r#"{"code":0,"expire":7200}"#, TokenError::Unavailable("HTTP 200".to_owned())),
        (200, r#"{"code":0,"tenant_access_token":"t"}"#, TokenError::Unavailable("HTTP 200".to_owned())),
        (
            200,
            r#"{"code":0,"tenant_access_token":"","expire":1}"#,
            TokenError::Unavailable("HTTP 200".to_owned()),
        ),
    ] {
        assert_eq!(platform.token_answer(&response(status, body)).err(), Some(error), "{body}");
    }
}

#[test]
fn the_bot_learns_its_own_id() {
    let platform = feishu(TOKEN, "");
    let call = platform.identity_request(&access()).unwrap();
    assert_eq!(call.method, Method::GET);
    assert_eq!(call.url.as_str(), "https://open.feishu.cn/open-apis/bot/v3/info");
    assert_eq!(call.headers[header::AUTHORIZATION], "Bearer t-1");
    for body in [
        r#"{"code":0,"msg":"ok","bot":{"open_id":"ou_bot","app_name":"Bot"}}"#,
        r#"{"code":0,"data":{"bot":{"open_id":"ou_bot"}}}"#,
    ] {
        assert_eq!(platform.identity_answer(&response(200, body)).unwrap().as_str(), "ou_bot");
    }
    for body in [r#"{"code":0}"#, r#"{"code":0,"bot":{"open_id":""}}"#, r#"{"code":99991663}"#, ""] {
        assert!(
            matches!(platform.identity_answer(&response(200, body)), Err(TokenError::Unavailable(_))),
            "{body}"
        );
    }
}

#[test]
fn markdown_becomes_a_card_and_plain_words_a_text() {
    let (msg_type, text) = content(&render("你好，\n世界")[0]);
    assert_eq!((msg_type.as_str(), text), ("text", json!({"text": "你好，\n世界"})));
    let (msg_type, card) = content(&render("**bold** <at id=all></at>")[0]);
    assert_eq!(msg_type, "interactive");
    let expected = json!({
        "schema": "2.0", "config": {"update_multi": true},
        "body": {"elements": [{"tag": "markdown", "content": "**bold** &lt;at id=all>&lt;/at>"}]},
    });
    assert_eq!(card, expected);
    assert!(render(" \n ").is_empty());
}

#[test]
fn no_body_exceeds_the_limit_and_the_limit_is_used() {
    for unit in [
        "字",
        "\"",
        "\\",
        "\n\n\"x\" ",
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n",
        "```\ncode\n",
        "\u{1}",
        "word ",
    ] {
        let segments = render(&format!("**x** {}", unit.repeat(60_000 / unit.len())));
        let sizes: Vec<_> = segments.iter().map(|segment| call(segment).body.len()).collect();
        assert!(sizes.iter().all(|size| *size <= 28_000), "{unit:?}: {sizes:?}");
        let full = sizes.iter().rev().skip(1).all(|size| *size > 25_000);
        assert!(full || unit.contains('|'), "{unit:?}: {sizes:?}");
    }
}

fn markdown() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "[a-z\"\\\\]{1,12}( [a-z字。]{1,12}){0,20}",
        Just("```rust".to_owned()),
        Just("~~~".to_owned()),
        Just("| a | b |\n|---|---|\n| c | d |".to_owned()),
        Just(String::new()),
        ".{0,40}",
        "[字\"]{3000,9000}",
    ];
    proptest::collection::vec(line, 0..60).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_segment_is_small_enough_and_mentions_nobody(markdown in markdown()) {
        let segments = render(&markdown);
        prop_assert_eq!(&segments, &render(&markdown), "the same reply always gives the same segments");
        for segment in &segments {
            let call = call(segment);
            prop_assert!(call.body.len() <= 28_000, "{}", call.body.len());
            let (_, content) = content(segment);
            prop_assert!(!content.to_string().to_lowercase().contains("<at "));
        }
    }

    /// Apart from fences and headings that are written again at a cut, all that shows is there, in order.
    #[test]
    fn no_word_is_lost(words in proptest::collection::vec("[a-z字]{1,30}", 1..2500), gaps in "[ \n]{64}") {
        let gaps: Vec<char> = gaps.chars().collect();
        let mut text = "**x** ".to_owned();
        for (at, word) in words.iter().enumerate() {
            text.push_str(word);
            text.push(gaps[at % gaps.len()]);
        }
        let shown: String = render(&text).iter().map(|segment| card_words(segment) + "\n").collect();
        prop_assert!(shown.split_whitespace().eq(text.split_whitespace()));
    }

    #[test]
    fn no_line_of_code_is_lost(lines in proptest::collection::vec("[a-z(){};\"]{0,60}", 1..1500)) {
        let text = format!("```rust\n{}\n```", lines.join("\n"));
        let mut shown = Vec::new();
        for segment in render(&text) {
            let words = card_words(&segment);
            let inside = words.strip_prefix("```rust\n").and_then(|words| words.strip_suffix("\n```"));
            prop_assert!(inside.is_some(), "each piece is closed code");
            shown.extend(inside.unwrap_or_default().lines().map(str::to_owned));
        }
        // Empty lines at a cut are white space.
        let filled = |lines: &[String]| lines.iter().filter(|line| !line.is_empty()).cloned().collect::<Vec<_>>();
        prop_assert_eq!(filled(&shown), filled(&lines));
    }
}
