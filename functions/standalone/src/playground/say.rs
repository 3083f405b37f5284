//! A message from the page.

use axum::{Json, extract::State, http::StatusCode};
use bytes::Bytes;
use chat::{Clock as _, TurnKey};
use host::SystemClock;
use http::{HeaderMap, HeaderName, HeaderValue};
use platform::{Event, Moment, RawRequest};
use serde::{Deserialize, Serialize};
use simulator::{ChatPlace, Say, SayForm, Webhook};
use std::time::Duration;
use transport::{Limits, OutRequest};
use url::Url;

use super::Playground;

/// What the webhook's own answer may take. Longer than any platform would wait.
const LIMITS: Limits = Limits { total: Duration::from_secs(10), bytes: 64 * 1024 };

/// What the page posts.
#[derive(Deserialize)]
pub(super) struct Said {
    platform: String,
    bot: String,
    chat: Where,
    #[serde(default)]
    group: String,
    user: String,
    #[serde(default)]
    name: String,
    text: String,
    #[serde(default)]
    mention: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Where {
    Direct,
    Group,
}

/// What the webhook answered.
#[derive(Serialize)]
pub(super) struct Answered {
    /// The turn that the message starts; none when the bot is not spoken to.
    turn: Option<TurnKey>,
    message_id: String,
    status: u16,
    millis: u64,
    body: String,
}

/// `POST /playground/say`: has the simulator make the platform's webhook, and delivers it over HTTP as the platform
/// would.
pub(super) async fn say(
    State(playground): State<Playground>,
    Json(said): Json<Said>,
) -> Result<Json<Answered>, StatusCode> {
    let now = SystemClock.now();
    let bot = playground.bots.find(&said.platform, &said.bot, now).await.ok_or(StatusCode::NOT_FOUND)?;
    let app = playground.demo.app(&said.bot).ok_or(StatusCode::CONFLICT)?;
    let webhook = webhook(&playground, app, &said).ok_or(StatusCode::UNPROCESSABLE_ENTITY)?;
    let path = format!("/webhook/{}/{}", said.platform, said.bot);
    let mut url = playground.base.join(&path).map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?;
    url.set_query(Some(webhook.query.as_str()).filter(|query| !query.is_empty()));
    let headers = headers(&webhook);
    let raw = raw(&url, &headers, &webhook);
    let moment = Moment { bot: bot.settings.bot.clone(), now, nonce: [0; 16] };
    let heard = bot.platform.verify(&raw, now).and_then(|event| bot.platform.parse(event, &moment));
    let turn = heard.ok().and_then(|heard| match heard.event {
        Event::Message(message) => Some(message.turn()),
        Event::Handshake | Event::Ignored(_) => None,
    });
    let request = OutRequest { headers, ..OutRequest::post_json(url, webhook.body) };
    let answer = playground.transport.call(request, LIMITS).await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    Ok(Json(Answered {
        turn,
        message_id: webhook.message_id,
        status: answer.status.as_u16(),
        millis: SystemClock.now().millis_since(now),
        body: String::from_utf8_lossy(&answer.body).into_owned(),
    }))
}

fn webhook(playground: &Playground, app: &str, said: &Said) -> Option<Webhook> {
    let say = Say {
        chat: match said.chat {
            Where::Direct => ChatPlace::Direct,
            Where::Group => ChatPlace::Group { id: said.group.clone() },
        },
        name: if said.name.is_empty() { said.user.clone() } else { said.name.clone() },
        user: said.user.clone(),
        text: said.text.clone(),
        // Alone with the bot nobody mentions it.
        mention_bot: said.mention && matches!(said.chat, Where::Group),
        thread: None,
        form: SayForm::Text,
        from_bot: false,
    };
    if said.platform == "feishu" {
        return playground.simulator.feishu_message(app, &say);
    }
    let base = playground.base.join("/simulator/dingtalk").ok()?;
    playground.simulator.dingtalk_message(app, &say, &base)
}

fn headers(webhook: &Webhook) -> HeaderMap {
    let pairs = webhook.headers.iter().filter_map(|(name, value)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
    });
    pairs.collect()
}

fn raw(url: &Url, headers: &HeaderMap, webhook: &Webhook) -> RawRequest {
    let query = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    RawRequest { headers: headers.clone(), query, body: Bytes::from(webhook.body.clone()) }
}
