//! Sending: `POST im/v1/messages` and `POST im/v1/messages/{id}/reply`.

use std::{collections::VecDeque, time::Duration};

use http::StatusCode;
use serde_json::{Value, json};

use super::{Message, TENANT, answer, caller, content, error, of_app, push};
use crate::{
    Fault, Sent,
    answer::Answer,
    core::{Incoming, World},
    crypto::fresh_id,
};

/// For how long a `uuid` stands for the message it came with.
const UUID_WINDOW: Duration = Duration::from_secs(3600);

/// Longest `uuid`, in characters.
const UUID_MAX: usize = 50;

/// Messages a second to one person or one group, by all bots together.
const PACE: usize = 5;

/// Where a message goes.
struct Place {
    chat: String,
    /// The message it is the reply to, which inside a thread is not its parent.
    answers: Option<String>,
    parent: Option<String>,
    root: Option<String>,
    thread: Option<String>,
    by: &'static str,
}

/// Sends to a person or a chat.
pub(super) fn send(world: &mut World<'_>, incoming: &Incoming, _: Option<&Fault>) -> Answer {
    caller(world, incoming)
        .and_then(|app| deliver(world, incoming, &app, |world, body| receiver(world, incoming, &app, body)))
        .unwrap_or_else(|refused| refused)
}

/// Replies to a message.
pub(super) fn reply(world: &mut World<'_>, incoming: &Incoming, _: Option<&Fault>) -> Answer {
    caller(world, incoming)
        .and_then(|app| deliver(world, incoming, &app, |world, body| replied(world, incoming, &app, body)))
        .unwrap_or_else(|refused| refused)
}

fn deliver(
    world: &mut World<'_>,
    incoming: &Incoming,
    app: &str,
    find: impl FnOnce(&mut World<'_>, &Value) -> Result<Place, Answer>,
) -> Result<Answer, Answer> {
    let body = incoming.object().ok_or_else(|| error(9499, "Bad Request"))?;
    let content = content::read(&body, incoming.body.len())?;
    let key = uuid(&body)?;
    if let Some(first) = key.as_ref().and_then(|key| already(world, app, key)) {
        return Ok(success(&first));
    }
    let place = find(world, &body)?;
    keep_pace(world, &place.chat)?;
    Ok(success(&accept(world, app, place, content, key)))
}

fn success(data: &Value) -> Answer {
    answer(StatusCode::OK, &json!({"code": 0, "msg": "success", "data": data}))
}

fn uuid(body: &Value) -> Result<Option<String>, Answer> {
    if body["uuid"].is_null() {
        return Ok(None);
    }
    let key = body["uuid"].as_str().filter(|key| key.chars().count() <= UUID_MAX);
    let key = key.ok_or_else(|| error(99_992_402, "field validation failed: the max len of uuid is 50"))?;
    Ok((!key.is_empty()).then(|| key.to_owned()))
}

/// The message that was sent under this key within the hour.
fn already(world: &World<'_>, app: &str, key: &str) -> Option<Value> {
    let (at, id) = world.state.feishu.uuids.get(&of_app(app, key))?;
    let fresh = world.now.since(*at) < UUID_WINDOW;
    world.state.feishu.messages.get(id).filter(|_| fresh).map(|message| message.view.clone())
}

fn receiver(world: &mut World<'_>, incoming: &Incoming, app: &str, body: &Value) -> Result<Place, Answer> {
    let id = body["receive_id"].as_str().filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| error(99_992_402, "field validation failed: receive_id is required"))?;
    let chat = match incoming.query("receive_id_type") {
        Some("chat_id") => {
            let known = world.state.feishu.chats.get(&of_app(app, id)).is_some();
            known
                .then(|| id.to_owned())
                .ok_or_else(|| error(230_002, "Bot/User can NOT be out of the chat."))?
        }
        Some("open_id") => direct(world, app, id.strip_prefix("ou_"))?,
        Some("union_id") => direct(world, app, id.strip_prefix("on_"))?,
        Some("user_id") => direct(world, app, Some(id))?,
        Some("email") => direct(world, app, id.split_once('@').map(|(name, _)| name))?,
        _ => return Err(error(99_992_402, "field validation failed: receive_id_type")),
    };
    Ok(Place { chat, answers: None, parent: None, root: None, thread: None, by: "send" })
}

