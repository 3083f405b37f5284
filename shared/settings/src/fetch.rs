//! Keys other than the bots': the model servers', the vault's, and the tokens of programs that ask the gateway.

use std::collections::BTreeMap;

use routing::{Endpoint, protocol::Reasoning};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    EndpointSettings, GatewaySettings, KeySource, Mistakes, SecretError, SecretVersions, Secrets,
    placeholder::is_placeholder,
};

/// What the vault's secret must look like.
const VAULT_WANTED: &str =
    "a JSON object such as {\"2026-11\": \"32 bytes in Base64\"}, no name and no key empty";

/// The shortest token that a program may ask with: below that, trying them all is a matter of patience.
const TOKEN_MIN: usize = 16;

const TOKEN_WANTED: &str = "at least 16 characters that nobody can guess";

fn too_short(token: &KeySource) -> String {
    format!("`{token}`, whose value is too short to be a secret")
}

/// A program's token: its name, and what it must show.
pub type GatewayToken = (String, SecretString);

/// The tokens of the programs that may ask through the gateway. A token is written like an endpoint's key.
///
/// # Errors
///
/// All that is wrong with the tokens of all programs; two programs with one token could not be told apart.
pub async fn gateway_tokens(
    settings: &GatewaySettings,
    secrets: &dyn Secrets,
) -> Result<Vec<GatewayToken>, Mistakes> {
    let mut mistakes = Mistakes::default();
    let mut tokens: Vec<GatewayToken> = Vec::new();
    for program in &settings.tokens {
        let at = program.key();
        let Some(versions) = fetch(&at, &program.token, secrets, &mut mistakes).await else { continue };
        let Some(token) = bearer(&at, &program.token, &versions.current, &mut mistakes) else { continue };
        let shown = token.expose_secret();
        if shown.len() < TOKEN_MIN {
            mistakes.push(at, too_short(&program.token), TOKEN_WANTED);
        } else if let Some((same, _)) = tokens.iter().find(|(_, other)| other.expose_secret() == shown) {
            let found = format!("`{}`, whose value is also the token of `{same}`", program.token);
            mistakes.push(at, found, "a token of its own for each program");
        } else {
            tokens.push((program.program.clone(), token));
        }
    }
    mistakes.unless_any(tokens)
}

/// The token that an operator shows, if one is configured. It is written like an endpoint's key.
///
/// # Errors
///
/// What is wrong with it: it cannot be had, or is too short to be a secret.
pub async fn operator_token(
    source: Option<&KeySource>,
    secrets: &dyn Secrets,
) -> Result<Option<SecretString>, Mistakes> {
    let at = "standalone.operator_token";
    let mut mistakes = Mistakes::default();
    let Some(source) = source else { return Ok(None) };
    let versions = fetch(at, source, secrets, &mut mistakes).await;
    let token = versions.and_then(|versions| bearer(at, source, &versions.current, &mut mistakes));
    if token.as_ref().is_some_and(|token| token.expose_secret().len() < TOKEN_MIN) {
        mistakes.push(at, too_short(source), TOKEN_WANTED);
    }
    mistakes.unless_any(token)
}

/// The endpoints with their keys. A key is plain text, or a JSON object that holds it under `key`.
///
/// # Errors
///
/// All that is wrong with the keys of all endpoints.
pub async fn endpoints(
    settings: &[EndpointSettings],
    secrets: &dyn Secrets,
) -> Result<Vec<Endpoint>, Mistakes> {
    let mut mistakes = Mistakes::default();
    let mut endpoints = Vec::new();
    for settings in settings {
        let key = match &settings.key {
            None => None,
            Some(source) => {
                let at = format!("endpoints.{}.key", settings.name);
                let fetched = fetch(&at, source, secrets, &mut mistakes).await;
                fetched.and_then(|versions| bearer(&at, source, &versions.current, &mut mistakes))
            }
        };
        endpoints.push(endpoint(settings, key));
    }
    mistakes.unless_any(endpoints)
}

