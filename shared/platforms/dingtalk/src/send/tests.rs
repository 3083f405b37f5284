use chat::ReplyTo;
use http::StatusCode;
use platform::ConnectOptions;
use secrecy::SecretString;

use super::*;
use crate::{
    address::{Kind, Webhook},
    render::dress,
};

const END: i64 = 1_700_005_400_000;
const LIVE: Timestamp = Timestamp::from_millis(END - 3_600_000);
const OVER: Timestamp = Timestamp::from_millis(END);

fn to(kind: Kind, staff: Option<&str>) -> ReplyTo {
    let url = "https://oapi.dingtalk.com/robot/sendBySession?session=s".to_owned();
    let webhook = Webhook { url, ends_at: Timestamp::from_millis(END) };
    Address::new(Some(webhook), "cidX==".into(), kind, staff.map(str::to_owned)).to_reply()
}

fn sent(to: &ReplyTo, markdown: &str, now: Timestamp) -> Result<(String, Value, bool), UnknownAddress> {
    let hosts = Hosts::new(&ConnectOptions::default());
    let token = AccessToken(SecretString::from("tok"));
    let segment = dress(markdown)[0].to_segment();
    let request = request(&hosts, "dingrobot1", to, &segment, Some(&token), now)?;
    let body = serde_json::from_slice(&request.body).unwrap();
    Ok((request.url.to_string(), body, request.headers.get(TOKEN).is_some_and(|value| value == "tok")))
}

#[test]
fn a_live_webhook_takes_the_words_without_a_token() {
    let (url, body, token) = sent(&to(Kind::Direct, Some("staff1")), "# Hi\nthere", LIVE).unwrap();
    assert_eq!(url, "https://oapi.dingtalk.com/robot/sendBySession?session=s");
    assert_eq!(body, json!({"msgtype": "markdown", "markdown": {"title": "Hi", "text": "# Hi\nthere"}}));
    assert!(!token, "a token has no business at a webhook");
}

#[test]
fn the_api_takes_over_when_the_webhook_ends() {
    let (url, body, token) = sent(&to(Kind::Direct, Some("staff1")), "hi", OVER).unwrap();
    assert_eq!(url, "https://api.dingtalk.com/v1.0/robot/oToMessages/batchSend");
    let expected = json!({"robotCode": "dingrobot1", "userIds": ["staff1"], "msgKey": "sampleText",
        "msgParam": "{\"content\":\"hi\"}"});
    assert_eq!(body, expected);
    assert!(token);
    let (url, body, token) = sent(&to(Kind::Group, Some("staff1")), "**hi**", OVER).unwrap();
    assert_eq!(url, "https://api.dingtalk.com/v1.0/robot/groupMessages/send");
    let expected = json!({"robotCode": "dingrobot1", "openConversationId": "cidX==", "msgKey": "sampleMarkdown",
        "msgParam": "{\"text\":\"**hi**\",\"title\":\"hi\"}"});
    assert_eq!(body, expected);
    assert!(token);
}

#[test]
fn who_cannot_be_reached_is_an_unknown_address() {
    assert!(sent(&to(Kind::Direct, None), "hi", LIVE).is_ok());
    assert_eq!(sent(&to(Kind::Direct, None), "hi", OVER), Err(UnknownAddress));
    assert_eq!(sent(&ReplyTo("{}".into()), "hi", LIVE), Err(UnknownAddress));
}

#[test]
fn no_body_exceeds_its_limit() {
    let hosts = Hosts::new(&ConnectOptions::default());
    let chat = "\"".repeat(chat::id::OPAQUE_MAX);
    let address = Address::new(None, chat, Kind::Group, None).to_reply();
    for unit in ["\u{1}", "\"\\", "🚀", "字", "*a* ", "\n\n# 🚀\n"] {
        for piece in dress(&unit.repeat(20_000)) {
            let request =
                request(&hosts, &"r".repeat(128), &address, &piece.to_segment(), None, OVER).unwrap();
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            assert!(request.body.len() <= 20_000, "{unit:?}: {}", request.body.len());
            assert!(body["msgParam"].as_str().unwrap().len() <= 15_000, "{unit:?}");
            assert!(webhook_body(&piece).to_string().len() <= 20_000, "{unit:?}");
        }
    }
}

