//! An OpenAI-compatible model server: chat completions, legacy completions, the list of models.
//!
//! It answers at once with a short text that tells what it was asked and how many user turns it saw, so that a test
//! can see whether a conversation was remembered. A token is taken to be four characters.

use std::sync::Arc;

use axum::{Router, routing::MethodFilter};
use chat::{Clock, Entropy};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    Call, Fault, Target,
    answer::Answer,
    core::{self, Core, Endpoint, Incoming, Route, World},
    crypto::fresh_id,
};

/// Characters to a token.
const TOKEN: usize = 4;

/// The legacy completions API stops after 16 tokens unless the caller asks for more. Kept, because a caller that
/// forgets `max_tokens` gets a stump of an answer from real servers too.
const LEGACY_MAX_TOKENS: usize = 16;

/// A model server on its own, to run several of them. Clones share everything.
#[derive(Clone)]
pub struct Model {
    core: Arc<Core>,
}

impl Model {
    /// One that nobody has asked anything.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { core: Arc::new(Core::new(clock, entropy)) }
    }

    /// `/v1/chat/completions`, `/v1/completions`, `/v1/models`.
    pub fn router(&self) -> Router {
        core::router(&self.core, routes())
    }

    /// The next completions meet these faults, one each; then all is normal.
    pub fn script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.core.world().state.scripts.entry(Target::Model).or_default().extend(faults);
    }

    /// Every call received, oldest first: the latest few thousand.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.core.world().state.calls.iter().cloned().collect()
    }

    /// The JSON bodies received, oldest first: the latest thousand.
    #[must_use]
    pub fn requests(&self) -> Vec<Value> {
        self.core.world().state.model_requests.iter().cloned().collect()
    }
}

pub(crate) fn routes() -> Vec<Route> {
    let endpoint = |serve, faulty| Endpoint { target: Target::Model, authorized, serve, faulty };
    vec![
        (MethodFilter::POST, "/v1/chat/completions", endpoint(chat_completion, true)),
        (MethodFilter::POST, "/v1/completions", endpoint(completion, true)),
        (MethodFilter::GET, "/v1/models", endpoint(models, false)),
    ]
}

/// An error in OpenAI's form.
pub(crate) fn error(status: StatusCode, kind: &str, code: &Value, message: &str) -> Answer {
    Answer::json(status, &json!({"error": {"message": message, "type": kind, "param": null, "code": code}}))
}

fn authorized(_: &World<'_>, incoming: &Incoming) -> bool {
    incoming.bearer().is_some_and(|key| !key.is_empty())
}

fn bad(message: &str) -> Answer {
    error(StatusCode::BAD_REQUEST, "invalid_request_error", &Value::Null, message)
}

fn models(world: &mut World<'_>, _: &Incoming, _: Option<&Fault>) -> Answer {
    let model = json!({"id": "simulated", "object": "model", "created": world.now.as_seconds(), "owned_by": "simulator"});
    Answer::json(StatusCode::OK, &json!({"object": "list", "data": [model]}))
}

/// What was asked, whichever the protocol.
struct Asked {
    last: String,
    turns: usize,
    prompt_tokens: usize,
}

fn chat_completion(world: &mut World<'_>, incoming: &Incoming, fault: Option<&Fault>) -> Answer {
    let Some(body) = remembered(world, incoming) else { return bad("the body is not a JSON object") };
    let Some(messages) = body["messages"].as_array().filter(|messages| !messages.is_empty()) else {
        return bad("'messages' must be a non-empty array");
    };
    let mine = |message: &&Value| message["role"] == "user";
    let said: Vec<String> = messages.iter().map(|message| content(&message["content"])).collect();
    let asked = Asked {
        last: messages.iter().rfind(mine).map(|message| content(&message["content"])).unwrap_or_default(),
        turns: messages.iter().filter(mine).count(),
        prompt_tokens: said.iter().map(|text| tokens(text)).sum(),
    };
    let limit = number(&body["max_completion_tokens"]).or_else(|| number(&body["max_tokens"]));
    Reply::new(world, &body, &asked, fault, limit, true).answer(&body)
}

fn completion(world: &mut World<'_>, incoming: &Incoming, fault: Option<&Fault>) -> Answer {
    let Some(body) = remembered(world, incoming) else { return bad("the body is not a JSON object") };
    let Some(prompt) = body["prompt"].as_str().filter(|prompt| !prompt.is_empty()) else {
        return bad("'prompt' must be a non-empty string");
    };
    let limit = number(&body["max_tokens"]).unwrap_or(LEGACY_MAX_TOKENS);
    Reply::new(world, &body, &transcript(prompt), fault, Some(limit), false).answer(&body)
}

