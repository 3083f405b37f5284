//! What comes alongside the words, and the language of what the bot says itself.

use serde_json::{Value, json};
use simulator::{Say, SayForm};

use crate::support::World;

/// What somebody says on DingTalk, changed: the signature does not cover the body.
async fn dingtalk(world: &World, say: &Say, change: impl FnOnce(&mut Value)) {
    let mut webhook = world.dingtalk_webhook(say);
    let mut body: Value = serde_json::from_slice(&webhook.body).unwrap();
    change(&mut body);
    webhook.body = body.to_string().into_bytes();
    assert_eq!(world.deliver("dingtalk", &webhook).await, 200);
    while world.step().await.is_some() {}
}

#[tokio::test(start_paused = true)]
async fn a_quotation_reaches_the_model_as_data() {
    let world = World::new().await;
    dingtalk(&world, &Say::direct("ann", "what do you think?"), |body| {
        body["text"]["isReplyMsg"] = json!(true);
        body["text"]["repliedMsg"] =
            json!({"msgType": "text", "content": {"text": "the printer is on fire\nsecond line"}});
    })
    .await;
    let asked = world.local.model_requests()[0].to_string();
    assert!(asked.contains("> the printer is on fire") && asked.contains("> second line"), "{asked}");
    assert!(asked.contains("quotes the following") && asked.contains("what do you think?"), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn a_file_beside_the_words_is_told_to_the_model_and_to_the_person() {
    let world = World::new().await;
    dingtalk(&world, &Say::direct("ann", "summarise this"), |body| {
        body["msgtype"] = json!("richText");
        body["content"] = json!({"richText": [{"text": "summarise this"},
            {"type": "file", "downloadCode": "c", "fileName": "plan.pdf"}, {"type": "picture", "downloadCode": "d"}]});
        body["text"] = Value::Null;
    })
    .await;
    let asked = world.local.model_requests()[0].to_string();
    assert!(asked.contains("not readable for you: a file `plan.pdf`, a picture"), "{asked}");
    let seen = world.seen();
    assert!(seen[0].contains("summarise this") && seen[0].contains("cannot open"), "{seen:?}");
    assert!(seen[0].contains("`plan.pdf`"), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_notice_speaks_the_language_of_what_was_said_before() {
    let world = World::new().await;
    world.feishu(&Say::direct("ann", "hello there")).await;
    world.feishu(&Say::direct("ann", "").form(SayForm::Picture)).await;
    world.feishu(&Say::direct("bob", "你好")).await;
    world.feishu(&Say::direct("bob", "").form(SayForm::Picture)).await;
    world.feishu(&Say::direct("bob", "/help")).await;
    world.feishu(&Say::direct("eve", "/help")).await;
    let seen = world.seen();
    assert!(seen[1].contains("pictures") && !seen[1].contains("图片"), "{seen:?}");
    assert!(seen[3].contains("图片") && !seen[3].contains("pictures"), "{seen:?}");
    assert!(seen[4].contains("你好") && seen[5].contains("Hello"), "{seen:?}");
}