fn endpoint(settings: &EndpointSettings, key: Option<SecretString>) -> Endpoint {
    let EndpointSettings { name, place, url, protocol, model, .. } = settings;
    Endpoint {
        key,
        max_tokens: settings.max_tokens,
        template: settings.template,
        window: settings.window,
        weight: settings.weight,
        concurrency: settings.concurrency,
        vision: settings.vision,
        streaming: settings.streaming,
        reasoning: Reasoning::with_tags(&settings.reasoning_tags),
        price: settings.price,
        ..Endpoint::new(name, *place, url.clone(), *protocol, model)
    }
}

/// The vault's keys by name: the one that seals first, then those that only open.
///
/// The secret is a JSON object of names and keys of 32 bytes in Base64. The greatest name seals, so dates make good
/// names. Names that only the previous version of the secret has are added for opening.
///
/// # Errors
///
/// Says what is wrong with the secret, never what is in it.
pub async fn vault_keys(
    source: &KeySource,
    secrets: &dyn Secrets,
) -> Result<Vec<(String, SecretString)>, Mistakes> {
    let mut mistakes = Mistakes::default();
    let Some(versions) = fetch("vault.keys", source, secrets, &mut mistakes).await else {
        return Err(mistakes);
    };
    let Some(mut keys) = named_keys(&versions.current) else {
        mistakes.push(
            "vault.keys",
            format!("`{source}`, whose value is something else (not shown)"),
            VAULT_WANTED,
        );
        return Err(mistakes);
    };
    if keys.iter().any(|(_, key)| is_placeholder(key.expose_secret())) {
        let found = format!("`{source}`, whose value is the placeholder of an example");
        mistakes.push("vault.keys", found, VAULT_WANTED);
        return Err(mistakes);
    }
    let newer: Vec<_> = keys.iter().map(|(name, _)| name.clone()).collect();
    let older = versions.previous.as_ref().and_then(named_keys).unwrap_or_default();
    keys.extend(older.into_iter().filter(|(name, _)| !newer.contains(name)));
    Ok(keys)
}

pub(crate) async fn fetch(
    at: &str,
    source: &KeySource,
    secrets: &dyn Secrets,
    mistakes: &mut Mistakes,
) -> Option<SecretVersions> {
    match secrets.fetch(source).await {
        Ok(versions) => Some(versions),
        Err(SecretError { reference, happened, mend }) => {
            mistakes.push(at, format!("`{reference}`, where {happened}"), mend);
            None
        }
    }
}

/// The key in a secret's text, fit for a header: visible ASCII and no space.
fn bearer(
    at: &str,
    source: &KeySource,
    secret: &SecretString,
    mistakes: &mut Mistakes,
) -> Option<SecretString> {
    let text = secret.expose_secret().trim();
    let key = if text.starts_with('{') {
        let object: Option<BTreeMap<String, serde_json::Value>> = serde_json::from_str(text).ok();
        object.and_then(|object| object.get("key")?.as_str().map(str::to_owned))
    } else {
        Some(text.to_owned())
    };
    if key.as_deref().is_some_and(is_placeholder) {
        mistakes.push(
            at,
            format!("`{source}`, whose value is the placeholder of an example"),
            "the real value",
        );
        return None;
    }
    let key = key.filter(|key| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()));
    if key.is_none() {
        let wanted = "a key in visible ASCII characters, alone or as {\"key\": \"…\"}";
        mistakes.push(at, format!("`{source}`, whose value is something else (not shown)"), wanted);
    }
    key.map(SecretString::from)
}

/// The keys of a JSON object, the greatest name first; `None` unless there is one and none is empty.
fn named_keys(secret: &SecretString) -> Option<Vec<(String, SecretString)>> {
    let object: BTreeMap<String, String> = serde_json::from_str(secret.expose_secret()).ok()?;
    let full = |(name, key): (&String, &String)| !name.is_empty() && !key.trim().is_empty();
    (!object.is_empty() && object.iter().all(full))
        .then(|| object.into_iter().rev().map(|(name, key)| (name, SecretString::from(key))).collect())
}
