//! What Feishu pushes: messages and the challenge.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{App, Message, TENANT, of_app};
use crate::{
    ChatPlace, FeishuApp, Say, SayForm, Webhook,
    core::World,
    crypto::{feishu_encrypt_fresh, feishu_signature, fresh_id, fresh_letters},
};

pub(crate) fn add(world: &mut World<'_>, config: FeishuApp) {
    let open_id = format!("ou_{}", &hex::encode(Sha256::digest(&config.app_id))[..32]);
    world.state.feishu.apps.insert(config.app_id.clone(), App { config, open_id, tokens: Vec::new() });
}

/// The direct chat of a bot and a person: always the same, and told from nobody else's.
pub(super) fn direct_chat(app: &str, user: &str) -> String {
    format!("oc_{}", &hex::encode(Sha256::digest(of_app(app, user)))[..32])
}

pub(crate) fn challenge(world: &World<'_>, app_id: &str, challenge: &str) -> Option<Webhook> {
    let config = &world.state.feishu.apps.get(app_id)?.config;
    let body =
        json!({"challenge": challenge, "token": config.verification_token, "type": "url_verification"});
    let mut webhook = wrap(world, config, &body, String::new());
    webhook.headers.truncate(1);
    Some(webhook)
}

pub(crate) fn message(world: &mut World<'_>, app_id: &str, say: &Say) -> Option<Webhook> {
    world.state.feishu.apps.get(app_id)?;
    let id = fresh_id(world.entropy, "om_");
    let user = say.user.strip_prefix("ou_").unwrap_or(&say.user);
    let (chat, chat_type) = match &say.chat {
        ChatPlace::Direct => (direct_chat(app_id, user), "p2p"),
        ChatPlace::Group { id } => (prefixed("oc_", id), "group"),
    };
    let root = say.thread.as_ref().map(|thread| root_of(world, app_id, &chat, &prefixed("omt_", thread)));
    let app = world.state.feishu.apps.get(app_id)?;
    let (form, content) = content(world, app, say);
    let now = world.now.as_millis().to_string();
    let mut message = json!({
        "message_id": id, "create_time": now, "update_time": now, "chat_id": chat, "chat_type": chat_type,
        "message_type": form, "content": content.to_string(),
    });
    if let Some((thread, root)) = &root {
        message["thread_id"] = thread.as_str().into();
        message["root_id"] = root.as_str().into();
        message["parent_id"] = root.as_str().into();
    }
    if say.mention_bot {
        let ids =
            json!({"open_id": app.open_id, "union_id": app.open_id.replacen("ou_", "on_", 1), "user_id": ""});
        message["mentions"] =
            json!([{"key": "@_user_1", "id": ids, "name": app.config.name, "tenant_key": TENANT}]);
    }
    let ids = json!({"open_id": format!("ou_{user}"), "union_id": format!("on_{user}"), "user_id": user});
    let sender_type = if say.from_bot { "app" } else { "user" };
    let sender = json!({"sender_id": ids, "sender_type": sender_type, "tenant_key": TENANT});
    let header = json!({
        "event_id": fresh_id(world.entropy, ""), "event_type": "im.message.receive_v1", "create_time": now,
        "token": app.config.verification_token, "app_id": app_id, "tenant_key": TENANT,
    });
    let body = json!({"schema": "2.0", "header": header, "event": {"sender": sender, "message": message}});
    let webhook = wrap(world, &app.config, &body, id.clone());
    remember(world, app_id, id, chat, root);
    Some(webhook)
}

fn prefixed(prefix: &str, id: &str) -> String {
    if id.starts_with(prefix) { id.to_owned() } else { format!("{prefix}{id}") }
}

/// A thread and the message it hangs on, which is made up when nobody has heard of the thread.
fn root_of(world: &mut World<'_>, app: &str, chat: &str, thread: &str) -> (String, String) {
    if let Some(root) = world.state.feishu.threads.get(thread) {
        return (thread.to_owned(), root.clone());
    }
    let root = fresh_id(world.entropy, "om_");
    world.state.feishu.threads.insert(thread.to_owned(), root.clone());
    remember(world, app, root.clone(), chat.to_owned(), Some((thread.to_owned(), root.clone())));
    (thread.to_owned(), root)
}

fn remember(world: &mut World<'_>, app: &str, id: String, chat: String, thread: Option<(String, String)>) {
    world.state.feishu.chats.insert(of_app(app, &chat), ());
    let (thread, root) = thread.unzip();
    let app = app.to_owned();
    let (answers, own, recalled, edits, view) = (None, false, false, 0, Value::Null);
    let message = Message { app, chat, thread, root, answers, own, recalled, edits, view };
    world.state.feishu.messages.insert(id, message);
}

/// `message_type` and the second JSON.
fn content(world: &World<'_>, app: &App, say: &Say) -> (&'static str, Value) {
    let key = |prefix: &str| fresh_id(world.entropy, prefix);
    match say.form {
        SayForm::Text => {
            let mention = if say.mention_bot { "@_user_1 " } else { "" };
            ("text", json!({"text": format!("{mention}{}", say.text)}))
        }
        SayForm::RichText => {
            let mention =
                json!({"tag": "at", "user_id": "@_user_1", "user_name": app.config.name, "style": []});
            let words = json!({"tag": "text", "text": say.text, "style": []});
            let nodes = if say.mention_bot { vec![mention, words] } else { vec![words] };
            ("post", json!({"title": "", "content": [nodes]}))
        }
        SayForm::Picture => ("image", json!({"image_key": key("img_")})),
        SayForm::Voice => ("audio", json!({"file_key": key("file_"), "duration": 2000})),
        SayForm::File => ("file", json!({"file_key": key("file_"), "file_name": say.text})),
        SayForm::Sticker => ("sticker", json!({"file_key": key("file_")})),
    }
}

/// Encrypts and signs when the app has an Encrypt Key.
fn wrap(world: &World<'_>, config: &FeishuApp, body: &Value, message_id: String) -> Webhook {
    let mut headers = vec![("Content-Type".to_owned(), "application/json;charset=utf-8".to_owned())];
    let plain = body.to_string();
    let Some(key) = config.encrypt_key.as_deref().filter(|key| !key.is_empty()) else {
        return Webhook { headers, query: String::new(), body: plain.into_bytes(), message_id };
    };
    let encrypt = feishu_encrypt_fresh(world.entropy, key, plain.as_bytes());
    let body = json!({"encrypt": encrypt}).to_string().into_bytes();
    let timestamp = world.now.as_seconds().to_string();
    let nonce = fresh_letters(world.entropy, 16);
    let signature = feishu_signature(&timestamp, &nonce, key, &body);
    headers.push(("X-Lark-Request-Timestamp".to_owned(), timestamp));
    headers.push(("X-Lark-Request-Nonce".to_owned(), nonce));
    headers.push(("X-Lark-Signature".to_owned(), signature));
    Webhook { headers, query: String::new(), body, message_id }
}
