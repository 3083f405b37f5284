//! Why one attempt gave no answer, and what the loop does about it.

use std::time::Duration;

use transport::{NetError, ProxyFault};

/// Why one attempt gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection could be made; the server never saw the prompt.
    #[error("the endpoint cannot be reached")]
    Unreachable,
    /// The server is there and still loads the model.
    #[error("the endpoint is starting")]
    Starting,
    /// The server's certificate is not trusted; it never saw the prompt.
    #[error("{}", NetError::Certificate)]
    Certificate,
    /// The proxy between here and the endpoint made no connection; the endpoint never saw the prompt.
    #[error("{0}")]
    Proxy(ProxyFault),
    /// Not a token came in the time for the first, and another endpoint was left to ask.
    #[error("the endpoint was slow to begin")]
    SlowFirstToken,
    /// The answer began, and then nothing more came.
    #[error("the endpoint fell silent in the middle of its answer")]
    Stalled,
    /// No whole answer came in time.
    #[error("the endpoint did not answer in time")]
    Timeout,
    /// The connection broke before the answer was whole.
    #[error("the connection broke")]
    Broken,
    /// The server has too much to do, or the account's allowance is used up (429).
    #[error("the endpoint takes no more requests now")]
    RateLimited {
        /// How long the server asks us to stay away, where it says so.
        retry_after: Option<Duration>,
    },
    /// The server failed with this status (5xx).
    #[error("the endpoint failed with status {0}")]
    Server(u16),
    /// The key is missing, wrong or not allowed to do this (401, 403).
    #[error("the endpoint refused the key with status {0}")]
    Auth(u16),
    /// The server would not take the request, with this status: an unknown model, an unknown URL, a parameter that it
    /// does not know. A redirect counts here too; none is followed.
    #[error("the endpoint refused the request with status {0}")]
    BadRequest(u16),
    /// The prompt is longer than the model's context.
    #[error("the conversation is too long for the model")]
    ContextTooLong,
    /// The server's content policy refused the prompt or withheld the answer.
    #[error("the endpoint's content policy refused")]
    ContentFiltered,
    /// A good answer with no words in it, or with nothing but reasoning although it came to its end.
    #[error("the endpoint answered without words")]
    Empty,
    /// An answer that the protocol does not know.
    #[error("the endpoint's answer cannot be read")]
    Malformed,
    /// The answer was larger than allowed.
    #[error("the endpoint's answer is too large")]
    TooLarge,
}

impl Failure {
    /// One stable word for logs and metrics.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Starting => "starting",
            Self::Certificate => "certificate",
            Self::Proxy(_) => "proxy",
            Self::SlowFirstToken => "slow_first_token",
            Self::Stalled => "stalled",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::RateLimited { .. } => "rate_limited",
            Self::Server(_) => "server",
            Self::Auth(_) => "auth",
            Self::BadRequest(_) => "bad_request",
            Self::ContextTooLong => "context_too_long",
            Self::ContentFiltered => "content_filtered",
            Self::Empty => "empty",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
        }
    }

    /// What the loop does next, when nothing of the answer had come.
    ///
    /// `BadRequest` and `Auth` go on as well: they are mostly one endpoint's configuration (a model it does not have,
    /// a key that was revoked), and it is not asked again, so a prompt that is truly bad costs one call each. What was
    /// silent is never asked twice: it would be silent for as long again.
    pub(crate) const fn next(self) -> Next {
        match self {
            Self::ContentFiltered => Next::Stop,
            Self::ContextTooLong => Next::LargerWindow,
            Self::RateLimited { retry_after } => Next::SameAfter(retry_after),
            // A failure of a moment: a worker that restarts, a connection that died while it was not used.
            Self::Server(_) | Self::Broken => Next::SameOnce,
            Self::Unreachable
            | Self::Starting
            | Self::Certificate
            | Self::Proxy(_)
            | Self::SlowFirstToken
            | Self::Stalled
            | Self::Timeout
            | Self::Auth(_)
            | Self::BadRequest(_)
            | Self::Empty
            | Self::Malformed
            | Self::TooLarge => Next::OtherEndpoint,
        }
    }

    /// Whether nobody is there who could answer, and somebody may be soon: the server is down or starting, or a proxy in
    /// front of it says so.
    pub(crate) const fn is_absence(self) -> bool {
        matches!(self, Self::Unreachable | Self::Starting | Self::Server(502 | 503))
    }
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another endpoint may do better.
    OtherEndpoint,
    /// The same endpoint may do better in a moment; if not, another.
    SameOnce,
    /// The same endpoint after the wait that it asks for, if it says so and that can be waited for; else another.
    SameAfter(Option<Duration>),
    /// Only an endpoint with room for a longer prompt may do better.
    LargerWindow,
    /// A refusal on grounds of content is an answer: asking elsewhere would be going behind the policy's back.
    Stop,
}

impl From<NetError> for Failure {
    fn from(error: NetError) -> Self {
        match error {
            NetError::Unreachable | NetError::ConnectTimeout => Self::Unreachable,
            NetError::Timeout => Self::Timeout,
            NetError::Broken => Self::Broken,
            NetError::TooLarge => Self::TooLarge,
            NetError::Certificate => Self::Certificate,
            NetError::Proxy(fault) => Self::Proxy(fault),
        }
    }
}
