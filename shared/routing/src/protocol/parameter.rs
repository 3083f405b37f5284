//! Parameters that a server was found not to take, so that a question is asked again without them and not lost.
//!
//! Servers of one protocol differ: older ones refuse `stream_options`, OpenAI's reasoning models refuse `max_tokens` and
//! `temperature`, some models take `temperature` or `top_p` and not both. A refusal costs nothing but its round trip, and
//! what was learned is kept as long as the endpoint is.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use transport::OutResponse;

use super::repair;

/// A parameter without which a question can be asked too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// OpenAI's wish to have the tokens counted; without it they are estimated.
    StreamOptions,
    /// The longest answer, by its older name; the newer is `max_completion_tokens`.
    MaxTokens,
    /// How daring the choice of words is.
    Temperature,
    /// Among which share of the likeliest words they are chosen.
    TopP,
    /// A message of the role `system`; without it the instruction stands before the first question.
    SystemRole,
}

impl Parameter {
    /// In the order in which they are given up where a server names several.
    const ALL: [Self; 5] =
        [Self::StreamOptions, Self::MaxTokens, Self::TopP, Self::Temperature, Self::SystemRole];

    /// Its names in the protocols.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::StreamOptions => &["stream_options"],
            Self::MaxTokens => &["max_tokens"],
            Self::Temperature => &["temperature"],
            Self::TopP => &["top_p", "topp"],
            // Not named as a parameter is; see `refuses_system`.
            Self::SystemRole => &[],
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::StreamOptions => 1,
            Self::MaxTokens => 2,
            Self::Temperature => 4,
            Self::TopP => 8,
            Self::SystemRole => 16,
        }
    }
}

/// What an endpoint was found not to take. Clones share what they learn.
#[derive(Debug, Clone, Default)]
pub struct Untaken(Arc<AtomicU8>);

impl Untaken {
    /// Whether a parameter may be sent.
    #[must_use]
    pub fn takes(&self, parameter: Parameter) -> bool {
        self.0.load(Ordering::Relaxed) & parameter.bit() == 0
    }

    /// Leaves a parameter out from now on. Returns whether that is news.
    pub fn leave_out(&self, parameter: Parameter) -> bool {
        self.0.fetch_or(parameter.bit(), Ordering::Relaxed) & parameter.bit() == 0
    }

    /// Leaves out what this refusal complains of. Returns whether that is news, and the call worth making again.
    pub fn learn(&self, refusal: &OutResponse) -> bool {
        complaint(refusal, |parameter| self.takes(parameter))
            .is_some_and(|parameter| self.leave_out(parameter))
    }
}

/// Words of servers that do not know a parameter, or not for this model, in lower case.
const COMPLAINTS: [&str; 13] = [
    "unsupported", // OpenAI: "Unsupported parameter: 'max_tokens' is not supported with this model"
    "not supported",
    "unrecognized", // Azure: "Unrecognized request argument supplied: stream_options"
    "unknown",
    "extra inputs", // Mistral, older vLLM and all who check with pydantic
    "extra_forbidden",
    "cannot both", // Anthropic: "`temperature` and `top_p` cannot both be specified"
    "does not support",
    "is allowed for this model", // Moonshot: "invalid temperature: only 1 is allowed for this model"
    "only the default",
    "not allowed",
    "only supports",
    "deprecated", // Anthropic: "`temperature` is deprecated for this model"
];

/// The parameter that a refusal names as one that the server does not take, among those that were sent.
fn complaint(refusal: &OutResponse, sent: impl Fn(Parameter) -> bool) -> Option<Parameter> {
    let status = refusal.status.as_u16();
    if !matches!(status, 400 | 422 | 424 | 500) {
        return None;
    }
    let body = repair::value(&refusal.body)?;
    // The whole of it, since each server has its own place for the name: `param`, `loc`, `detail`, the message.
    let words = body.to_string().to_lowercase();
    if refuses_system(&words) && sent(Parameter::SystemRole) {
        return Some(Parameter::SystemRole);
    }
    // A parameter never makes a server fail; a chat template that raises an exception does (llama.cpp).
    if status >= 424 {
        return None;
    }
    if !COMPLAINTS.iter().any(|complaint| words.contains(complaint)) {
        return None;
    }
    let named = |parameter: &Parameter| parameter.names().iter().any(|name| names(&words, name));
    Parameter::ALL.into_iter().filter(|&parameter| sent(parameter)).find(named)
}