fn direct(world: &mut World<'_>, app: &str, user: Option<&str>) -> Result<String, Answer> {
    let user = user.ok_or_else(|| error(230_001, "invalid receive_id"))?;
    let chat = push::direct_chat(app, user);
    world.state.feishu.chats.insert(of_app(app, &chat), ());
    Ok(chat)
}

fn replied(world: &mut World<'_>, incoming: &Incoming, app: &str, body: &Value) -> Result<Place, Answer> {
    let id = &incoming.id;
    if !id.starts_with("om_") {
        return Err(error(
            230_001,
            "Your request contains an invalid request parameter, ext=invalid message_id",
        ));
    }
    let Some(message) = world.state.feishu.messages.get_mut(id) else {
        return Err(error(230_110, "Action unavailable as the message has been deleted."));
    };
    if message.app != app {
        return Err(error(230_002, "Bot/User can NOT be out of the chat."));
    }
    if message.recalled {
        return Err(error(230_011, "The message was recalled."));
    }
    let in_thread = body["reply_in_thread"] == true;
    if in_thread && message.thread.is_none() {
        message.thread = Some(fresh_id(world.entropy, "omt_"));
    }
    let root = message.root.clone().unwrap_or_else(|| id.clone());
    // In a thread every message hangs on the root; elsewhere on the one it answers.
    let parent = if message.thread.is_some() { root.clone() } else { id.clone() };
    let (chat, thread) = (message.chat.clone(), message.thread.clone());
    Ok(Place { chat, answers: Some(id.clone()), parent: Some(parent), root: Some(root), thread, by: "reply" })
}

/// Refuses the sixth message within a second.
fn keep_pace(world: &mut World<'_>, chat: &str) -> Result<(), Answer> {
    let (now, pace) = (world.now, &mut world.state.feishu.pace);
    if pace.get(chat).is_none() {
        pace.insert(chat.to_owned(), VecDeque::new());
    }
    let Some(times) = pace.get_mut(chat) else { return Ok(()) };
    times.retain(|at| now.since(*at) < Duration::from_secs(1));
    if times.len() >= PACE {
        return Err(error(230_020, "This operation triggers the frequency limit."));
    }
    times.push_back(now);
    Ok(())
}

fn accept(
    world: &mut World<'_>,
    app: &str,
    place: Place,
    content: content::Content,
    key: Option<String>,
) -> Value {
    let id = fresh_id(world.entropy, "om_");
    let now = world.now;
    let time = now.as_millis().to_string();
    let mut view = json!({
        "message_id": id, "msg_type": content.form, "create_time": time, "update_time": time,
        "deleted": false, "updated": false, "chat_id": place.chat,
        "sender": {"id": app, "id_type": "app_id", "sender_type": "app", "tenant_key": TENANT},
        "body": {"content": content.raw},
    });
    for (field, value) in
        [("root_id", &place.root), ("parent_id", &place.parent), ("thread_id", &place.thread)]
    {
        if let Some(value) = value {
            view[field] = value.as_str().into();
        }
    }
    let message = Message {
        app: app.to_owned(),
        chat: place.chat.clone(),
        thread: place.thread,
        root: place.root,
        answers: place.answers.clone(),
        own: true,
        recalled: false,
        edits: 0,
        view: view.clone(),
    };
    world.state.feishu.messages.insert(id.clone(), message);
    if let Some(key) = &key {
        world.state.feishu.uuids.insert(of_app(app, key), (now, id));
    }
    world.show(Sent {
        platform: "feishu",
        app: app.to_owned(),
        chat: place.chat,
        in_reply_to: place.answers,
        form: content.form,
        text: content.text,
        at: now,
        key,
        by: place.by,
    });
    view
}
