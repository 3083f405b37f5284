//! What an endpoint failed with since it last answered.

use chat::Timestamp;

use crate::{Attempt, AttemptOutcome, Failure};

/// The failures of an endpoint since it last answered. The breaker stays closed for many of them: an unknown model or a
/// wrong URL (404) fails at once, costs nobody time, and would fail after a wait as well. Operators need to know all the
/// same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// The class of the last one.
    pub class: &'static str,
    /// Its HTTP status, if the server gave one.
    pub status: Option<u16>,
    /// What the server said of it, without anything that was sent to it.
    pub message: Option<String>,
    /// When the first of them ended.
    pub since: Timestamp,
    /// How many there are.
    pub count: u64,
}

/// What is known after another attempt.
pub(super) fn after(before: Option<Failing>, attempt: &Attempt, now: Timestamp) -> Option<Failing> {
    let failure = match attempt.outcome {
        AttemptOutcome::Answered => return None,
        AttemptOutcome::Failed(failure) if is_of_the_endpoint(failure) => failure,
        AttemptOutcome::Failed(_) | AttemptOutcome::Outrun => return before,
    };
    Some(Failing {
        class: failure.class(),
        status: attempt.status,
        message: attempt.message.as_ref().map(ToString::to_string),
        since: before.as_ref().map_or(now, |before| before.since),
        count: before.map_or(0, |before| before.count).saturating_add(1),
    })
}

/// Whether a failure tells of the endpoint. What a content policy refuses, and what is too long, was the question's fault.
const fn is_of_the_endpoint(failure: Failure) -> bool {
    !matches!(failure, Failure::ContentFiltered | Failure::ContextTooLong)
}
