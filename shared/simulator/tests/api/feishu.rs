//! Feishu's tokens, bot info and pushes.

use std::time::Duration;

use aes::Aes256;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cbc::cipher::{Block, BlockModeDecrypt as _, KeyIvInit as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use simulator::{Say, SayForm, Target, Webhook};

use crate::support::{Stage, feishu_app};

const TOKEN: &str = "auth/v3/tenant_access_token/internal";

#[tokio::test]
async fn a_token_is_the_same_until_thirty_minutes_before_its_end() {
    let stage = Stage::new().await;
    let first = stage.feishu_token("cli_a").await;
    assert!(first.starts_with("t-"));
    stage.clock.forward(Duration::from_secs(7200 - 1800 - 1));
    let body = json!({"app_id": "cli_a", "app_secret": "feishu-secret"});
    let again = stage.feishu("POST", TOKEN, "", &body).await.json();
    assert_eq!(
        (again["tenant_access_token"].as_str(), again["expire"].as_i64()),
        (Some(&*first), Some(1801))
    );
    stage.clock.forward(Duration::from_secs(1));
    let second = stage.feishu_token("cli_a").await;
    assert_ne!(second, first);
    for token in [&first, &second] {
        assert_eq!(stage.feishu("GET", "bot/v3/info", token, &Value::Null).await.code(), 0, "both are valid");
    }
    stage.clock.forward(Duration::from_secs(1800));
    assert_eq!(stage.feishu("GET", "bot/v3/info", &first, &Value::Null).await.code(), 99_991_663);
    assert_eq!(stage.feishu("GET", "bot/v3/info", &second, &Value::Null).await.code(), 0);
}

#[tokio::test]
async fn every_refusal_of_the_token_call() {
    let stage = Stage::new().await;
    for (body, code) in [
        (json!({"app_id": "cli_a"}), 10_003),
        (json!("text"), 10_003),
        (json!({"app_id": "cli_b", "app_secret": "feishu-secret"}), 10_014),
        (json!({"app_id": "cli_a", "app_secret": "other"}), 10_015),
    ] {
        let got = stage.feishu("POST", TOKEN, "", &body).await;
        assert_eq!((got.status, got.code()), (200, code), "{body}");
    }
    assert!(
        stage.simulator.calls().iter().all(|call| !call.authorized && call.target == Target::FeishuToken)
    );
}

#[tokio::test]
async fn tokens_that_are_missing_wrong_or_ended() {
    let stage = Stage::new().await;
    let token = stage.feishu_token("cli_a").await;
    let missing = stage.call("GET", "/feishu/open-apis/bot/v3/info", &[], "").await;
    assert_eq!((missing.status, missing.code()), (400, 99_991_661));
    let wrong = stage.feishu("GET", "bot/v3/info", "t-other", &Value::Null).await;
    assert_eq!((wrong.status, wrong.code()), (400, 99_991_663));
    assert_eq!(stage.feishu("GET", "bot/v3/info", &token, &Value::Null).await.code(), 0);
    stage.simulator.expire_tokens();
    assert_eq!(stage.feishu("GET", "bot/v3/info", &token, &Value::Null).await.code(), 99_991_663);
    let authorized: Vec<bool> = stage.simulator.calls().iter().map(|call| call.authorized).collect();
    assert_eq!(authorized, [true, false, false, true, false]);
}

/// The JSON of a push of an app without an Encrypt Key.
fn event(webhook: &Webhook) -> Value {
    serde_json::from_slice(&webhook.body).unwrap()
}

async fn plain() -> Stage {
    let stage = Stage::new().await;
    stage.simulator.add_feishu(simulator::FeishuApp { encrypt_key: None, ..feishu_app("cli_plain") });
    stage
}

#[tokio::test]
async fn a_mention_carries_the_open_id_that_bot_info_says() {
    let stage = plain().await;
    let token = stage.feishu_token("cli_plain").await;
    let info = stage.feishu("GET", "bot/v3/info", &token, &Value::Null).await.json();
    let webhook = stage.simulator.feishu_message("cli_plain", &Say::group("g", "ann", "hi")).unwrap();
    let event = event(&webhook);
    let message = &event["event"]["message"];
    assert_eq!(message["mentions"][0]["id"]["open_id"], info["bot"]["open_id"]);
    assert_eq!(message["content"], r#"{"text":"@_user_1 hi"}"#);
    assert_eq!((&message["chat_id"], &message["chat_type"]), (&json!("oc_g"), &json!("group")));
    assert_eq!(message["message_id"], *webhook.message_id);
    assert_eq!(event["event"]["sender"]["sender_id"]["open_id"], "ou_ann");
    assert_eq!(event["header"]["token"], "vtok");
    assert_eq!(webhook.headers.len(), 1, "no Encrypt Key, no signature");
}

#[tokio::test]
async fn every_form_of_saying() {
    let stage = plain().await;
    for (form, kind, field) in [
        (SayForm::Text, "text", "text"),
        (SayForm::RichText, "post", "content"),
        (SayForm::Picture, "image", "image_key"),
        (SayForm::Voice, "audio", "duration"),
        (SayForm::File, "file", "file_name"),
        (SayForm::Sticker, "sticker", "file_key"),
    ] {
        let say = Say { from_bot: true, ..Say::direct("ann", "a.txt").form(form) };
        let event = event(&stage.simulator.feishu_message("cli_plain", &say).unwrap());
        let message = &event["event"]["message"];
        assert_eq!((&message["message_type"], &message["chat_type"]), (&json!(kind), &json!("p2p")));
        let content: Value = serde_json::from_str(message["content"].as_str().unwrap()).unwrap();
        assert!(!content[field].is_null(), "{kind}: {content}");
        assert_eq!(event["event"]["sender"]["sender_type"], "app");
    }
}

#[tokio::test]
async fn a_thread_keeps_its_root() {
    let stage = plain().await;
    let say = Say { thread: Some("omt_1".into()), ..Say::group("g", "ann", "hi") };
    let roots: Vec<Value> = (0..2)
        .map(|_| {
            event(&stage.simulator.feishu_message("cli_plain", &say).unwrap())["event"]["message"].clone()
        })
        .map(|message| json!([message["thread_id"], message["root_id"], message["parent_id"]]))
        .collect();
    assert_eq!(roots[0], roots[1]);
    assert_eq!(roots[0][0], "omt_1");
    assert_eq!(roots[0][1], roots[0][2]);
}

/// Decrypts as a bot would.
fn opened(key: &str, encrypt: &str) -> Value {
    let mut data = STANDARD.decode(encrypt).unwrap();
    let mut rest = data.split_off(16);
    let iv: [u8; 16] = data.try_into().unwrap();
    let (blocks, _) = Block::<Aes256>::slice_as_chunks_mut(&mut rest);
    cbc::Decryptor::<Aes256>::new(&Sha256::digest(key), &iv.into()).decrypt_blocks(blocks);
    let pad = usize::from(*rest.last().unwrap());
    serde_json::from_slice(&rest[..rest.len() - pad]).unwrap()
}

#[tokio::test]
async fn an_encrypt_key_encrypts_and_signs_all_but_the_challenge() {
    let stage = Stage::new().await;
    let message = stage.simulator.feishu_message("cli_a", &Say::direct("ann", "hi")).unwrap();
    let names: Vec<&str> = message.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["Content-Type", "X-Lark-Request-Timestamp", "X-Lark-Request-Nonce", "X-Lark-Signature"]
    );
    let [_, timestamp, nonce, signature] = [0, 1, 2, 3].map(|index| message.headers[index].1.as_str());
    assert_eq!(timestamp, "1700000000");
    let signed = [timestamp.as_bytes(), nonce.as_bytes(), b"ekey", &message.body].concat();
    assert_eq!(signature, hex::encode(Sha256::digest(signed)));
    let opened = opened("ekey", event(&message)["encrypt"].as_str().unwrap());
    assert_eq!(opened["event"]["message"]["message_id"], *message.message_id);
    let challenge = stage.simulator.feishu_challenge("cli_a", "c-1").unwrap();
    assert_eq!(challenge.headers.len(), 1);
    let inner = self::opened("ekey", event(&challenge)["encrypt"].as_str().unwrap());
    assert_eq!(inner["challenge"], "c-1");
    let stage = plain().await;
    let challenge = event(&stage.simulator.feishu_challenge("cli_plain", "c-1").unwrap());
    assert_eq!(challenge, json!({"challenge": "c-1", "token": "vtok", "type": "url_verification"}));
    assert_eq!(stage.simulator.feishu_message("cli_x", &Say::direct("ann", "hi")), None);
    assert_eq!(stage.simulator.feishu_challenge("cli_x", "c"), None);
}
