//! Feishu's custom bots of groups.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::Stage;

/// The vector `docs-constants`: secret `demo`, timestamp 100.
const SIGN: &str = "jquNHnVOwmDRfw+vqTIrY5dooJAgi5EcRtLsQE4wfXg=";
const HOOK: &str = "bot/v2/hook/ID";

async fn stage(keyword: Option<&str>) -> Stage {
    let stage = Stage::at(100_000).await;
    stage.simulator.add_feishu_custom_bot("ID", "demo", keyword);
    stage
}

fn signed(message: &Value) -> Value {
    let mut body = message.clone();
    body["timestamp"] = "100".into();
    body["sign"] = SIGN.into();
    body
}

fn text(words: &str) -> Value {
    signed(&json!({"msg_type": "text", "content": {"text": words}}))
}

async fn code(stage: &Stage, path: &str, body: &Value) -> Value {
    stage.feishu("POST", path, "", body).await.json()["code"].clone()
}

#[tokio::test]
async fn a_custom_bot_checks_id_time_sign_size_and_keyword() {
    let stage = stage(Some("Disk")).await;
    let unsigned = json!({"msg_type": "text", "content": {"text": "Disk"}});
    let mut late = text("Disk");
    late["timestamp"] = "99".into();
    for (path, body, expected) in [
        (HOOK, text("Disk full"), 0),
        ("bot/v2/hook/OTHER", text("Disk full"), 19_001),
        (HOOK, unsigned, 19_021),
        (HOOK, late, 19_021),
        (HOOK, text("Memory full"), 19_024),
        (HOOK, text(&format!("Disk{}", "x".repeat(20 * 1024))), 9_499),
        (HOOK, signed(&json!({"content": {"text": "Disk"}})), 19_002),
        (HOOK, signed(&json!({"msg_type": "text", "content": "Disk"})), 19_002),
    ] {
        assert_eq!(code(&stage, path, &body).await, expected, "{path} {body}");
    }
    let seen = stage.simulator.sent();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].text.as_str(), seen[0].by), ("Disk full", "custom_bot"));
    stage.clock.forward(Duration::from_secs(3600));
    assert_eq!(code(&stage, HOOK, &text("Disk full")).await, 19_021, "an hour is the limit");
}

#[tokio::test]
async fn cards_and_posts_are_taken_in_their_own_form() {
    let stage = stage(None).await;
    let card = json!({"schema": "2.0", "body": {"elements": [{"tag": "markdown", "content": "**a**"}]}});
    let post = json!({"post": {"zh_cn": {"title": "T", "content": [[{"tag": "text", "text": "b"}]]}}});
    assert_eq!(code(&stage, HOOK, &signed(&json!({"msg_type": "interactive", "card": card}))).await, 0);
    assert_eq!(code(&stage, HOOK, &signed(&json!({"msg_type": "post", "content": post}))).await, 0);
    assert_eq!(stage.simulator.sent().len(), 2);
}

#[tokio::test]
async fn the_sixth_message_in_a_second_is_refused() {
    let stage = stage(None).await;
    for _ in 0..5 {
        assert_eq!(code(&stage, HOOK, &text("a")).await, 0);
    }
    assert_eq!(code(&stage, HOOK, &text("a")).await, 11_232);
    stage.clock.forward(Duration::from_secs(1));
    assert_eq!(code(&stage, HOOK, &text("a")).await, 0);
}
