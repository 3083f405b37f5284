//! OpenAI's responses, which OpenAI, Azure, Alibaba Cloud, vLLM and LM Studio speak.
//!
//! Source: the API reference of OpenAI ("Responses", "Streaming events"). The protocol knows no stop texts: the answer is
//! ended here. Nothing is left with the provider (`store` is false). `async-openai` brings an HTTP client of its own.

use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use transport::OutRequest;

use super::{
    Decoder, Finish, Manner, Said,
    course::Course,
    json::{Count, List, Part, Text, There, object},
    reader::{Grammar, Reader},
    refusal, request,
    stops::Stops,
};
use crate::{Endpoint, Failure, Line, Prompt, Role, ServerError};

/// The shortest limit to an answer that OpenAI takes, in tokens.
const LEAST_TOKENS: u32 = 16;

/// The call that asks `endpoint` to go on with `prompt`.
#[must_use]
pub fn encode(endpoint: &Endpoint, prompt: &Prompt, manner: Manner) -> OutRequest {
    let input: Vec<Value> = prompt.lines.iter().map(message).collect();
    let mut body =
        json!({ "model": endpoint.model, "input": input, "stream": manner.streams(), "store": false });
    request::put(&mut body, "instructions", prompt.system.clone());
    let most = request::most_tokens(endpoint, prompt).map(|most| most.max(LEAST_TOKENS));
    request::put(&mut body, "max_output_tokens", most);
    request::put(&mut body, "temperature", request::temperature(endpoint, prompt));
    request::put(&mut body, "top_p", request::top_p(endpoint, prompt));
    request::bearer(endpoint, endpoint.url.clone(), request::written(&body))
}

fn message(line: &Line) -> Value {
    let (role, kind) = match line.role {
        Role::User => ("user", "input_text"),
        Role::Assistant => ("assistant", "output_text"),
    };
    let picture = |picture| json!({ "type": "input_image", "image_url": request::data_url(picture) });
    let pictures = line.pictures.iter().map(picture);
    let text = (!line.text.is_empty() || line.pictures.is_empty())
        .then(|| json!({ "type": kind, "text": line.text }));
    json!({ "role": role, "content": pictures.chain(text).collect::<Vec<_>>() })
}

/// Reads an answer to `prompt` with these headers.
#[must_use]
pub fn decoder(prompt: &Prompt, headers: &HeaderMap) -> Box<dyn Decoder> {
    let stops = Stops::new(prompt.sampling.stop.iter().cloned());
    Box::new(Reader::new(Responses { stops }, headers))
}

struct Responses {
    stops: Stops,
}

/// One event of a stream. What it is stands in it, so the event's own name is not looked at.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Text<'a>,
    #[serde(borrow, default)]
    delta: Text<'a>,
    #[serde(borrow, default)]
    response: Part<Response<'a>>,
}

/// The whole, at the beginning of a stream, at its end, or alone.
#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow, default)]
    model: Text<'a>,
    #[serde(borrow, default)]
    status: Text<'a>,
    #[serde(default)]
    error: There,
    #[serde(borrow, default)]
    incomplete_details: Part<Incomplete<'a>>,
    #[serde(borrow, default)]
    output: List<Item<'a>>,
    #[serde(default)]
    usage: Part<Usage>,
}

#[derive(Deserialize)]
struct Incomplete<'a> {
    #[serde(borrow, default)]
    reason: Text<'a>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Text<'a>,
    #[serde(borrow, default)]
    content: List<Piece<'a>>,
}

#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(borrow, default)]
    text: Text<'a>,
    #[serde(borrow, default)]
    refusal: Text<'a>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    input_tokens: Count,
    #[serde(default)]
    output_tokens: Count,
}

impl Responses {
    /// What the whole tells of the answer, and, once it is over, of its end.
    fn note(response: &Response<'_>, data: &[u8], course: &mut Course) -> Result<(), ServerError> {
        course.model(response.model.as_str());
        if let Some(usage) = &response.usage.0 {
            course.prompt_tokens(usage.input_tokens);
            course.answer_tokens(usage.output_tokens);
        }
        let cut = response.incomplete_details.0.as_ref().map(|details| details.reason.as_str());
        match (response.status.as_str(), cut) {
            ("failed", _) => Err(refusal::told(data)),
            (_, _) if response.error.0 => Err(refusal::told(data)),
            ("incomplete", Some("content_filter")) => Err(Failure::ContentFiltered.into()),
            ("incomplete", Some("max_output_tokens")) => {
                course.finish(Finish::Length);
                Ok(())
            }
            // Given up for another reason, or called off by somebody.
            ("incomplete" | "cancelled", _) => Err(Failure::Broken.into()),
            ("completed", _) => {
                course.finish(Finish::Complete);
                Ok(())
            }
            // It has begun.
            _ => Ok(()),
        }
    }
}

impl Grammar for Responses {
    fn event(&mut self, data: &[u8], course: &mut Course, said: &mut Vec<Said>) -> Result<(), ServerError> {
        let event: Event<'_> = object(data)?;
        match event.kind.as_str() {
            "response.output_text.delta" | "response.refusal.delta" => {
                self.stops.push(event.delta.as_str(), said);
            }
            kind if kind.starts_with("response.reasoning") && kind.ends_with(".delta") => {
                said.push(Said::Thought);
            }
            "error" => return Err(refusal::told(data)),
            "response.completed" | "response.incomplete" | "response.failed" => {
                match event.response.0 {
                    Some(response) => Self::note(&response, data, course)?,
                    None if event.kind.as_str() == "response.completed" => {}
                    None => return Err(refusal::told(data)),
                }
                course.over = true;
            }
            "" => return Err(Failure::Malformed.into()),
            _ => {
                if let Some(response) = event.response.0 {
                    Self::note(&response, data, course)?;
                }
            }
        }
        Ok(())
    }

    fn whole(&mut self, body: &[u8], course: &mut Course, said: &mut Vec<Said>) -> Result<(), ServerError> {
        let response: Response<'_> = object(body)?;
        Self::note(&response, body, course)?;
        let Some(items) = response.output.0 else { return Err(Failure::Malformed.into()) };
        for item in items.iter().filter(|item| item.kind.as_str() == "message") {
            for piece in item.content.0.iter().flatten() {
                self.stops.push(piece.text.as_str(), said);
                self.stops.push(piece.refusal.as_str(), said);
            }
        }
        Ok(())
    }

    fn rest(&mut self, said: &mut Vec<Said>) {
        self.stops.rest(said);
    }
}

#[cfg(test)]
mod tests;
