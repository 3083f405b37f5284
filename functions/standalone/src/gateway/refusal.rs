//! What a program is told instead of an answer, in OpenAI's form.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use routing::{AttemptOutcome, Failure, LeftOut, NoAnswer, NoAnswerReason};
use serde_json::json;

/// What to wait for where every endpoint is busy and none says for how long, in seconds.
const BUSY_SECONDS: u64 = 1;

/// A question that is not answered. Its message is ours, and at most quotes what an endpoint says of a bad request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    kind: &'static str,
    pub(crate) code: &'static str,
    param: Option<String>,
    message: String,
    retry_after: Option<u64>,
}

impl Refusal {
    fn new(status: StatusCode, kind: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, code, param: None, message: message.into(), retry_after: None }
    }

    /// The request cannot be understood or honoured; `param` is the part of it that is wrong.
    pub(crate) fn bad(code: &'static str, param: Option<&str>, message: impl Into<String>) -> Self {
        let refusal = Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", code, message);
        Self { param: param.map(str::to_owned), ..refusal }
    }

    pub(crate) fn no_token() -> Self {
        let message =
            "A token is required, as `Authorization: Bearer TOKEN`; this one is missing or unknown.";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_request_error", "invalid_api_key", message)
    }

    pub(crate) fn too_large(most: usize) -> Self {
        let message = format!("The body is larger than {} MiB.", most >> 20);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request_error", "request_too_large", message)
    }

    pub(crate) fn half_a_body() -> Self {
        Self::bad("invalid_body", None, "The body broke off before its end. Send it again.")
    }

    pub(crate) fn unknown_model(model: &str) -> Self {
        let message = format!(
            "The model `{model}` does not exist here. `GET /v1/models` lists those that do; `auto` leaves the choice to the route."
        );
        let refusal = Self::new(StatusCode::NOT_FOUND, "invalid_request_error", "model_not_found", message);
        Self { param: Some("model".to_owned()), ..refusal }
    }

    pub(crate) fn unknown_url() -> Self {
        let message =
            "There is no such URL here. There are `POST /v1/chat/completions` and `GET /v1/models`.";
        Self::new(StatusCode::NOT_FOUND, "invalid_request_error", "unknown_url", message)
    }

    /// Nobody answered. `left_out` is why endpoints were not even asked.
    pub(crate) fn no_answer(no_answer: &NoAnswer, left_out: &[LeftOut]) -> Self {
        let too_long = "The conversation is longer than the models here can take.";
        match no_answer.reason {
            NoAnswerReason::Refused if no_answer.is_too_long() => {
                Self::bad("context_length_exceeded", Some("messages"), too_long)
            }
            NoAnswerReason::Refused => {
                Self::bad("content_filter", Some("messages"), "A content policy refused to answer this.")
            }
            NoAnswerReason::OverBudget => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "insufficient_quota",
                "insufficient_quota",
                "What may be spent is spent.",
            ),
            NoAnswerReason::NoEndpoint if left_out.contains(&LeftOut::Vision) => {
                Self::bad("unsupported_content", Some("messages"), "No model here understands pictures.")
            }
            NoAnswerReason::NoEndpoint if left_out.contains(&LeftOut::Window) => {
                Self::bad("context_length_exceeded", Some("messages"), too_long)
            }
            NoAnswerReason::OutOfTime => {
                Self::server(StatusCode::GATEWAY_TIMEOUT, "timeout", "No model answered in time.")
            }
            NoAnswerReason::AllFailed => busy(no_answer)
                .or_else(|| refused_by_all(no_answer))
                .unwrap_or_else(|| Self::unavailable("No model could answer.")),
            NoAnswerReason::NoModel => Self::no_model(),
            NoAnswerReason::NoEndpoint => {
                Self::unavailable("No model may or can be asked this at the moment.")
            }
        }
    }

    /// There is no model to ask.
    pub(crate) fn no_model() -> Self {
        let message = "No model is connected to this Magpie. Its operator can start a model server on this machine, or \
                       configure `[endpoints.NAME]`; Magpie's log explains how.";
        Self::server(StatusCode::SERVICE_UNAVAILABLE, "no_model_connected", message)
    }

    /// Nobody is asked at nobody knows whose expense.
    pub(crate) fn no_books() -> Self {
        Self::unavailable("What may be spent cannot be looked up at the moment.")
    }

    /// The answer broke off after some of it was sent.
    pub(crate) fn broken_off() -> Self {
        let message = "The answer broke off and is not whole. Ask again.";
        Self::server(StatusCode::BAD_GATEWAY, "answer_broken_off", message)
    }

    fn unavailable(message: &str) -> Self {
        Self::server(StatusCode::SERVICE_UNAVAILABLE, "no_model_available", message)
    }

    fn server(status: StatusCode, code: &'static str, message: &str) -> Self {
        Self::new(status, "server_error", code, message)
    }

    /// The body, as JSON.
    pub(crate) fn json(&self) -> String {
        let Self { kind, code, param, message, .. } = self;
        json!({ "error": { "message": message, "type": kind, "param": param, "code": code } }).to_string()
    }
}

/// The refusal when every endpoint that was asked found fault with the request: asking again unchanged will not help. What
/// the last one says of it goes out, without anything that was sent to it.
fn refused_by_all(no_answer: &NoAnswer) -> Option<Refusal> {
    let mut statuses = Vec::new();
    for attempt in &no_answer.attempts {
        let AttemptOutcome::Failed(Failure::BadRequest(status @ 400..500)) = attempt.outcome else {
            return None;
        };
        statuses.push(status);
    }
    let status = match statuses.as_slice() {
        [] => return None,
        all if all.iter().all(|&status| status == 422) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::BAD_REQUEST,
    };
    let said = no_answer.attempts.iter().rev().find_map(|attempt| attempt.message.as_ref());
    let message = match said {
        Some(said) => format!("The model server refused the request: {said}"),
        None => "The model server refused the request and did not say why.".to_owned(),
    };
    Some(Refusal::new(status, "invalid_request_error", "request_refused", message))
}

/// The refusal when there was nothing but endpoints with too much to do.
fn busy(no_answer: &NoAnswer) -> Option<Refusal> {
    let mut waits = Vec::new();
    for attempt in &no_answer.attempts {
        let AttemptOutcome::Failed(Failure::RateLimited { retry_after }) = attempt.outcome else {
            return None;
        };
        waits.extend(retry_after);
    }
    let seconds = waits.iter().min().map_or(BUSY_SECONDS, |wait| wait.as_secs().max(BUSY_SECONDS));
    let message = "All models take no more requests now. Try again later.";
    let refusal =
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "rate_limit_exceeded", message);
    Some(Refusal { retry_after: Some(seconds), ..refusal })
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        let mut response = (self.status, [(header::CONTENT_TYPE, json)], self.json()).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests;
