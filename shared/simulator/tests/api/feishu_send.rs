//! Feishu's messages: send, reply, edit, update, recall.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::Say;

use crate::support::{Stage, feishu_app};

fn text(words: &str) -> Value {
    json!({"msg_type": "text", "content": json!({"text": words}).to_string()})
}

fn with(mut body: Value, field: &str, value: impl Into<Value>) -> Value {
    body[field] = value.into();
    body
}

fn of(form: &str, content: &Value) -> Value {
    json!({"msg_type": form, "content": content.to_string()})
}

/// A stage, a token, and the path to reply to ann's message.
async fn stage() -> (Stage, String, String) {
    let stage = Stage::new().await;
    let token = stage.feishu_token("cli_a").await;
    let message = stage.simulator.feishu_message("cli_a", &Say::group("g", "ann", "hi")).unwrap().message_id;
    (stage, token, format!("im/v1/messages/{message}/reply"))
}

#[tokio::test]
async fn what_a_person_reads_in_each_form() {
    let (stage, token, reply) = stage().await;
    let post = json!({"zh_cn": {"title": "T", "content": [[{"tag": "md", "text": "**b**"}],
        [{"tag": "text", "text": "a "}, {"tag": "a", "text": "l", "href": "https://example.com"},
         {"tag": "at", "user_id": "ou_ann"}]]}});
    let one = json!({"header": {"title": {"tag": "plain_text", "content": "H"}},
        "elements": [{"tag": "div", "text": {"tag": "lark_md", "content": "**hi**"}}, {"tag": "hr"},
            {"tag": "action", "actions": [{"tag": "button", "text": {"tag": "plain_text", "content": "Stop"}}]}]});
    let two = json!({"schema": "2.0", "body": {"elements": [{"tag": "markdown", "content": "hi"}]}});
    for (form, content, read) in [
        ("text", json!({"text": "one\ntwo"}), "one\ntwo"),
        ("post", post, "T\n**b**\na [l](https://example.com)@ou_ann"),
        ("interactive", one, "H\n**hi**\n---\nStop"),
        ("interactive", two, "hi"),
        ("image", json!({"image_key": "img_1"}), "img_1"),
    ] {
        stage.clock.forward(Duration::from_secs(1));
        let got = stage.feishu("POST", &reply, &token, &of(form, &content)).await;
        assert_eq!(got.code(), 0, "{got:?}");
        let sent = stage.simulator.sent().pop().unwrap();
        assert_eq!((sent.form.as_str(), sent.text.as_str()), (form, read));
        assert_eq!((sent.chat.as_str(), sent.by, sent.platform), ("oc_g", "reply", "feishu"));
        assert_eq!(sent.in_reply_to.as_deref(), reply.split('/').nth(3));
        assert_eq!(got.json()["data"]["body"]["content"], content.to_string());
    }
}

#[tokio::test]
async fn every_bad_content_is_refused_and_not_shown() {
    let (stage, token, reply) = stage().await;
    let long = |bytes: usize| "a".repeat(bytes);
    let many: Vec<Value> = (0..201).map(|_| json!({"tag": "hr"})).collect();
    let cases = [
        (json!({"content": "{}"}), 230_001),
        (json!({"msg_type": "text", "content": {"text": "an object, not a string"}}), 230_001),
        (json!({"msg_type": "text", "content": "not json"}), 230_001),
        (of("text", &json!({"text": ""})), 230_001),
        (of("image", &json!({})), 230_001),
        (of("dance", &json!({})), 230_001),
        (of("post", &json!({})), 230_001),
        (of("post", &json!({"content": [[]]})), 230_001),
        (
            of("post", &json!({"zh_cn": {"content": [[{"tag": "md", "text": "a"}, {"tag": "dance"}]]}})),
            230_001,
        ),
        (of("post", &json!({"zh_cn": {"content": ["a"]}})), 230_001),
        (of("interactive", &json!([])), 230_099),
        (of("interactive", &json!({"schema": "2.0", "elements": []})), 230_099),
        (of("interactive", &json!({"schema": "3.0"})), 230_099),
        (of("interactive", &json!({"elements": [{"content": "no tag"}]})), 230_099),
        (of("interactive", &json!({"schema": "2.0", "body": {"elements": many}})), 230_099),
        (text(&long(150 * 1024)), 230_025),
        (of("post", &json!({"zh_cn": {"content": [[{"tag": "md", "text": long(30 * 1024)}]]}})), 230_025),
        (of("interactive", &json!({"elements": [{"tag": "markdown", "content": long(30 * 1024)}]})), 230_025),
        (with(text("a"), "uuid", long(51)), 99_992_402),
    ];
    for (body, code) in cases {
        let got = stage.feishu("POST", &reply, &token, &body).await;
        assert_eq!(got.code(), code, "{:.200}", body.to_string());
    }
    assert_eq!(stage.feishu("POST", &reply, &token, &json!("text")).await.code(), 9499);
    assert!(stage.simulator.sent().is_empty());
    assert_eq!(stage.feishu("POST", &reply, &token, &text(&long(150 * 1024 - 100))).await.code(), 0);
}

