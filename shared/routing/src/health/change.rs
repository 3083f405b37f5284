//! A circuit breaker that opens or closes, as operators read it: one line each, wherever Magpie runs.

use std::time::Duration;

use chat::Timestamp;

use super::Opening;
use crate::Attempt;

/// What an attempt changes about the breaker of its endpoint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It opens, or opens again after a probe that failed.
    Opened(Opening),
    /// It closes.
    Closed {
        /// How long it was open.
        after: Duration,
    },
}

/// `attempt` is the one that opened it.
pub(crate) fn log_opened(opening: &Opening, attempt: &Attempt) {
    tracing::warn!(
        action = "breaker.opened",
        endpoint = opening.endpoint,
        until = utc(opening.until),
        seconds = opening.until.millis_since(opening.since).div_ceil(1000),
        times_in_a_row = opening.step,
        outcome = attempt.outcome.as_str(),
        status = attempt.status,
        cause = attempt.message.as_ref().map(tracing::field::display),
        "the circuit breaker of an endpoint opened: it is asked only when no other is left"
    );
}

/// As RFC 3339 has it, in UTC; nothing for a moment that no calendar has.
fn utc(at: Timestamp) -> Option<String> {
    jiff::Timestamp::from_millisecond(at.as_millis()).ok().map(|at| at.to_string())
}

/// `attempt` is the one that closed it.
pub(crate) fn log_closed(attempt: &Attempt, after: Duration) {
    tracing::info!(
        action = "breaker.closed",
        endpoint = attempt.endpoint,
        seconds = after.as_secs(),
        outcome = attempt.outcome.as_str(),
        "the circuit breaker of an endpoint closed: it is asked again"
    );
}
