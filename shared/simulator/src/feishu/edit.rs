//! Changing what was sent: edit, update of a card, recall.

use std::time::Duration;

use chat::Timestamp;
use http::StatusCode;
use serde_json::json;

use super::{
    Message, answer, caller,
    content::{self, Content},
    error,
};
use crate::{
    Fault, Sent,
    answer::Answer,
    core::{Incoming, World},
};

/// Most edits of one message.
const EDITS_MAX: u32 = 20;

/// How long a card can be updated: 14 days.
const CARD_LIFE: Duration = Duration::from_secs(14 * 24 * 3600);

/// `PUT`: another text or post in place of the old one.
pub(super) fn edit(world: &mut World<'_>, incoming: &Incoming, _: Option<&Fault>) -> Answer {
    change(world, incoming, "edit").unwrap_or_else(|refused| refused)
}

/// `PATCH`: another card in place of the old one.
pub(super) fn update(world: &mut World<'_>, incoming: &Incoming, _: Option<&Fault>) -> Answer {
    change(world, incoming, "update").unwrap_or_else(|refused| refused)
}

/// `DELETE`: the message goes.
pub(super) fn recall(world: &mut World<'_>, incoming: &Incoming, _: Option<&Fault>) -> Answer {
    change(world, incoming, "recall").unwrap_or_else(|refused| refused)
}

fn change(world: &mut World<'_>, incoming: &Incoming, by: &'static str) -> Result<Answer, Answer> {
    let app = caller(world, incoming)?;
    let now = world.now;
    let message = own(world, incoming, &app)?;
    let text = if by == "recall" {
        message.recalled = true;
        message.view["deleted"] = true.into();
        String::new()
    } else {
        let content = replacement(message, incoming, by == "update", now)?;
        message.view["body"]["content"] = content.raw.into();
        message.view["msg_type"] = content.form.into();
        message.view["updated"] = true.into();
        message.view["update_time"] = now.as_millis().to_string().into();
        content.text
    };
    let (chat, view, in_reply_to) = (message.chat.clone(), message.view.clone(), message.answers.clone());
    let form = view["msg_type"].as_str().unwrap_or_default().to_owned();
    world.show(Sent { platform: "feishu", app, chat, in_reply_to, form, text, at: now, key: None, by });
    let data = if by == "edit" { view } else { json!({}) };
    Ok(answer(StatusCode::OK, &json!({"code": 0, "msg": "success", "data": data})))
}

/// The message in the path, if it is there and the app's own.
fn own<'a>(world: &'a mut World<'_>, incoming: &Incoming, app: &str) -> Result<&'a mut Message, Answer> {
    let message = world.state.feishu.messages.get_mut(&incoming.id);
    let message = message.ok_or_else(|| error(230_001, "invalid message_id"))?;
    if message.recalled {
        return Err(error(230_011, "The message was recalled."));
    }
    if message.app != app || !message.own {
        return Err(error(230_027, "Lack of necessary permissions: not the sender."));
    }
    Ok(message)
}

/// What to show instead, if this message may change into it. Counts the edit.
fn replacement(
    message: &mut Message,
    incoming: &Incoming,
    card: bool,
    now: Timestamp,
) -> Result<Content, Answer> {
    let mut body = incoming.object().ok_or_else(|| error(9499, "Bad Request"))?;
    let form = message.view["msg_type"].as_str().unwrap_or_default();
    if card != (form == "interactive") || !matches!(form, "interactive" | "text" | "post") {
        return Err(error(230_054, "This operation is not supported for this message type."));
    }
    if card {
        // Only the content of a card is sent; its type stays.
        body["msg_type"] = form.into();
        let sent = message.view["create_time"].as_str().and_then(|at| at.parse().ok()).unwrap_or(0);
        if now.since(Timestamp::from_millis(sent)) > CARD_LIFE {
            return Err(error(230_031, "The card is older than 14 days."));
        }
    } else if message.edits >= EDITS_MAX {
        return Err(error(230_072, "The message has reached the number of edits limit."));
    }
    let content = content::read(&body, incoming.body.len())?;
    message.edits += u32::from(!card);
    Ok(content)
}
