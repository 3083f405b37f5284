//! Tokens, and who the bot is.

use http::StatusCode;
use serde_json::{Value, json};

use super::{TOKEN_LIFE, TOKEN_RENEWAL, Token, answer, caller, error};
use crate::{
    Fault,
    answer::Answer,
    core::{Incoming, World},
    crypto::fresh_id,
};

fn credentials(incoming: &Incoming) -> Option<(String, String)> {
    let body = incoming.object()?;
    let text = |field: &str| body[field].as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    Some((text("app_id")?, text("app_secret")?))
}

/// Whether this call would get a token.
pub(super) fn right_secret(world: &World<'_>, incoming: &Incoming) -> bool {
    credentials(incoming).is_some_and(|(id, secret)| {
        world.state.feishu.apps.get(&id).is_some_and(|app| app.config.app_secret == secret)
    })
}

/// The token call. With more than 30 minutes left it says the same token; with less a new one, and the old one goes on
/// to its end.
pub(super) fn tenant_access_token(world: &mut World<'_>, incoming: &Incoming, _: Option<&Fault>) -> Answer {
    let Some((id, secret)) = credentials(incoming) else { return error(10_003, "invalid param") };
    let (now, entropy) = (world.now, world.entropy);
    let Some(app) = world.state.feishu.apps.get_mut(&id) else { return error(10_014, "app unavailable") };
    if app.config.app_secret != secret {
        return error(10_015, "app secret invalid");
    }
    app.tokens.retain(|token| token.expires > now);
    if app.tokens.last().is_none_or(|token| token.expires.since(now) <= TOKEN_RENEWAL) {
        app.tokens.push(Token { value: fresh_id(entropy, "t-"), expires: now.plus(TOKEN_LIFE) });
    }
    let (value, expire) = app
        .tokens
        .last()
        .map_or((Value::Null, 0), |t| (t.value.clone().into(), t.expires.since(now).as_secs()));
    let body = json!({"code": 0, "msg": "ok", "tenant_access_token": value, "expire": expire});
    answer(StatusCode::OK, &body)
}

/// Who the bot is.
pub(super) fn bot_info(world: &mut World<'_>, incoming: &Incoming, _: Option<&Fault>) -> Answer {
    let id = match caller(world, incoming) {
        Ok(id) => id,
        Err(refused) => return refused,
    };
    let Some(app) = world.state.feishu.apps.get(&id) else { return error(10_014, "app unavailable") };
    let bot = json!({"activate_status": 2, "app_name": app.config.name, "avatar_url": "", "ip_white_list": [],
        "open_id": app.open_id});
    answer(StatusCode::OK, &json!({"code": 0, "msg": "ok", "bot": bot}))
}
