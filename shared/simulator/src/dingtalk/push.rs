//! What DingTalk pushes: robot messages and encrypted events.

use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{App, CORP, Session, of_app};
use crate::{
    ChatPlace, DingTalkApp, Say, SayForm, Webhook,
    core::World,
    crypto::{
        dingtalk_decrypt, dingtalk_encrypt, dingtalk_push_signature, dingtalk_sign, fresh_id, fresh_letters,
    },
};

/// How long a session webhook works: the published samples differ from `createAt` by this and a few seconds.
const SESSION_LIFE: Duration = Duration::from_secs(90 * 60);

pub(crate) fn add(world: &mut World<'_>, config: DingTalkApp) {
    world.state.dingtalk.apps.insert(config.client_id.clone(), App { config, token: None });
}

/// The direct conversation of a robot and a person: always the same, and told from nobody else's.
pub(super) fn direct_conversation(app: &str, user: &str) -> String {
    format!("cid{}==", &hex::encode(Sha256::digest(of_app(app, user)))[..24])
}

pub(crate) fn message(world: &mut World<'_>, client_id: &str, say: &Say, base: &Url) -> Option<Webhook> {
    let config = world.state.dingtalk.apps.get(client_id)?.config.clone();
    let (chat, direct) = match &say.chat {
        ChatPlace::Direct => (direct_conversation(client_id, &say.user), true),
        ChatPlace::Group { id } if id.starts_with("cid") => (id.clone(), false),
        ChatPlace::Group { id } => (format!("cid{id}"), false),
    };
    if say.from_bot || (!direct && matches!(say.form, SayForm::Voice | SayForm::File)) {
        return None;
    }
    let (id, session) = (fresh_id(world.entropy, "msg"), fresh_id(world.entropy, ""));
    let expires = world.now.plus(SESSION_LIFE);
    let robot = format!("$:LWCP_v1:${}", config.robot_code);
    let mut body = json!({
        "conversationId": chat, "conversationType": if direct { "1" } else { "2" },
        "chatbotCorpId": CORP, "chatbotUserId": robot, "robotCode": config.robot_code,
        "msgId": id, "createAt": world.now.as_millis(), "senderPlatform": "Mac",
        "senderNick": say.name, "senderStaffId": say.user, "senderId": format!("$:LWCP_v1:${}", say.user),
        "senderUnionId": format!("un{}", say.user), "senderCorpId": CORP, "isAdmin": false,
        "sessionWebhook": format!("{}/robot/sendBySession?session={session}", base.as_str().trim_end_matches('/')),
        "sessionWebhookExpiredTime": expires.as_millis(),
    });
    if !direct {
        body["conversationTitle"] = chat.as_str().into();
        body["isInAtList"] = say.mention_bot.into();
        let mentioned = say.mention_bot.then(|| json!({"dingtalkId": robot}));
        body["atUsers"] = mentioned.into_iter().collect();
        world.state.dingtalk.groups.insert(of_app(client_id, &chat), ());
    }
    fill(world, &mut body, say);
    let session_of = Session { app: client_id.to_owned(), chat, message: id.clone(), expires };
    world.state.dingtalk.sessions.insert(session, session_of);
    let timestamp = world.now.as_millis().to_string();
    let sign = dingtalk_sign(&timestamp, &config.client_secret);
    let mut headers = json_headers();
    headers.extend([("timestamp".to_owned(), timestamp), ("sign".to_owned(), sign)]);
    Some(Webhook { headers, query: String::new(), body: body.to_string().into_bytes(), message_id: id })
}

fn json_headers() -> Vec<(String, String)> {
    vec![("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned())]
}

/// `msgtype` and its content. Mentions are taken off the front of a text, and leave a space behind.
fn fill(world: &World<'_>, body: &mut Value, say: &Say) {
    let code = || fresh_id(world.entropy, "code");
    let (kind, content) = match say.form {
        SayForm::Text => {
            let space = if say.mention_bot { " " } else { "" };
            body["msgtype"] = "text".into();
            body["text"] = json!({"content": format!("{space}{}", say.text)});
            return;
        }
        SayForm::RichText => ("richText", json!({"richText": [{"text": say.text}]})),
        SayForm::Picture | SayForm::Sticker => ("picture", json!({"downloadCode": code()})),
        SayForm::Voice => {
            ("audio", json!({"downloadCode": code(), "duration": 4000, "recognition": say.text}))
        }
        SayForm::File => ("file", json!({"downloadCode": code(), "fileName": say.text})),
    };
    body["msgtype"] = kind.into();
    body["content"] = content;
}

/// Token and AES key, when the app has both.
fn subscription(config: &DingTalkApp) -> Option<(&str, &str)> {
    config.token.as_deref().zip(config.aes_key.as_deref())
}

pub(crate) fn event(world: &World<'_>, client_id: &str, event: &str) -> Option<Webhook> {
    let config = &world.state.dingtalk.apps.get(client_id)?.config;
    let (token, aes_key) = subscription(config)?;
    let encrypt = dingtalk_encrypt(aes_key, &fresh_letters(world.entropy, 16), event, client_id)?;
    let timestamp = world.now.as_millis().to_string();
    let nonce = fresh_letters(world.entropy, 8);
    let signature = dingtalk_push_signature(token, &timestamp, &nonce, &encrypt);
    let id = serde_json::from_str::<Value>(event)
        .ok()
        .and_then(|event| event["eventId"].as_str().map(str::to_owned));
    Some(Webhook {
        headers: json_headers(),
        query: format!("msg_signature={signature}&timestamp={timestamp}&nonce={nonce}"),
        body: json!({"encrypt": encrypt}).to_string().into_bytes(),
        message_id: id.unwrap_or_default(),
    })
}

pub(crate) fn answer(world: &World<'_>, client_id: &str, answer: &str) -> Option<String> {
    let (token, aes_key) = subscription(&world.state.dingtalk.apps.get(client_id)?.config)?;
    let answer: Value = serde_json::from_str(answer).ok()?;
    let text = |field: &str| answer[field].as_str();
    // DingTalk only hashes the time, and its own helpers send it both as text and as a number.
    let timestamp =
        text("timeStamp").map(str::to_owned).or_else(|| Some(answer["timeStamp"].as_i64()?.to_string()))?;
    let encrypt = text("encrypt")?;
    let signature = dingtalk_push_signature(token, &timestamp, text("nonce")?, encrypt);
    (text("msg_signature")? == signature).then_some(())?;
    dingtalk_decrypt(aes_key, encrypt, client_id)
}