/// Whether a chat template or a server does not know the role `system`.
fn refuses_system(words: &str) -> bool {
    const REFUSALS: [&str; 9] = [
        "system role not supported", // the chat templates of Gemma and others, through vLLM, llama.cpp and SGLang
        "system role is not supported",
        "system message is not supported",
        "system messages are not supported",
        "only user and assistant roles are supported", // the chat templates of Mistral
        "only user, assistant and tool roles are supported",
        "developer instruction is not enabled", // Gemini, for Gemma
        "system instruction is not enabled",
        "does not support system", // several clouds
    ];
    let role = words.contains("role") && (words.contains("'system'") || words.contains("\\\"system\\\""));
    let refused =
        ["not support", "unsupported", "not allowed", "unexpected role", "invalid role", "unknown role"];
    REFUSALS.iter().any(|said| words.contains(said))
        || role && refused.iter().any(|said| words.contains(said))
}

/// Whether the words have this name as a word of its own: `max_tokens` is no part of `max_tokens_to_sample`.
fn names(words: &str, name: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    words.match_indices(name).any(|(at, _)| {
        let (before, after) = (&words[..at], &words[at + name.len()..]);
        !before.ends_with(part) && !after.starts_with(part)
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn refusal(status: u16, body: &str) -> OutResponse {
        let status = StatusCode::from_u16(status).unwrap();
        OutResponse { status, headers: HeaderMap::new(), body: body.to_owned().into() }
    }

    #[test]
    fn servers_name_what_they_do_not_take() {
        for (status, body, found) in [
            (
                400,
                r#"{"error":{"message":"Unrecognized request argument supplied: stream_options","type":"invalid_request_error","param":null,"code":null}}"#,
                Some(Parameter::StreamOptions),
            ),
            (
                422,
                r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}}"#,
                Some(Parameter::StreamOptions),
            ),
            (
                400,
                r#"{"object":"error","message":"[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra inputs are not permitted'}]","code":400}"#,
                Some(Parameter::StreamOptions),
            ),
            (
                400,
                r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}"#,
                Some(Parameter::MaxTokens),
            ),
            (
                400,
                r#"{"error":{"message":"Unsupported value: 'temperature' does not support 0.2 with this model.","param":"temperature","code":"unsupported_value"}}"#,
                Some(Parameter::Temperature),
            ),
            (
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"`temperature` and `top_p` cannot both be specified for this model."}}"#,
                Some(Parameter::TopP),
            ),
            (
                400,
                r#"{"message":"The model returned the following errors: topP is not supported"}"#,
                Some(Parameter::TopP),
            ),
            (
                400,
                r#"{"error":{"message":"invalid temperature: only 1 is allowed for this model","type":"invalid_request_error"}}"#,
                Some(Parameter::Temperature),
            ),
            (500, r#"{"error":"the system does not support this; temperature sensor failed"}"#, None),
            (400, r#"{"error":{"message":"temperature must be non-negative"}}"#, None),
            (400, r#"{"error":{"message":"unknown model my_stream_options_model"}}"#, None),
            (401, r#"{"error":{"message":"stream_options is not supported"}}"#, None),
            (400, "stream_options is not supported", None),
        ] {
            assert_eq!(complaint(&refusal(status, body), |_| true), found, "{body}");
        }
    }

    #[test]
    fn servers_say_that_they_take_no_system_prompt() {
        for (status, body) in [
            (
                400,
                r#"{"object":"error","message":"System role not supported","type":"BadRequestError","code":400}"#,
            ),
            (
                500,
                r#"{"error":{"code":500,"message":"Jinja Exception: System role not supported","type":"server_error"}}"#,
            ),
            (
                400,
                r#"{"error":{"message":"Unsupported value: 'messages[0].role' does not support 'system' with this model.","param":"messages[0].role"}}"#,
            ),
            (
                400,
                r#"{"error":{"message":"Developer instruction is not enabled for models/gemma-3-27b-it","status":"INVALID_ARGUMENT"}}"#,
            ),
        ] {
            assert_eq!(complaint(&refusal(status, body), |_| true), Some(Parameter::SystemRole), "{body}");
        }
    }

    #[test]
    fn each_is_learned_once_and_by_all_clones() {
        let body = r#"{"error":"temperature and top_p are not supported"}"#;
        let (untaken, refused) = (Untaken::default(), refusal(400, body));
        let clone = untaken.clone();
        assert!(untaken.takes(Parameter::TopP) && untaken.takes(Parameter::Temperature));
        assert!(untaken.learn(&refused) && clone.learn(&refused));
        assert!(!untaken.takes(Parameter::TopP) && !untaken.takes(Parameter::Temperature));
        assert!(!untaken.learn(&refused), "nothing is left to leave out");
        assert!(untaken.takes(Parameter::StreamOptions));
    }
}
