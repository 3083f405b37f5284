//! DingTalk's tokens, sends, session webhooks and pushes.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::{Say, SayForm, Webhook};

use crate::support::{AES_KEY, Stage, dingtalk_app};

const PEOPLE: &str = "v1.0/robot/oToMessages/batchSend";
const GROUP: &str = "v1.0/robot/groupMessages/send";

fn body(webhook: &Webhook) -> Value {
    serde_json::from_slice(&webhook.body).unwrap()
}

fn text(words: &str) -> Value {
    json!({"msgtype": "text", "text": {"content": words}})
}

/// Path and query of a message's session webhook.
fn session(webhook: &Webhook) -> String {
    let url: url::Url = body(webhook)["sessionWebhook"].as_str().unwrap().parse().unwrap();
    format!("{}?{}", url.path().trim_start_matches("/dingtalk/"), url.query().unwrap())
}

#[tokio::test]
async fn a_token_is_the_same_while_it_lives() {
    let stage = Stage::new().await;
    let first = stage.dingtalk_token("ding_a").await;
    stage.clock.forward(Duration::from_secs(7199));
    assert_eq!(stage.dingtalk_token("ding_a").await, first);
    stage.clock.forward(Duration::from_secs(7200));
    assert_ne!(stage.dingtalk_token("ding_a").await, first);
    for wrong in
        [json!({}), json!({"appKey": "ding_a", "appSecret": "x"}), json!({"appKey": "x", "appSecret": ""})]
    {
        let got = stage.dingtalk("v1.0/oauth2/accessToken", "", &wrong).await;
        assert_eq!((got.status, &got.json()["code"]), (400, &json!("invalidClientIdOrSecret")), "{wrong}");
    }
}

#[tokio::test]
async fn a_token_ends_after_two_hours() {
    let stage = Stage::new().await;
    let token = stage.dingtalk_token("ding_a").await;
    for (seconds, code) in [(7199, "invalidParameter.robotCode.empty"), (1, "InvalidAuthentication")] {
        stage.clock.forward(Duration::from_secs(seconds));
        assert_eq!(stage.dingtalk(PEOPLE, &token, &json!({})).await.json()["code"], code);
    }
}

#[tokio::test]
async fn a_session_webhook_works_for_ninety_minutes() {
    let stage = Stage::new().await;
    let say = Say::direct("ann", "hi");
    let webhook = stage.simulator.dingtalk_message("ding_a", &say, &stage.dingtalk_base()).unwrap();
    let path = session(&webhook);
    let markdown = json!({"msgtype": "markdown", "markdown": {"title": "T", "text": "# H"}});
    assert_eq!(stage.dingtalk(&path, "", &markdown).await.json(), json!({"errcode": 0, "errmsg": "ok"}));
    let sent = stage.simulator.sent().pop().unwrap();
    assert_eq!((sent.form.as_str(), sent.text.as_str(), sent.by), ("markdown", "# H", "session_webhook"));
    assert_eq!(sent.in_reply_to, Some(webhook.message_id.clone()));
    assert_eq!(sent.chat, body(&webhook)["conversationId"]);
    stage.clock.forward(Duration::from_millis(90 * 60 * 1000 - 1));
    assert_eq!(stage.dingtalk(&path, "", &text("a")).await.json()["errcode"], 0);
    stage.clock.forward(Duration::from_millis(1));
    let over = stage.dingtalk(&path, "", &text("a")).await;
    assert_eq!((over.status, &over.json()["errcode"]), (200, &json!(300_001)));
    let unknown = stage.dingtalk("robot/sendBySession?session=x", "", &text("a")).await;
    assert_eq!(unknown.json()["errcode"], 300_001);
    assert_eq!(stage.simulator.sent().len(), 2);
}

#[tokio::test]
async fn every_form_of_webhook_message() {
    let stage = Stage::new().await;
    let webhook = stage
        .simulator
        .dingtalk_message("ding_a", &Say::direct("ann", "hi"), &stage.dingtalk_base())
        .unwrap();
    let path = session(&webhook);
    let card = |extra: Value| {
        let mut card = json!({"msgtype": "actionCard", "actionCard": {"title": "T", "text": "t"}});
        card["actionCard"].as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        card
    };
    let cases = [
        (text("a"), 0),
        (json!({"msgtype": "empty"}), 0),
        (
            json!({"msgtype": "link", "link": {"title": "T", "text": "t", "messageUrl": "https://example.com"}}),
            0,
        ),
        (card(json!({"singleTitle": "Open", "singleURL": "https://example.com"})), 0),
        (card(json!({"btns": [{"title": "A", "actionURL": "https://example.com"}]})), 0),
        (json!({"msgtype": "feedCard", "feedCard": {"links": [{"title": "T", "messageURL": "u"}]}}), 0),
        (json!({}), 400_105),
        (json!({"msgtype": "image", "image": {}}), 400_105),
        (text(""), 40_035),
        (json!("no object"), 40_035),
        (json!({"msgtype": "markdown", "markdown": {"text": "no title"}}), 40_035),
        (card(json!({})), 40_035),
        (json!({"msgtype": "feedCard", "feedCard": {"links": []}}), 40_035),
        (text(&"a".repeat(20_000)), 460_101),
    ];
    for (message, code) in cases {
        let got = stage.dingtalk(&path, "", &message).await;
        assert_eq!((got.status, &got.json()["errcode"]), (200, &json!(code)), "{:.200}", message.to_string());
    }
    assert_eq!(stage.simulator.sent().len(), 5, "everything that is fine and not empty");
    let form = [("content-type", "text/plain")];
    let got = stage.call("POST", &format!("/dingtalk/{path}"), &form, &text("a").to_string()).await;
    assert_eq!(got.json()["errcode"], 43_004);
}

