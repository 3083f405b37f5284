//! Which endpoints may be asked, and in which order.
//!
//! Data flows one way: the rules are heard (`rules`) on what is asked (`question`), endpoints that may not or cannot
//! answer are left out (`sieve`), the rest are ordered by strategy and balance (`order`, `affinity`, `score`), and those
//! that are to be left alone come last. A plan is made anew for each question and changes nothing.

mod affinity;
mod chance;
pub(crate) mod fold;
mod order;
mod question;
mod rules;
mod score;
mod sieve;

use chat::{Entropy, Timestamp};

use self::question::Question;
use crate::{
    Ask, Endpoint, Route, Strategy,
    health::{Gate, Health},
};

/// The endpoints for one question, by index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The strategy: the route's, or that of a rule.
    pub strategy: Strategy,
    /// The names of the rules that hold, first to last.
    pub rules: Vec<String>,
    /// Who is asked, first choice first.
    pub choices: Vec<usize>,
    /// Who is not, and why.
    pub left_out: Vec<(usize, LeftOut)>,
}

/// Why an endpoint is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// The strategy asks another place only.
    Strategy,
    /// The rule of this name forbids it.
    Rule(String),
    /// There are pictures, and it has no vision.
    Vision,
    /// The prompt is longer than its window.
    Window,
    /// It might cost more than may still be spent.
    Allowance,
    /// It answers questions to other bots only.
    OtherBots,
}

/// What plans are made from.
pub(crate) struct Grounds<'a> {
    pub(crate) endpoints: &'a [Endpoint],
    pub(crate) route: &'a Route,
    pub(crate) health: &'a Health,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) now: Timestamp,
}

impl<'a> Grounds<'a> {
    /// By an index that is one of theirs.
    fn endpoint(&self, index: usize) -> Option<&'a Endpoint> {
        self.endpoints.get(index)
    }
}

/// The plan for one question.
pub(crate) fn plan(grounds: &Grounds<'_>, ask: &Ask<'_>) -> Plan {
    let question = Question::new(ask);
    let said = rules::hear(&grounds.route.rules, &question);
    let strategy = said.strategy.unwrap_or(grounds.route.strategy);
    let (fit, left_out) = sieve::sieve(grounds, &question, &said, strategy);
    let mut ready = Vec::with_capacity(grounds.endpoints.len());
    let mut closed_off = Vec::new();
    for index in fit {
        match grounds.health.gate(index, grounds.now) {
            Gate::Closed | Gate::Probing => ready.push(index),
            Gate::Open { until } => closed_off.push((until, index)),
        }
    }
    closed_off.sort_by_key(|&(until, _)| until);
    let mut choices = order::order(grounds, &question, strategy, &ready);
    if let Some(model) = &ask.context.model {
        prefer(grounds, model, &mut choices);
    }
    choices.extend(closed_off.into_iter().map(|(_, index)| index));
    Plan { strategy, rules: said.held.into_iter().map(str::to_owned).collect(), choices, left_out }
}

/// Moves what a person chose to the front.
fn prefer(grounds: &Grounds<'_>, model: &str, choices: &mut [usize]) {
    let chosen = |index| grounds.endpoint(index).is_some_and(|e| e.name == model || e.model == model);
    // Stable, so that several endpoints with that model stay in their order.
    choices.sort_by_key(|&index| !chosen(index));
}

#[cfg(test)]
mod tests;
