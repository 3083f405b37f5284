//! The pretend Feishu: its state, its routes, and how it refuses.

mod api;
mod content;
pub(crate) mod custom;
mod edit;
pub(crate) mod push;
mod token;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use axum::routing::MethodFilter;
use chat::Timestamp;
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    FeishuApp, Target,
    answer::Answer,
    bounded::Bounded,
    core::{Endpoint, Incoming, Route, World},
};

/// The one tenant that all apps are in.
const TENANT: &str = "simulated";

/// A registered app.
struct App {
    config: FeishuApp,
    /// The bot's own id: what a mention of it carries and what `bot/v3/info` says.
    open_id: String,
    tokens: Vec<Token>,
}

struct Token {
    value: String,
    expires: Timestamp,
}

/// A message in a chat, by a person or by an app.
struct Message {
    app: String,
    chat: String,
    thread: Option<String>,
    root: Option<String>,
    /// The message it is the reply to.
    answers: Option<String>,
    /// Whether the app sent it, and so may change it.
    own: bool,
    recalled: bool,
    edits: u32,
    /// What the API says of it.
    view: Value,
}

/// What Feishu knows.
pub(crate) struct State {
    apps: BTreeMap<String, App>,
    messages: Bounded<Message>,
    /// Root message of each thread.
    threads: Bounded<String>,
    /// Which `app/chat` pairs exist: the chats that a bot is in.
    chats: Bounded<()>,
    /// Message of each `app/uuid` and when it was sent.
    uuids: Bounded<(Timestamp, String)>,
    /// Custom bots by the id in their address.
    custom_bots: BTreeMap<String, custom::Bot>,
    /// When each chat got its latest messages.
    pace: Bounded<VecDeque<Timestamp>>,
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            apps: BTreeMap::new(),
            messages: Bounded::new(16_384),
            threads: Bounded::new(4096),
            chats: Bounded::new(16_384),
            // An hour's worth at eighteen messages a second.
            uuids: Bounded::new(65_536),
            custom_bots: BTreeMap::new(),
            pace: Bounded::new(4096),
        }
    }

    pub(crate) fn expire_tokens(&mut self) {
        self.apps.values_mut().for_each(|app| app.tokens.clear());
    }
}

pub(crate) fn routes() -> Vec<Route> {
    let token = Endpoint {
        target: Target::FeishuToken,
        authorized: token::right_secret,
        serve: token::tenant_access_token,
        faulty: true,
    };
    let info = Endpoint { target: Target::FeishuInfo, authorized, serve: token::bot_info, faulty: true };
    let send = |serve| Endpoint { target: Target::FeishuSend, authorized, serve, faulty: true };
    let custom = Endpoint {
        target: Target::FeishuSend,
        authorized: custom::signed,
        serve: custom::send,
        faulty: true,
    };
    vec![
        (MethodFilter::POST, "/open-apis/bot/v2/hook/{id}", custom),
        (MethodFilter::POST, "/open-apis/auth/v3/tenant_access_token/internal", token),
        (MethodFilter::GET, "/open-apis/bot/v3/info", info),
        (MethodFilter::POST, "/open-apis/im/v1/messages", send(api::send)),
        (MethodFilter::POST, "/open-apis/im/v1/messages/{id}/reply", send(api::reply)),
        (MethodFilter::PUT, "/open-apis/im/v1/messages/{id}", send(edit::edit)),
        (MethodFilter::PATCH, "/open-apis/im/v1/messages/{id}", send(edit::update)),
        (MethodFilter::DELETE, "/open-apis/im/v1/messages/{id}", send(edit::recall)),
    ]
}

/// An error with the HTTP status that goes with its code: 429 for the frequency limit, 400 for the general ones, and
/// 200 for those of the messaging API and of the token call.
pub(crate) fn error(code: i64, message: &str) -> Answer {
    let status = match code {
        99_991_400 => StatusCode::TOO_MANY_REQUESTS,
        9499 | 99_990_000..=99_999_999 => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    answer(status, &json!({"code": code, "msg": message}))
}

fn answer(status: StatusCode, body: &Value) -> Answer {
    Answer::json(status, body).header("x-tt-logid", "202311150000000000000000000000SIM")
}

fn authorized(world: &World<'_>, incoming: &Incoming) -> bool {
    caller(world, incoming).is_ok()
}

/// Which app calls, by its token.
fn caller(world: &World<'_>, incoming: &Incoming) -> Result<String, Answer> {
    let Some(given) = incoming.bearer().filter(|token| !token.is_empty()) else {
        return Err(error(99_991_661, "Missing access token for authorization."));
    };
    let alive = |app: &App| app.tokens.iter().any(|token| token.value == given && token.expires > world.now);
    let app = world.state.feishu.apps.values().find(|app| alive(app));
    app.map(|app| app.config.app_id.clone())
        .ok_or_else(|| error(99_991_663, "Invalid access token for authorization."))
}

/// A key made of an app and something of its own; no `app_id` holds a space.
fn of_app(app: &str, what: &str) -> String {
    format!("{app} {what}")
}

/// How long a token lives: two hours.
const TOKEN_LIFE: Duration = Duration::from_secs(7200);

/// A token with no more than this left is replaced when asked for; until then the same one is handed out.
const TOKEN_RENEWAL: Duration = Duration::from_secs(30 * 60);
