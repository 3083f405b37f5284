//! The named tables of the file: bots, channels, endpoints.

use std::time::Duration;

use chat::{BotId, PlatformId};
use routing::{Place, Protocol, Template};
use url::Url;

use crate::{BotSettings, ChannelSettings, EndpointSettings, MergeSettings, address::Plain, reader::Reader};

/// Most tokens that an endpoint may be told to answer with; above what any model gives, so a slip of the keyboard.
const MAX_TOKENS: u32 = 1_000_000;

/// What an endpoint can speak; part of every mistake about it.
const PROTOCOLS: &str =
    "`chat_completions`, `completions`, `responses`, `messages`, `ollama`, `converse` or `gemini`";

/// How a conversation can become one text; part of every mistake about it.
const TEMPLATES: &str = "`transcript`, `chatml`, `llama3`, `mistral` or `gemma`";

/// `[bots.NAME]`.
pub(crate) fn bots(file: &mut Reader<'_, '_>, platforms: &[&str]) -> Vec<BotSettings> {
    let mut bots = Vec::new();
    for (bot, table) in file.tables("bots") {
        let mut reader = file.inner(&format!("bots.{bot}"), table);
        let platform = platform(&mut reader, platforms);
        let keys = reader.required_reference("keys", true);
        let base_url = base_url(&mut reader);
        let persona = reader.text("persona", "what the model is told about itself").map(str::to_owned);
        let merge = merge(&mut reader);
        reader.finish();
        if let (Some(platform), Some(keys)) = (platform, keys) {
            bots.push(BotSettings { platform, bot, keys, base_url, persona, merge, models: Vec::new() });
        }
    }
    bots
}

/// How short messages in a row become one turn. A companion without `merge = true` would do nothing, so it is a mistake.
fn merge(reader: &mut Reader<'_, '_>) -> Option<MergeSettings> {
    let default = MergeSettings::default();
    let merges = reader.boolean("merge") == Some(true);
    for key in ["merge_seconds", "merge_messages"] {
        if reader.has(key) && !merges {
            reader.mistake(key, "a value, and no `merge = true`", "`merge = true` beside it, or neither");
        }
    }
    let within = reader.seconds("merge_seconds", 0.1..=10.0).map(Duration::from_secs_f64);
    let most = reader.whole("merge_messages", 2..=20);
    merges.then(|| MergeSettings {
        within: within.unwrap_or(default.within),
        most: most.unwrap_or(default.most),
    })
}

/// `[channels.NAME]`.
pub(crate) fn channels(file: &mut Reader<'_, '_>, platforms: &[&str]) -> Vec<ChannelSettings> {
    let mut channels = Vec::new();
    for (name, table) in file.tables("channels") {
        let mut reader = file.inner(&format!("channels.{name}"), table);
        let platform = platform(&mut reader, platforms);
        let keys = reader.required_reference("keys", false);
        let base_url = base_url(&mut reader);
        reader.finish();
        if let (Some(platform), Some(keys)) = (platform, keys) {
            channels.push(ChannelSettings { name: name.into(), platform, keys, base_url });
        }
    }
    channels
}

/// `[endpoints.NAME]`.
pub(crate) fn endpoints(file: &mut Reader<'_, '_>) -> Vec<EndpointSettings> {
    let tables = file.tables("endpoints");
    tables
        .into_iter()
        .filter_map(|(name, table)| {
            let reader = file.inner(&format!("endpoints.{name}"), table);
            endpoint(name, reader)
        })
        .collect()
}

fn endpoint(name: BotId, mut reader: Reader<'_, '_>) -> Option<EndpointSettings> {
    let places = "`local` or `cloud`";
    let place = reader.required("place", places).and_then(|text| reader.word::<Place>("place", text, places));
    let url = reader
        .required("url", "the whole address to call, for example `http://localhost:8000/v1/chat/completions`")
        .and_then(|text| reader.url("url", text, Plain::Allowed));
    let protocol = protocol(&mut reader, url.as_ref());
    let model =
        reader.required("model", "the name of the model to ask for").map(|text| text.trim().to_owned());
    let key = reader.reference("key", false);
    let max_tokens = reader.whole("max_tokens", 1..=MAX_TOKENS);
    let template = template(&mut reader, protocol);
    reader.finish();
    Some(EndpointSettings {
        name: name.into(),
        place: place?,
        url: url?,
        protocol: protocol?,
        model: model?,
        key,
        max_tokens,
        template,
    })
}

/// The protocol that is configured, else the one that the URL's path tells.
fn protocol(reader: &mut Reader<'_, '_>, url: Option<&Url>) -> Option<Protocol> {
    if reader.has("protocol") {
        let text = reader.text("protocol", PROTOCOLS)?;
        let protocol = reader.word("protocol", text, PROTOCOLS)?;
        if protocol == Protocol::Echo {
            reader.mistake("protocol", "`echo`, which is built in and needs no endpoint", PROTOCOLS);
            return None;
        }
        return Some(protocol);
    }
    // Asked for without being there, so that it is among the keys that a mistake suggests.
    reader.text("protocol", PROTOCOLS);
    let url = url?;
    let protocol = Protocol::of_url(url);
    if protocol.is_none() {
        let (found, wanted) = unclear_protocol(url);
        reader.mistake("url", found, format!("{wanted}, or a `protocol` beside it: {PROTOCOLS}"));
    }
    protocol
}

/// The template that is configured. With another protocol than the one that has use for it, it would do nothing, so it is
/// a mistake.
fn template(reader: &mut Reader<'_, '_>, protocol: Option<Protocol>) -> Template {
    let text = reader.text("template", TEMPLATES);
    let template = text.and_then(|text| reader.word("template", text, TEMPLATES));
    if let Some(other) = protocol.filter(|&protocol| text.is_some() && protocol != Protocol::Completions) {
        let found = format!("a template, and the protocol `{}`, which has use for none", other.as_str());
        reader.mistake("template", found, "a template beside the protocol `completions`, or none");
    }
    template.unwrap_or(Template::Transcript)
}

/// What to say of an address whose path tells no protocol: what was found, and the address that was probably meant.
pub(crate) fn unclear_protocol(url: &Url) -> (String, String) {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    let mut meant = shown.clone();
    let path = url.path().trim_end_matches('/');
    let base = if path.is_empty() { "/v1" } else { path };
    meant.set_path(&format!("{base}/chat/completions"));
    (format!("`{shown}`, whose path tells no protocol"), format!("the whole address, for example `{meant}`"))
}

fn platform(reader: &mut Reader<'_, '_>, platforms: &[&str]) -> Option<PlatformId> {
    let known: Vec<_> = platforms.iter().map(|name| format!("`{name}`")).collect();
    let wanted = format!("one of {}", known.join(", "));
    let text = reader.required("platform", &wanted)?.trim();
    let platform = PlatformId::parse(text).ok().filter(|_| platforms.contains(&text));
    if platform.is_none() {
        reader.mistake("platform", format!("`{text}`"), wanted);
    }
    platform
}

fn base_url(reader: &mut Reader<'_, '_>) -> Option<Url> {
    let text = reader.text("base_url", "the address of the platform's API")?;
    reader.url("base_url", text, Plain::Loopback)
}
