//! The v1.0 API: tokens, and sending to people and groups.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::{error, forms, of_app, push};
use crate::{
    Fault, Sent,
    answer::Answer,
    core::{Incoming, World},
    crypto::fresh_id,
};

/// How long a token lives: two hours.
const TOKEN_LIFE: Duration = Duration::from_secs(7200);

/// Most people of one `batchSend`.
const PEOPLE_MAX: usize = 20;

fn bad(code: &str, message: &str) -> Answer {
    error(StatusCode::BAD_REQUEST, code, message)
}

fn credentials(incoming: &Incoming) -> Option<(String, String)> {
    let body = incoming.object()?;
    let text = |field: &str| body[field].as_str().map(ToOwned::to_owned);
    Some((text("appKey")?, text("appSecret")?))
}

/// Whether this call would get a token.
pub(super) fn right_secret(world: &World<'_>, incoming: &Incoming) -> bool {
    credentials(incoming).is_some_and(|(key, secret)| {
        world.state.dingtalk.apps.get(&key).is_some_and(|app| app.config.client_secret == secret)
    })
}

/// The token call: the same token while it lives, and each call starts its two hours anew.
pub(super) fn access_token(world: &mut World<'_>, incoming: &Incoming, _: Option<&Fault>) -> Answer {
    let (now, entropy) = (world.now, world.entropy);
    let app = credentials(incoming).and_then(|(key, secret)| {
        world.state.dingtalk.apps.get_mut(&key).filter(|app| app.config.client_secret == secret)
    });
    let Some(app) = app else { return bad("invalidClientIdOrSecret", "invalid clientId or clientSecret") };
    let kept = app.token.take().filter(|(_, expires)| *expires > now).map(|(value, _)| value);
    let value = kept.unwrap_or_else(|| fresh_id(entropy, ""));
    app.token = Some((value.clone(), now.plus(TOKEN_LIFE)));
    Answer::json(StatusCode::OK, &json!({"accessToken": value, "expireIn": TOKEN_LIFE.as_secs()}))
}

/// Which app calls, by its token.
fn caller(world: &World<'_>, incoming: &Incoming) -> Result<String, Answer> {
    let given = incoming.header("x-acs-dingtalk-access-token").unwrap_or_default();
    let alive = |token: &Option<(String, chat::Timestamp)>| {
        token.as_ref().is_some_and(|(value, expires)| value == given && *expires > world.now)
    };
    let app = world.state.dingtalk.apps.values().find(|app| alive(&app.token));
    app.map(|app| app.config.client_id.clone())
        .ok_or_else(|| bad("InvalidAuthentication", "the access_token is not legal"))
}

/// Whether the token is good.
pub(super) fn authorized(world: &World<'_>, incoming: &Incoming) -> bool {
    caller(world, incoming).is_ok()
}

/// Token, robot and message: what both sends check alike.
fn checked(world: &World<'_>, incoming: &Incoming) -> Result<(String, Value, forms::Form), Answer> {
    let app = caller(world, incoming)?;
    let body = incoming.object().ok_or_else(|| bad("InvalidParameter", "the body is not a json object"))?;
    let code = body["robotCode"].as_str().unwrap_or_default();
    let fault = match world.state.dingtalk.apps.values().find(|other| other.config.robot_code == code) {
        _ if code.is_empty() => Some("robotCode.empty"),
        None => Some("robotCode.notExsit"),
        Some(owner) if owner.config.client_id != app => Some("robotCode.auth"),
        Some(_) => None,
    };
    let form = fault.map_or_else(|| forms::keyed(&body), Err);
    let form = form.map_err(|what| bad(&format!("invalidParameter.{what}"), what))?;
    Ok((app, body, form))
}

/// `oToMessages/batchSend`.
pub(super) fn to_people(world: &mut World<'_>, incoming: &Incoming, _: Option<&Fault>) -> Answer {
    let (app, body, form) = match checked(world, incoming) {
        Ok(checked) => checked,
        Err(refused) => return refused,
    };
    let users: Vec<&str> =
        body["userIds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if users.is_empty() {
        return bad("MissinguserIds", "userIds is mandatory for this action.");
    }
    if users.len() > PEOPLE_MAX {
        return bad("too.many.people", "too many people");
    }
    for user in users {
        let chat = push::direct_conversation(&app, user);
        show(world, &app, chat, &form, "oto");
    }
    let answer = json!({"processQueryKey": fresh_id(world.entropy, ""), "invalidStaffIdList": [],
        "flowControlledStaffIdList": []});
    Answer::json(StatusCode::OK, &answer)
}

/// `groupMessages/send`.
pub(super) fn to_group(world: &mut World<'_>, incoming: &Incoming, _: Option<&Fault>) -> Answer {
    let (app, body, form) = match checked(world, incoming) {
        Ok(checked) => checked,
        Err(refused) => return refused,
    };
    let Some(chat) = body["openConversationId"].as_str().filter(|chat| !chat.is_empty()) else {
        return bad("miss.openConversationId", "openConversationId is required");
    };
    if world.state.dingtalk.groups.get(&of_app(&app, chat)).is_none() {
        return bad("invalid.openConversationId", "the robot is in no such group");
    }
    show(world, &app, chat.to_owned(), &form, "group");
    Answer::json(StatusCode::OK, &json!({"processQueryKey": fresh_id(world.entropy, "")}))
}

fn show(world: &mut World<'_>, app: &str, chat: String, form: &forms::Form, by: &'static str) {
    let at = world.now;
    world.show(Sent {
        platform: "dingtalk",
        app: app.to_owned(),
        chat,
        in_reply_to: None,
        form: form.form.clone(),
        text: form.text.clone(),
        at,
        key: None,
        by,
    });
}
