//! Ollama's own chat, one line of JSON for every few characters.
//!
//! Source: Ollama's `docs/api.md` ("Generate a chat completion"). It is worth speaking beside OpenAI's protocol because it
//! takes the context length (`num_ctx`), without which Ollama cuts long conversations off at its default, silently.
//! `ollama-rs` brings an HTTP client of its own.

use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use transport::OutRequest;

use super::{
    Decoder, Finish, Manner, Said,
    course::Course,
    json::{Count, Part, Text, There, Truth, object},
    reader::{Grammar, Reader},
    refusal, request,
};
use crate::{Endpoint, Failure, Line, Prompt, Role, ServerError};

/// The call that asks `endpoint` to go on with `prompt`.
#[must_use]
pub fn encode(endpoint: &Endpoint, prompt: &Prompt, manner: Manner) -> OutRequest {
    let system = prompt.system.iter().map(|text| json!({ "role": "system", "content": text }));
    let messages: Vec<Value> = system.chain(prompt.lines.iter().map(message)).collect();
    let mut options = json!({});
    request::put(&mut options, "num_ctx", endpoint.window);
    request::put(&mut options, "num_predict", request::most_tokens(endpoint, prompt));
    request::put(&mut options, "temperature", request::temperature(endpoint, prompt));
    request::put(&mut options, "top_p", request::top_p(endpoint, prompt));
    request::put(&mut options, "stop", request::stop(prompt));
    let mut body = json!({ "model": endpoint.model, "messages": messages, "stream": manner.streams() });
    request::put(&mut body, "options", Some(options).filter(|options| *options != json!({})));
    request::bearer(endpoint, endpoint.url.clone(), request::written(&body))
}

fn message(line: &Line) -> Value {
    let role = match line.role {
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    let mut message = json!({ "role": role, "content": line.text });
    let pictures: Vec<_> = line.pictures.iter().map(request::base64).collect();
    request::put(&mut message, "images", Some(pictures).filter(|pictures| !pictures.is_empty()));
    message
}

/// Reads an answer with these headers.
#[must_use]
pub fn decoder(headers: &HeaderMap) -> Box<dyn Decoder> {
    Box::new(Reader::new(Chat, headers))
}

struct Chat;

/// One line: more of the answer, and with the last the reason for the end and the counts. A whole answer is one line.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    model: Text<'a>,
    #[serde(borrow, default)]
    message: Part<Message<'a>>,
    #[serde(default)]
    done: Truth,
    #[serde(borrow, default)]
    done_reason: Text<'a>,
    #[serde(default)]
    prompt_eval_count: Count,
    #[serde(default)]
    eval_count: Count,
    #[serde(default)]
    error: There,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    content: Text<'a>,
    #[serde(borrow, default)]
    thinking: Text<'a>,
}

impl Grammar for Chat {
    const LINES: bool = true;

    fn event(&mut self, data: &[u8], course: &mut Course, said: &mut Vec<Said>) -> Result<(), ServerError> {
        let chunk: Chunk<'_> = object(data)?;
        if chunk.error.0 {
            return Err(refusal::told(data));
        }
        course.model(chunk.model.as_str());
        if let Some(message) = &chunk.message.0 {
            if let Some(words) = message.content.words() {
                said.push(Said::Words(words.to_owned()));
            } else if message.thinking.words().is_some() {
                said.push(Said::Thought);
            }
        } else if !chunk.done.0 {
            return Err(Failure::Malformed.into());
        }
        if !chunk.done.0 {
            return Ok(());
        }
        course.prompt_tokens(chunk.prompt_eval_count);
        course.answer_tokens(chunk.eval_count);
        course.over = true;
        match chunk.done_reason.as_str() {
            "length" => course.finish(Finish::Length),
            // The model was loaded or put away, and nobody was asked.
            "load" | "unload" => return Err(Failure::Broken.into()),
            _ => course.finish(Finish::Complete),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
