//! The words under which stores write endings, kinds and signals, and the way back from stored keys.
//!
//! One list for all stores, apart from the names in the code, so that renaming a variant cannot make what is stored
//! unreadable. Operators filter by these words.

use chat::{ConversationKey, TurnKey};
use serde::{
    Deserialize,
    de::{IntoDeserializer as _, value::Error},
};

use crate::{Ending, ExchangeKind, ParkReason, SignalKind, StoreError};

/// How the words of all parked endings begin, and no other state's.
pub const PARKED: &str = "parked-";

/// The word of an ending.
#[must_use]
pub const fn of_ending(ending: &Ending) -> &'static str {
    match ending {
        Ending::Done => "done",
        Ending::Parked(ParkReason::NoAnswer) => "parked-no-answer",
        Ending::Parked(ParkReason::SendRefused) => "parked-send-refused",
        Ending::Parked(ParkReason::SendUncertain) => "parked-send-uncertain",
        Ending::Parked(ParkReason::TriesExhausted) => "parked-tries-exhausted",
    }
}

/// The ending of a word.
///
/// # Errors
///
/// [`StoreError::Unreadable`] when this version knows no such ending.
pub fn ending(word: &str) -> Result<Ending, StoreError> {
    match word {
        "done" => Ok(Ending::Done),
        "parked-no-answer" => Ok(Ending::Parked(ParkReason::NoAnswer)),
        "parked-send-refused" => Ok(Ending::Parked(ParkReason::SendRefused)),
        "parked-send-uncertain" => Ok(Ending::Parked(ParkReason::SendUncertain)),
        "parked-tries-exhausted" => Ok(Ending::Parked(ParkReason::TriesExhausted)),
        _ => Err(unknown("ending", word)),
    }
}

/// The word under which a dead letter's reason is stored: that of the ending.
#[must_use]
pub const fn of_reason(reason: ParkReason) -> &'static str {
    of_ending(&Ending::Parked(reason))
}

/// The reason of a word.
///
/// # Errors
///
/// [`StoreError::Unreadable`] when this version knows no such reason.
pub fn reason(word: &str) -> Result<ParkReason, StoreError> {
    match ending(word) {
        Ok(Ending::Parked(reason)) => Ok(reason),
        Ok(Ending::Done) | Err(_) => Err(unknown("reason", word)),
    }
}

/// The word of a kind.
#[must_use]
pub const fn of_kind(kind: ExchangeKind) -> &'static str {
    match kind {
        ExchangeKind::Answer => "answer",
        ExchangeKind::Notice => "notice",
        ExchangeKind::Reset => "reset",
        ExchangeKind::Merged => "merged",
    }
}

/// The kind of a word.
///
/// # Errors
///
/// [`StoreError::Unreadable`] when this version knows no such kind.
pub fn kind(word: &str) -> Result<ExchangeKind, StoreError> {
    match word {
        "answer" => Ok(ExchangeKind::Answer),
        "notice" => Ok(ExchangeKind::Notice),
        "reset" => Ok(ExchangeKind::Reset),
        "merged" => Ok(ExchangeKind::Merged),
        _ => Err(unknown("kind", word)),
    }
}

/// The word of a signal.
#[must_use]
pub const fn of_signal(kind: SignalKind) -> &'static str {
    match kind {
        SignalKind::Stop => "stop",
        SignalKind::Question => "question",
        SignalKind::Other => "other",
    }
}

/// The signal of a word.
///
/// # Errors
///
/// [`StoreError::Unreadable`] when this version knows no such signal.
pub fn signal(word: &str) -> Result<SignalKind, StoreError> {
    match word {
        "stop" => Ok(SignalKind::Stop),
        "question" => Ok(SignalKind::Question),
        "other" => Ok(SignalKind::Other),
        _ => Err(unknown("signal", word)),
    }
}

/// The turn of a stored key.
///
/// # Errors
///
/// [`StoreError::Unreadable`] when it is none.
pub fn turn_key(text: &str) -> Result<TurnKey, StoreError> {
    stored_key("turn", text)
}

/// The conversation of a stored key.
///
/// # Errors
///
/// [`StoreError::Unreadable`] when it is none.
pub fn conversation_key(text: &str) -> Result<ConversationKey, StoreError> {
    stored_key("conversation", text)
}

/// Keys are made by hashing only; the one way to read a stored one is its serialized form, checked first.
fn stored_key<'a, K: Deserialize<'a>>(what: &str, text: &'a str) -> Result<K, StoreError> {
    let wrong = || StoreError::Unreadable(format!("a key is not that of a {what}"));
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Err(wrong());
    }
    K::deserialize(text.into_deserializer()).map_err(|_: Error| wrong())
}

fn unknown(what: &str, word: &str) -> StoreError {
    StoreError::Unreadable(format!("this version knows no {what} `{word}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_leads_back() {
        let parked = [
            ParkReason::NoAnswer,
            ParkReason::SendRefused,
            ParkReason::SendUncertain,
            ParkReason::TriesExhausted,
        ];
        for known in parked.map(Ending::Parked).into_iter().chain([Ending::Done]) {
            assert_eq!(of_ending(&known).starts_with(PARKED), known != Ending::Done);
            assert_eq!(ending(of_ending(&known)), Ok(known));
        }
        for known in parked {
            assert_eq!(reason(of_reason(known)), Ok(known));
        }
        assert!(reason("done").is_err());
        for known in [ExchangeKind::Answer, ExchangeKind::Notice, ExchangeKind::Reset, ExchangeKind::Merged] {
            assert_eq!(kind(of_kind(known)), Ok(known));
        }
        for known in [SignalKind::Stop, SignalKind::Question, SignalKind::Other] {
            assert_eq!(signal(of_signal(known)), Ok(known));
        }
    }

    #[test]
    fn only_keys_are_read_as_keys() {
        let text = "0123456789abcdef".repeat(4);
        assert_eq!(turn_key(&text).unwrap().as_str(), text);
        assert_eq!(conversation_key(&text).unwrap().as_str(), text);
        for bad in ["", "abc", &text.to_uppercase(), &format!("{text}0"), &"g".repeat(64)] {
            assert!(turn_key(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_unknown_word_is_unreadable() {
        assert!(matches!(ending("gone"), Err(StoreError::Unreadable(_))));
        assert!(matches!(kind("gone"), Err(StoreError::Unreadable(_))));
        assert!(matches!(signal("gone"), Err(StoreError::Unreadable(_))));
    }
}