#[tokio::test]
async fn sending_to_people_and_groups() {
    let stage = Stage::new().await;
    stage.simulator.add_dingtalk(dingtalk_app("ding_b", "robot_b"));
    let token = stage.dingtalk_token("ding_a").await;
    let message =
        |robot: &str, key: &str, param: &str| json!({"robotCode": robot, "msgKey": key, "msgParam": param});
    let fine = message("robot_a", "sampleMarkdown", r#"{"title":"T","text":"t"}"#);
    let to = |mut body: Value, users: &[&str]| {
        body["userIds"] = json!(users);
        body
    };
    let got = stage.dingtalk(PEOPLE, &token, &to(fine.clone(), &["ann", "bob"])).await;
    assert!(got.json()["processQueryKey"].is_string());
    assert_eq!(stage.simulator.sent().len(), 2);
    assert_eq!((stage.simulator.sent()[0].by, stage.simulator.sent()[0].text.as_str()), ("oto", "t"));
    let long = json!({"content": "a".repeat(15_000)}).to_string();
    let many: Vec<&str> = vec!["ann"; 21];
    let cases = [
        (to(message("", "sampleText", r#"{"content":"a"}"#), &["ann"]), "invalidParameter.robotCode.empty"),
        (
            to(message("x", "sampleText", r#"{"content":"a"}"#), &["ann"]),
            "invalidParameter.robotCode.notExsit",
        ),
        (
            to(message("robot_b", "sampleText", r#"{"content":"a"}"#), &["ann"]),
            "invalidParameter.robotCode.auth",
        ),
        (to(message("robot_a", "x", "{}"), &["ann"]), "invalidParameter.msgKey.invalid"),
        (to(message("robot_a", "sampleText", "text"), &["ann"]), "invalidParameter.msgParam.invalid"),
        (to(message("robot_a", "sampleText", "{}"), &["ann"]), "invalidParameter.msgParam.invalid"),
        (to(message("robot_a", "sampleText", &long), &["ann"]), "invalidParameter.msgParam.tooLong"),
        (to(fine.clone(), &[]), "MissinguserIds"),
        (to(fine.clone(), &many), "too.many.people"),
    ];
    for (body, code) in cases {
        let got = stage.dingtalk(PEOPLE, &token, &body).await;
        assert_eq!((got.status, &got.json()["code"]), (400, &json!(code)), "{:.200}", body.to_string());
    }
    let said = Say::group("g", "ann", "hi");
    stage.simulator.dingtalk_message("ding_a", &said, &stage.dingtalk_base()).unwrap();
    for (group, code) in [
        (json!("cidg"), Value::Null),
        (json!("cidx"), json!("invalid.openConversationId")),
        (Value::Null, json!("miss.openConversationId")),
    ] {
        let mut body = fine.clone();
        body["openConversationId"] = group;
        assert_eq!(stage.dingtalk(GROUP, &token, &body).await.json()["code"], code);
    }
    assert_eq!(stage.simulator.sent().len(), 3);
    assert_eq!((stage.simulator.sent()[2].by, stage.simulator.sent()[2].chat.as_str()), ("group", "cidg"));
    stage.simulator.expire_tokens();
    let got = stage.dingtalk(PEOPLE, &token, &to(fine, &["ann"])).await;
    assert_eq!((got.status, &got.json()["code"]), (400, &json!("InvalidAuthentication")));
}

#[tokio::test]
async fn every_form_of_saying() {
    let stage = Stage::new().await;
    let base = stage.dingtalk_base();
    for (form, kind, pushed_in_groups) in [
        (SayForm::Text, "text", true),
        (SayForm::RichText, "richText", true),
        (SayForm::Picture, "picture", true),
        (SayForm::Sticker, "picture", true),
        (SayForm::Voice, "audio", false),
        (SayForm::File, "file", false),
    ] {
        let direct =
            stage.simulator.dingtalk_message("ding_a", &Say::direct("ann", "a").form(form), &base).unwrap();
        let direct = body(&direct);
        assert_eq!((&direct["msgtype"], &direct["conversationType"]), (&json!(kind), &json!("1")));
        assert!(direct[if kind == "text" { "text" } else { "content" }].is_object());
        let group =
            stage.simulator.dingtalk_message("ding_a", &Say::group("g", "ann", "a").form(form), &base);
        assert_eq!(group.is_some(), pushed_in_groups, "{kind}");
    }
    let group = stage.simulator.dingtalk_message("ding_a", &Say::group("g", "ann", "a"), &base).unwrap();
    let group = body(&group);
    assert_eq!(group["text"]["content"], " a", "the mention leaves a space");
    assert_eq!(group["atUsers"][0]["dingtalkId"], group["chatbotUserId"]);
    let from_bot = Say { from_bot: true, ..Say::direct("ann", "a") };
    assert_eq!(stage.simulator.dingtalk_message("ding_a", &from_bot, &base), None);
    assert_eq!(stage.simulator.dingtalk_message("ding_x", &Say::direct("ann", "a"), &base), None);
}

#[tokio::test]
async fn a_robot_message_is_signed_with_the_time_it_says() {
    // Secret and timestamp of the vector `docs-constants`.
    let stage = Stage::at(1_577_262_236_757).await;
    let client_secret = "this is a secret".to_owned();
    stage
        .simulator
        .add_dingtalk(simulator::DingTalkApp { client_secret, ..dingtalk_app("ding_a", "robot_a") });
    let webhook =
        stage.simulator.dingtalk_message("ding_a", &Say::direct("ann", "a"), &stage.dingtalk_base());
    let webhook = webhook.unwrap();
    let header =
        |name: &str| webhook.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(header("timestamp"), Some("1577262236757"));
    assert_eq!(header("sign"), Some("DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA="));
    assert_eq!(body(&webhook)["sessionWebhookExpiredTime"], 1_577_262_236_757_i64 + 5_400_000);
}

#[tokio::test]
async fn an_event_push_and_its_answer() {
    let stage = Stage::new().await;
    let push = stage.simulator.dingtalk_push("ding_a", r#"{"EventType":"x","eventId":"e1"}"#).unwrap();
    assert_eq!(push.message_id, "e1");
    let names: Vec<&str> = push.query.split('&').filter_map(|pair| Some(pair.split_once('=')?.0)).collect();
    assert_eq!(names, ["msg_signature", "timestamp", "nonce"]);
    // A push and the answer to one are signed and encrypted alike, so the simulator can read its own.
    let values: Vec<&str> = push.query.split('&').filter_map(|pair| Some(pair.split_once('=')?.1)).collect();
    let same = json!({"msg_signature": values[0], "timeStamp": values[1], "nonce": values[2],
        "encrypt": body(&push)["encrypt"]});
    let read = stage.simulator.dingtalk_push_answer("ding_a", &same.to_string());
    assert_eq!(read.as_deref(), Some(r#"{"EventType":"x","eventId":"e1"}"#));
    // The vector `reply-success`, made by an implementation that is not ours, for another owner than this app.
    let answer = json!({"msg_signature": "fd6f570429974f74781b2374504ea9a627d17575",
        "encrypt": "lajvRoi/kwX3slp0mtVNi7Smw1uYpuOVqXZMlrLN1YstNZ7quF8zP0si7rRdvqaQtJKsjnWFDzfVSgAv5cGQlw==",
        "timeStamp": "1700000000002", "nonce": "nonceBBB"});
    assert_eq!(
        stage.simulator.dingtalk_push_answer("ding_a", &answer.to_string()),
        None,
        "another's owner key"
    );
    let owner = "dingappkey0001";
    stage.simulator.add_dingtalk(dingtalk_app(owner, "robot_c"));
    let read = |answer: &Value| stage.simulator.dingtalk_push_answer(owner, &answer.to_string());
    assert_eq!(read(&answer).as_deref(), Some("success"));
    for field in ["msg_signature", "encrypt", "timeStamp", "nonce"] {
        let mut bad = answer.clone();
        bad[field] = bad[field].as_str().unwrap().replace(['2', 'B', 'l'], "f").into();
        assert_eq!(read(&bad), None, "{field} changed");
        bad.as_object_mut().unwrap().remove(field);
        assert_eq!(read(&bad), None, "{field} missing");
    }
    let bare = simulator::DingTalkApp { token: None, ..dingtalk_app("ding_bare", "robot_d") };
    assert_eq!(bare.aes_key.as_deref(), Some(AES_KEY));
    stage.simulator.add_dingtalk(bare);
    assert_eq!(stage.simulator.dingtalk_push("ding_bare", "{}"), None);
}
