//! The session webhook: the way back that came with a message.

use super::{errcode, forms};
use crate::{
    Fault, Sent,
    answer::Answer,
    core::{Incoming, World},
};

/// Whether the session is known and not over.
pub(super) fn alive(world: &World<'_>, incoming: &Incoming) -> bool {
    let session = incoming.query("session").and_then(|id| world.state.dingtalk.sessions.get(id));
    session.is_some_and(|session| session.expires > world.now)
}

/// A JSON object sent as JSON; else what the older API says to that.
pub(super) fn json_body(incoming: &Incoming) -> Result<serde_json::Value, Answer> {
    let kind = incoming.header("content-type").unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(errcode(43_004, "invalid content-type, expect application/json"));
    }
    incoming.object().ok_or_else(|| errcode(40_035, "json missing"))
}

/// `sendBySession`.
pub(super) fn send(world: &mut World<'_>, incoming: &Incoming, _: Option<&Fault>) -> Answer {
    let body = match json_body(incoming) {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    if !alive(world, incoming) {
        return errcode(300_001, "session not exist");
    }
    let form = match forms::webhook(&body, incoming.body.len()) {
        Ok(form) => form,
        Err((code, message)) => return errcode(code, message),
    };
    let session = incoming.query("session").and_then(|id| world.state.dingtalk.sessions.get(id));
    if let Some((session, form)) = session.zip(form) {
        let sent = Sent {
            platform: "dingtalk",
            app: session.app.clone(),
            chat: session.chat.clone(),
            in_reply_to: Some(session.message.clone()),
            form: form.form,
            text: form.text,
            at: world.now,
            key: None,
            by: "session_webhook",
        };
        world.show(sent);
    }
    errcode(0, "ok")
}
