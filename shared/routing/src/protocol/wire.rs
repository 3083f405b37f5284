//! What OpenAI's two completion protocols share: the call's envelope, and the parts of an answer that mean the same in
//! both, whether it comes whole or in chunks.

use http::{HeaderMap, header};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use transport::OutRequest;

use super::{Decoder, Ending, Finish, Progress, Said, refusal, sse::Events};
use crate::{Endpoint, Failure, Prompt};

/// The longest model name that is believed; a longer one is taken for noise.
const MODEL_NAME_BYTES: usize = 200;

/// The largest answer in one piece, in bytes. A long answer is some 100 KiB; its reasoning, escaped to six bytes a
/// character, can be ten times that. It also bounds what a broken server can make a small function hold.
const WHOLE_BYTES: usize = 4 << 20;

/// The event after the last.
const DONE: &[u8] = b"[DONE]";

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

/// How the words are to be chosen, in the names that both protocols use.
pub(super) fn sampling(body: &mut Value, endpoint: &Endpoint, prompt: &Prompt) {
    let sampling = &prompt.sampling;
    if let Some(most) = most_tokens(endpoint, prompt) {
        body["max_tokens"] = most.into();
    }
    if let Some(temperature) = sampling.temperature {
        body["temperature"] = temperature.into();
    }
    if let Some(top_p) = sampling.top_p {
        body["top_p"] = top_p.into();
    }
    if !sampling.stop.is_empty() {
        body["stop"] = sampling.stop.clone().into();
    }
}

/// The longest answer that both the endpoint and the question allow.
pub(super) fn most_tokens(endpoint: &Endpoint, prompt: &Prompt) -> Option<u32> {
    match (endpoint.max_tokens, prompt.sampling.max_tokens) {
        (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
        (ours, theirs) => ours.or(theirs),
    }
}

/// Where a choice keeps its words: the one thing in which the two protocols differ.
pub(super) trait Choice: Send {
    /// What a choice of a chunk (`streaming`) or of a whole answer says.
    fn said(&mut self, choice: &Value, streaming: bool, said: &mut Vec<Said>) -> Result<(), Failure>;

    /// What was still held back.
    fn rest(&mut self, _: &mut Vec<Said>) {}
}

/// Reads answers of both protocols: a stream of chunks, or one body where the server does not stream.
pub(super) struct Chunks<C> {
    choice: C,
    events: Events,
    /// The whole body so far, when it is not a stream.
    whole: Option<Vec<u8>>,
    model: Option<String>,
    tokens: Option<(u32, u32)>,
    finish: Option<Finish>,
    done: bool,
}

impl<C: Choice> Chunks<C> {
    pub(super) fn new(choice: C, headers: &HeaderMap) -> Self {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let streams = kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream");
        Self {
            choice,
            events: Events::default(),
            whole: (!streams).then(Vec::new),
            model: None,
            tokens: None,
            finish: None,
            done: false,
        }
    }

    fn event(&mut self, data: &[u8], said: &mut Vec<Said>) -> Result<(), Failure> {
        if self.done || data.trim_ascii() == DONE {
            self.done = true;
            return Ok(());
        }
        let body: Value = serde_json::from_slice(data).map_err(|_| Failure::Malformed)?;
        self.body(&body, true, said)
    }

    fn body(&mut self, body: &Value, streaming: bool, said: &mut Vec<Said>) -> Result<(), Failure> {
        if self.model.is_none() {
            self.model = model(body);
        }
        self.tokens = tokens(body).or(self.tokens);
        let Some(choices) = body.get("choices").and_then(Value::as_array) else {
            // Some gateways send their error under a status of 200, or in the middle of a stream.
            return match refusal::of_body(body) {
                Some(failure) => Err(failure),
                None if body.get("error").is_some() => Err(Failure::Server(200)),
                // A last chunk may hold nothing but the usage.
                None if streaming && body.get("usage").is_some() => Ok(()),
                None => Err(Failure::Malformed),
            };
        };
        let Some(choice) = choices.first() else { return Ok(()) };
        self.choice.said(choice, streaming, said)?;
        match choice.get("finish_reason").and_then(Value::as_str) {
            // A policy that cut in on the answer: what is there is no whole answer, and must not be shown as one.
            Some("content_filter") => return Err(Failure::ContentFiltered),
            Some("length") => self.finish = Some(Finish::Length),
            Some(_) => self.finish = Some(Finish::Complete),
            None => {}
        }
        Ok(())
    }
}

impl<C: Choice> Decoder for Chunks<C> {
    fn push(&mut self, bytes: &[u8], said: &mut Vec<Said>) -> Result<Progress, Failure> {
        if let Some(whole) = &mut self.whole {
            if whole.len() + bytes.len() > WHOLE_BYTES {
                return Err(Failure::TooLarge);
            }
            whole.extend_from_slice(bytes);
            return Ok(Progress::More);
        }
        let mut events = std::mem::take(&mut self.events);
        let pushed = events.push(bytes, |data| self.event(data, said));
        self.events = events;
        pushed?;
        Ok(if self.done { Progress::Over } else { Progress::More })
    }

    fn finish(&mut self, said: &mut Vec<Said>) -> Result<Ending, Failure> {
        match self.whole.take() {
            Some(whole) => {
                let body: Value = serde_json::from_slice(&whole).map_err(|_| Failure::Malformed)?;
                self.body(&body, false, said)?;
                // Whole JSON is a whole answer, whatever it says of its end.
                self.done = true;
            }
            None if self.done => {}
            None => {
                let mut events = std::mem::take(&mut self.events);
                events.finish(|data| self.event(data, said))?;
            }
        }
        self.choice.rest(said);
        let finish = match self.finish {
            Some(finish) => finish,
            None if self.done => Finish::Complete,
            // Neither the end mark nor a reason for the end: the answer was cut off.
            None => return Err(Failure::Broken),
        };
        Ok(Ending { model: self.model.take(), tokens: self.tokens, finish })
    }
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
