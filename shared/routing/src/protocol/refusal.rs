//! What a refusal means: the status and the error body of the servers that speak these protocols, and the errors that
//! they send in the middle of a stream.
//!
//! The body is `{"error": {"message", "type", "code"}}` (OpenAI, Anthropic, newer vLLM, llama.cpp), with `status` and
//! `details` beside them or in a list of one (Google), the same without the envelope (older vLLM), `{"error": "words"}`
//! (Ollama, text-generation-inference), or `{"message"}` with the kind in a header (Amazon). Nothing of it leaves this
//! module but the class: an error's words may quote the prompt.

use http::StatusCode;
use serde_json::Value;
use transport::OutResponse;

use super::{repair, wait};
use crate::{
    Failure,
    server_error::{Overflow, ServerError},
};

mod known;
mod overflow;
mod words;

/// What a response means whose status is not 2xx.
pub(super) fn of_response(response: &OutResponse) -> ServerError {
    let status = response.status;
    let body = repair::value(&response.body).unwrap_or(Value::Null);
    let failure = || {
        if !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS)
            && let Some(refusal) = of_error(&body, status.as_u16())
        {
            return refusal;
        }
        if known::is_starting(status.as_u16(), &words::of(&body).unwrap_or_default().to_lowercase()) {
            return Failure::Starting;
        }
        let asked = wait::asked(&response.headers, || wait::in_body(error(&body)));
        of_status(status.as_u16(), asked)
    };
    let message = words::of(&body).or_else(|| words::of_page(&response.body));
    detailed(failure(), Some(status.as_u16()), message.as_deref(), &body)
}

/// The error that a body holds, whatever the status under which it came.
pub(super) fn class(data: &[u8]) -> Option<ServerError> {
    let body = repair::value(data)?;
    words::is_error(&body).then(|| of_body(&body, None))
}

/// An error that came under a status of 200.
pub(super) fn told(data: &[u8]) -> ServerError {
    match repair::value(data) {
        Some(body) => of_body(&body, None),
        None => of_body(&Value::String(words::of_page(data).unwrap_or_default()), None),
    }
}

/// A whole answer that is none: an error, or something else that cannot be read.
pub(super) fn unreadable(data: &[u8]) -> ServerError {
    class(data).unwrap_or_else(|| {
        let body = repair::value(data).unwrap_or(Value::Null);
        let message = words::of(&body).or_else(|| words::of_page(data));
        detailed(Failure::Malformed, None, message.as_deref(), &body)
    })
}

/// An error whose kind is told beside its body.
pub(super) fn named(kind: &str, body: &[u8]) -> ServerError {
    of_body(&repair::value(body).unwrap_or(Value::Null), known::status(&kind.to_lowercase()))
}

fn of_body(body: &Value, status: Option<u16>) -> ServerError {
    let error = error(body);
    let code = || number(error.get("code")).or_else(|| number(error.get("status")));
    let kind = || kinds(body).iter().find_map(|kind| known::status(kind));
    let status = status.or_else(code).or_else(kind);
    let means = status.unwrap_or(200);
    let failure = of_error(body, means).unwrap_or_else(|| of_status(means, wait::in_body(error)));
    detailed(failure, status, words::of(body).as_deref(), body)
}

fn detailed(failure: Failure, status: Option<u16>, message: Option<&str>, body: &Value) -> ServerError {
    let too_long = failure == Failure::ContextTooLong;
    let figures = || overflow::figures(error(body), message.unwrap_or_default());
    let overflow = if too_long { figures() } else { Overflow::default() };
    ServerError { failure, status, message: message.and_then(crate::server_error::Unredacted::new), overflow }
}

/// What a status means by itself.
fn of_status(status: u16, asked: Option<std::time::Duration>) -> Failure {
    match status {
        // Without money an account is as good as without a key.
        401..=403 => Failure::Auth(status),
        408 => Failure::Timeout,
        // Whoever cannot take so many bytes takes a shorter conversation.
        413 => Failure::ContextTooLong,
        429 => Failure::RateLimited { retry_after: asked },
        // Overloaded, and says for how long.
        503 | 529 if asked.is_some() => Failure::RateLimited { retry_after: asked },
        // Amazon's word for a model that failed.
        424 | 500.. => Failure::Server(status),
        // Under a good status, it is the server that failed.
        200..=299 => Failure::Server(status),
        _ => Failure::BadRequest(status),
    }
}

/// The error in a body, wherever it is.
fn error(body: &Value) -> &Value {
    let body = body.get(0).unwrap_or(body);
    let inner = body.get("error").or_else(|| body.pointer("/response/error"));
    inner.filter(|error| !error.is_null()).unwrap_or(body)
}

/// What the server calls the error, in lower case, most exact first.
fn kinds(body: &Value) -> Vec<String> {
    let error = error(body);
    let reasons = error.get("details").and_then(Value::as_array).into_iter().flatten();
    let reasons = reasons.filter_map(|detail| detail.get("reason"));
    let own = [error.pointer("/innererror/code"), error.get("code"), error.get("type"), error.get("status")];
    let beside = ["code", "error_type", "error_code"].map(|name| body.get(name));
    let all = own.into_iter().flatten().chain(reasons).chain(beside.into_iter().flatten());
    let mut kinds: Vec<_> = all.filter_map(Value::as_str).map(str::to_lowercase).collect();
    kinds.extend(words::minimax_code(body).map(|code| format!("minimax {code}")));
    kinds
}

/// A status as a number, or as a number in a text.
fn number(value: Option<&Value>) -> Option<u16> {
    let number = value?.as_u64().or_else(|| value?.as_str()?.parse().ok())?;
    u16::try_from(number).ok().filter(|status| (400..600).contains(status))
}

/// The class that an error tells by its kind or its words.
fn of_error(body: &Value, status: u16) -> Option<Failure> {
    let words = words::of(body).unwrap_or_default().to_lowercase();
    let kinds = kinds(body);
    if kinds.iter().any(|kind| known::is_filter(kind)) || known::says_filtered(&words) {
        Some(Failure::ContentFiltered)
    } else if kinds.iter().any(|kind| known::is_length(kind)) || known::says_too_long(&words) {
        Some(Failure::ContextTooLong)
    } else if kinds.iter().any(|kind| known::is_key(kind)) {
        Some(Failure::Auth(status))
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
