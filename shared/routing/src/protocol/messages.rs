//! Anthropic's messages, which Anthropic and several clouds and gateways speak.
//!
//! Source: Anthropic's API reference ("Messages", "Streaming messages", "Errors"). Anthropic keeps no Rust client, and the
//! others bring an HTTP client of their own.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use transport::OutRequest;

use super::{
    Decoder, Finish, Manner, Said,
    course::Course,
    json::{Count, List, Part, Text, object},
    reader::{Grammar, Reader},
    refusal, request,
};
use crate::{Endpoint, Failure, Prompt, Role, ServerError};

/// The edition of the protocol that this is.
const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// The longest answer to ask for when none is configured, in tokens. The protocol wants one, and every model that it
/// serves can answer with as many.
const DEFAULT_MAX_TOKENS: u32 = 4096;

/// The call that asks `endpoint` to go on with `prompt`.
#[must_use]
pub fn encode(endpoint: &Endpoint, prompt: &Prompt, manner: Manner) -> OutRequest {
    let mut body = json!({
        "model": endpoint.model,
        "max_tokens": request::most_tokens(endpoint, prompt).unwrap_or(DEFAULT_MAX_TOKENS),
        "messages": messages(prompt),
        "stream": manner.streams(),
    });
    let system = prompt.system.clone().filter(|text| !text.trim().is_empty());
    request::put(&mut body, "system", system);
    // Temperatures go to 1 here, and to 2 elsewhere.
    let temperature = request::temperature(endpoint, prompt).map(|temperature| temperature.min(1.0));
    request::put(&mut body, "temperature", temperature);
    request::put(&mut body, "top_p", request::top_p(endpoint, prompt));
    let stop = request::stop(prompt).map(|mut stop| {
        // One of nothing but blanks is refused.
        stop.retain(|text| !text.trim().is_empty());
        stop
    });
    request::put(&mut body, "stop_sequences", stop);
    let name = HeaderName::from_static("x-api-key");
    let mut request = request::keyed(endpoint, endpoint.url.clone(), name, request::written(&body));
    request.headers.insert(HeaderName::from_static("anthropic-version"), VERSION);
    request
}

fn messages(prompt: &Prompt) -> Vec<Value> {
    let role = |role| if role == Role::User { "user" } else { "assistant" };
    request::messages(
        prompt,
        |side, content| json!({ "role": role(side), "content": content }),
        // The last answer of the model must not end in blanks, and others need none.
        |text| json!({ "type": "text", "text": text.trim_end() }),
        |picture| {
            let data = request::base64(picture);
            json!({ "type": "image", "source": { "type": "base64", "media_type": picture.media_type, "data": data } })
        },
    )
}

/// Reads an answer with these headers.
#[must_use]
pub fn decoder(headers: &HeaderMap) -> Box<dyn Decoder> {
    Box::new(Reader::new(Messages, headers))
}

struct Messages;

/// One event of a stream. What it is stands in it, so the event's own name is not looked at.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Text<'a>,
    #[serde(borrow, default)]
    message: Part<Message<'a>>,
    #[serde(borrow, default)]
    content_block: Part<Block<'a>>,
    #[serde(borrow, default)]
    delta: Part<Block<'a>>,
    #[serde(default)]
    usage: Part<Usage>,
}

/// The message, still empty at the beginning of a stream, or whole.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    model: Text<'a>,
    #[serde(borrow, default)]
    content: List<Block<'a>>,
    #[serde(borrow, default)]
    stop_reason: Text<'a>,
    #[serde(default)]
    usage: Part<Usage>,
}

/// A block of content, more of one, or the end of all.
#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, default)]
    text: Text<'a>,
    #[serde(borrow, default)]
    thinking: Text<'a>,
    #[serde(rename = "type", borrow, default)]
    kind: Text<'a>,
    #[serde(borrow, default)]
    stop_reason: Text<'a>,
}

/// What was read anew, what was put into the cache, what was found there: a prompt is all three.
#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    input_tokens: Count,
    #[serde(default)]
    cache_creation_input_tokens: Count,
    #[serde(default)]
    cache_read_input_tokens: Count,
    #[serde(default)]
    output_tokens: Count,
}

fn note_usage(usage: &Part<Usage>, course: &mut Course) {
    let Some(usage) = &usage.0 else { return };
    let parts = [usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens];
    let prompt = parts.into_iter().filter_map(|part| part.0).fold(0, u32::saturating_add);
    // The last event counts the prompt anew where gateways only know it then, and else says nothing of it or the same.
    if usage.input_tokens.0.is_some() {
        course.prompt_tokens(Count(Some(prompt)));
    }
    course.answer_tokens(usage.output_tokens);
}

fn note_end(reason: &str, course: &mut Course) -> Result<(), ServerError> {
    match reason {
        "" => {}
        "refusal" => return Err(Failure::ContentFiltered.into()),
        "max_tokens" | "model_context_window_exceeded" => course.finish(Finish::Length),
        // `end_turn`, `stop_sequence`, and `pause_turn` and `tool_use`, which nothing that is asked for brings about.
        _ => course.finish(Finish::Complete),
    }
    Ok(())
}

fn hear(block: &Block<'_>, said: &mut Vec<Said>) {
    if let Some(words) = block.text.words() {
        said.push(Said::Words(words.to_owned()));
    } else if block.thinking.words().is_some()
        || matches!(block.kind.as_str(), "thinking" | "redacted_thinking")
    {
        said.push(Said::Thought);
    }
}

impl Grammar for Messages {
    fn event(&mut self, data: &[u8], course: &mut Course, said: &mut Vec<Said>) -> Result<(), ServerError> {
        let event: Event<'_> = object(data)?;
        match event.kind.as_str() {
            "message_start" => {
                if let Some(message) = &event.message.0 {
                    course.model(message.model.as_str());
                    note_usage(&message.usage, course);
                }
            }
            "content_block_start" => event.content_block.0.iter().for_each(|block| hear(block, said)),
            "content_block_delta" => event.delta.0.iter().for_each(|block| hear(block, said)),
            "message_delta" => {
                note_usage(&event.usage, course);
                let end = event.delta.0.as_ref().map_or("", |delta| delta.stop_reason.as_str());
                note_end(end, course)?;
            }
            "message_stop" => course.over = true,
            "error" => return Err(refusal::told(data)),
            "" => return Err(Failure::Malformed.into()),
            // `ping`, `content_block_stop`, and what is to come: the protocol asks to pass over what is unknown.
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, body: &[u8], course: &mut Course, said: &mut Vec<Said>) -> Result<(), ServerError> {
        let message: Message<'_> = object(body)?;
        let blocks = message.content.0.as_ref().ok_or(Failure::Malformed)?;
        course.model(message.model.as_str());
        note_usage(&message.usage, course);
        blocks.iter().for_each(|block| hear(block, said));
        note_end(message.stop_reason.as_str(), course)
    }
}

#[cfg(test)]
mod tests;
