//! What the environment may configure: enough to run without a file, and to differ from one.
//!
//! | variable | makes |
//! |---|---|
//! | `LOCAL_ENDPOINT`, `LOCAL_MODEL`, `LOCAL_KEY` | an endpoint named `local` |
//! | `CLOUD_ENDPOINT`, `CLOUD_MODEL`, `CLOUD_KEY` | an endpoint named `cloud` |
//! | `FALLBACK_STRATEGY` | the strategy |
//! | `FEISHU_KEYS`, `DINGTALK_KEYS`, … | a bot named like its platform |
//! | `MAGPIE_LOG_FORMAT` | how standalone writes its log |
//! | `SSL_CERT_FILE`, `SSL_CERT_DIR` | certificate authorities beside the bundled ones |
//!
//! Keys are references, as in the file. Where the file has an entry of the same name, the environment's replaces the
//! whole of it: the file's key never goes to the environment's address. A blank variable counts as unset.

use chat::{BotId, PlatformId};
use routing::{Place, Protocol, Strategy};

use crate::{
    BotSettings, EndpointSettings, Environment, KeySource, LogFormat, Mistakes, Settings,
    address::{Plain, parse_url, without_repetition},
    endpoints::{REPEATED, unclear_protocol},
    environment::filled,
    key_source::FORMS,
    network,
    secrets::variable,
    words::words,
};

/// Puts what the environment configures over what the file does. Says whether there was anything to serve in it.
pub(crate) fn apply(
    settings: &mut Settings,
    env: &dyn Environment,
    platforms: &[&str],
    mistakes: &mut Mistakes,
) -> bool {
    let mut anything = false;
    for (name, place) in [("LOCAL", Place::Local), ("CLOUD", Place::Cloud)] {
        anything |= filled(env, &format!("{name}_ENDPOINT")).is_some();
        if let Some(new) = endpoint(name, place, env, mistakes) {
            replace(&mut settings.endpoints, new, |a, b| a.name == b.name);
        }
    }
    for platform in platforms {
        let name = format!("{}_KEYS", variable(platform));
        let Some(text) = filled(env, &name) else { continue };
        anything = true;
        let keys = reference(&name, &text, mistakes);
        if let (Some(keys), Ok(id), Ok(bot)) = (keys, PlatformId::parse(*platform), BotId::parse(*platform)) {
            let new = BotSettings {
                platform: id,
                bot,
                keys,
                base_url: None,
                persona: None,
                merge: None,
                models: Vec::new(),
            };
            replace(&mut settings.bots, new, |a, b| a.bot == b.bot);
        }
    }
    if let Some(text) = filled(env, "MAGPIE_LOG_FORMAT") {
        match text.parse() {
            Ok(format) => settings.standalone.log_format = format,
            Err(()) => mistakes.push("MAGPIE_LOG_FORMAT", format!("`{text}`"), LogFormat::WORDS),
        }
    }
    network::of_environment(&mut settings.network, env);
    if let Some(text) = filled(env, "FALLBACK_STRATEGY") {
        match text.parse() {
            Ok(strategy) => settings.routing.route.strategy = strategy,
            Err(_) => mistakes.push(
                "FALLBACK_STRATEGY",
                format!("`{text}`"),
                words(Strategy::ALL, Strategy::as_str),
            ),
        }
    }
    anything
}

fn replace<T>(list: &mut Vec<T>, new: T, same: impl Fn(&T, &T) -> bool) {
    match list.iter_mut().find(|old| same(old, &new)) {
        Some(old) => *old = new,
        None => list.push(new),
    }
}

fn endpoint(
    name: &str,
    place: Place,
    env: &dyn Environment,
    mistakes: &mut Mistakes,
) -> Option<EndpointSettings> {
    let [address, model, key] = ["ENDPOINT", "MODEL", "KEY"].map(|part| format!("{name}_{part}"));
    let Some(text) = filled(env, &address) else {
        for lonely in [model, key].iter().filter(|name| filled(env, name).is_some()) {
            mistakes.push(
                lonely,
                format!("a value, and no {address}"),
                format!("both {address} and {lonely}, or neither"),
            );
        }
        return None;
    };
    let key = filled(env, &key).and_then(|text| reference(&key, &text, mistakes));
    let url = parse_url(&text, Plain::Allowed)
        .map_err(|(found, wanted)| mistakes.push(&address, found, wanted))
        .ok()?;
    if let Some(meant) = without_repetition(&url) {
        mistakes.push(&address, REPEATED, format!("probably `{meant}`"));
        return None;
    }
    let Some(protocol) = Protocol::of_url(&url) else {
        let (found, wanted) = unclear_protocol(&url);
        mistakes.push(&address, found, wanted);
        return None;
    };
    let model = filled(env, &model).unwrap_or_default();
    Some(EndpointSettings { key, ..EndpointSettings::new(place.as_str(), place, url, protocol, model) })
}

/// A reference to a secret in a variable. Not `demo`: that is for the example file's bots.
fn reference(name: &str, text: &str, mistakes: &mut Mistakes) -> Option<KeySource> {
    match text.parse() {
        Ok(KeySource::Demo) => mistakes.push(name, "`demo`", FORMS),
        Ok(source) => return Some(source),
        Err(error) => mistakes.push(name, error.to_string(), FORMS),
    }
    None
}
