//! Google's Gemini: `generateContent`, streamed as server-sent events.
//!
//! Source: Google's API reference ("Generating content", `GenerateContentResponse`, `FinishReason`, `BlockReason`).
//! Google's own Rust client is built on its gRPC stack; the others bring an HTTP client of their own.

use http::{HeaderMap, HeaderName};
use serde::Deserialize;
use serde_json::{Value, json};
use transport::OutRequest;
use url::Url;

use super::{
    Decoder, Finish, Said,
    course::Course,
    json::{Count, List, Part, Text, There, Truth, object},
    reader::{Grammar, Reader},
    refusal, request,
};
use crate::{Endpoint, Failure, Prompt, Role, ServerError};

/// The method that streams, at the end of a path.
pub(super) const STREAM: &str = ":streamGenerateContent";

/// The method that answers in one piece.
pub(super) const WHOLE: &str = ":generateContent";

/// The call that asks `endpoint` to go on with `prompt`.
#[must_use]
pub fn encode(endpoint: &Endpoint, prompt: &Prompt) -> OutRequest {
    let mut config = json!({});
    request::put(&mut config, "maxOutputTokens", request::most_tokens(endpoint, prompt));
    request::put(&mut config, "temperature", request::temperature(endpoint, prompt));
    request::put(&mut config, "topP", request::top_p(endpoint, prompt));
    request::put(&mut config, "stopSequences", request::stop(prompt));
    let mut body = json!({ "contents": contents(prompt) });
    let system = prompt.system.as_deref().filter(|text| !text.trim().is_empty());
    let system = system.map(|text| json!({ "parts": [{ "text": text }] }));
    request::put(&mut body, "systemInstruction", system);
    request::put(&mut body, "generationConfig", Some(config).filter(|config| *config != json!({})));
    request::keyed(
        endpoint,
        url(endpoint),
        HeaderName::from_static("x-goog-api-key"),
        request::written(&body),
    )
}

/// The configured address, with the method that streams, and as events.
fn url(endpoint: &Endpoint) -> Url {
    let mut url = endpoint.url.clone();
    let path = url.path().trim_end_matches('/').to_owned();
    if let Some(model) = path.strip_suffix(WHOLE) {
        url.set_path(&format!("{model}{STREAM}"));
    } else if !path.ends_with(STREAM) {
        let model = endpoint.model.trim_start_matches("models/");
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("models").push(&format!("{model}{STREAM}"));
        }
    }
    if !url.query_pairs().any(|(name, value)| name == "alt" && value == "sse") {
        url.query_pairs_mut().append_pair("alt", "sse");
    }
    url
}

fn contents(prompt: &Prompt) -> Vec<Value> {
    let role = |role| if role == Role::User { "user" } else { "model" };
    request::messages(
        prompt,
        |side, parts| json!({ "role": role(side), "parts": parts }),
        |text| json!({ "text": text }),
        |picture| json!({ "inlineData": { "mimeType": picture.media_type, "data": request::base64(picture) } }),
    )
}

/// Reads an answer with these headers.
#[must_use]
pub fn decoder(headers: &HeaderMap) -> Box<dyn Decoder> {
    Box::new(Reader::new(Gemini, headers))
}

struct Gemini;

/// One event of a stream, or a whole answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk<'a> {
    #[serde(borrow, default)]
    candidates: List<Candidate<'a>>,
    #[serde(borrow, default)]
    prompt_feedback: Part<Feedback<'a>>,
    #[serde(default)]
    usage_metadata: Part<Usage>,
    #[serde(borrow, default)]
    model_version: Text<'a>,
    #[serde(default)]
    error: There,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    #[serde(borrow, default)]
    content: Part<Content<'a>>,
    #[serde(borrow, default)]
    finish_reason: Text<'a>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    parts: List<Piece<'a>>,
}

#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(borrow, default)]
    text: Text<'a>,
    #[serde(default)]
    thought: Truth,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback<'a> {
    #[serde(borrow, default)]
    block_reason: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    #[serde(default)]
    prompt_token_count: Count,
    #[serde(default)]
    candidates_token_count: Count,
    #[serde(default)]
    thoughts_token_count: Count,
}

fn note_usage(usage: &Usage, course: &mut Course) {
    course.prompt_tokens(usage.prompt_token_count);
    // Thoughts are charged for as the answer is, and counted apart.
    let (answer, thoughts) = (usage.candidates_token_count.0, usage.thoughts_token_count.0);
    if answer.is_some() || thoughts.is_some() {
        let both = answer.unwrap_or(0).saturating_add(thoughts.unwrap_or(0));
        course.answer_tokens(Count(Some(both)));
    }
}

/// What a reason for the end means.
fn note_end(reason: &str, course: &mut Course) -> Result<(), ServerError> {
    match reason {
        "" | "FINISH_REASON_UNSPECIFIED" => {}
        "STOP" => course.finish(Finish::Complete),
        "MAX_TOKENS" => course.finish(Finish::Length),
        "SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII"
        | "IMAGE_SAFETY" => {
            return Err(Failure::ContentFiltered.into());
        }
        // `OTHER`, `MALFORMED_FUNCTION_CALL` and their like: it was given up in the middle.
        _ => return Err(Failure::Broken.into()),
    }
    Ok(())
}

impl Grammar for Gemini {
    fn event(&mut self, data: &[u8], course: &mut Course, said: &mut Vec<Said>) -> Result<(), ServerError> {
        let chunk: Chunk<'_> = object(data)?;
        if chunk.error.0 {
            return Err(refusal::told(data));
        }
        course.model(chunk.model_version.as_str());
        if let Some(usage) = &chunk.usage_metadata.0 {
            note_usage(usage, course);
        }
        // The prompt itself was refused, and there is no candidate.
        if chunk.prompt_feedback.0.is_some_and(|feedback| feedback.block_reason.words().is_some()) {
            return Err(Failure::ContentFiltered.into());
        }
        // A last event may hold nothing but the usage, which is known now.
        let candidates = chunk.candidates.0.ok_or(Failure::Malformed)?;
        let Some(candidate) = candidates.first() else { return Ok(()) };
        for piece in candidate.content.0.iter().filter_map(|content| content.parts.0.as_ref()).flatten() {
            match piece.text.words() {
                Some(_) if piece.thought.0 => said.push(Said::Thought),
                Some(words) => said.push(Said::Words(words.to_owned())),
                None => {}
            }
        }
        note_end(candidate.finish_reason.as_str(), course)
    }
}

#[cfg(test)]
mod tests;
