//! The policy that picks endpoints for a question, and its limits in time.

use std::time::Duration;

use crate::{Balance, Rule, Strategy};

/// The policy that picks endpoints.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Which places may answer, and which is asked first.
    pub strategy: Strategy,
    /// How endpoints of one place share the work.
    pub balance: Balance,
    /// What holds before the strategy does, first to last.
    pub rules: Vec<Rule>,
    /// How many calls one question may cost, all endpoints together; at least one.
    pub attempts: u32,
    /// Whether a second endpoint is asked when the first is slow to begin, and when.
    pub hedge: Option<Hedge>,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            strategy: Strategy::LocalFirst,
            balance: Balance::Ordered,
            rules: Vec::new(),
            attempts: 6,
            hedge: None,
        }
    }
}

/// When a second endpoint is asked before the first has said anything.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hedge {
    /// How long the first may be silent. When absent, as long as it is silent in 95 of 100 answers, once that is known.
    pub after: Option<Duration>,
    /// The largest share of questions that may be asked twice, from 0 to 1.
    pub share: f64,
}

impl Default for Hedge {
    fn default() -> Self {
        Self { after: None, share: 0.05 }
    }
}

/// How long things may take. The time to connect belongs to the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// From the call to the first token; counted only where another endpoint is left to ask.
    pub first_token: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// From the call to the first token, whoever is left to ask; for an answer in one piece, to its last byte. Once
    /// tokens come, only `idle` and the question's own time end an attempt.
    pub attempt: Duration,
}

impl Default for Clocks {
    fn default() -> Self {
        Self {
            first_token: Duration::from_secs(15),
            idle: Duration::from_secs(20),
            attempt: Duration::from_secs(60),
        }
    }
}
