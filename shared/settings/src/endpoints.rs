//! The model servers of the file: `[endpoints.NAME]`.

use routing::{Place, Price, Protocol, Streaming, Template};
use toml::{Table, Value};
use url::Url;

use crate::{
    EndpointSettings, KeySource,
    address::{Plain, without_repetition},
    names::{Kind, Names, RefusedKeys},
    reader::{Named, Reader},
    words::words,
};

/// Most tokens that an endpoint may be told to answer with; above what any model gives, so a slip of the keyboard.
const MAX_TOKENS: u32 = 1_000_000;

/// Most tokens that a window may have, for the same reason.
const WINDOW_MOST: u32 = 100_000_000;

/// Fewest tokens that a window may have: with less there is no room for a question and an answer.
const WINDOW_LEAST: u32 = 512;

/// What is found in an address with a part that stands twice.
pub(crate) const REPEATED: &str = "an address with a part of its path twice";

/// The longest opening tag of reasoning, in characters; those of models are half as long.
const REASONING_TAG_CHARS: usize = 64;

/// Names that stand for the route itself wherever a model is chosen.
const RESERVED: [&str; 2] = ["auto", "magpie"];

/// `[endpoints.NAME]`.
pub(crate) fn endpoints(file: &mut Reader<'_, '_>, names: &mut Names) -> Vec<EndpointSettings> {
    let tables = file.tables("endpoints");
    tables
        .into_iter()
        .filter_map(|Named { name, is_slug, table }| {
            known(name, table, names);
            let reader = file.inner(&format!("endpoints.{name}"), table);
            let at = reader.at("key");
            let (key, endpoint) = endpoint(name, reader);
            let endpoint = endpoint.filter(|_| is_slug);
            if let (Some(source), None) = (key, &endpoint) {
                names.refused.push(RefusedKeys { at, source, platform: None, base_url: None });
            }
            endpoint
        })
        .collect()
}

/// Notes the names that this endpoint gives, whatever may be wrong with the rest of it.
fn known(name: &str, table: &Table, names: &mut Names) {
    names.is_there(Kind::Endpoint, name);
    names.is_there(Kind::Model, name);
    if let Some(model) = table.get("model").and_then(Value::as_str) {
        names.is_there(Kind::Model, model.trim());
    }
}

/// What is configured of an endpoint: its key, and the endpoint if nothing that it must have is wrong.
fn endpoint(name: &str, mut reader: Reader<'_, '_>) -> (Option<KeySource>, Option<EndpointSettings>) {
    if RESERVED.contains(&name) {
        reader.mistake_here("a name that stands for the route itself", "another name");
    }
    let places = words(Place::ALL, Place::as_str);
    let place =
        reader.required("place", &places).and_then(|text| reader.word::<Place>("place", text, &places));
    let url = reader
        .required("url", "the whole address to call, for example `http://localhost:8000/v1/chat/completions`")
        .and_then(|text| reader.url("url", text, Plain::Allowed))
        .filter(|url| !repeats(&mut reader, url));
    let protocol = protocol(&mut reader, url.as_ref());
    let model =
        reader.required("model", "the name of the model to ask for").map(|text| text.trim().to_owned());
    let key = reader.reference("key", false);
    let max_tokens = reader.whole("max_tokens", 1..=MAX_TOKENS);
    let template = template(&mut reader, protocol);
    let window = reader.whole("window", WINDOW_LEAST..=WINDOW_MOST);
    let weight = reader.whole("weight", 0..=1000);
    let concurrency = reader.whole("concurrency", 1..=10_000);
    let vision = reader.boolean("vision");
    let streamings = words(Streaming::ALL, Streaming::as_str);
    let streaming =
        reader.text("stream", &streamings).and_then(|text| reader.word("stream", text, &streamings));
    let reasoning_tags = reasoning_tags(&mut reader);
    let price = price(&mut reader);
    reader.finish();
    let new = place.zip(url).zip(protocol.zip(model));
    let new =
        new.map(|((place, url), (protocol, model))| EndpointSettings::new(name, place, url, protocol, model));
    let endpoint = new.map(|new| EndpointSettings {
        key: key.clone(),
        max_tokens,
        template,
        window,
        weight: weight.unwrap_or(new.weight),
        concurrency,
        vision: vision.unwrap_or(new.vision),
        streaming: streaming.unwrap_or(new.streaming),
        reasoning_tags,
        price,
        ..new
    });
    (key, endpoint)
}

/// Notes a part of the address that stands twice.
fn repeats(reader: &mut Reader<'_, '_>, url: &Url) -> bool {
    let Some(meant) = without_repetition(url) else { return false };
    reader.mistake("url", REPEATED, format!("probably `{meant}`"));
    true
}

/// Opening marks of reasoning: bare names or whole marks.
fn reasoning_tags(reader: &mut Reader<'_, '_>) -> Vec<String> {
    let wanted = "a list of opening tags, for example `[\"<plan>\"]`";
    let tags = reader.texts("reasoning_tags", wanted).unwrap_or_default();
    let is_tag = |tag: &str| {
        tag.chars().count() <= REASONING_TAG_CHARS
            && tag.chars().any(char::is_alphanumeric)
            && !tag.contains(char::is_whitespace)
    };
    if let Some(wrong) = tags.iter().find(|tag| !is_tag(tag)) {
        reader.mistake("reasoning_tags", format!("`{wrong}`"), wanted);
    }
    tags.into_iter().map(str::to_owned).collect()
}

/// What a million tokens cost. Both halves must be said: one that is forgotten would count as free.
fn price(reader: &mut Reader<'_, '_>) -> Option<Price> {
    let table = reader.table("price")?;
    let mut reader = reader.inner("price", table);
    let [prompt, completion] = ["prompt", "completion"].map(|key| reader.required_money(key));
    reader.finish();
    Some(Price { prompt: prompt?, completion: completion? })
}

/// What an endpoint can speak; part of every mistake about it.
fn protocols() -> String {
    let spoken: Vec<_> = Protocol::ALL.iter().copied().filter(|one| *one != Protocol::Echo).collect();
    words(&spoken, Protocol::as_str)
}

/// The protocol that is configured, else the one that the URL's path tells.
fn protocol(reader: &mut Reader<'_, '_>, url: Option<&Url>) -> Option<Protocol> {
    let protocols = protocols();
    if reader.has("protocol") {
        let text = reader.text("protocol", &protocols)?;
        let protocol = reader.word("protocol", text, &protocols)?;
        if protocol == Protocol::Echo {
            reader.mistake("protocol", "`echo`, which is built in and needs no endpoint", protocols);
            return None;
        }
        return Some(protocol);
    }
    // Asked for without being there, so that it is among the keys that a mistake suggests.
    reader.text("protocol", &protocols);
    let url = url?;
    let protocol = Protocol::of_url(url);
    if protocol.is_none() {
        let (found, wanted) = unclear_protocol(url);
        reader.mistake("url", found, format!("{wanted}, or a `protocol` beside it: {protocols}"));
    }
    protocol
}

/// The template that is configured. With another protocol than the one that has use for it, it would do nothing, so it is
/// a mistake.
fn template(reader: &mut Reader<'_, '_>, protocol: Option<Protocol>) -> Template {
    let templates = words(Template::ALL, Template::as_str);
    let text = reader.text("template", &templates);
    let template = text.and_then(|text| reader.word("template", text, &templates));
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
