//! The calls, and what came of them.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[expect(dead_code, reason = "the other tests use the rest")]
mod support;

use std::time::Duration;

use chat::ReplyTo;
use http::{HeaderMap, Method, StatusCode, header};
use platform::{Refusal, RefusalKind, SendGuarantee, SendOutcome, TokenError, UnknownAddress};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use support::{NOW, TOKEN, access, at, feishu, key, render, to};
use transport::{NetError, OutResponse};

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
    let refused = |code: &str| SendOutcome::Refused(Refusal::new(RefusalKind::Other, code, ""));
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
        (
            500,
            r#"{"code":230027,"msg":7}"#,
            SendOutcome::Refused(Refusal::new(RefusalKind::Other, "230027", "7")),
        ),
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
fn every_refusal_says_what_may_be_done() {
    let form = r#"{"code":230099,"msg":"Failed to create card content, ext=ErrCode: 11310; ErrMsg: card table number over limit"}"#;
    for (status, body, kind) in [
        (400, form, RefusalKind::Form),
        (500, r#"{"code":230099}"#, RefusalKind::Form),
        (200, r#"{"code":230025}"#, RefusalKind::Form),
        (200, r#"{"code":200621}"#, RefusalKind::Form),
        (500, r#"{"code":11310}"#, RefusalKind::Form),
        (400, r#"{"code":230022,"msg":"sensitive"}"#, RefusalKind::Content),
        (400, r#"{"code":230028}"#, RefusalKind::Content),
        (400, r#"{"code":230011,"msg":"The message was withdrawn."}"#, RefusalKind::Gone),
        (500, r#"{"code":231003}"#, RefusalKind::Gone),
        (400, r#"{"code":230110}"#, RefusalKind::Gone),
        (400, r#"{"code":232009}"#, RefusalKind::Gone),
        (400, r#"{"code":230002}"#, RefusalKind::Other),
        (400, r#"{"code":99991672}"#, RefusalKind::Other),
        (400, r#"{"code":230071}"#, RefusalKind::Other),
    ] {
        let found = feishu(TOKEN, "").outcome(&to("om_m", false), Ok(response(status, body)));
        let SendOutcome::Refused(refusal) = found else { panic!("{body}: {found:?}") };
        assert_eq!(refusal.kind, kind, "{body}");
    }
    let half = r#"{"code":0,"data":{"message_id":"om_n","body":{"content":"\ud83d"},"thread_id":"\ud83d"}}"#;
    let found = feishu(TOKEN, "").outcome(&to("om_m", false), Ok(response(200, half)));
    assert_eq!(found, SendOutcome::Accepted(Some("om_n".to_owned())));
}

#[test]
fn where_there_are_no_threads_the_answer_goes_beside_the_question() {
    let answer = Ok(response(400, r#"{"code":230071,"msg":"no threads"}"#));
    let found = feishu(TOKEN, "").outcome(&to("om_m", true), answer);
    let SendOutcome::Moved(beside) = found else { panic!("{found:?}") };
    assert_eq!(beside.0, r#"{"v":1,"message_id":"om_m","in_thread":false}"#);
}

#[test]
fn the_words_of_a_card_are_its_plain_form_and_a_text_has_none() {
    let platform = feishu(TOKEN, "");
    let card = &render("# Title\n\n| a | b |\n|---|---|\n| 1 | <at id=all></at> |")[0];
    let plain = platform.plain(card).unwrap();
    let payload: Value = serde_json::from_str(&plain.0).unwrap();
    let content: Value = serde_json::from_str(payload["content"].as_str().unwrap()).unwrap();
    let words = content["text"].as_str().unwrap();
    assert_eq!(payload["msg_type"], "text");
    assert!(words.contains("Title") && words.contains("| 1 |") && !words.contains("<at"), "{words}");
    assert_eq!(platform.plain(&plain), None);
    assert_eq!(platform.plain(&render("plain words")[0]), None);
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
        (200, r#"{"code":10015,"msg":"x"}"#, TokenError::Refused("10015: x".to_owned())),
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
