//! From a question to what is sent for it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::{
    Body, Broken, Shop, events, json as json_response,
    ledger::{Entry, Outcome},
    line::Resetter,
    script::{Script, Step},
};
use crate::{
    answer::{self, ANSWER},
    scale::Scale,
    scenarios::{Fault, fault_of},
};

/// Seconds between two words of a stream.
const BETWEEN_WORDS: f64 = 0.015;

/// How long before an answer is cut: what was sent must have left the machine.
const BEFORE_CUT: Duration = Duration::from_millis(5);

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

/// The assistant's own words at the end of the conversation.
fn prefill(question: &Value) -> Option<&str> {
    let last = question["messages"].as_array()?.last()?;
    (last["role"] == "assistant").then(|| last["content"].as_str().unwrap_or_default())
}

/// An answer with its flaw.
struct Reply<'a> {
    model: &'a str,
    fault: Fault,
    scale: Scale,
    question: &'a Value,
}

impl Reply<'_> {
    /// What is said: all of it, or what follows on the words that were put into its mouth.
    fn text(&self) -> &'static str {
        let begun = prefill(self.question).map(str::trim_end).unwrap_or_default();
        ANSWER.strip_prefix(begun).unwrap_or(ANSWER)
    }

    fn stream(&self, entry: Entry) -> Response<Body> {
        let (text, gap) = (self.text(), self.scale.of(BETWEEN_WORDS));
        let send = |text: String| Step::Send(Bytes::from(text));
        let mut steps =
            vec![send(answer::chunk(self.model, &json!({"role": "assistant", "content": ""}), None))];
        if let Fault::SlowStart { seconds } = self.fault {
            steps.insert(0, Step::Wait(self.scale.of(seconds)));
        }
        for (index, word) in answer::words(text).into_iter().enumerate() {
            match self.fault {
                Fault::Cut { after } if after == index => steps.extend([Step::Wait(BEFORE_CUT), Step::Break]),
                Fault::Stall { after, seconds } if after == index => {
                    steps.extend([Step::Wait(self.scale.of(seconds)), Step::Break]);
                }
                Fault::Garbled { after } if after == index => {
                    steps.push(send("data: {\"choices\": [{\"delta\": {\"content\": \n\n".to_owned()));
                }
                _ => {}
            }
            steps.push(send(answer::chunk(self.model, &json!({"content": word}), None)));
            steps.push(Step::Wait(gap));
        }
        steps.push(send(answer::chunk(self.model, &json!({}), Some("stop"))));
        if self.question["stream_options"]["include_usage"] == true {
            let usage = answer::usage(&self.question["messages"], text);
            steps.push(send(answer::usage_chunk(self.model, &usage)));
        }
        if self.fault != Fault::NoDone {
            steps.push(send("data: [DONE]\n\n".to_owned()));
        }
        events(Script::new(steps, Some(entry)).boxed_unsync())
    }

    /// The answer in one piece. A stream's flaws are its own here too: the body breaks off, or stops, at the same part.
    fn whole(&self, entry: Entry) -> Response<Body> {
        let text = self.text();
        let usage = answer::usage(&self.question["messages"], text);
        let body = Bytes::from(answer::completion(self.model, text, &usage).to_string());
        let part = |words: usize| body.slice(..body.len() * words / answer::words(ANSWER).len());
        let mut length = body.len();
        let steps = match self.fault {
            Fault::SlowStart { seconds } => vec![Step::Wait(self.scale.of(seconds)), Step::Send(body)],
            Fault::Cut { after } => vec![Step::Send(part(after)), Step::Wait(BEFORE_CUT), Step::Break],
            Fault::Stall { after, seconds } => {
                vec![Step::Send(part(after)), Step::Wait(self.scale.of(seconds)), Step::Break]
            }
            Fault::Garbled { .. } => {
                let garbled = part(30);
                length = garbled.len();
                vec![Step::Send(garbled)]
            }
            _ => vec![Step::Send(body)],
        };
        let mut response = Response::new(Script::new(steps, Some(entry)).boxed_unsync());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        response
    }
}
