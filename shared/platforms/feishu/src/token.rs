//! Access tokens, and the bot's own id.

use std::time::Duration;

use chat::UserId;
use http::StatusCode;
use platform::{AccessToken, FreshToken, PlatformMessage, TokenError, lenient::Text, refusal::coded};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use transport::{OutRequest, OutResponse};

use crate::{
    json::{self, NotThat},
    keys::{Api, App},
    send::bearer,
};

/// Codes that only an operator can mend: bad parameter, app not available, wrong secret, address not on the app's
/// list, app stopped or not installed, scope not granted.
const REFUSING: [i64; 7] = [10_003, 10_014, 10_015, 99_991_401, 99_991_662, 99_991_672, 99_991_673];

#[derive(Serialize)]
struct Request<'a> {
    app_id: &'a str,
    app_secret: &'a str,
}

#[derive(Deserialize)]
struct Answer<'a> {
    code: i64,
    #[serde(borrow, default)]
    msg: Text<'a>,
    tenant_access_token: Option<String>,
    /// Seconds.
    expire: Option<u64>,
}

/// `POST /open-apis/auth/v3/tenant_access_token/internal`
pub(crate) fn request(api: &Api, app: &App) -> OutRequest {
    let body = Request { app_id: app.id.expose_secret(), app_secret: app.secret.expose_secret() };
    // Two texts cannot fail to become JSON.
    let body = serde_json::to_vec(&body).unwrap_or_default();
    OutRequest::post_json(api.url(&["auth", "v3", "tenant_access_token", "internal"]), body)
}

pub(crate) fn answer(answer: &OutResponse) -> Result<FreshToken, TokenError> {
    let read: Answer<'_> = json::object(&answer.body).map_err(|NotThat| unreadable(answer.status))?;
    check(read.code, read.msg)?;
    match (read.tenant_access_token, read.expire) {
        (Some(token), Some(seconds)) if !token.is_empty() => Ok(FreshToken {
            token: AccessToken(SecretString::from(token)),
            lifetime: Duration::from_secs(seconds),
        }),
        _ => Err(unreadable(answer.status)),
    }
}

/// `GET /open-apis/bot/v3/info`
pub(crate) fn identity_request(api: &Api, token: &AccessToken) -> OutRequest {
    bearer(OutRequest::get(api.url(&["bot", "v3", "info"])), token)
}

/// The bot is beside the code, unlike everywhere else; `data` is looked into all the same.
#[derive(Deserialize)]
struct Identity<'a> {
    code: i64,
    #[serde(borrow, default)]
    msg: Text<'a>,
    bot: Option<Bot>,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    bot: Option<Bot>,
}

#[derive(Deserialize)]
struct Bot {
    open_id: String,
}

pub(crate) fn identity(answer: &OutResponse) -> Result<UserId, TokenError> {
    let read: Identity<'_> = json::object(&answer.body).map_err(|NotThat| unreadable(answer.status))?;
    check(read.code, read.msg)?;
    let bot = read.bot.or(read.data.and_then(|data| data.bot));
    bot.and_then(|bot| UserId::parse(bot.open_id).ok()).ok_or_else(|| unreadable(answer.status))
}

/// These calls carry nothing that people wrote, so there is nothing to take out of what Feishu says.
fn check(code: i64, message: Text<'_>) -> Result<(), TokenError> {
    let said = || coded(&code.to_string(), &PlatformMessage::new(message.0).sanitised(&[]));
    match code {
        0 => Ok(()),
        code if REFUSING.contains(&code) => Err(TokenError::Refused(said())),
        _ => Err(TokenError::Unavailable(said())),
    }
}

fn unreadable(status: StatusCode) -> TokenError {
    TokenError::Unavailable(format!("HTTP {}", status.as_u16()))
}
