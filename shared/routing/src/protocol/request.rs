//! Making calls: what the protocols' requests share.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, header};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::Value;
use transport::OutRequest;
use url::Url;

use super::Parameter;
use crate::{Endpoint, Line, Picture, Prompt, Role};

/// A `POST` of this body to the endpoint, with its key as `Authorization: Bearer`, or as `api-key` for Azure, which takes
/// only a token of its directory as a bearer.
pub(super) fn bearer(endpoint: &Endpoint, url: Url, body: Vec<u8>) -> OutRequest {
    if endpoint.key.as_ref().is_some_and(|key| is_azure(&url) && !is_token(key.expose_secret())) {
        return keyed(endpoint, url, HeaderName::from_static("api-key"), body);
    }
    let request = OutRequest::post_json(url, body);
    match &endpoint.key {
        Some(key) => {
            let bearer = format!("Bearer {}", key.expose_secret());
            request.with_secret_header(header::AUTHORIZATION, &bearer)
        }
        None => request,
    }
}

/// The JSON as bytes. Written at once, and not through a formatter as `to_string` does, because a prompt may be long.
/// Texts and values always serialise; were it to fail, the server would refuse the empty body.
pub(super) fn written(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

/// Whether this is one of Azure's clouds.
fn is_azure(url: &Url) -> bool {
    let domains = [".azure.com", ".azure.cn", ".azure.us"];
    url.host_str().is_some_and(|host| domains.iter().any(|domain| host.ends_with(domain)))
}

/// Whether a key is a token of a directory (a JSON Web Token), which begins with an object in Base64.
fn is_token(key: &str) -> bool {
    key.starts_with("eyJ") && key.split('.').count() == 3
}

/// A `POST` of this body, with the endpoint's key in a header of the provider's own.
pub(super) fn keyed(endpoint: &Endpoint, url: Url, name: HeaderName, body: Vec<u8>) -> OutRequest {
    let request = OutRequest::post_json(url, body);
    match &endpoint.key {
        Some(key) => request.with_secret_header(name, key.expose_secret()),
        None => request,
    }
}

/// The longest answer that both the endpoint and the question allow.
pub(crate) fn most_tokens(endpoint: &Endpoint, prompt: &Prompt) -> Option<u32> {
    match (endpoint.max_tokens, prompt.sampling.max_tokens) {
        (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
        (ours, theirs) => ours.or(theirs),
    }
}

/// The temperature to ask for, unless the server was found not to take one.
pub(super) fn temperature(endpoint: &Endpoint, prompt: &Prompt) -> Option<f64> {
    prompt.sampling.temperature.filter(|_| endpoint.untaken.takes(Parameter::Temperature))
}

/// The share of likely words to ask for, unless the server was found not to take one.
pub(super) fn top_p(endpoint: &Endpoint, prompt: &Prompt) -> Option<f64> {
    prompt.sampling.top_p.filter(|_| endpoint.untaken.takes(Parameter::TopP))
}

/// Puts a value under a name, where there is one.
pub(super) fn put(body: &mut Value, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body[name] = value.into();
    }
}

/// The texts before which the answer ends; absent when there are none.
pub(super) fn stop(prompt: &Prompt) -> Option<Vec<String>> {
    Some(prompt.sampling.stop.clone()).filter(|stop| !stop.is_empty())
}

/// The bytes of a picture in Base64.
pub(super) fn base64(picture: &Picture) -> String {
    STANDARD.encode(&picture.data)
}

/// A picture as a `data:` URL.
pub(super) fn data_url(picture: &Picture) -> String {
    format!("data:{};base64,{}", picture.media_type, base64(picture))
}

/// Lines in a row that one side said.
pub(super) struct Turn<'a> {
    pub(super) role: Role,
    pub(super) lines: Vec<&'a Line>,
}

/// What stands for a first turn of the user where memory begins with the model's words.
pub(super) const BEFORE: &str = "…";

/// The conversation as turns that alternate, for the providers that insist on it. Lines without anything in them are
/// left out, since these providers refuse a message that has them.
pub(super) fn turns(prompt: &Prompt) -> Vec<Turn<'_>> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for line in prompt.lines.iter().filter(|line| !line.text.trim().is_empty() || !line.pictures.is_empty()) {
        match turns.last_mut() {
            Some(turn) if turn.role == line.role => turn.lines.push(line),
            Some(_) | None => turns.push(Turn { role: line.role, lines: vec![line] }),
        }
    }
    turns
}

/// Each turn under the provider's name for its side, in the provider's form for a text and a picture. Where the model's
/// words come first, a turn of the user stands before them: these providers want one there.
pub(super) fn messages(
    prompt: &Prompt,
    message: impl Fn(Role, Vec<Value>) -> Value,
    text: impl Fn(&str) -> Value,
    picture: impl Fn(&Picture) -> Value,
) -> Vec<Value> {
    let turns = turns(prompt);
    let mut messages = Vec::with_capacity(turns.len() + 1);
    if turns.first().is_none_or(|turn| turn.role == Role::Assistant) {
        messages.push(message(Role::User, vec![text(BEFORE)]));
    }
    for turn in turns {
        let mut parts = Vec::new();
        for line in turn.lines {
            parts.extend(line.pictures.iter().map(&picture));
            if !line.text.trim().is_empty() {
                parts.push(text(&line.text));
            }
        }
        messages.push(message(turn.role, parts));
    }
    messages
}

#[cfg(test)]
mod tests;
