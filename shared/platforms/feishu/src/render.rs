//! A reply as Feishu shows it: a short plain one as text, everything else as cards.

use std::ops::Add;

use chat::Segment;
use markdown::{Limits, Weight, quoted_twice, split};

use crate::{
    send::Payload,
    tame::{tame, without_mentions},
};

/// The longest reply that is sent as text, in characters. A longer one is read more easily in a card, and is far below
/// the 150 KB that a text may have.
const TEXT_MAX: usize = 2000;

/// The largest body of a card's request, in bytes. Feishu refuses over "30 KB" (230025) without saying of which size;
/// 28,000 is what its own plugins keep to.
const CARD_BODY_MAX: usize = 28_000;

/// What of the body is not the reply: the card around it, the key and the flags, rounded up generously.
const CARD_FRAME: usize = 512;

/// How many tables a card may hold. Feishu refuses more than five (230099 with 11310) and its own plugin keeps to
/// three.
const CARD_TABLES: usize = 3;

/// Bytes of a request's body. A reply stands there as JSON inside of JSON.
#[derive(Debug, Clone, Copy, Default)]
struct Cost(usize);

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Weight for Cost {
    fn of_char(c: char) -> Self {
        Self(quoted_twice(c))
    }

    fn fits(self, limit: Self) -> bool {
        self.0 <= limit.0
    }
}

/// Dresses and splits a reply. One of nothing but white space has no segments: there is nothing to say.
pub(crate) fn render(markdown: &str) -> Vec<Segment> {
    payloads(markdown, CARD_BODY_MAX).iter().map(Payload::seal).collect()
}

/// The same for requests of at most so many bytes.
pub(crate) fn payloads(markdown: &str, body_max: usize) -> Vec<Payload> {
    let markdown = markdown.trim();
    if markdown.is_empty() {
        return Vec::new();
    }
    if is_plain(markdown) {
        return vec![text(markdown)];
    }
    let limits = Limits { weight: Cost(body_max - CARD_FRAME), tables: CARD_TABLES };
    split(&tame(markdown), limits).iter().map(|piece| card(piece)).collect()
}

/// A text. The sign of a mention is taken out of it, wherever the words come from.
pub(crate) fn text(words: &str) -> Payload {
    // Here a mention cannot be escaped, only misspelt: the sign is the full-width one, which looks nearly the same.
    let content = serde_json::json!({ "text": without_mentions(words, "＜") });
    Payload { msg_type: "text".to_owned(), content: content.to_string() }
}

fn card(markdown: &str) -> Payload {
    let content = serde_json::json!({
        "schema": "2.0",
        "config": { "update_multi": true },
        "body": { "elements": [{ "tag": "markdown", "content": markdown }] },
    });
    Payload { msg_type: "interactive".to_owned(), content: content.to_string() }
}

/// Whether a reply is words only, so that a text shows it as it is meant. When in doubt it is not, and becomes a card.
fn is_plain(markdown: &str) -> bool {
    markdown.chars().count() <= TEXT_MAX && !has_markup(markdown) && !markdown.lines().any(starts_block)
}

fn has_markup(markdown: &str) -> bool {
    let tag =
        |at: usize| markdown[at + 1..].starts_with(|next: char| next.is_ascii_alphabetic() || next == '/');
    markdown.contains(['`', '*', '_', '|', '\\'])
        || markdown.contains("~~")
        || markdown.contains("](")
        || (markdown.contains('&') && markdown.contains(';'))
        || markdown.match_indices('<').any(|(at, _)| tag(at))
}

/// Whether a line begins a heading, a quotation, a list, a rule or code.
fn starts_block(line: &str) -> bool {
    let after_digits = line.trim_start_matches(|sign: char| sign.is_ascii_digit());
    let is_numbered = after_digits.len() < line.len() && after_digits.starts_with(['.', ')']);
    is_numbered || line.starts_with(['#', '>', '-', '+', '=', ' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_words_are_text() {
        for (markdown, plain) in [
            ("你好！", true),
            ("Two lines.\nAnd 3 < 4, C# & co.", true),
            ("See https://example.com/a?b=c", true),
            ("**bold**", false),
            ("# Title", false),
            ("- item", false),
            ("1. item", false),
            ("> quote", false),
            ("[label](https://example.com)", false),
            ("`code`", false),
            ("| a | b |", false),
            ("a <b>c</b>", false),
            ("hi <at user_id=\"all\"></at>", false),
            ("R&amp;D", false),
        ] {
            assert_eq!(is_plain(markdown), plain, "{markdown:?}");
        }
        assert!(is_plain(&"字".repeat(TEXT_MAX)));
        assert!(!is_plain(&"字".repeat(TEXT_MAX + 1)));
    }

    #[test]
    fn a_text_cannot_mention_anybody() {
        let Segment(sent) = text("<at user_id=\"all\">all</at> <b").seal();
        assert!(!sent.contains("<at") && !sent.contains("</at"), "{sent}");
        assert!(sent.contains("＜at user_id") && sent.contains("＜/at>") && sent.contains("<b"), "{sent}");
    }
}
