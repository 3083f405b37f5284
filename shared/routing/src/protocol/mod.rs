//! The codecs: what goes to an endpoint, and what comes back. Pure functions and state machines, one module for each
//! wire format, no I/O.
//!
//! [`encode`] makes the call, which always asks for a stream. The answer's bytes go into a [`Decoder`] as they come,
//! cut wherever the network cut them; a server that answers in one piece all the same is read too. What a status that
//! is no success means is [`refusal`]'s to say.

use http::HeaderMap;
use transport::{OutRequest, OutResponse};
use url::Url;

use crate::{Endpoint, Failure, Prompt, word::words};

pub mod chat_completions;
pub mod completions;
pub mod echo;
#[cfg(test)]
mod heard;
pub(crate) mod reasoning;
mod refusal;
mod sse;
mod wire;

words! {
    /// What an endpoint speaks.
    pub enum Protocol {
        /// OpenAI's chat completions, which vLLM, Ollama, llama.cpp, LM Studio and most clouds speak too.
        ChatCompletions = "chat_completions",
        /// The older completions: one text in, its continuation out.
        Completions = "completions",
        /// No server at all: the user's words come back.
        Echo = "echo",
    }
}

impl Protocol {
    /// The protocol that a URL's path tells: `…/chat/completions` or `…/completions`.
    ///
    /// ```
    /// use routing::Protocol;
    ///
    /// let url = "http://localhost:8000/v1/chat/completions".parse()?;
    /// assert_eq!(Protocol::of_url(&url), Some(Protocol::ChatCompletions));
    /// # Ok::<(), url::ParseError>(())
    /// ```
    #[must_use]
    pub fn of_url(url: &Url) -> Option<Self> {
        let path = url.path().trim_end_matches('/');
        if path.ends_with("/chat/completions") {
            Some(Self::ChatCompletions)
        } else if path.ends_with("/completions") {
            Some(Self::Completions)
        } else {
            None
        }
    }
}

/// What a piece of an answer turned out to hold.
#[derive(Clone, PartialEq, Eq)]
pub enum Said {
    /// The model thinks: a sign of life, and nothing to show.
    Thought,
    /// More of the answer. May still begin with reasoning that the model marks in its own words.
    Words(String),
}

/// Shows the size of the words, not the words.
impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Thought => f.write_str("Thought"),
            Self::Words(words) => f.debug_struct("Words").field("bytes", &words.len()).finish(),
        }
    }
}

/// Whether more of an answer is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// More may come.
    More,
    /// The answer is whole; what else the connection holds is of no interest.
    Over,
}

/// Why a model ended its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// It had said all it wanted to.
    Complete,
    /// It reached the most tokens that it may answer with.
    Length,
}

/// What is known of an answer once it is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The model that answered, where the server names it.
    pub model: Option<String>,
    /// Tokens of prompt and answer, where the server counts them.
    pub tokens: Option<(u32, u32)>,
    /// Why it ended.
    pub finish: Finish,
}

/// Reads one answer as it comes.
pub trait Decoder: Send {
    /// Takes the next bytes, and adds to `said` what they say.
    ///
    /// # Errors
    ///
    /// The [`Failure`] that the server tells in the stream, or [`Failure::Malformed`]. Nothing may follow an error.
    fn push(&mut self, bytes: &[u8], said: &mut Vec<Said>) -> Result<Progress, Failure>;

    /// The body has ended, or [`Progress::Over`] was told. Adds what was still held back.
    ///
    /// # Errors
    ///
    /// [`Failure::Broken`] when the answer was cut off: neither the protocol's end mark nor a reason for the end came.
    fn finish(&mut self, said: &mut Vec<Said>) -> Result<Ending, Failure>;
}

/// The call that asks `endpoint` to go on with `prompt`, streaming. `None` for [`Protocol::Echo`], which calls nobody.
#[must_use]
pub fn encode(endpoint: &Endpoint, prompt: &Prompt) -> Option<OutRequest> {
    match endpoint.protocol {
        Protocol::ChatCompletions => Some(chat_completions::encode(endpoint, prompt)),
        Protocol::Completions => Some(completions::encode(endpoint, prompt)),
        Protocol::Echo => None,
    }
}

/// What reads a good answer with these headers; `None` for [`Protocol::Echo`].
#[must_use]
pub fn decoder(protocol: Protocol, headers: &HeaderMap) -> Option<Box<dyn Decoder>> {
    match protocol {
        Protocol::ChatCompletions => Some(chat_completions::decoder(headers)),
        Protocol::Completions => Some(completions::decoder(headers)),
        Protocol::Echo => None,
    }
}

/// What an answer means whose status is no success.
#[must_use]
pub fn refusal(response: &OutResponse) -> Failure {
    refusal::of_response(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_tells_the_protocol() {
        for (url, protocol) in [
            ("http://h/v1/chat/completions", Some(Protocol::ChatCompletions)),
            ("http://h/v1/chat/completions/", Some(Protocol::ChatCompletions)),
            ("http://h/v1/chat/completions?api-version=1", Some(Protocol::ChatCompletions)),
            ("https://h/v1/completions", Some(Protocol::Completions)),
            ("https://h/completions", Some(Protocol::Completions)),
            ("https://h/v1/models?x=/completions", None),
            ("https://h/xcompletions", None),
            ("https://h/", None),
        ] {
            assert_eq!(Protocol::of_url(&url.parse().unwrap()), protocol, "{url}");
        }
    }
}