#[tokio::test]
async fn one_uuid_sends_once_within_the_hour() {
    let (stage, token, reply) = stage().await;
    let keyed = |words: &str| with(text(words), "uuid", "key-1");
    let first = stage.feishu("POST", &reply, &token, &keyed("one")).await.json();
    stage.clock.forward(Duration::from_secs(3599));
    let again = stage.feishu("POST", &reply, &token, &keyed("two")).await.json();
    assert_eq!(again, first);
    assert_eq!(stage.simulator.sent().len(), 1);
    assert_eq!(stage.simulator.sent()[0].key.as_deref(), Some("key-1"));
    stage.clock.forward(Duration::from_secs(1));
    assert_ne!(stage.feishu("POST", &reply, &token, &keyed("two")).await.json(), first);
    assert_eq!(stage.simulator.sent().len(), 2);
}

#[tokio::test]
async fn the_sixth_message_in_a_second_is_too_many() {
    let (stage, token, reply) = stage().await;
    for _ in 0..5 {
        assert_eq!(stage.feishu("POST", &reply, &token, &text("a")).await.code(), 0);
    }
    let got = stage.feishu("POST", &reply, &token, &text("a")).await;
    assert_eq!((got.status, got.code()), (200, 230_020));
    stage.clock.forward(Duration::from_millis(999));
    assert_eq!(stage.feishu("POST", &reply, &token, &text("a")).await.code(), 230_020);
    stage.clock.forward(Duration::from_millis(1));
    assert_eq!(stage.feishu("POST", &reply, &token, &text("a")).await.code(), 0);
}

#[tokio::test]
async fn whose_message_can_be_answered() {
    let (stage, token, reply) = stage().await;
    for (path, code) in [("im/v1/messages/x/reply", 230_001), ("im/v1/messages/om_x/reply", 230_110)] {
        assert_eq!(stage.feishu("POST", path, &token, &text("a")).await.code(), code, "{path}");
    }
    stage.simulator.add_feishu(feishu_app("cli_b"));
    let other = stage.feishu_token("cli_b").await;
    assert_eq!(stage.feishu("POST", &reply, &other, &text("a")).await.code(), 230_002);
    let sent = stage.feishu("POST", &reply, &token, &text("a")).await.json();
    let own = format!("im/v1/messages/{}", sent["data"]["message_id"].as_str().unwrap());
    assert_eq!(stage.feishu("DELETE", &own, &token, &Value::Null).await.code(), 0);
    assert_eq!(stage.feishu("POST", &format!("{own}/reply"), &token, &text("a")).await.code(), 230_011);
    assert_eq!(stage.feishu("DELETE", &own, &token, &Value::Null).await.code(), 230_011);
}

