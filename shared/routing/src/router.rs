//! The loop: one endpoint after the other, within one budget.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chat::Clock;
use transport::Transport;

use crate::{
    Answer, Attempt, AttemptOutcome, Endpoint, Failure, NoAnswer, NoAnswerReason, Place, Prompt, Protocol,
    Strategy, attempt, attempt::Spoken, failure::Next, plan,
};

/// How long things may take. The time to connect belongs to the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// One attempt, from the first packet to the last byte of the answer.
    pub total_per_attempt: Duration,
}

/// Why a router could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoutingError {
    /// There is nothing to route to.
    #[error("no endpoint is configured")]
    NoEndpoints,
    /// Attempts and accounts go by name, so a name belongs to one endpoint.
    #[error("two endpoints are named `{0}`")]
    DuplicateName(String),
    /// The strategy asks for a place where no endpoint stands.
    #[error("the strategy `{}` leaves none of the configured endpoints", .0.as_str())]
    StrategyLeavesNone(Strategy),
}

/// Asks endpoints in the order of a strategy until one answers.
pub struct Router {
    endpoints: Vec<Endpoint>,
    order: Vec<usize>,
    strategy: Strategy,
    timeouts: Timeouts,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Router {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Router")
            .field("endpoints", &self.endpoints)
            .field("strategy", &self.strategy)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

impl Router {
    /// A router over these endpoints, in this order inside each place.
    ///
    /// # Errors
    ///
    /// No endpoint at all, two of one name, or a strategy that leaves none.
    pub fn new(
        mut endpoints: Vec<Endpoint>,
        strategy: Strategy,
        timeouts: Timeouts,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RoutingError> {
        if endpoints.is_empty() {
            return Err(RoutingError::NoEndpoints);
        }
        let mut names = BTreeSet::new();
        if let Some(again) = endpoints.iter().find(|endpoint| !names.insert(endpoint.name.as_str())) {
            return Err(RoutingError::DuplicateName(again.name.clone()));
        }
        // An echo never leaves the process.
        for endpoint in endpoints.iter_mut().filter(|e| e.protocol == Protocol::Echo) {
            endpoint.place = Place::Local;
        }
        let order = plan::order(&endpoints, strategy);
        if order.is_empty() {
            return Err(RoutingError::StrategyLeavesNone(strategy));
        }
        Ok(Self { endpoints, order, strategy, timeouts, transport, clock })
    }

    /// Every configured endpoint, in configured order, whether or not the strategy allows it.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// The endpoints that would be asked now, first choice first.
    #[must_use]
    pub fn plan(&self) -> Vec<&Endpoint> {
        self.order.iter().filter_map(|&index| self.endpoints.get(index)).collect()
    }

    /// Asks one endpoint after the other until one answers, each at most once, all within `budget`.
    ///
    /// # Errors
    ///
    /// Nobody answered: why, and what every attempt came to.
    pub async fn ask(&self, prompt: &Prompt, budget: Duration) -> Result<Answer, NoAnswer> {
        let deadline = self.clock.now().plus(budget);
        let mut attempts = Vec::new();
        for endpoint in self.plan() {
            let started = self.clock.now();
            let total = deadline.since(started).min(self.timeouts.total_per_attempt);
            if total.is_zero() {
                return Err(NoAnswer { reason: NoAnswerReason::OutOfTime, attempts });
            }
            let outcome = attempt::ask(&*self.transport, endpoint, prompt, total).await;
            let millis = self.clock.now().millis_since(started);
            attempts.push(record(endpoint, millis, &outcome));
            match outcome {
                Ok(spoken) => return Ok(answer(endpoint, spoken, attempts)),
                Err(failure) => match failure.next() {
                    Next::OtherEndpoint => {}
                    Next::Stop => break,
                },
            }
        }
        let late = deadline.since(self.clock.now()).is_zero();
        Err(NoAnswer { reason: reason(&attempts, late), attempts })
    }
}

fn record(endpoint: &Endpoint, millis: u64, outcome: &Result<Spoken, Failure>) -> Attempt {
    let (model, outcome) = match outcome {
        Ok(spoken) => (&spoken.model, AttemptOutcome::Answered),
        Err(failure) => {
            tracing::debug!(endpoint = %endpoint.name, failure = failure.class(), "an attempt failed");
            (&endpoint.model, AttemptOutcome::Failed(*failure))
        }
    };
    Attempt { endpoint: endpoint.name.clone(), place: endpoint.place, model: model.clone(), millis, outcome }
}

fn answer(endpoint: &Endpoint, spoken: Spoken, attempts: Vec<Attempt>) -> Answer {
    Answer {
        text: spoken.text,
        endpoint: endpoint.name.clone(),
        place: endpoint.place,
        model: spoken.model,
        usage: spoken.usage,
        attempts,
    }
}

/// Why nobody answered, when nobody is left to ask.
fn reason(attempts: &[Attempt], late: bool) -> NoAnswerReason {
    let ended = |failure| attempts.iter().any(|a| a.outcome == AttemptOutcome::Failed(failure));
    if attempts.is_empty() {
        NoAnswerReason::NoEndpoint
    } else if ended(Failure::ContentFiltered) || ended(Failure::ContextTooLong) {
        NoAnswerReason::Refused
    } else if late {
        NoAnswerReason::OutOfTime
    } else {
        NoAnswerReason::AllFailed
    }
}
