//! The codecs: what goes to an endpoint, and what comes back. Pure functions and state machines, one module for each
//! wire format, no I/O.
//!
//! [`encode`] makes the call, which asks for a stream unless a whole answer is wanted. The answer's bytes go into a [`Decoder`] as they come,
//! cut wherever the network cut them; a server that answers in one piece all the same is read too. What a status that
//! is no success means is [`refusal`]'s to say.

use http::HeaderMap;
use transport::{OutRequest, OutResponse};
use url::Url;

use crate::{Endpoint, Prompt, ServerError, word::words};

pub mod chat_completions;
mod choices;
pub mod completions;
mod content;
pub mod converse;
mod course;
pub mod echo;
mod frames;
pub mod gemini;
#[cfg(test)]
mod heard;
mod json;
mod lines;
pub mod messages;
pub mod ollama;
pub mod parameter;
mod quote;
mod reader;
pub(crate) mod reasoning;
mod refusal;
mod repair;
mod request;
pub mod responses;
mod sse;
mod stops;
pub mod template;
mod transcript;
mod wait;

pub use parameter::{Parameter, Untaken};
pub use reasoning::Reasoning;
pub(crate) use request::most_tokens;
pub use template::Template;

words! {
    /// What an endpoint speaks.
    pub enum Protocol {
        /// OpenAI's chat completions, which vLLM, Ollama, llama.cpp, LM Studio and most clouds speak too.
        ChatCompletions = "chat_completions",
        /// The older completions: one text in, its continuation out.
        Completions = "completions",
        /// OpenAI's responses.
        Responses = "responses",
        /// Anthropic's messages.
        Messages = "messages",
        /// Ollama's own chat.
        Ollama = "ollama",
        /// Amazon Bedrock's Converse.
        Converse = "converse",
        /// Google's Gemini.
        Gemini = "gemini",
        /// No server at all: the user's words come back.
        Echo = "echo",
    }
}

impl Protocol {
    /// Whether its calls always ask for a stream: those of Converse and Gemini say by their address how the answer comes.
    #[must_use]
    pub const fn only_streams(self) -> bool {
        matches!(self, Self::Converse | Self::Gemini)
    }

    /// The protocol that a URL's path tells by its end, for example `…/chat/completions` or `…/v1/messages`.
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
        const ENDS: [(&str, Protocol); 9] = [
            ("/chat/completions", Protocol::ChatCompletions),
            ("/completions", Protocol::Completions),
            ("/responses", Protocol::Responses),
            ("/messages", Protocol::Messages),
            ("/api/chat", Protocol::Ollama),
            (converse::STREAM, Protocol::Converse),
            (converse::WHOLE, Protocol::Converse),
            (gemini::STREAM, Protocol::Gemini),
            (gemini::WHOLE, Protocol::Gemini),
        ];
        let path = url.path().trim_end_matches('/');
        ENDS.iter().find(|(end, _)| path.ends_with(end)).map(|&(_, protocol)| protocol)
    }
}

/// How an answer is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Word by word.
    Streamed,
    /// In one piece; not for protocols that only stream ([`Protocol::only_streams`]).
    Whole,
}

impl Manner {
    const fn streams(self) -> bool {
        matches!(self, Self::Streamed)
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
    /// It did not: the question's time was over while it was still answering.
    TimedOut,
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
    /// Whether something in it could not be read and was passed over: the end is in good order, and some words may be
    /// missing all the same.
    pub garbled: bool,
}

/// Reads one answer as it comes.
pub trait Decoder: Send {
    /// Takes the next bytes, and adds to `said` what they say.
    ///
    /// # Errors
    ///
    /// The error that the server tells in the stream, or [`Malformed`](crate::Failure::Malformed). Nothing may follow an error.
    fn push(&mut self, bytes: &[u8], said: &mut Vec<Said>) -> Result<Progress, ServerError>;

