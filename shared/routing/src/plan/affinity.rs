//! Each conversation with the same endpoint.
//!
//! A self-hosted server keeps what it computed for the beginning of a prompt, and the beginning of a conversation's
//! prompts is the conversation. Rendezvous hashing finds the same endpoint in every instance without anything to keep or
//! to share, and when one is gone only its conversations move. A bound on what each has in work keeps many busy
//! conversations from falling onto one: those over it go to their own second choice.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use chat::ConversationKey;

use super::{
    Grounds,
    chance::unit,
    score::{by_score, weights},
};

/// How much more than its share of all questions in work an endpoint may have.
const OVER_SHARE: f64 = 1.25;

/// Puts these into the conversation's own order.
pub(super) fn order(grounds: &Grounds<'_>, conversation: &ConversationKey, members: &mut [usize]) {
    let weights = weights(grounds, members);
    let sum: f64 = weights.iter().sum();
    let in_work: Vec<_> = members.iter().map(|&index| f64::from(grounds.health.in_work(index))).collect();
    // With the question that is about to be asked.
    let all = in_work.iter().sum::<f64>() + 1.0;
    let scores = members.iter().zip(&weights).zip(&in_work).map(|((&index, &weight), &in_work)| {
        let bound = (OVER_SHARE * all * weight / sum).ceil();
        let score =
            grounds.endpoint(index).map_or(f64::INFINITY, |e| distance(conversation, &e.name) / weight);
        // All over the bound come after all within it, in the same order.
        if in_work + 1.0 > bound { score + OVER } else { score }
    });
    let scores: Vec<_> = scores.collect();
    by_score(members, scores);
}

/// More than any distance by a weight.
const OVER: f64 = 1e6;

/// How far a conversation is from an endpoint: the same in every instance, and as if by chance for each pair.
fn distance(conversation: &ConversationKey, endpoint: &str) -> f64 {
    // Without keys of its own, so that all instances agree. A release of Rust that hashes otherwise only moves
    // conversations once.
    let mut hasher = DefaultHasher::new();
    (conversation, endpoint).hash(&mut hasher);
    -unit(hasher.finish()).ln()
}
