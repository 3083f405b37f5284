//! Exchanges of every version open for ever.
//!
//! `golden/exchanges.txt` was made by another program than ours. Its lines are never edited, and each version that was ever
//! written adds its own; so does what a later version may add to a form that we know, because during an upgrade both share
//! the tables.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chat::{Entropy, Timestamp, TurnKey};
use store::{Exchange, ExchangeKind, ParkReason, words};
use turn::content::Content;
use vault::{DataKey, Vault};

const GOLDEN: &str = include_str!("golden/exchanges.txt");

struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, _: &mut [u8]) {}
}

fn turn(digit: &str) -> TurnKey {
    words::turn_key(&digit.repeat(64)).unwrap()
}

fn content(question: &str, reply: &str) -> Content {
    Content {
        question: question.to_owned(),
        reply: reply.to_owned(),
        parked: None,
        cause: None,
        left_to: None,
    }
}

/// What a line holds, by its name.
fn expected(what: &str) -> Content {
    let parked = |reason| Content { parked: Some(reason), ..content("why?", "Sorry.") };
    match what {
        "v1-answer" | "v1-with-fields-of-a-later-version" => content("why?", "**Because.**"),
        "v1-no-answer" => parked(ParkReason::NoAnswer),
        "v1-send-refused" => parked(ParkReason::SendRefused),
        "v1-send-uncertain" => parked(ParkReason::SendUncertain),
        "v1-tries-exhausted" => parked(ParkReason::TriesExhausted),
        "v1-merged" => Content { left_to: Some(turn("b")), ..content("my printer", "") },
        _ => content("my printer", ""),
    }
}

#[test]
fn exchanges_of_every_version_open_for_ever() {
    let key = DataKey::from_base64("2026-11", &STANDARD.encode([7; 32])).unwrap();
    let vault = Vault::new(vec![key], Arc::new(NoEntropy)).unwrap();
    let conversation = words::conversation_key(&"c".repeat(64)).unwrap();
    let mut opened = 0;
    for line in GOLDEN.lines() {
        let (what, sealed) = line.split_once(' ').unwrap();
        let at = Timestamp::from_millis(0);
        let sealed = STANDARD.decode(sealed).unwrap();
        let exchange = Exchange { turn: turn("a"), at, kind: ExchangeKind::Answer, sealed, keep_until: at };
        assert_eq!(Content::open(&exchange, &vault, &conversation), Ok(expected(what)), "{what}");
        opened += 1;
    }
    assert_eq!(opened, 8);
}
