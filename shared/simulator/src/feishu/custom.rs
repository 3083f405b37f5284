//! Custom bots of groups: an id in the path, and a signature in the body.

use std::{collections::VecDeque, time::Duration};

use chat::Timestamp;
use http::StatusCode;
use serde_json::{Value, json};

use super::{answer, content};
use crate::{
    Fault, Sent,
    answer::Answer,
    core::{Incoming, World},
    crypto::feishu_custom_sign,
};

/// How far a signed timestamp may be from now.
const SIGN_WINDOW: Duration = Duration::from_secs(3600);

/// The largest request: 20 KB.
const BODY_MAX: usize = 20 * 1024;

/// How many messages a bot may send in how long.
const PACES: [(usize, Duration); 2] = [(5, Duration::from_secs(1)), (100, Duration::from_secs(60))];

/// A registered custom bot.
pub(crate) struct Bot {
    secret: String,
    keyword: Option<String>,
    times: VecDeque<Timestamp>,
}

pub(crate) fn add(world: &mut World<'_>, id: &str, secret: &str, keyword: Option<&str>) {
    let bot = Bot { secret: secret.to_owned(), keyword: keyword.map(str::to_owned), times: VecDeque::new() };
    world.state.feishu.custom_bots.insert(id.to_owned(), bot);
}

/// Whether the bot exists and the signature is its own.
pub(super) fn signed(world: &World<'_>, incoming: &Incoming) -> bool {
    let body: Value = serde_json::from_slice(&incoming.body).unwrap_or_default();
    check(world, incoming, &body).is_ok()
}

fn refused(code: i64, message: &str) -> Answer {
    let status = if matches!(code, 9499 | 11_232) { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    answer(status, &json!({"code": code, "msg": message, "data": {}}))
}

fn check(world: &World<'_>, incoming: &Incoming, body: &Value) -> Result<(), Answer> {
    let bot = world
        .state
        .feishu
        .custom_bots
        .get(&incoming.id)
        .ok_or_else(|| refused(19_001, "param invalid: incoming webhook access token invalid"))?;
    let timestamp = body["timestamp"].as_str().unwrap_or_default();
    let at = timestamp.parse().map(|seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1000)));
    let in_time = at.is_ok_and(|at| at.distance(world.now) < SIGN_WINDOW);
    if !in_time || body["sign"].as_str() != Some(feishu_custom_sign(timestamp, &bot.secret).as_str()) {
        let message = "sign match fail or timestamp is not within one hour from current time";
        return Err(refused(19_021, message));
    }
    Ok(())
}

/// `bot/v2/hook/{id}`.
pub(super) fn send(world: &mut World<'_>, incoming: &Incoming, _: Option<&Fault>) -> Answer {
    accept(world, incoming).map_or_else(
        |refused| refused,
        |()| {
            let done =
                json!({"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"});
            answer(StatusCode::OK, &done)
        },
    )
}

fn accept(world: &mut World<'_>, incoming: &Incoming) -> Result<(), Answer> {
    let too_large = incoming.body.len() > BODY_MAX;
    let body: Value = serde_json::from_slice(&incoming.body)
        .ok()
        .filter(|_| !too_large)
        .ok_or_else(|| refused(9499, "Bad Request"))?;
    check(world, incoming, &body)?;
    let form = body["msg_type"].as_str().ok_or_else(|| refused(19_002, "params error, msg_type need"))?;
    let held = if form == "interactive" { &body["card"] } else { &body["content"] };
    // Here the content is an object, and a post's languages stand one level deeper.
    let held = if form == "post" { &held["post"] } else { held };
    if !held.is_object() {
        return Err(refused(19_002, "params error, content need"));
    }
    let plain = json!({"msg_type": form, "content": held.to_string()});
    let text = content::read(&plain, incoming.body.len()).map_err(|_| refused(19_002, "params error"))?.text;
    let now = world.now;
    let Some(bot) = world.state.feishu.custom_bots.get_mut(&incoming.id) else { return Ok(()) };
    if bot.keyword.as_ref().is_some_and(|keyword| !text.contains(keyword)) {
        return Err(refused(19_024, "Key Words Not Found"));
    }
    for (most, within) in PACES {
        if bot.times.iter().filter(|at| now.since(**at) < within).count() >= most {
            return Err(refused(11_232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"));
        }
    }
    bot.times.push_back(now);
    if bot.times.len() > PACES[1].0 {
        bot.times.pop_front();
    }
    world.show(Sent {
        platform: "feishu",
        app: incoming.id.clone(),
        chat: String::new(),
        in_reply_to: None,
        form: form.to_owned(),
        text,
        at: now,
        key: None,
        by: "custom_bot",
    });
    Ok(())
}
