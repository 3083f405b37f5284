//! A pretend Feishu and DingTalk, small and quick: what they hold, what they take, what they show.
//!
//! They understand just enough of the two wire forms that the real crates can speak to them.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use transport::{OutRequest, OutResponse};

use crate::{plan::Side, sim::State};

/// How long a token is good, in milliseconds.
const TOKEN_LIFE: i64 = 7_200_000;

/// How long a session webhook is good.
pub(crate) const SESSION_LIFE: i64 = 5_400_000;

/// How long Feishu drops a second send under one `uuid`.
const KEY_WINDOW: i64 = 3_600_000;

/// What both platforms hold.
#[derive(Default)]
pub(crate) struct Platforms {
    tokens: BTreeMap<String, i64>,
    issued: u32,
    /// Feishu: when each key was first used.
    keys: BTreeMap<String, i64>,
    /// Model calls so far; each answer names its number.
    pub(crate) asked: u32,
}

impl Platforms {
    /// Ends every token that was given out.
    pub(crate) fn end_tokens(&mut self) {
        self.tokens.clear();
    }

    fn issue(&mut self, now: i64) -> String {
        self.issued += 1;
        let token = format!("token-{}", self.issued);
        self.tokens.insert(token.clone(), now + TOKEN_LIFE);
        token
    }

    fn takes(&self, token: &str, now: i64) -> bool {
        self.tokens.get(token).is_some_and(|ends| *ends > now)
    }
}

/// What a call is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    Token(Side),
    Identity,
    /// Beside a message of this id.
    Reply(String),
    /// Into a session, named by `room.number`.
    Session(String),
    /// To a person or a group over the API.
    Api,
    Model,
}

impl Purpose {
    pub(crate) fn of(request: &OutRequest) -> Self {
        let path = request.url.path();
        if request.url.host_str().is_some_and(|host| host.ends_with("model.test")) {
            return Self::Model;
        }
        if let Some(reply) = path.strip_suffix("/reply") {
            return Self::Reply(reply.rsplit('/').next().unwrap_or_default().to_owned());
        }
        match path {
            "/open-apis/auth/v3/tenant_access_token/internal" => Self::Token(Side::Feishu),
            "/v1.0/oauth2/accessToken" => Self::Token(Side::DingTalk),
            "/open-apis/bot/v3/info" => Self::Identity,
            "/robot/sendBySession" => {
                let session = request.url.query_pairs().find(|(name, _)| name == "session");
                Self::Session(session.map(|(_, value)| value.into_owned()).unwrap_or_default())
            }
            _ => Self::Api,
        }
    }

    pub(crate) const fn is_send(&self) -> bool {
        matches!(self, Self::Reply(_) | Self::Session(_) | Self::Api)
    }
}

/// Carries a call of a platform out, as if nothing were wrong.
pub(crate) fn serve(state: &mut State, purpose: &Purpose, request: &OutRequest) -> OutResponse {
    let now = state.now;
    match purpose {
        Purpose::Token(Side::Feishu) => {
            let token = state.platforms.issue(now);
            answer(200, &json!({"code": 0, "tenant_access_token": token, "expire": TOKEN_LIFE / 1000}))
        }
        Purpose::Token(Side::DingTalk) => {
            let token = state.platforms.issue(now);
            answer(200, &json!({"accessToken": token, "expireIn": TOKEN_LIFE / 1000}))
        }
        Purpose::Identity if !state.platforms.takes(bearer(request), now) => ended_feishu(),
        Purpose::Identity => answer(200, &json!({"code": 0, "bot": {"open_id": "ou_bot"}})),
        Purpose::Reply(_) if !state.platforms.takes(bearer(request), now) => ended_feishu(),
        Purpose::Reply(message) => reply(state, message, request),
        Purpose::Session(session) => {
            state.show(request, Some(session));
            answer(200, &json!({"errcode": 0, "errmsg": "ok"}))
        }
        Purpose::Api => api(state, request),
        Purpose::Model => crate::model::answer(state, request),
    }
}

/// What the platform says instead of taking a send.
pub(crate) fn refuse(purpose: &Purpose) -> OutResponse {
    match purpose {
        Purpose::Session(_) => answer(200, &json!({"errcode": 310_000, "errmsg": "keywords not in content"})),
        Purpose::Api => answer(400, &json!({"code": "invalidParameter.robotCode"})),
        Purpose::Reply(_) | Purpose::Token(_) | Purpose::Identity | Purpose::Model => {
            answer(200, &json!({"code": 230_002, "msg": "bot is not in the chat"}))
        }
    }
}

/// The platform asks to come again.
pub(crate) fn postpone(purpose: &Purpose, seconds: u64) -> OutResponse {
    match purpose {
        Purpose::Session(_) if seconds > 20 => answer(200, &json!({"errcode": 130_101})),
        Purpose::Session(_) => answer(200, &json!({"errcode": -1, "errmsg": "system busy"})),
        Purpose::Api if seconds > 20 => answer(400, &json!({"code": "send.too.fast"})),
        Purpose::Api => answer(429, &json!({})),
        Purpose::Reply(_) | Purpose::Token(_) | Purpose::Identity | Purpose::Model => {
            let mut busy = answer(429, &json!({"code": 99_991_400}));
            busy.headers.insert("x-ogw-ratelimit-reset", seconds.into());
            busy
        }
    }
}

pub(crate) fn page(status: u16) -> OutResponse {
    let mut page = answer(status, &Value::Null);
    page.body = Bytes::from_static(b"<html>gateway</html>");
    page
}

pub(crate) fn answer(status: u16, body: &Value) -> OutResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    OutResponse { status, headers: HeaderMap::new(), body: body.to_string().into() }
}

fn ended_feishu() -> OutResponse {
    answer(400, &json!({"code": 99_991_663, "msg": "token"}))
}

fn header<'a>(request: &'a OutRequest, name: &str) -> &'a str {
    request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn bearer(request: &OutRequest) -> &str {
    header(request, "authorization").strip_prefix("Bearer ").unwrap_or_default()
}

fn reply(state: &mut State, message: &str, request: &OutRequest) -> OutResponse {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let key = body["uuid"].as_str().unwrap_or_default().to_owned();
    let now = state.now;
    let known = state.platforms.keys.get(&key).is_some_and(|first| now - first < KEY_WINDOW);
    if !known {
        state.platforms.keys.insert(key, now);
        state.show(request, Some(message));
    }
    answer(200, &json!({"code": 0, "data": {"message_id": "om_reply"}}))
}

fn api(state: &mut State, request: &OutRequest) -> OutResponse {
    if !state.platforms.takes(header(request, "x-acs-dingtalk-access-token"), state.now) {
        return answer(400, &json!({"code": "InvalidAuthentication"}));
    }
    state.show(request, None);
    answer(200, &json!({"processQueryKey": "k"}))
}

impl State {
    /// People see this now.
    fn show(&mut self, request: &OutRequest, address: Option<&str>) {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        self.note(&[1, u64::try_from(self.now).unwrap_or(0)]);
        self.note_text(&text);
        if let Some(turn) = self.turn() {
            self.tell(|| format!("people see {text:.300}"));
            self.oracle.shown(&turn, &text, address);
        }
    }
}
