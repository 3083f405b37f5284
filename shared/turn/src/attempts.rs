//! Attempts at an answer as operators read them: noted when they end, and named as the cause of an apology.

use chat::TurnKey;
use routing::{Attempt, AttemptOutcome, Listener};
use telemetry::{Asker, Step, Used};

use crate::ports::Ports;

/// An attempt as a note, for a question from `asker`.
#[must_use]
pub fn step(attempt: &Attempt, asker: Asker) -> Step {
    let used = attempt.usage.map(|usage| Used {
        prompt_tokens: usage.prompt,
        completion_tokens: usage.completion,
        estimated: usage.estimated,
        cost_micros: attempt.cost,
    });
    Step::Asked {
        endpoint: attempt.endpoint.clone(),
        place: attempt.place.as_str(),
        model: attempt.model.clone(),
        asker,
        outcome: attempt.outcome.as_str(),
        failed: is_failed(attempt),
        status: attempt.status,
        message: message(attempt),
        millis: attempt.millis,
        first_token_millis: attempt.first_token_millis,
        used,
    }
}

/// The last failure among the attempts: the endpoint, the class, the HTTP status and the server's message, as far as there
/// are some.
#[must_use]
pub fn last_cause(attempts: &[Attempt]) -> Option<String> {
    let last = attempts.iter().rev().find(|attempt| is_failed(attempt))?;
    let said = message(last).map(|message| format!(": {message}"));
    Some(format!("endpoint {}{}", failure(last), said.unwrap_or_default()))
}

/// The attempts that failed, each with its endpoint and the class of its failure.
#[must_use]
pub fn failed(attempts: &[Attempt]) -> Vec<String> {
    attempts.iter().filter(|attempt| is_failed(attempt)).map(failure).collect()
}

fn failure(attempt: &Attempt) -> String {
    let status = attempt.status.map(|status| format!(", status {status}"));
    format!("{} ({}{})", attempt.endpoint, attempt.outcome.as_str(), status.unwrap_or_default())
}

fn message(attempt: &Attempt) -> Option<String> {
    attempt.message.as_ref().map(ToString::to_string)
}

const fn is_failed(attempt: &Attempt) -> bool {
    matches!(attempt.outcome, AttemptOutcome::Failed(_))
}

/// Notes the attempts of a turn when they end, and does not want the answer before it is whole.
pub(crate) struct Noting<'a> {
    pub(crate) ports: &'a Ports,
    pub(crate) turn: &'a TurnKey,
    pub(crate) asker: Asker,
}

impl Listener for Noting<'_> {
    fn words(&self, _: &str) {}

    fn hears(&self) -> bool {
        false
    }

    fn takes_back(&self) -> bool {
        true
    }

    fn attempted(&self, attempt: &Attempt) {
        self.ports.note(self.turn, step(attempt, self.asker.clone()));
    }
}

#[cfg(test)]
mod tests {
    use routing::{Failure, Place};

    use super::*;

    fn attempt(endpoint: &str, outcome: AttemptOutcome, status: Option<u16>) -> Attempt {
        Attempt {
            endpoint: endpoint.to_owned(),
            place: Place::Local,
            model: "m".to_owned(),
            millis: 12,
            first_token_millis: None,
            usage: None,
            cost: 0,
            outcome,
            status,
            message: None,
            overflow: routing::Overflow::default(),
        }
    }

    #[test]
    fn the_last_failure_is_the_cause() {
        let attempts = [
            attempt("office", AttemptOutcome::Failed(Failure::Server(503)), Some(503)),
            attempt("lab", AttemptOutcome::Failed(Failure::Unreachable), None),
            attempt("far", AttemptOutcome::Outrun, None),
        ];
        assert_eq!(last_cause(&attempts).as_deref(), Some("endpoint lab (unreachable)"));
        assert_eq!(last_cause(&attempts[..1]).as_deref(), Some("endpoint office (server, status 503)"));
        assert_eq!(last_cause(&attempts[2..]), None);
        assert_eq!(failed(&attempts), ["office (server, status 503)", "lab (unreachable)"]);
    }
}
