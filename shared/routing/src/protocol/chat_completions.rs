//! OpenAI's chat completions, as vLLM, Ollama, llama.cpp, LM Studio and most clouds speak it.
//!
//! Source: the API reference of OpenAI ("Chat", "Streaming") and, for what others add, the documentation of vLLM,
//! DeepSeek, Zhipu, Mistral and OpenRouter. `async-openai` brings an HTTP client of its own and refuses what other
//! servers add, so the few fields that matter are read here.

use http::HeaderMap;
use serde_json::{Value, json};
use transport::OutRequest;

use super::{
    Decoder, Manner, Parameter, Said,
    choices::{self, Choice, Choices, Message, Voice},
    quote,
    reader::Reader,
    request,
};
use crate::{Endpoint, Failure, Line, Prompt, Role, ServerError};

/// The call that asks `endpoint` to go on with `prompt`.
#[must_use]
pub fn encode(endpoint: &Endpoint, prompt: &Prompt, manner: Manner) -> OutRequest {
    let mut body = json!({ "model": endpoint.model });
    choices::common(&mut body, endpoint, prompt, manner);
    let older = endpoint.untaken.takes(Parameter::MaxTokens);
    let name = if older { "max_tokens" } else { "max_completion_tokens" };
    request::put(&mut body, name, request::most_tokens(endpoint, prompt));
    request::put(&mut body, "stop", request::stop(prompt));
    let mut body = request::written(&body);
    if body.pop().is_some() {
        messages(&mut body, prompt);
        body.push(b'}');
    }
    request::bearer(endpoint, endpoint.url.clone(), body)
}

/// Appends the conversation to an object that is still open. Straight from the prompt, which may be long, into bytes.
fn messages(out: &mut Vec<u8>, prompt: &Prompt) {
    out.extend_from_slice(br#","messages":["#);
    let first = out.len();
    let begin = |out: &mut Vec<u8>, role: &str| {
        if out.len() > first {
            out.push(b',');
        }
        out.extend_from_slice(br#"{"role":""#);
        out.extend_from_slice(role.as_bytes());
        out.extend_from_slice(br#"","content":"#);
    };
    if let Some(system) = &prompt.system {
        begin(out, "system");
        quote::text(out, system);
        out.push(b'}');
    }
    for line in &prompt.lines {
        begin(out, role(line.role));
        content(out, line);
        out.push(b'}');
    }
    out.push(b']');
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

/// Appends a text, which every server understands, or a list of parts where there are pictures.
fn content(out: &mut Vec<u8>, line: &Line) {
    if line.pictures.is_empty() {
        return quote::text(out, &line.text);
    }
    let picture =
        |picture| json!({ "type": "image_url", "image_url": { "url": request::data_url(picture) } });
    let pictures = line.pictures.iter().map(picture);
    let text = (!line.text.is_empty()).then(|| json!({ "type": "text", "text": line.text }));
    out.extend_from_slice(&request::written(&pictures.chain(text).collect::<Value>()));
}

/// Reads an answer with these headers.
#[must_use]
pub fn decoder(headers: &HeaderMap) -> Box<dyn Decoder> {
    Box::new(Reader::new(Choices(Spoken::default()), headers))
}

/// Words are in `delta.content` of a chunk and in `message.content` of a whole answer.
#[derive(Default)]
struct Spoken {
    /// Whether words have come.
    begun: bool,
}

impl Voice for Spoken {
    fn said(&mut self, choice: Choice<'_>, streaming: bool, said: &mut Vec<Said>) -> Result<(), ServerError> {
        // Some streams are a single whole answer; others repeat the whole at their end.
        let whole = choice.message.0.filter(|_| !streaming || !self.begun);
        let message = choice.delta.0.filter(|_| streaming).or(whole);
        let Some(message) = message else {
            // There may be nothing but the reason for the end.
            let ends = streaming || choice.finish_reason.words().is_some();
            return if ends { Ok(()) } else { Err(Failure::Malformed.into()) };
        };
        let thinks = thinks(&message);
        // A model's own `refusal` stands where the words would.
        let words = Some(message.content.words).filter(|words| !words.is_empty());
        let words = words.or_else(|| message.refusal.into_inner()).unwrap_or_default();
        if !words.is_empty() {
            self.begun = true;
            said.push(Said::Words(words.into_owned()));
        } else if thinks {
            said.push(Said::Thought);
        }
        Ok(())
    }
}

/// Whether there is reasoning in it. `reasoning_content` and `reasoning` are thoughts and no part of the answer.
fn thinks(message: &Message<'_>) -> bool {
    let thought = message.reasoning_content.words().or_else(|| message.reasoning.words());
    thought.is_some() || message.content.thinks
}

#[cfg(test)]
mod tests;
