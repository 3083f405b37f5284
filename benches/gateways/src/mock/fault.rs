//! From a question to an error, a silence, or an answer.

use std::time::Instant;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;

use super::{
    Body, Broken, Shop, json as json_response,
    ledger::{Entry, Outcome},
    line::Resetter,
    reply::{Reply, prefill},
};
use crate::{
    answer,
    scale::Scale,
    scenarios::{Fault, fault_of},
};

/// Answers, or does what the model's name says instead.
pub(super) async fn answer(
    shop: &Shop,
    resetter: &Resetter,
    question: &Bytes,
) -> Result<Response<Body>, Broken> {
    let Ok(question) = serde_json::from_slice::<Value>(question) else {
        return Ok(refusal(400, "the body is not JSON", "invalid_request_error", None));
    };
    let model = question["model"].as_str().unwrap_or_default();
    let Some(fault) = fault_of(model) else {
        return Ok(refusal(404, "no such model", "invalid_request_error", Some("model_not_found")));
    };
    let streamed = question["stream"] == true;
    // Providers' names in front are for the gateway, not for the ledger.
    let name = model.rsplit('/').next().unwrap_or(model);
    let (entry, earlier, first) = shop.ledger.open(name, streamed);
    let moment = Moment { scale: shop.scale, earlier, first };
    if fault == Fault::ResetOnce && earlier == 0 {
        entry.close(Outcome::Broken);
        resetter.reset();
        return Err(Broken);
    }
    if let Fault::Silent { seconds } = fault {
        tokio::time::sleep(shop.scale.of(seconds)).await;
        entry.close(Outcome::Broken);
        return Err(Broken);
    }
    if let Some(refusal) = refused(fault, &question, &moment, &entry) {
        return Ok(refusal);
    }
    let reply = Reply { model, fault, scale: shop.scale, question: &question };
    Ok(if streamed { reply.stream(entry) } else { reply.whole(entry) })
}

/// When a question comes, among those to its model.
struct Moment {
    scale: Scale,
    earlier: usize,
    first: Instant,
}

/// The error that a fault consists of, if it does.
fn refused(fault: Fault, question: &Value, moment: &Moment, entry: &Entry) -> Option<Response<Body>> {
    let busy = || refusal(429, "Rate limit reached.", "rate_limit_error", Some("rate_limit_exceeded"));
    let overloaded = || refusal(503, "The engine is overloaded.", "server_error", Some("overloaded"));
    let invalid = |message, code| refusal(400, message, "invalid_request_error", Some(code));
    let response = match fault {
        Fault::BusyOnce { retry_after } if moment.earlier == 0 => {
            let mut response = busy();
            let seconds = HeaderValue::from(moment.scale.retry_after(retry_after).as_secs());
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
            response
        }
        Fault::Busy => busy(),
        Fault::ErrorOnce if moment.earlier == 0 => refusal(500, "An error occurred.", "server_error", None),
        Fault::Overloaded => overloaded(),
        Fault::Flap { down } if moment.first.elapsed() < moment.scale.of(down) => overloaded(),
        Fault::TooLong => invalid(
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9631 tokens.",
            "context_length_exceeded",
        ),
        Fault::Filtered => {
            invalid("Your request was rejected by our safety system.", "content_policy_violation")
        }
        Fault::NoPrefill if prefill(question).is_some() => {
            entry.close(Outcome::PrefillRefused);
            invalid("This model does not support assistant message prefill.", "invalid_prefill")
        }
        Fault::BusyOnce { .. } | Fault::ErrorOnce | Fault::Flap { .. } | Fault::NoPrefill => return None,
        Fault::None | Fault::ResetOnce | Fault::Silent { .. } | Fault::SlowStart { .. } => return None,
        Fault::Cut { .. } | Fault::Stall { .. } | Fault::Garbled { .. } | Fault::NoDone => return None,
    };
    entry.close(Outcome::Refused(response.status().as_u16()));
    Some(response)
}

fn refusal(status: u16, message: &str, kind: &str, code: Option<&str>) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json_response(status, answer::error(message, kind, code).to_string())
}