    /// The body has ended, or [`Progress::Over`] was told. Adds what was still held back.
    ///
    /// # Errors
    ///
    /// [`Broken`](crate::Failure::Broken) when the answer was cut off: neither the protocol's end mark nor a reason for the end came.
    fn finish(&mut self, said: &mut Vec<Said>) -> Result<Ending, ServerError>;
}

/// The call that asks `endpoint` to go on with `prompt`. `None` for [`Protocol::Echo`], which calls nobody.
#[must_use]
pub fn encode(endpoint: &Endpoint, prompt: &Prompt, manner: Manner) -> Option<OutRequest> {
    let folded = (!endpoint.untaken.takes(Parameter::SystemRole)).then(|| prompt.with_system_in_question());
    let prompt = folded.as_ref().unwrap_or(prompt);
    match endpoint.protocol {
        Protocol::ChatCompletions => Some(chat_completions::encode(endpoint, prompt, manner)),
        Protocol::Completions => Some(completions::encode(endpoint, prompt, manner)),
        Protocol::Responses => Some(responses::encode(endpoint, prompt, manner)),
        Protocol::Messages => Some(messages::encode(endpoint, prompt, manner)),
        Protocol::Ollama => Some(ollama::encode(endpoint, prompt, manner)),
        Protocol::Converse => Some(converse::encode(endpoint, prompt)),
        Protocol::Gemini => Some(gemini::encode(endpoint, prompt)),
        Protocol::Echo => None,
    }
}

/// What reads a good answer of `endpoint` to `prompt` with these headers; `None` for [`Protocol::Echo`].
#[must_use]
pub fn decoder(endpoint: &Endpoint, prompt: &Prompt, headers: &HeaderMap) -> Option<Box<dyn Decoder>> {
    match endpoint.protocol {
        Protocol::ChatCompletions => Some(chat_completions::decoder(headers)),
        Protocol::Completions => Some(completions::decoder(endpoint, prompt, headers)),
        Protocol::Responses => Some(responses::decoder(prompt, headers)),
        Protocol::Messages => Some(messages::decoder(headers)),
        Protocol::Ollama => Some(ollama::decoder(headers)),
        Protocol::Converse => Some(converse::decoder(headers)),
        Protocol::Gemini => Some(gemini::decoder(headers)),
        Protocol::Echo => None,
    }
}

/// What an answer means whose status is no success.
#[must_use]
pub fn refusal(response: &OutResponse) -> ServerError {
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
            ("https://h/v1/responses", Some(Protocol::Responses)),
            ("https://h/v1/messages", Some(Protocol::Messages)),
            ("http://h:11434/api/chat", Some(Protocol::Ollama)),
            ("https://h/model/amazon.nova-lite-v1:0/converse-stream", Some(Protocol::Converse)),
            ("https://h/model/amazon.nova-lite-v1:0/converse", Some(Protocol::Converse)),
            (
                "https://h/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
                Some(Protocol::Gemini),
            ),
            ("https://h/v1beta/models/gemini-2.5-flash:generateContent", Some(Protocol::Gemini)),
            ("https://h/v1/models?x=/completions", None),
            ("https://h/xcompletions", None),
            ("https://h/", None),
        ] {
            assert_eq!(Protocol::of_url(&url.parse().unwrap()), protocol, "{url}");
        }
    }

    #[test]
    fn a_whole_answer_is_asked_for_where_the_call_says_how_it_comes() {
        for &protocol in Protocol::ALL {
            let endpoint = Endpoint { protocol, ..Endpoint::echo() };
            let says = |manner| {
                let call = encode(&endpoint, &Prompt::question("hi"), manner)?;
                let body: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
                body.get("stream")?.as_bool()
            };
            let says_so = !protocol.only_streams() && protocol != Protocol::Echo;
            let expected = if says_so { (Some(true), Some(false)) } else { (None, None) };
            assert_eq!((says(Manner::Streamed), says(Manner::Whole)), expected, "{protocol:?}");
        }
    }
}
