//! What both protocols share: the call's envelope, and the parts of an answer that mean the same in both.

use http::header;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use transport::{OutRequest, OutResponse};

use super::{Completion, reasoning, refusal};
use crate::{Endpoint, Failure};

/// The longest model name that is believed; a longer one is taken for noise.
const MODEL_NAME_BYTES: usize = 200;

/// A `POST` of this JSON to the endpoint, with its key.
pub(super) fn request(endpoint: &Endpoint, body: &Value) -> OutRequest {
    let request = OutRequest::post_json(endpoint.url.clone(), body.to_string());
    match &endpoint.key {
        Some(key) => {
            let bearer = format!("Bearer {}", key.expose_secret());
            request.with_secret_header(header::AUTHORIZATION, &bearer)
        }
        None => request,
    }
}

/// The JSON of a good answer and its first choice, or what went wrong.
pub(super) fn first_choice(response: &OutResponse) -> Result<(Value, Value), Failure> {
    if !response.status.is_success() {
        return Err(refusal::of_response(response));
    }
    let mut body: Value = serde_json::from_slice(&response.body).map_err(|_| Failure::Malformed)?;
    match body.get_mut("choices").and_then(Value::as_array_mut) {
        Some(choices) => {
            let choice = choices.first_mut().map(Value::take).ok_or(Failure::Empty)?;
            Ok((body, choice))
        }
        // Some gateways send their error under a status of 200.
        None => Err(refusal::of_body(&body).unwrap_or(Failure::Malformed)),
    }
}

/// The completion that these words make, or why they make none.
pub(super) fn completion(body: &Value, choice: &Value, words: &str) -> Result<Completion, Failure> {
    // A policy that cut in on the answer: what is there is no whole answer, and must not be shown as one.
    if choice.get("finish_reason").and_then(Value::as_str) == Some("content_filter") {
        return Err(Failure::ContentFiltered);
    }
    let text = reasoning::strip(words);
    if text.is_empty() {
        return Err(Failure::Empty);
    }
    Ok(Completion { text: text.to_owned(), model: model(body), tokens: tokens(body) })
}

fn model(body: &Value) -> Option<String> {
    let name = body.get("model")?.as_str()?.trim();
    (!name.is_empty() && name.len() <= MODEL_NAME_BYTES).then(|| name.to_owned())
}

/// Prompt and answer tokens. A prompt of no tokens is a server that does not count.
fn tokens(body: &Value) -> Option<(u32, u32)> {
    let count = |name| body.get("usage")?.get(name)?.as_u64().map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    let prompt = count("prompt_tokens").filter(|&n| n > 0)?;
    Some((prompt, count("completion_tokens")?))
}
