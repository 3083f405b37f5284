//! A reply in DingTalk's Markdown: within the limits of both ways to send it, no words lost.

use std::sync::LazyLock;

use chat::{Reply, ReplyTo, Segment, Timestamp};
use platform::Event;
use serde_json::{Value, json};

use crate::{
    Reach,
    dingtalk_webhook::{BOT, robot},
    fixed, words,
};

/// What a session webhook takes of a body, in bytes.
const WEBHOOK_MAX: usize = 20_000;

/// What the API takes of `msgParam`, in bytes.
const PARAM_MAX: usize = 15_000;

/// When the session webhook of [`TO`] has ended.
const LATER: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// The address of a message that a person wrote.
static TO: LazyLock<ReplyTo> = LazyLock::new(|| {
    let body = json!({
        "conversationId": "cid==", "msgId": "msg==", "senderStaffId": "staff1", "senderId": "u", "senderNick": "A",
        "conversationType": "1", "msgtype": "text", "text": {"content": "hi"}, "robotCode": "dingrobot1",
        "sessionWebhook": "https://oapi.dingtalk.com/robot/sendBySession?session=abc",
        "sessionWebhookExpiredTime": 1_700_005_400_000_i64,
    });
    match robot(body.to_string().as_bytes()).map(|heard| heard.event) {
        Ok(Event::Message(message)) => message.reply_to,
        other => panic!("no message: {other:?}"),
    }
});

/// The first byte says how often the text that follows is repeated.
#[must_use]
pub fn run(data: &[u8]) -> Reach {
    let Some(markdown) = words::text_of(data) else { return Reach::Door };
    let reply = Reply { markdown };
    let segments = BOT.render(&reply, &TO);
    assert_eq!(segments, BOT.render(&reply, &TO), "the same reply gives the same segments");
    assert_eq!(segments.is_empty(), reply.markdown.trim().is_empty());
    let shown: Vec<String> = segments.iter().map(shown).collect();
    assert!(words::keeps(&reply.markdown, &shown.concat(), &[]), "words are lost");
    Reach::inside(!segments.is_empty())
}

/// What people see of a segment, which is the same whichever way it goes.
fn shown(segment: &Segment) -> String {
    let (webhook, api) = (body(segment, fixed::NOW), body(segment, LATER));
    assert!(webhook.to_string().len() <= WEBHOOK_MAX, "{} bytes", webhook.to_string().len());
    let param = api["msgParam"].as_str().expect("the API takes JSON in JSON");
    assert!(param.len() <= PARAM_MAX, "{} bytes of parameters", param.len());
    let param: Value = serde_json::from_str(param).expect("parameters are JSON");
    let (by_webhook, by_api) = match webhook["msgtype"].as_str() {
        Some("text") => (&webhook["text"]["content"], &param["content"]),
        Some("markdown") => (&webhook["markdown"]["text"], &param["text"]),
        other => panic!("a message of type {other:?}"),
    };
    assert_eq!(by_webhook, by_api);
    let text = by_webhook.as_str().expect("words are a text");
    assert!(!text.trim().is_empty(), "an empty message");
    assert!(webhook.get("at").is_none() && api.get("at").is_none(), "somebody is mentioned");
    text.to_owned()
}

fn body(segment: &Segment, now: Timestamp) -> Value {
    let call = BOT.send(&TO, segment, &fixed::key(), None, now).expect("our own segment is sent");
    serde_json::from_slice(&call.body).expect("a body is JSON")
}
