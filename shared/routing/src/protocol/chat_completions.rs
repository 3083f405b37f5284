//! OpenAI's chat completions, as vLLM, Ollama, llama.cpp, LM Studio and most clouds speak it.

use http::HeaderMap;
use serde_json::{Value, json};
use transport::OutRequest;

use super::{
    Decoder, Said,
    wire::{self, Choice, Chunks},
};
use crate::{Endpoint, Failure, Prompt, Role};

/// The call that asks `endpoint` to go on with `prompt`.
#[must_use]
pub fn encode(endpoint: &Endpoint, prompt: &Prompt) -> OutRequest {
    let system = prompt.system.iter().map(|text| json!({ "role": "system", "content": text }));
    let lines = prompt.lines.iter().map(|line| json!({ "role": role(line.role), "content": line.text }));
    let messages: Vec<Value> = system.chain(lines).collect();
    let mut body = json!({
        "model": endpoint.model,
        "messages": messages,
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    wire::sampling(&mut body, endpoint, prompt);
    wire::request(endpoint, &body)
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

/// Reads an answer with these headers.
#[must_use]
pub fn decoder(headers: &HeaderMap) -> Box<dyn Decoder> {
    Box::new(Chunks::new(Message, headers))
}

/// Words are in `delta.content` of a chunk and in `message.content` of a whole answer.
struct Message;

impl Choice for Message {
    fn said(&mut self, choice: &Value, streaming: bool, said: &mut Vec<Said>) -> Result<(), Failure> {
        let Some(message) = choice.get(if streaming { "delta" } else { "message" }) else {
            // A chunk may hold nothing but the reason for the end.
            return if streaming { Ok(()) } else { Err(Failure::Malformed) };
        };
        let words = words(message);
        if !words.is_empty() {
            said.push(Said::Words(words));
        } else if thinks(message) {
            said.push(Said::Thought);
        }
        Ok(())
    }
}

/// Whether there is reasoning in it. `reasoning_content` and `reasoning` are thoughts and no part of the answer.
fn thinks(message: &Value) -> bool {
    let thought = |name| message.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    thought("reasoning_content") || thought("reasoning")
}

/// The words of a message: text, or the text parts of a list. A model's own `refusal` stands where the words would.
fn words(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect()
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            message.get("refusal").and_then(Value::as_str).unwrap_or_default().to_owned()
        }
    }
}

#[cfg(test)]
mod tests;
