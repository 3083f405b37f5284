//! OpenAI's chat completions, as vLLM, Ollama, llama.cpp, LM Studio and most clouds speak it.

use serde_json::{Value, json};
use transport::{OutRequest, OutResponse};

use super::{Completion, wire};
use crate::{Endpoint, Failure, Prompt, Role};

/// The call that asks `endpoint` to go on with `prompt`.
#[must_use]
pub fn encode(endpoint: &Endpoint, prompt: &Prompt) -> OutRequest {
    let system = prompt.system.iter().map(|text| json!({ "role": "system", "content": text }));
    let lines = prompt.lines.iter().map(|line| json!({ "role": role(line.role), "content": line.text }));
    let messages: Vec<Value> = system.chain(lines).collect();
    let mut body = json!({ "model": endpoint.model, "messages": messages, "stream": false });
    if let Some(most) = endpoint.max_tokens {
        body["max_tokens"] = most.into();
    }
    wire::request(endpoint, &body)
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

/// What the answer says.
///
/// # Errors
///
/// The [`Failure`] that the status, the error body or the lack of words amounts to.
pub fn decode(response: &OutResponse) -> Result<Completion, Failure> {
    let (body, choice) = wire::first_choice(response)?;
    let message = choice.get("message").ok_or(Failure::Malformed)?;
    wire::completion(&body, &choice, &words(message))
}

/// The words of a message: text, or the text parts of a list. `reasoning_content` and `reasoning` are thoughts and stay
/// out; a model's own `refusal` stands where the words would.
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
