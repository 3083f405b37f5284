//! An answer with its flaw.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::{
    Body, events,
    ledger::Entry,
    script::{Script, Step},
};
use crate::{
    answer::{self, ANSWER},
    scale::Scale,
    scenarios::Fault,
};

/// Seconds between two words of a stream.
const BETWEEN_WORDS: f64 = 0.015;

/// How long before an answer is cut: what was sent must have left the machine.
const BEFORE_CUT: Duration = Duration::from_millis(5);

/// An event that is no JSON.
const GARBLED: &str = "data: {\"choices\": [{\"delta\": {\"content\": \n\n";

/// The assistant's own words at the end of the conversation.
pub(super) fn prefill(question: &Value) -> Option<&str> {
    let last = question["messages"].as_array()?.last()?;
    (last["role"] == "assistant").then(|| last["content"].as_str().unwrap_or_default())
}

/// What is answered, and how well.
pub(super) struct Reply<'a> {
    pub(super) model: &'a str,
    pub(super) fault: Fault,
    pub(super) scale: Scale,
    pub(super) question: &'a Value,
}

impl Reply<'_> {
    /// What is said: all of it, or what follows on the words that were put into its mouth.
    fn text(&self) -> &'static str {
        let begun = prefill(self.question).map(str::trim_end).unwrap_or_default();
        ANSWER.strip_prefix(begun).unwrap_or(ANSWER)
    }

    /// As a stream.
    pub(super) fn stream(&self, entry: Entry) -> Response<Body> {
        let text = self.text();
        // Timers count milliseconds: a shorter wait would become a longer one.
        let gap = Some(self.scale.of(BETWEEN_WORDS)).filter(|gap| gap.as_millis() > 0).map(Step::Wait);
        let mut steps = Vec::new();
        if let Fault::SlowStart { seconds } = self.fault {
            steps.push(Step::Wait(self.scale.of(seconds)));
        }
        steps.push(send(answer::chunk(self.model, &json!({"role": "assistant", "content": ""}), None)));
        for (index, word) in answer::words(text).into_iter().enumerate() {
            steps.extend(self.flaw_before(index));
            steps.push(send(answer::chunk(self.model, &json!({"content": word}), None)));
            steps.extend(gap.clone());
        }
        steps.push(send(answer::chunk(self.model, &json!({}), Some("stop"))));
        if self.question["stream_options"]["include_usage"] == true {
            let usage = answer::usage(&self.question["messages"], text);
            steps.push(send(answer::usage_chunk(self.model, &usage)));
        }
        if self.fault != Fault::NoDone {
            steps.push(send("data: [DONE]\n\n"));
        }
        events(Script::new(steps, Some(entry)).boxed_unsync())
    }

    /// What goes wrong in a stream before its word of this number.
    fn flaw_before(&self, word: usize) -> Vec<Step> {
        if let Fault::Stall { after, seconds } = self.fault
            && after == word
        {
            return vec![Step::Wait(self.scale.of(seconds)), Step::Break];
        }
        if self.fault == (Fault::Cut { after: word }) {
            return vec![Step::Wait(BEFORE_CUT), Step::Break];
        }
        if self.fault == (Fault::Garbled { after: word }) {
            return vec![send(GARBLED)];
        }
        Vec::new()
    }

    /// In one piece. A stream's flaws are its own here too: the body breaks off, or stops, at the same part.
    pub(super) fn whole(&self, entry: Entry) -> Response<Body> {
        let text = self.text();
        let usage = answer::usage(&self.question["messages"], text);
        let body = Bytes::from(answer::completion(self.model, text, &usage).to_string());
        let part = |words: usize| body.slice(..body.len() * words / answer::words(ANSWER).len());
        let mut length = body.len();
        let mut steps = vec![Step::Send(body.clone())];
        if let Fault::SlowStart { seconds } = self.fault {
            steps.insert(0, Step::Wait(self.scale.of(seconds)));
        }
        if let Fault::Cut { after } = self.fault {
            steps = vec![Step::Send(part(after)), Step::Wait(BEFORE_CUT), Step::Break];
        }
        if let Fault::Stall { after, seconds } = self.fault {
            steps = vec![Step::Send(part(after)), Step::Wait(self.scale.of(seconds)), Step::Break];
        }
        if let Fault::Garbled { .. } = self.fault {
            let garbled = part(30);
            length = garbled.len();
            steps = vec![Step::Send(garbled)];
        }
        let mut response = Response::new(Script::new(steps, Some(entry)).boxed_unsync());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        response
    }
}

fn send(text: impl Into<Bytes>) -> Step {
    Step::Send(text.into())
}