fn came(to: &ReplyTo, status: u16, body: &'static str) -> SendOutcome {
    let status = StatusCode::from_u16(status).unwrap();
    outcome(to, Ok(OutResponse { status, headers: http::HeaderMap::new(), body: body.into() }))
}

fn retry(seconds: u64) -> SendOutcome {
    SendOutcome::Retry { after: Duration::from_secs(seconds) }
}

#[test]
fn every_documented_answer_has_its_outcome() {
    use SendOutcome::{Accepted, TokenExpired, Unknown};
    let refused = |code: &str| SendOutcome::Refused(Refusal::new(RefusalKind::Other, code, ""));
    let to = to(Kind::Direct, Some("staff1"));
    for (status, body, expected) in [
        // Webhooks.
        (200, r#"{"errcode":0,"errmsg":"ok"}"#, Accepted(None)),
        (200, r#"{"errcode":"0"}"#, Accepted(None)),
        (200, r#"{"errcode":-1,"errmsg":"system busy"}"#, retry(1)),
        (200, r#"{"errcode":130101,"errmsg":"send too fast"}"#, retry(60)),
        (200, r#"{"errcode":410100}"#, retry(60)),
        (200, r#"{"errcode":310000}"#, refused("310000")),
        (200, r#"{"errcode":88,"errmsg":"ding talk error"}"#, TokenExpired),
        // The API.
        (200, r#"{"processQueryKey":"k1"}"#, Accepted(Some("k1".into()))),
        (200, r#"{"processQueryKey":"k1","invalidStaffIdList":["other"]}"#, Accepted(Some("k1".into()))),
        (200, r#"{"processQueryKey":"k1","invalidStaffIdList":["staff1"]}"#, refused("invalidStaffId")),
        (200, r#"{"processQueryKey":"k1","flowControlledStaffIdList":["staff1"]}"#, retry(1)),
        (400, r#"{"code":"InvalidAuthentication","message":"m"}"#, TokenExpired),
        (400, r#"{"code":"40014"}"#, TokenExpired),
        (400, r#"{"code":42001}"#, TokenExpired),
        (400, r#"{"code":"88"}"#, TokenExpired),
        (
            400,
            r#"{"code":"invalidParameter.robotCode.notExsit"}"#,
            refused("invalidParameter.robotCode.notExsit"),
        ),
        (400, r#"{"code":"send.too.fast"}"#, retry(60)),
        (403, r#"{"code":"Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"}"#, retry(1)),
        (403, r#"{"code":"Forbidden.AccessDenied.QpsLimitForApi"}"#, retry(1)),
        (
            403,
            r#"{"code":"Forbidden.AccessDenied.AccessTokenPermissionDenied"}"#,
            refused("Forbidden.AccessDenied.AccessTokenPermissionDenied"),
        ),
        (
            403,
            r#"{"code":"Forbidden.AccessDenied.ApiCountLimitForOrg"}"#,
            refused("Forbidden.AccessDenied.ApiCountLimitForOrg"),
        ),
        (403, "{}", refused("403")),
        (429, "{}", retry(1)),
        (500, r#"{"code":"system.error"}"#, Unknown),
        (502, "<html>", Unknown),
        // The gateway.
        (200, r#"{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"u"}"#, retry(5)),
        (503, r#"{"status":1111,"wait":99999}"#, retry(300)),
        (403, r#"{"status":1111}"#, retry(5)),
        (403, "<html>blocked</html>", retry(5)),
        // Nothing that makes sense.
        (200, "", Unknown),
        (200, "{}", Unknown),
        (200, "<html>", Unknown),
        (200, "[]", Unknown),
        (302, "{}", Unknown),
    ] {
        assert_eq!(came(&to, status, body), expected, "{status} {body}");
    }
}

#[test]
fn a_session_that_is_over_moves_to_the_api() {
    let over = r#"{"errcode":300001,"errmsg":"Session is expired"}"#;
    for (kind, staff, reachable) in
        [(Kind::Direct, Some("staff1"), true), (Kind::Group, None, true), (Kind::Direct, None, false)]
    {
        let outcome = came(&to(kind, staff), 200, over);
        let SendOutcome::Moved(to) = outcome else {
            assert_eq!(
                (reachable, outcome),
                (
                    false,
                    SendOutcome::Refused(Refusal::new(RefusalKind::Other, "300001", "Session is expired"))
                )
            );
            continue;
        };
        assert!(reachable);
        let (url, _, token) = sent(&to, "hi", LIVE).unwrap();
        assert!(url.starts_with("https://api.dingtalk.com/v1.0/robot/") && token, "{url}");
    }
}

#[test]
fn a_lost_answer_is_unknown_and_a_call_never_made_is_tried_again() {
    let to = to(Kind::Group, None);
    for (error, expected) in [
        (NetError::Unreachable, retry(1)),
        (NetError::ConnectTimeout, retry(1)),
        (NetError::Timeout, SendOutcome::Unknown),
        (NetError::Broken, SendOutcome::Unknown),
        (NetError::TooLarge, SendOutcome::Unknown),
    ] {
        assert_eq!(outcome(&to, Err(error)), expected, "{error:?}");
    }
}

#[test]
fn a_code_is_logged_without_anything_odd() {
    let odd = r#"{"errcode":"a b\n<words>","errmsg":"m"}"#;
    assert_eq!(
        came(&to(Kind::Group, None), 200, odd),
        SendOutcome::Refused(Refusal::new(RefusalKind::Other, "abwords", "m"))
    );
}

#[test]
fn every_refusal_says_what_may_be_done() {
    let to = to(Kind::Group, None);
    for (status, body, kind) in [
        (200, r#"{"errcode":40035,"errmsg":"json missing"}"#, RefusalKind::Form),
        (200, r#"{"errcode":400105}"#, RefusalKind::Form),
        (200, r#"{"errcode":430104,"errmsg":"unsafe content"}"#, RefusalKind::Content),
        (200, r#"{"errcode":400013,"errmsg":"group dissolved"}"#, RefusalKind::Gone),
        (200, r#"{"errcode":310000}"#, RefusalKind::Other),
        (400, r#"{"code":"invalidParameter.msgParam.invalid"}"#, RefusalKind::Form),
        (400, r#"{"code":"contain.unsafe.url"}"#, RefusalKind::Content),
        (400, r#"{"code":"contain.notAllowed.word"}"#, RefusalKind::Content),
        (400, r#"{"code":"group.disbanded"}"#, RefusalKind::Gone),
        (400, r#"{"code":"bot.stopped"}"#, RefusalKind::Other),
    ] {
        let found = came(&to, status, body);
        assert!(matches!(&found, SendOutcome::Refused(refusal) if refusal.kind == kind), "{body}: {found:?}");
    }
}

#[test]
fn a_missing_scope_is_named() {
    let denied = r#"{"code":"Forbidden.AccessDenied.AccessTokenPermissionDenied","message":"no permission",
        "accessdenieddetail":{"requiredScopes":["qyapi_robot_sendmsg"]}}"#;
    let SendOutcome::Refused(refusal) = came(&to(Kind::Group, None), 403, denied) else {
        panic!("not refused")
    };
    assert_eq!(
        refusal.sanitised(&["permission no"]),
        "Forbidden.AccessDenied.AccessTokenPermissionDenied: no permission requiredScopes: qyapi_robot_sendmsg"
    );
}

#[test]
fn markdown_has_a_plain_form() {
    let segment = dress("# Hi")[0].to_segment();
    let plain = plain(&segment).unwrap();
    assert_eq!(Dressed::read(&plain).unwrap().form, Form::Text);
    assert_eq!(super::plain(&plain), None);
}
