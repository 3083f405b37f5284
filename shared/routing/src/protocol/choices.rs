//! What OpenAI's two completion protocols share: the parts of a call and of an answer that mean the same in both,
//! whether it comes whole or in chunks.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Finish, Manner, Parameter, Said,
    course::Course,
    json::{Count, List, Part, Text, There, object},
    reader::Grammar,
    refusal, request,
};
use crate::{Endpoint, Failure, Prompt, ServerError};

/// How the words are to be chosen and how they are to come, in the names that both protocols use.
pub(super) fn common(body: &mut Value, endpoint: &Endpoint, prompt: &Prompt, manner: Manner) {
    body["stream"] = manner.streams().into();
    if manner.streams() && endpoint.untaken.takes(Parameter::StreamOptions) {
        body["stream_options"] = json!({ "include_usage": true });
    }
    request::put(body, "temperature", request::temperature(endpoint, prompt));
    request::put(body, "top_p", request::top_p(endpoint, prompt));
}

/// One chunk of a stream, or a whole answer.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    model: Text<'a>,
    #[serde(borrow, default)]
    choices: List<Choice<'a>>,
    #[serde(default)]
    usage: Part<Usage>,
    #[serde(default)]
    error: There,
    #[serde(default)]
    base_resp: Part<Outcome>,
}

/// How it went, as `MiniMax` says beside an answer; not 0 is an error.
#[derive(Deserialize)]
struct Outcome {
    #[serde(default)]
    status_code: Count,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: Count,
    #[serde(default)]
    completion_tokens: Count,
}

/// One of the answers that were asked for, which is one: its words are in `text` in the older protocol, in `delta` or
/// `message` in the newer.
#[derive(Deserialize)]
pub(super) struct Choice<'a> {
    #[serde(borrow, default)]
    pub(super) text: Text<'a>,
    #[serde(borrow, default)]
    pub(super) delta: Part<Message<'a>>,
    #[serde(borrow, default)]
    pub(super) message: Part<Message<'a>>,
    #[serde(borrow, default)]
    pub(super) finish_reason: Text<'a>,
}

/// What the model says, or thinks.
#[derive(Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow, default)]
    pub(super) content: Content<'a>,
    #[serde(borrow, default)]
    pub(super) refusal: Text<'a>,
    #[serde(borrow, default)]
    pub(super) reasoning_content: Text<'a>,
    #[serde(borrow, default)]
    pub(super) reasoning: Text<'a>,
}

pub(super) use super::content::Content;

/// Where a choice keeps its words: the one thing in which the two protocols differ.
pub(super) trait Voice: Send {
    /// What a choice of a chunk (`streaming`) or of a whole answer says.
    fn said(&mut self, choice: Choice<'_>, streaming: bool, said: &mut Vec<Said>) -> Result<(), ServerError>;

    /// What was still held back.
    fn rest(&mut self, _: &mut Vec<Said>) {}
}

/// The grammar of both.
pub(super) struct Choices<V>(pub(super) V);

impl<V: Voice> Choices<V> {
    fn read(
        &mut self,
        data: &[u8],
        streaming: bool,
        course: &mut Course,
        said: &mut Vec<Said>,
    ) -> Result<(), ServerError> {
        let chunk: Chunk<'_> = object(data)?;
        // Some gateways send their error under a status of 200, or in the middle of a stream, beside choices too.
        let failed =
            chunk.base_resp.0.and_then(|outcome| outcome.status_code.0).is_some_and(|code| code != 0);
        if chunk.error.0 || failed {
            return Err(refusal::told(data));
        }
        course.model(chunk.model.as_str());
        if let Some(usage) = chunk.usage.0 {
            course.prompt_tokens(usage.prompt_tokens);
            course.answer_tokens(usage.completion_tokens);
        }
        // A last chunk may hold nothing but the usage, which is known now.
        let choices = chunk.choices.0.ok_or(Failure::Malformed)?;
        let Some(choice) = choices.into_iter().next() else { return Ok(()) };
        let finish = finish(choice.finish_reason.as_str());
        self.0.said(choice, streaming, said)?;
        if let Some(finish) = finish? {
            course.finish(finish);
        }
        Ok(())
    }
}

/// What a reason for the end means: OpenAI's own, and what other servers have added.
fn finish(reason: &str) -> Result<Option<Finish>, Failure> {
    match reason {
        "" => Ok(None),
        // A policy that cut in on the answer: what is there is no whole answer, and must not be shown as one.
        // The second is Zhipu's.
        "content_filter" | "sensitive" => Err(Failure::ContentFiltered),
        // The second is Gemini's behind OpenAI's protocol, the third Zhipu's.
        "length" | "max_tokens" | "model_context_window_exceeded" => Ok(Some(Finish::Length)),
        // DeepSeek; vLLM and SGLang; OpenRouter; Zhipu: it was given up in the middle.
        "insufficient_system_resource" | "abort" | "error" | "network_error" => Err(Failure::Broken),
        _ => Ok(Some(Finish::Complete)),
    }
}

impl<V: Voice> Grammar for Choices<V> {
    const DONE: bool = true;

    fn event(&mut self, data: &[u8], course: &mut Course, said: &mut Vec<Said>) -> Result<(), ServerError> {
        self.read(data, true, course, said)
    }

    fn whole(&mut self, body: &[u8], course: &mut Course, said: &mut Vec<Said>) -> Result<(), ServerError> {
        self.read(body, false, course, said)
    }

    fn rest(&mut self, said: &mut Vec<Said>) {
        self.0.rest(said);
    }
}