/// The body, kept for the record.
fn remembered(world: &mut World<'_>, incoming: &Incoming) -> Option<Value> {
    let body = incoming.object()?;
    world.state.model_requests.push(body.clone());
    Some(body)
}

/// The words of a message: a text, or the text parts of a list.
fn content(value: &Value) -> String {
    let parts = || value.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str());
    value.as_str().map_or_else(|| parts().collect::<Vec<_>>().join("\n"), ToOwned::to_owned)
}

/// Reads a prompt as a transcript with lines that begin with `User:`; a prompt without is one turn.
fn transcript(prompt: &str) -> Asked {
    let turns = prompt.lines().filter(|line| line.starts_with("User:")).count();
    let last = prompt.rsplit_once("User:").map_or(prompt, |(_, last)| last);
    let last = last.split("\nAssistant:").next().unwrap_or(last).trim().to_owned();
    Asked { last, turns: turns.max(1), prompt_tokens: tokens(prompt) }
}

fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(TOKEN)
}

fn number(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|number| usize::try_from(number).ok())
}

/// An answer that is ready to be written, whole or as a stream.
struct Reply {
    id: String,
    created: i64,
    model: Value,
    text: String,
    finish: &'static str,
    usage: Value,
    chat: bool,
}

impl Reply {
    fn new(
        world: &World<'_>,
        body: &Value,
        asked: &Asked,
        fault: Option<&Fault>,
        limit: Option<usize>,
        chat: bool,
    ) -> Self {
        let full = match fault {
            Some(Fault::Answer(text)) => text.clone(),
            Some(Fault::Empty) => String::new(),
            _ => format!("You said: {} (turn {})", asked.last, asked.turns),
        };
        let most = limit.map_or(usize::MAX, |limit| limit.saturating_mul(TOKEN));
        let text: String = full.chars().take(most).collect();
        let finish = if text.len() < full.len() { "length" } else { "stop" };
        let (prompt, made) = (asked.prompt_tokens, tokens(&text));
        let usage =
            json!({"prompt_tokens": prompt, "completion_tokens": made, "total_tokens": prompt + made});
        let id = fresh_id(world.entropy, if chat { "chatcmpl-" } else { "cmpl-" });
        let model = body["model"].as_str().unwrap_or("simulated").into();
        Self { id, created: world.now.as_seconds(), model, text, finish, usage, chat }
    }

    fn answer(&self, body: &Value) -> Answer {
        if body["stream"] != true {
            return Answer::json(StatusCode::OK, &self.whole());
        }
        let mut events = self.chunks();
        if body["stream_options"]["include_usage"] == true {
            let mut last = self.envelope("chunk", &json!([]));
            last["usage"] = self.usage.clone();
            events.push(last.to_string());
        }
        events.push("[DONE]".to_owned());
        Answer::events(events)
    }

    fn envelope(&self, kind: &str, choices: &Value) -> Value {
        let object = match (self.chat, kind) {
            (false, _) => "text_completion".to_owned(),
            (true, "") => "chat.completion".to_owned(),
            (true, kind) => format!("chat.completion.{kind}"),
        };
        json!({"id": self.id, "object": object, "created": self.created, "model": self.model, "choices": choices})
    }

    fn whole(&self) -> Value {
        let choice = if self.chat {
            let message = json!({"role": "assistant", "content": self.text});
            json!([{"index": 0, "message": message, "finish_reason": self.finish}])
        } else {
            json!([{"index": 0, "text": self.text, "finish_reason": self.finish}])
        };
        let mut whole = self.envelope("", &choice);
        whole["usage"] = self.usage.clone();
        whole
    }

    /// Role, words one by one, and the reason for the end.
    fn chunks(&self) -> Vec<String> {
        let chunk = |delta: Value, text: &str, finish: Value| {
            let choice = if self.chat {
                json!([{"index": 0, "delta": delta, "finish_reason": finish}])
            } else {
                json!([{"index": 0, "text": text, "finish_reason": finish}])
            };
            self.envelope("chunk", &choice).to_string()
        };
        let words =
            self.text.split_inclusive(' ').map(|word| chunk(json!({"content": word}), word, Value::Null));
        let role = self.chat.then(|| chunk(json!({"role": "assistant", "content": ""}), "", Value::Null));
        role.into_iter().chain(words).chain([chunk(json!({}), "", self.finish.into())]).collect()
    }
}
