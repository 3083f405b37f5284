//! What a refusal means: the status and the error body of the servers that speak these protocols.
//!
//! The body is `{"error": {"message", "type", "code"}}` (OpenAI, newer vLLM, llama.cpp, Ollama), the same without the
//! envelope (older vLLM), or `{"error": "words"}` (text-generation-inference). Nothing of it leaves this module but
//! the class: an error's words may quote the prompt.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;
use transport::OutResponse;

use crate::Failure;

/// Codes and types that say: too long. OpenAI and its clones; llama.cpp.
const TOO_LONG: [&str; 3] =
    ["context_length_exceeded", "exceed_context_size_error", "string_above_max_length"];

/// Words that say so where the code does not, in lower case. Each with the server that says them.
const TOO_LONG_WORDS: [&str; 7] = [
    "maximum context length",         // vLLM, OpenAI, DeepSeek
    "maximum model length", // vLLM: "the decoder prompt (length …) is longer than the maximum model length"
    "exceeds the available context", // llama.cpp
    "context size has been exceeded", // llama.cpp, while it generates
    "context length of only", // LM Studio
    "range of input length should", // Alibaba Cloud Model Studio
    "input is too long",    // several clouds
];

/// Codes and types that say: the content policy refuses. OpenAI and Azure; OpenAI; Alibaba Cloud Model Studio; Azure's
/// inner code; Zhipu.
const FILTERED: [&str; 5] = [
    "content_filter",
    "content_policy_violation",
    "data_inspection_failed",
    "responsibleaipolicyviolation",
    "1301",
];

/// Volcengine's codes for the same, which carry the side (input or output) and the kind around this word.
const FILTERED_PART: &str = "sensitivecontentdetected";

/// The class of an answer whose status is not 2xx.
pub(super) fn of_response(response: &OutResponse) -> Failure {
    let status = response.status;
    let body = serde_json::from_slice(&response.body).ok();
    if !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS)
        && let Some(refusal) = body.as_ref().and_then(of_body)
    {
        return refusal;
    }
    match status.as_u16() {
        code @ (401 | 403) => Failure::Auth(code),
        429 => Failure::RateLimited { retry_after: retry_after(&response.headers) },
        code @ 500.. => Failure::Server(code),
        code => Failure::BadRequest(code),
    }
}

/// The class that an error body itself tells, whatever the status.
pub(super) fn of_body(body: &Value) -> Option<Failure> {
    let error = body.get("error").unwrap_or(body);
    let words = error.as_str().or_else(|| error.get("message")?.as_str()).unwrap_or_default().to_lowercase();
    let codes = [error.get("code"), error.get("type"), error.pointer("/innererror/code")];
    let codes: Vec<_> =
        codes.into_iter().flatten().filter_map(Value::as_str).map(str::to_lowercase).collect();
    let is = |known: &[&str]| codes.iter().any(|code| known.contains(&code.as_str()));
    if is(&FILTERED) || codes.iter().any(|code| code.contains(FILTERED_PART)) {
        Some(Failure::ContentFiltered)
    } else if is(&TOO_LONG) || TOO_LONG_WORDS.iter().any(|said| words.contains(said)) {
        Some(Failure::ContextTooLong)
    } else {
        None
    }
}

/// `Retry-After` in seconds, or as a date. A date is held against the server's own `Date`, so that neither clock has to
/// be right; without one it says nothing.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let wanted = text(header::RETRY_AFTER)?;
    if let Ok(seconds) = wanted.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(wanted).ok()?;
    let now = httpdate::parse_http_date(text(header::DATE)?).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests;
