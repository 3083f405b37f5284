//! What asking gave: an answer or the reason for none, and every attempt on the way.

use crate::{Failure, Finish, Micros, Overflow, Place, ServerMessage};

/// Tokens used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt: u32,
    /// Tokens of the answer, reasoning included where the server counts it.
    pub completion: u32,
    /// Whether [`estimate_tokens`](crate::estimate_tokens) counted, because the server did not.
    pub estimated: bool,
}

/// One call of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The endpoint's name.
    pub endpoint: String,
    /// Where it stands.
    pub place: Place,
    /// The model: as the server names it when it answered, else as configured.
    pub model: String,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// How long its first token took, in milliseconds, if one came.
    pub first_token_millis: Option<u64>,
    /// Tokens it used; by estimate where it did not come to its end.
    pub usage: Option<Usage>,
    /// What they cost.
    pub cost: Micros,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The HTTP status of a failed call. For an error inside a successful response, the status that the error names.
    pub status: Option<u16>,
    /// The server's own message about a failure, without anything that was sent to it.
    pub message: Option<ServerMessage>,
    /// The figures that the server names when the prompt is too long.
    pub overflow: Overflow,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// With the answer.
    Answered,
    /// Without one.
    Failed(Failure),
    /// It was called off: another endpoint that was asked as well was faster.
    Outrun,
}

impl AttemptOutcome {
    /// One stable word for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed(failure) => failure.class(),
            Self::Outrun => "outrun",
        }
    }
}

/// An answer, and who gave it.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The words, without the model's reasoning. Blank only where the answer was cut off before its first word: by the time
    /// ([`Finish::TimedOut`]), or because all tokens went into reasoning ([`Finish::Length`]).
    pub text: String,
    /// The name of the endpoint that answered.
    pub endpoint: String,
    /// Where it stands.
    pub place: Place,
    /// The model that answered, as the server names it, else as configured.
    pub model: String,
    /// Tokens used by the attempt that answered.
    pub usage: Usage,
    /// Why the model ended.
    pub finish: Finish,
    /// Every attempt, in the order in which they ended; the last one answered.
    pub attempts: Vec<Attempt>,
}

impl Answer {
    /// What all attempts together cost.
    #[must_use]
    pub fn cost(&self) -> Micros {
        cost(&self.attempts)
    }
}

fn cost(attempts: &[Attempt]) -> Micros {
    attempts.iter().fold(0, |sum: Micros, attempt| sum.saturating_add(attempt.cost))
}

/// Shows the size of the words, not the words.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("bytes", &self.text.len())
            .field("endpoint", &self.endpoint)
            .field("place", &self.place)
            .field("model", &self.model)
            .field("usage", &self.usage)
            .field("finish", &self.finish)
            .field("attempts", &self.attempts)
            .finish()
    }
}

/// Why nobody answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswerReason {
    /// No model is connected: nothing is configured, and none was found.
    NoModel,
    /// Rules and strategy leave no endpoint to ask.
    NoEndpoint,
    /// Only endpoints are left that might cost more than may still be spent.
    OverBudget,
    /// Every endpoint was asked and failed.
    AllFailed,
    /// A content policy refused, or the conversation is too long for the models that could be reached
    /// ([`NoAnswer::is_too_long`] tells which). Asking again unchanged will not help.
    Refused,
    /// The budget ended first.
    OutOfTime,
}

impl NoAnswerReason {
    /// One stable word for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoModel => "no_model",
            Self::NoEndpoint => "no_endpoint",
            Self::OverBudget => "over_budget",
            Self::AllFailed => "all_failed",
            Self::Refused => "refused",
            Self::OutOfTime => "out_of_time",
        }
    }
}

/// Nobody answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no endpoint answered ({}, {} attempts)", .reason.as_str(), .attempts.len())]
pub struct NoAnswer {
    /// Why.
    pub reason: NoAnswerReason,
    /// Every attempt, in order.
    pub attempts: Vec<Attempt>,
}

impl NoAnswer {
    /// What all attempts together cost, although nobody answered.
    #[must_use]
    pub fn cost(&self) -> Micros {
        cost(&self.attempts)
    }

    /// Whether a shorter question could have been answered: an endpoint said that this one is too long, also without all
    /// that could be left out of its conversation.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.attempts.iter().any(|attempt| self.found_too_long(&attempt.endpoint))
    }

    /// Whether this is the last that the endpoint of this name said.
    pub(crate) fn found_too_long(&self, endpoint: &str) -> bool {
        let last = self.attempts.iter().rfind(|attempt| attempt.endpoint == endpoint);
        last.is_some_and(|last| last.outcome == AttemptOutcome::Failed(Failure::ContextTooLong))
    }
}
