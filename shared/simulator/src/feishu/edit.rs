//! Changing what was sent: edit, update of a card, recall.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use super::{answer, caller, content, error};
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
    let (now, id) = (world.now, &incoming.id);
    let message = world.state.feishu.messages.get_mut(id);
    let message = message.ok_or_else(|| error(230_001, "invalid message_id"))?;
    if message.recalled {
        return Err(error(230_011, "The message was recalled."));
    }
    if message.app != app || !message.own {
        return Err(error(230_027, "Lack of necessary permissions: not the sender."));
    }
    let form = message.view["msg_type"].as_str().unwrap_or_default().to_owned();
    let mut text = String::new();
    if by == "recall" {
        message.recalled = true;
        message.view["deleted"] = true.into();
    } else {
        let mut body = incoming.object().ok_or_else(|| error(9499, "Bad Request"))?;
        let cards = by == "update";
        let right = if cards { form == "interactive" } else { matches!(form.as_str(), "text" | "post") };
        if !right {
            return Err(error(230_054, "This operation is not supported for this message type."));
        }
        if cards {
            body["msg_type"] = "interactive".into();
            let sent = message.view["create_time"].as_str().and_then(|at| at.parse().ok()).unwrap_or(0);
            if now.since(chat::Timestamp::from_millis(sent)) > CARD_LIFE {
                return Err(error(230_031, "The card is older than 14 days."));
            }
        } else if message.edits >= EDITS_MAX {
            return Err(error(230_072, "The message has reached the number of edits limit."));
        }
        let content = content::read(&body, incoming.body.len())?;
        message.edits += u32::from(!cards);
        message.view["msg_type"] = content.form.into();
        message.view["body"]["content"] = content.raw.into();
        message.view["updated"] = true.into();
        message.view["update_time"] = now.as_millis().to_string().into();
        text = content.text;
    }
    let (chat, view, in_reply_to) = (message.chat.clone(), message.view.clone(), message.answers.clone());
    world.show(Sent { platform: "feishu", app, chat, in_reply_to, form, text, at: now, key: None, by });
    let data = if by == "edit" { view } else { json!({}) };
    Ok(answer(StatusCode::OK, &json!({"code": 0, "msg": "success", "data": data})))
}
