//! Custom group robots: a token in the query, and a signature.

use std::{collections::VecDeque, time::Duration};

use chat::Timestamp;

use super::{errcode, forms, of_app, session};
use crate::{
    Fault, Sent,
    answer::Answer,
    core::{Incoming, World},
    crypto::dingtalk_sign,
};

/// How far a signed timestamp may be from now.
const SIGN_WINDOW: Duration = Duration::from_secs(3600);

/// Messages a minute.
const PACE: usize = 20;

/// For how long a robot is blocked that was too fast.
const BLOCK: Duration = Duration::from_secs(600);

/// A registered custom robot.
pub(crate) struct Robot {
    secret: String,
    times: VecDeque<Timestamp>,
    blocked_until: Timestamp,
}

pub(crate) fn add(world: &mut World<'_>, access_token: &str, secret: &str) {
    let blocked_until = Timestamp::from_millis(i64::MIN);
    let robot = Robot { secret: secret.to_owned(), times: VecDeque::new(), blocked_until };
    world.state.dingtalk.robots.insert(access_token.to_owned(), robot);
}

/// Whether the robot exists and the signature is its own.
pub(super) fn signed(world: &World<'_>, incoming: &Incoming) -> bool {
    check(world, incoming).is_ok()
}

fn check(world: &World<'_>, incoming: &Incoming) -> Result<String, Answer> {
    let token = incoming.query("access_token").unwrap_or_default();
    let robot =
        world.state.dingtalk.robots.get(token).ok_or_else(|| errcode(400_101, "token is not exist"))?;
    let timestamp = incoming.query("timestamp").unwrap_or_default();
    let at = timestamp.parse().map(Timestamp::from_millis);
    if !at.is_ok_and(|at| at.distance(world.now) < SIGN_WINDOW) {
        return Err(errcode(310_000, "invalid timestamp"));
    }
    if incoming.query("sign") != Some(dingtalk_sign(timestamp, &robot.secret).as_str()) {
        return Err(errcode(310_000, "sign not match"));
    }
    Ok(token.to_owned())
}

/// `robot/send`.
pub(super) fn send(world: &mut World<'_>, incoming: &Incoming, _: Option<&Fault>) -> Answer {
    accept(world, incoming).map_or_else(|refused| refused, |()| errcode(0, "ok"))
}

fn accept(world: &mut World<'_>, incoming: &Incoming) -> Result<(), Answer> {
    let body = session::json_body(incoming)?;
    let token = check(world, incoming)?;
    let form = forms::webhook(&body, incoming.body.len()).map_err(|(code, text)| errcode(code, text))?;
    let key = body["msgUuid"].as_str().map(ToOwned::to_owned);
    let again =
        key.as_ref().is_some_and(|key| world.state.dingtalk.uuids.get(&of_app(&token, key)).is_some());
    let Some(form) = form.filter(|_| !again) else { return Ok(()) };
    keep_pace(world, &token)?;
    if let Some(key) = &key {
        world.state.dingtalk.uuids.insert(of_app(&token, key), ());
    }
    let at = world.now;
    world.show(Sent {
        platform: "dingtalk",
        app: token,
        chat: String::new(),
        in_reply_to: None,
        form: form.form,
        text: form.text,
        at,
        key,
        by: "custom_robot",
    });
    Ok(())
}

/// Refuses the message after the twentieth within a minute, and everything for ten minutes from then on.
fn keep_pace(world: &mut World<'_>, token: &str) -> Result<(), Answer> {
    let now = world.now;
    let Some(robot) = world.state.dingtalk.robots.get_mut(token) else { return Ok(()) };
    robot.times.retain(|at| now.since(*at) < Duration::from_secs(60));
    if now >= robot.blocked_until && robot.times.len() >= PACE {
        robot.blocked_until = now.plus(BLOCK);
    }
    if now < robot.blocked_until {
        return Err(errcode(410_100, "send too fast"));
    }
    robot.times.push_back(now);
    Ok(())
}
