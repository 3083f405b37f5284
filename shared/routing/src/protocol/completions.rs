//! The older completions protocol: one text in, its continuation out.
//!
//! Source: the API reference of OpenAI ("Completions (legacy)"). The conversation is written out in the endpoint's
//! [`Template`]; the answer ends where the model would speak for the user, whether or not the server sees to that. There
//! is no place for pictures.

use http::HeaderMap;
use serde_json::json;
use transport::OutRequest;

use super::{
    Decoder, Manner, Said, Template,
    choices::{self, Choice, Choices, Voice},
    reader::Reader,
    request,
    stops::Stops,
};
use crate::{Endpoint, Failure, Prompt, ServerError};

/// The longest answer to ask for when none is configured. It must be said: servers of this protocol default to 16.
const DEFAULT_MAX_TOKENS: u32 = 1024;

/// How many stop sequences servers of this protocol take. The answer is ended here in any case.
const STOPS_MOST: usize = 4;

/// The call that asks `endpoint` to go on with `prompt`.
#[must_use]
pub fn encode(endpoint: &Endpoint, prompt: &Prompt, manner: Manner) -> OutRequest {
    let stops: Vec<_> = stops(endpoint.template, prompt).take(STOPS_MOST).collect();
    let mut body = json!({
        "model": endpoint.model,
        "prompt": endpoint.template.write(prompt),
        "max_tokens": request::most_tokens(endpoint, prompt).unwrap_or(DEFAULT_MAX_TOKENS),
        "stop": stops,
    });
    choices::common(&mut body, endpoint, prompt, manner);
    request::bearer(endpoint, endpoint.url.clone(), request::written(&body))
}

/// The template's own stops before the question's.
fn stops(template: Template, prompt: &Prompt) -> impl Iterator<Item = String> {
    let ours = template.stops().iter().map(|&stop| stop.to_owned());
    ours.chain(prompt.sampling.stop.iter().cloned())
}

/// Reads an answer to `prompt` with these headers.
#[must_use]
pub fn decoder(endpoint: &Endpoint, prompt: &Prompt, headers: &HeaderMap) -> Box<dyn Decoder> {
    let continuation = Continuation(Stops::new(stops(endpoint.template, prompt)));
    Box::new(Reader::new(Choices(continuation), headers))
}

/// Words are in `text`.
struct Continuation(Stops);

impl Voice for Continuation {
    fn said(&mut self, choice: Choice<'_>, streaming: bool, said: &mut Vec<Said>) -> Result<(), ServerError> {
        if !streaming && choice.text.is_absent() && choice.finish_reason.words().is_none() {
            return Err(Failure::Malformed.into());
        }
        self.0.push(choice.text.as_str(), said);
        Ok(())
    }

    fn rest(&mut self, said: &mut Vec<Said>) {
        self.0.rest(said);
    }
}

#[cfg(test)]
mod tests;