#[tokio::test]
async fn where_a_message_can_be_sent() {
    let (stage, token, _) = stage().await;
    let cases = [
        ("?receive_id_type=chat_id", "oc_g", 0),
        ("?receive_id_type=chat_id", "oc_x", 230_002),
        ("?receive_id_type=open_id", "ou_ann", 0),
        ("?receive_id_type=open_id", "ann", 230_001),
        ("?receive_id_type=user_id", "ann", 0),
        ("?receive_id_type=email", "ann@example.com", 0),
        ("?receive_id_type=email", "ann", 230_001),
        ("?receive_id_type=phone", "1", 99_992_402),
        ("", "oc_g", 99_992_402),
        ("?receive_id_type=chat_id", "", 99_992_402),
    ];
    for (query, to, code) in cases {
        let path = format!("im/v1/messages{query}");
        let got = stage.feishu("POST", &path, &token, &with(text("a"), "receive_id", to)).await;
        assert_eq!(got.code(), code, "{query} {to}");
    }
    let chats: Vec<String> = stage.simulator.sent().into_iter().map(|sent| sent.chat).collect();
    assert_eq!(chats[0], "oc_g");
    assert!(chats[1] == chats[2] && chats[2] == chats[3], "one person, one direct chat: {chats:?}");
}

#[tokio::test]
async fn a_reply_can_start_a_thread_and_stays_in_one() {
    let (stage, token, reply) = stage().await;
    let id = reply.split('/').nth(3).unwrap();
    let plain = stage.feishu("POST", &reply, &token, &text("a")).await.json()["data"].clone();
    assert_eq!((plain["parent_id"].as_str(), plain["thread_id"].as_str()), (Some(id), None));
    let started = with(text("a"), "reply_in_thread", true);
    let first = stage.feishu("POST", &reply, &token, &started).await.json()["data"].clone();
    assert!(first["thread_id"].as_str().unwrap().starts_with("omt_"));
    let inner = format!("im/v1/messages/{}/reply", first["message_id"].as_str().unwrap());
    let second = stage.feishu("POST", &inner, &token, &text("b")).await.json()["data"].clone();
    assert_eq!(second["thread_id"], first["thread_id"]);
    assert_eq!((second["root_id"].as_str(), second["parent_id"].as_str()), (Some(id), Some(id)));
    let sent = stage.simulator.sent().pop().unwrap();
    assert_eq!(sent.in_reply_to.as_deref(), first["message_id"].as_str(), "what it answers, not its parent");
}

#[tokio::test]
async fn edits_and_updates_have_their_limits() {
    let (stage, token, reply) = stage().await;
    let card = |words: &str| of("interactive", &json!({"elements": [{"tag": "markdown", "content": words}]}));
    let mut paths = Vec::new();
    for body in [text("old"), card("old")] {
        let sent = stage.feishu("POST", &reply, &token, &body).await.json();
        paths.push(format!("im/v1/messages/{}", sent["data"]["message_id"].as_str().unwrap()));
    }
    assert_eq!(stage.feishu("PATCH", &paths[0], &token, &card("new")).await.code(), 230_054);
    assert_eq!(stage.feishu("PUT", &paths[1], &token, &text("new")).await.code(), 230_054);
    for _ in 0..20 {
        assert_eq!(stage.feishu("PUT", &paths[0], &token, &text("new")).await.code(), 0);
    }
    assert_eq!(stage.feishu("PUT", &paths[0], &token, &text("new")).await.code(), 230_072);
    assert_eq!(stage.feishu("PATCH", &paths[1], &token, &card("new")).await.code(), 0);
    let sent = stage.simulator.sent().pop().unwrap();
    assert_eq!((sent.by, sent.text.as_str()), ("update", "new"));
    let theirs = reply.trim_end_matches("/reply");
    assert_eq!(stage.feishu("PUT", theirs, &token, &text("new")).await.code(), 230_027);
    stage.simulator.add_feishu(feishu_app("cli_b"));
    let other = stage.feishu_token("cli_b").await;
    assert_eq!(stage.feishu("PATCH", &paths[1], &other, &card("new")).await.code(), 230_027);
    stage.clock.forward(Duration::from_secs(14 * 24 * 3600 + 1));
    let token = stage.feishu_token("cli_a").await;
    assert_eq!(stage.feishu("PATCH", &paths[1], &token, &card("new")).await.code(), 230_031);
}
