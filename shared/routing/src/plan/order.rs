//! The order in which endpoints are asked.

use super::{
    Grounds, affinity,
    chance::Chance,
    question::Question,
    score::{by_score, weights},
};
use crate::{Balance, Strategy};

/// An answer of usual length, in tokens, for telling what an endpoint costs beside another.
const USUAL_ANSWER: u32 = 500;

/// Puts these into the strategy's order.
pub(super) fn order(
    grounds: &Grounds<'_>,
    question: &Question<'_>,
    strategy: Strategy,
    ready: &[usize],
) -> Vec<usize> {
    let balance = strategy.balance().unwrap_or(grounds.route.balance);
    let mut ordered = Vec::with_capacity(grounds.endpoints.len());
    for tier in strategy.tiers() {
        let stands_here = |index| grounds.endpoint(index).is_some_and(|e| tier.contains(&e.place));
        let begin = ordered.len();
        ordered.extend(ready.iter().copied().filter(|&index| stands_here(index)));
        if let Some(members) = ordered.get_mut(begin..).filter(|members| members.len() > 1) {
            share(grounds, question, balance, members);
        }
    }
    ordered
}

/// Orders those that share the work.
fn share(grounds: &Grounds<'_>, question: &Question<'_>, balance: Balance, members: &mut [usize]) {
    let health = grounds.health;
    match balance {
        Balance::Ordered => {}
        // Keys are taken once: they may change while this sorts.
        Balance::RoundRobin => members.sort_by_cached_key(|&index| health.turn(index)),
        Balance::Weighted => by_weight(grounds, members),
        Balance::LeastLatency => by_latency(grounds, members),
        Balance::Cheapest => members.sort_by_cached_key(|&index| {
            let price = grounds.endpoint(index).and_then(|endpoint| endpoint.price);
            price.map_or(0, |price| price.of(question.tokens(), USUAL_ANSWER))
        }),
        Balance::Affinity => match &question.context.conversation {
            Some(conversation) => affinity::order(grounds, conversation, members),
            None => by_weight(grounds, members),
        },
    }
}

/// A draw without putting back: each is first as often as its share of the weights, and so on for those after it.
fn by_weight(grounds: &Grounds<'_>, members: &mut [usize]) {
    let mut chance = Chance::new(grounds.entropy);
    let scores: Vec<_> =
        weights(grounds, members).into_iter().map(|weight| -chance.unit().ln() / weight).collect();
    by_score(members, scores);
}

/// Two by chance, of which the better goes first. Always taking the best of all would send everybody to the same one
/// until its figures are news.
fn by_latency(grounds: &Grounds<'_>, members: &mut [usize]) {
    let mut chance = Chance::new(grounds.entropy);
    let one = chance.below(members.len());
    // Another than that one.
    let step = 1 + chance.below(members.len() - 1);
    let other = (one + step) % members.len();
    let scores: Vec<_> = members.iter().map(|&index| grounds.health.expected(index, grounds.now)).collect();
    let score = |place: usize| scores.get(place).copied().unwrap_or(f64::INFINITY);
    let first = if score(other) < score(one) { other } else { one };
    let first_first = |(place, score)| if place == first { f64::NEG_INFINITY } else { score };
    by_score(members, scores.iter().copied().enumerate().map(first_first));
}
