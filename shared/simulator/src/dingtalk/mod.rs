//! The pretend DingTalk: its state, its routes, and how it refuses.

mod api;
pub(crate) mod custom;
mod forms;
pub(crate) mod push;
mod session;

use std::collections::BTreeMap;

use axum::routing::MethodFilter;
use chat::Timestamp;
use http::StatusCode;
use serde_json::json;

use crate::{
    DingTalkApp, Target,
    answer::Answer,
    bounded::Bounded,
    core::{Endpoint, Route},
};

/// The one company that all apps are in.
const CORP: &str = "dingsimulated";

/// A registered app robot.
struct App {
    config: DingTalkApp,
    token: Option<(String, Timestamp)>,
}

/// Where a session webhook leads.
struct Session {
    app: String,
    chat: String,
    message: String,
    expires: Timestamp,
}

/// What DingTalk knows.
pub(crate) struct State {
    apps: BTreeMap<String, App>,
    sessions: Bounded<Session>,
    /// Which `app/conversation` pairs are groups that the robot is in.
    groups: Bounded<()>,
    robots: BTreeMap<String, custom::Robot>,
    /// Which `robot/msgUuid` pairs were sent.
    uuids: Bounded<()>,
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            apps: BTreeMap::new(),
            sessions: Bounded::new(16_384),
            groups: Bounded::new(4096),
            robots: BTreeMap::new(),
            uuids: Bounded::new(4096),
        }
    }

    pub(crate) fn expire_tokens(&mut self) {
        self.apps.values_mut().for_each(|app| app.token = None);
    }
}

pub(crate) fn routes() -> Vec<Route> {
    let token = Endpoint {
        target: Target::DingTalkToken,
        authorized: api::right_secret,
        serve: api::access_token,
        faulty: true,
    };
    let send =
        |serve| Endpoint { target: Target::DingTalkSend, authorized: api::authorized, serve, faulty: true };
    let session = Endpoint {
        target: Target::DingTalkSessionWebhook,
        authorized: session::alive,
        serve: session::send,
        faulty: true,
    };
    let robot = Endpoint {
        target: Target::DingTalkCustomRobot,
        authorized: custom::signed,
        serve: custom::send,
        faulty: true,
    };
    vec![
        (MethodFilter::POST, "/v1.0/oauth2/accessToken", token),
        (MethodFilter::POST, "/v1.0/robot/oToMessages/batchSend", send(api::to_people)),
        (MethodFilter::POST, "/v1.0/robot/groupMessages/send", send(api::to_group)),
        (MethodFilter::POST, "/robot/sendBySession", session),
        (MethodFilter::POST, "/robot/send", robot),
    ]
}

/// An error of the v1.0 API.
pub(crate) fn error(status: StatusCode, code: &str, message: &str) -> Answer {
    let request = "00000000-0000-7000-8000-000000000000";
    Answer::json(status, &json!({"code": code, "message": message, "requestid": request}))
}

/// An answer of the older API, which says 200 whatever happened; zero is success.
pub(crate) fn errcode(code: i64, message: &str) -> Answer {
    Answer::json(StatusCode::OK, &json!({"errcode": code, "errmsg": message}))
}

/// A key made of an app and something of its own; no client id holds a space.
fn of_app(app: &str, what: &str) -> String {
    format!("{app} {what}")
}
