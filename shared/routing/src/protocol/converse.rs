//! Amazon Bedrock's Converse, streamed in Amazon's own framing.
//!
//! Source: the API reference of Amazon Bedrock ("ConverseStream"). The endpoint's key is a Bedrock API key; without one
//! the call is signed with the role of whoever runs, which is [`Signer`](crate::Signer)'s to do. The SDK's client brings its
//! own HTTP stack and retries of its own, and would be in every program that routes.

use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use transport::OutRequest;
use url::Url;

use super::{
    Decoder, Ending, Finish, Progress, Said,
    course::Course,
    frames::{Frames, Message},
    json::{Count, Part, Text, There, object},
    refusal,
    repair::{Halves, lenient},
    request,
};
use crate::{Endpoint, Failure, Picture, Prompt, Role, ServerError};

/// The operation that streams, at the end of a path.
pub(super) const STREAM: &str = "/converse-stream";

/// The operation that answers in one piece.
pub(super) const WHOLE: &str = "/converse";

/// The call that asks `endpoint` to go on with `prompt`.
#[must_use]
pub fn encode(endpoint: &Endpoint, prompt: &Prompt) -> OutRequest {
    let mut config = json!({});
    request::put(&mut config, "maxTokens", request::most_tokens(endpoint, prompt));
    request::put(
        &mut config,
        "temperature",
        request::temperature(endpoint, prompt).map(|most| most.min(1.0)),
    );
    request::put(&mut config, "topP", request::top_p(endpoint, prompt));
    request::put(&mut config, "stopSequences", request::stop(prompt));
    let mut body = json!({ "messages": messages(prompt) });
    let system = prompt.system.as_deref().filter(|text| !text.trim().is_empty());
    request::put(&mut body, "system", system.map(|text| json!([{ "text": text }])));
    request::put(&mut body, "inferenceConfig", Some(config).filter(|config| *config != json!({})));
    request::bearer(endpoint, url(endpoint), request::written(&body))
}

/// The configured address, with the operation that streams. Where only a host is configured, the model is put in.
fn url(endpoint: &Endpoint) -> Url {
    let mut url = endpoint.url.clone();
    let path = url.path().trim_end_matches('/').to_owned();
    if let Some(model) = path.strip_suffix(WHOLE) {
        url.set_path(&format!("{model}{STREAM}"));
    } else if !path.ends_with(STREAM)
        && let Ok(mut segments) = url.path_segments_mut()
    {
        segments.pop_if_empty().extend(["model", &endpoint.model, "converse-stream"]);
    }
    // As the SDKs send it: a signature is over the path, and services differ in how they read a bare colon.
    url.set_path(&url.path().replace(':', "%3A"));
    url
}

fn messages(prompt: &Prompt) -> Vec<Value> {
    let role = |role| if role == Role::User { "user" } else { "assistant" };
    request::messages(
        prompt,
        |side, content| json!({ "role": role(side), "content": content }),
        |text| json!({ "text": text.trim_end() }),
        picture,
    )
}

/// The format is the media type's second half: png, jpeg, gif or webp.
fn picture(picture: &Picture) -> Value {
    let format = picture.media_type.rsplit('/').next().unwrap_or_default();
    let format = if format == "jpg" { "jpeg" } else { format };
    json!({ "image": { "format": format, "source": { "bytes": request::base64(picture) } } })
}

/// Reads an answer; its framing is always the same, so headers say nothing.
#[must_use]
pub fn decoder(_: &HeaderMap) -> Box<dyn Decoder> {
    Box::new(Converse::default())
}

#[derive(Default)]
struct Converse {
    frames: Frames,
    course: Course,
    halves: Halves,
}

#[derive(Deserialize)]
struct BlockDelta<'a> {
    #[serde(borrow, default)]
    delta: Part<Delta<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delta<'a> {
    #[serde(borrow, default)]
    text: Text<'a>,
    #[serde(default)]
    reasoning_content: There,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageStop<'a> {
    #[serde(borrow, default)]
    stop_reason: Text<'a>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    usage: Part<Usage>,
}

/// What was read anew, what was put into the cache, what was found there: a prompt is all three.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    #[serde(default)]
    input_tokens: Count,
    #[serde(default)]
    cache_read_input_tokens: Count,
    #[serde(default)]
    cache_write_input_tokens: Count,
    #[serde(default)]
    output_tokens: Count,
}

/// One message of the stream, with this payload.
fn hear(
    message: &Message<'_>,
    payload: &[u8],
    course: &mut Course,
    said: &mut Vec<Said>,
) -> Result<(), ServerError> {
    if matches!(message.kind, "exception" | "error") {
        return Err(refusal::named(message.name, message.payload));
    }
    match message.name {
        "contentBlockDelta" => {
            let delta = object::<BlockDelta<'_>>(payload)?.delta.0.ok_or(Failure::Malformed)?;
            if let Some(words) = delta.text.words() {
                said.push(Said::Words(words.to_owned()));
            } else if delta.reasoning_content.0 {
                said.push(Said::Thought);
            }
        }
        "messageStop" => note_end(object::<MessageStop<'_>>(payload)?.stop_reason.as_str(), course)?,
        "metadata" => {
            if let Some(usage) = object::<Metadata>(payload)?.usage.0 {
                note_usage(&usage, course);
            }
            // The last of all, if the answer has come to its end.
            course.over = course.is_finished();
        }
        // The beginning of the whole and of blocks, the end of blocks, and what is to come.
        _ => {}
    }
    Ok(())
}

fn note_end(reason: &str, course: &mut Course) -> Result<(), ServerError> {
    match reason {
        "guardrail_intervened" | "content_filtered" => return Err(Failure::ContentFiltered.into()),
        "max_tokens" | "model_context_window_exceeded" => course.finish(Finish::Length),
        "malformed_model_output" | "malformed_tool_use" => return Err(Failure::Broken.into()),
        // None, `end_turn`, `stop_sequence`, and `tool_use`, which nothing that is asked for brings about.
        _ => course.finish(Finish::Complete),
    }
    Ok(())
}

fn note_usage(usage: &Usage, course: &mut Course) {
    let parts = [usage.input_tokens, usage.cache_read_input_tokens, usage.cache_write_input_tokens];
    let prompt = parts.into_iter().filter_map(|part| part.0).fold(0, u32::saturating_add);
    course.prompt_tokens(Count(Some(prompt)));
    course.answer_tokens(usage.output_tokens);
}

impl Decoder for Converse {
    fn push(&mut self, bytes: &[u8], said: &mut Vec<Said>) -> Result<Progress, ServerError> {
        let from = said.len();
        let Self { frames, course, halves } = self;
        let pushed = frames.push(bytes, |message| {
            if course.over {
                return Ok(());
            }
            lenient(message.payload, course, |payload, course| hear(&message, payload, course, said))
        });
        if course.halves {
            halves.join(&mut said[from..]);
        }
        pushed?;
        Ok(if course.over { Progress::Over } else { Progress::More })
    }

    fn finish(&mut self, said: &mut Vec<Said>) -> Result<Ending, ServerError> {
        self.halves.rest(said);
        if !self.frames.is_empty() && !self.course.is_finished() {
            return Err(Failure::Broken.into());
        }
        Ok(self.course.ending()?)
    }
}

#[cfg(test)]
mod tests;
