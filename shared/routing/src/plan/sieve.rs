//! Which endpoints may not answer, or cannot.

use super::{
    Grounds, LeftOut,
    question::{Extent, Question},
    rules::Said,
};
use crate::{Endpoint, Place, Prompt, Strategy, window};

/// What is kept of a window for the answer, at least. With less, an answer would break off in its first sentences.
const LEAST_ANSWER: u32 = 256;

/// The longest answer to reckon with where nothing limits it, in tokens.
const LONG_ANSWER: u32 = 4_096;

/// Those that may and can answer, in configured order, and why the others do not.
pub(super) fn sieve(
    grounds: &Grounds<'_>,
    question: &Question<'_>,
    said: &Said<'_>,
    strategy: Strategy,
) -> (Vec<usize>, Vec<(usize, LeftOut)>) {
    let (mut fit, mut left_out) = (Vec::with_capacity(grounds.endpoints.len()), Vec::new());
    let pictures = question.has_pictures(Extent::Whole);
    for (index, endpoint) in grounds.endpoints.iter().enumerate() {
        let why = forbidden(endpoint, said, strategy)
            .or_else(|| (!endpoint.serves(question.context.bot.as_ref())).then_some(LeftOut::OtherBots))
            .or_else(|| (pictures && !endpoint.vision).then_some(LeftOut::Vision))
            .or_else(|| is_too_dear(endpoint, question).then_some(LeftOut::Allowance));
        match why {
            Some(why) => left_out.push((index, why)),
            None => fit.push(index),
        }
    }
    keep_large_windows(grounds, question, &mut fit, &mut left_out);
    (fit, left_out)
}

/// What rules and strategy forbid. A ban comes first: nothing may undo it.
fn forbidden(endpoint: &Endpoint, said: &Said<'_>, strategy: Strategy) -> Option<LeftOut> {
    if let Some(rule) = said.ban
        && endpoint.place != Place::Local
    {
        return Some(LeftOut::Rule(rule.to_owned()));
    }
    if !strategy.allows(endpoint.place) {
        return Some(LeftOut::Strategy);
    }
    let (rule, only) = said.only?;
    (!only.contains(&endpoint.name)).then(|| LeftOut::Rule(rule.to_owned()))
}

/// Whether it might cost more than may be spent.
fn is_too_dear(endpoint: &Endpoint, question: &Question<'_>) -> bool {
    let (Some(allowance), Some(price)) = (question.context.allowance, endpoint.price) else { return false };
    price.of(question.tokens(), longest_answer(endpoint, question.prompt)) > allowance
}

fn longest_answer(endpoint: &Endpoint, prompt: &Prompt) -> u32 {
    endpoint.max_tokens.into_iter().chain(prompt.sampling.max_tokens).min().unwrap_or(LONG_ANSWER)
}

/// Leaves out windows that are too small for what is to be answered; of the memory before it, each endpoint gets what it has
/// room for. Where all are, the largest may still do: the count is an estimate.
fn keep_large_windows(
    grounds: &Grounds<'_>,
    question: &Question<'_>,
    fit: &mut Vec<usize>,
    left_out: &mut Vec<(usize, LeftOut)>,
) {
    let window =
        |index: usize| grounds.endpoint(index).and_then(|endpoint| window::known(endpoint, grounds.now));
    let is_too_small = |index: usize| {
        window(index).is_some_and(|window| question.needs_more_than(window.saturating_sub(LEAST_ANSWER)))
    };
    let any = fit.iter().any(|&index| !is_too_small(index));
    let largest = fit.iter().filter_map(|&index| window(index)).max();
    fit.retain(|&index| {
        let stays = if any { !is_too_small(index) } else { window(index) == largest };
        if !stays {
            left_out.push((index, LeftOut::Window));
        }
        stays
    });
}
