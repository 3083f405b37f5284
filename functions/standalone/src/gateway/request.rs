//! A request of OpenAI's chat completions, read in one pass: the keys that are honoured, and the names of those that
//! cannot be.

use std::fmt;

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use super::refusal::Refusal;

/// What a program asks.
#[derive(Default)]
pub(crate) struct Request {
    pub(crate) model: Option<String>,
    pub(crate) messages: Vec<Message>,
    pub(crate) stream: bool,
    pub(crate) include_usage: bool,
    pub(crate) temperature: Option<f64>,
    pub(crate) top_p: Option<f64>,
    pub(crate) max_tokens: Option<u32>,
    pub(crate) stop: Vec<String>,
    /// What the program says belongs together; `user` where it says only that.
    pub(crate) cache_key: Option<String>,
    pub(crate) user: Option<String>,
    /// The first key that cannot be honoured.
    refused: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Message {
    pub(crate) role: Role,
    #[serde(default)]
    pub(crate) content: Content,
    tool_calls: Option<Value>,
    function_call: Option<Value>,
    audio: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
    Function,
}

/// What a message says.
#[derive(Default)]
pub(crate) enum Content {
    #[default]
    Nothing,
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
pub(crate) struct Part {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) text: Option<String>,
    pub(crate) image_url: Option<ImageUrl>,
}

#[derive(Deserialize)]
pub(crate) struct ImageUrl {
    pub(crate) url: String,
}

#[derive(Default, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

/// A text or a list of texts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stop {
    One(String),
    Several(Vec<String>),
}

impl Request {
    /// Reads a body.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let mut reading = String::new();
        let mut json = serde_json::Deserializer::from_slice(body);
        let read = Keys { reading: &mut reading }.deserialize(&mut json);
        let request = read.and_then(|request| json.end().map(|()| request)).map_err(|error| {
            if error.is_data() && !reading.is_empty() {
                let message = format!("`{reading}` cannot be read: it must be {}.", wanted(&reading));
                return Refusal::bad("invalid_type", Some(&reading), message);
            }
            let message = format!(
                "The body is not a JSON object such as {{\"messages\": […]}} (line {}, column {}).",
                error.line(),
                error.column()
            );
            Refusal::bad("invalid_json", None, message)
        })?;
        match request.refused() {
            Some(key) => {
                let message = format!("`{key}` cannot be honoured here. Leave it out.");
                Err(Refusal::bad("unsupported_parameter", Some(&key), message))
            }
            None => Ok(request),
        }
    }

    fn refused(&self) -> Option<String> {
        let in_messages = self.messages.iter().find_map(|message| {
            let keys = [
                ("tool_calls", &message.tool_calls),
                ("function_call", &message.function_call),
                ("audio", &message.audio),
            ];
            keys.into_iter().find(|(_, value)| value.as_ref().is_some_and(says_something)).map(|(key, _)| key)
        });
        self.refused.clone().or_else(|| in_messages.map(|key| format!("messages.{key}")))
    }
}

/// What a key must be; part of the refusal of what it is instead.
fn wanted(key: &str) -> &'static str {
    match key {
        "messages" => "a list of messages, each with a `role` and a `content`",
        "model" | "user" | "prompt_cache_key" => "a text",
        "stream" => "true or false",
        "stream_options" => "an object such as {\"include_usage\": true}",
        "temperature" | "top_p" => "a number",
        "max_tokens" | "max_completion_tokens" => "a whole number from 1",
        "stop" => "a text or a list of texts",
        _ => "JSON",
    }
}

/// What changes nothing of an answer, and so is passed over.
fn is_harmless(key: &str) -> bool {
    matches!(
        key,
        "metadata"
            | "seed"
            | "store"
            | "service_tier"
            | "safety_identifier"
            | "parallel_tool_calls"
            | "prompt_cache_retention"
    )
}

/// Whether a value asks for anything but the ordinary.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::String(_) => true,
    }
}

/// Whether this key, which is none that is honoured, asks for nothing but what is done anyway.
fn is_ordinary(key: &str, value: &Value) -> bool {
    match key {
        "n" => *value == 1,
        "frequency_penalty" | "presence_penalty" | "top_logprobs" => value.as_f64() == Some(0.0),
        "response_format" => value["type"] == "text",
        "modalities" => value.as_array().is_some_and(|list| list.iter().all(|word| word == "text")),
        "tool_choice" | "function_call" => *value == "none" || *value == "auto",
        _ => false,
    }
}

/// Reads the keys of a request, and leaves in `reading` the one at which it stopped.
struct Keys<'r> {
    reading: &'r mut String,
}

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = Request;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Request, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = Request;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Request, A::Error> {
        let mut request = Request::default();
        loop {
            self.reading.clear();
            let Some(key) = map.next_key::<String>()? else { return Ok(request) };
            *self.reading = key;
            match self.reading.as_str() {
                "model" => request.model = map.next_value()?,
                "messages" => request.messages = map.next_value()?,
                "stream" => request.stream = map.next_value::<Option<bool>>()?.unwrap_or(false),
                "stream_options" => {
                    let options: Option<StreamOptions> = map.next_value()?;
                    request.include_usage = options.unwrap_or_default().include_usage.unwrap_or(false);
                }
                "temperature" => request.temperature = map.next_value()?,
                "top_p" => request.top_p = map.next_value()?,
                // The newer name has the last word, wherever it stands.
                "max_tokens" => {
                    let older: Option<u32> = map.next_value()?;
                    request.max_tokens = request.max_tokens.or(older);
                }
                "max_completion_tokens" => {
                    let newer: Option<u32> = map.next_value()?;
                    request.max_tokens = newer.or(request.max_tokens);
                }
                "stop" => {
                    request.stop = match map.next_value::<Option<Stop>>()? {
                        None => Vec::new(),
                        Some(Stop::One(text)) => vec![text],
                        Some(Stop::Several(texts)) => texts,
                    }
                }
                "prompt_cache_key" => request.cache_key = map.next_value()?,
                "user" => request.user = map.next_value()?,
                key if is_harmless(key) => drop(map.next_value::<IgnoredAny>()?),
                key => {
                    let value: Value = map.next_value()?;
                    if says_something(&value) && !is_ordinary(key, &value) && request.refused.is_none() {
                        request.refused = Some(key.to_owned());
                    }
                }
            }
        }
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyContent)
    }
}

struct AnyContent;

impl<'de> Visitor<'de> for AnyContent {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of parts")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Nothing)
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = list.next_element()? {
            parts.push(part);
        }
        Ok(Content::Parts(parts))
    }
}

#[cfg(test)]
mod tests;
