//! For tests: an answer heard to its end.

use transport::OutResponse;

use super::{Protocol, Reasoning, Said, decoder, refusal};
use crate::{Endpoint, Failure, Place, Prompt};

/// What an endpoint said, once it is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) text: String,
    pub(crate) model: Option<String>,
    pub(crate) tokens: Option<(u32, u32)>,
}

/// An endpoint that speaks this, at this address, and asks for this model.
pub(crate) fn endpoint(protocol: Protocol, url: &str, model: &str) -> Endpoint {
    Endpoint::new("heard", Place::Cloud, url.parse().unwrap(), protocol, model)
}

/// Hears an answer whose body comes in these pieces.
pub(crate) fn hear(protocol: Protocol, response: &OutResponse, pieces: &[&[u8]]) -> Result<Heard, Failure> {
    if !response.status.is_success() {
        return Err(refusal(response).failure);
    }
    let endpoint = endpoint(protocol, "http://h/", "m");
    let mut decoder = decoder(&endpoint, &Prompt::default(), &response.headers).expect("somebody is called");
    let mut said = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut said).map_err(|error| error.failure)?;
    }
    let ending = decoder.finish(&mut said).map_err(|error| error.failure)?;
    let words = said.iter().filter_map(|said| match said {
        Said::Words(words) => Some(words.as_str()),
        Said::Thought => None,
    });
    let text = Reasoning::default().strip(&words.collect::<String>(), false).to_owned();
    if text.is_empty() {
        return Err(Failure::Empty);
    }
    Ok(Heard { text, model: ending.model, tokens: ending.tokens })
}
