//! Access tokens.

use std::time::Duration;

use platform::{AccessToken, FreshToken, PlatformMessage, TokenError, lenient::Text, refusal::coded};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use transport::{OutRequest, OutResponse};

use crate::{hosts::Hosts, keys::BotKeys, send::shown, wire::Loose};

/// The call that fetches a token. While one is good DingTalk gives the same again, so it is fetched rarely and shared.
pub(crate) fn request(hosts: &Hosts, keys: &BotKeys) -> OutRequest {
    let body = json!({"appKey": keys.client_id, "appSecret": keys.client_secret.expose_secret()});
    OutRequest::post_json(hosts.api("/v1.0/oauth2/accessToken"), body.to_string())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    access_token: Option<String>,
    expire_in: Option<Loose>,
    code: Option<Loose>,
    #[serde(borrow, default)]
    message: Text<'a>,
}

/// Reads the answer to [`request`].
pub(crate) fn read(response: &OutResponse) -> Result<FreshToken, TokenError> {
    let unavailable = |what: &str| TokenError::Unavailable(what.to_owned());
    let answer: Answer<'_> =
        serde_json::from_slice(&response.body).map_err(|_| unavailable(response.status.as_str()))?;
    if !response.status.is_success() {
        let code = answer.code.as_ref().map(Loose::text).unwrap_or_default();
        let said = coded(&shown(&code), &PlatformMessage::new(answer.message.0).sanitised(&[]));
        return Err(match code.as_str() {
            "invalidClientIdOrSecret" => TokenError::Refused(said),
            "" => unavailable(response.status.as_str()),
            _ => TokenError::Unavailable(said),
        });
    }
    let token =
        answer.access_token.filter(|token| !token.is_empty()).ok_or_else(|| unavailable("no accessToken"))?;
    let seconds =
        answer.expire_in.as_ref().and_then(Loose::number).and_then(|seconds| u64::try_from(seconds).ok());
    let lifetime = seconds.map(Duration::from_secs).ok_or_else(|| unavailable("no expireIn"))?;
    Ok(FreshToken { token: AccessToken(SecretString::from(token)), lifetime })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static str) -> Result<FreshToken, TokenError> {
        let status = http::StatusCode::from_u16(status).unwrap();
        read(&OutResponse { status, headers: http::HeaderMap::new(), body: body.into() })
    }

    #[test]
    fn a_token_comes_with_its_lifetime() {
        let fresh = answer(200, r#"{"accessToken":"a","expireIn":7200}"#).unwrap();
        assert_eq!(fresh.token.0.expose_secret(), "a");
        assert_eq!(fresh.lifetime, Duration::from_secs(7200));
    }

    #[test]
    fn only_wrong_keys_are_a_refusal() {
        let refused = |status, body| match answer(status, body).map(|_| ()).unwrap_err() {
            TokenError::Refused(code) => Some(code),
            TokenError::Unavailable(_) => None,
        };
        let wrong = r#"{"code":"invalidClientIdOrSecret","message":"m"}"#;
        assert_eq!(refused(400, wrong).as_deref(), Some("invalidClientIdOrSecret: m"));
        for (status, body) in [
            (403, r#"{"code":"Forbidden.AccessDenied.QpsLimitForApi"}"#),
            (500, "<html>"),
            (500, "{}"),
            (200, "{}"),
            (200, r#"{"accessToken":"","expireIn":7200}"#),
            (200, r#"{"accessToken":"a"}"#),
            (200, r#"{"accessToken":"a","expireIn":-1}"#),
        ] {
            assert_eq!(refused(status, body), None, "{status} {body}");
        }
    }
}
