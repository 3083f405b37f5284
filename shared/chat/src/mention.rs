//! Where in a text people are mentioned, and the text without some of those mentions.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::UserId;

/// One mention by its place in [`Message::text`](crate::Message::text). A name says nothing about who is meant: it may
/// be the bot's own, hold it, or hold spaces and signs, so mentions are told apart by place and id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MentionSpan {
    /// Who is mentioned.
    pub id: UserId,
    /// Where the mention begins, in bytes.
    pub start: usize,
    /// Where it ends, in bytes.
    pub end: usize,
}

/// Whether `c` separates words within a line. Clients put a four-per-em space, a no-break space or a zero-width space
/// behind a mention.
#[must_use]
pub fn is_separator(c: char) -> bool {
    let joins = matches!(c, '\u{200B}' | '\u{2060}' | '\u{FEFF}');
    joins || (c.is_whitespace() && !matches!(c, '\n' | '\r'))
}

/// The text without what stands at `places`, and without the separators that this leaves beside each other. A place that
/// is not one in the text is passed over.
#[must_use]
pub fn without(text: &str, places: impl Iterator<Item = Range<usize>>) -> String {
    let mut places: Vec<_> = places.filter(|place| text.get(place.clone()).is_some()).collect();
    places.sort_by_key(|place| place.start);
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for place in places {
        let Some(before) = text.get(from..place.start) else { continue };
        append(&mut out, before, from > 0);
        from = place.end;
    }
    append(&mut out, text.get(from..).unwrap_or_default(), from > 0);
    let is_blank = |c: char| c.is_whitespace() || is_separator(c);
    out.trim_matches(is_blank).to_owned()
}

/// Adds what follows a removed mention.
fn append(out: &mut String, next: &str, after_mention: bool) {
    if !after_mention {
        out.push_str(next);
        return;
    }
    let (before, after) = (out.trim_end_matches(is_separator).len(), next.trim_start_matches(is_separator));
    let separated = before < out.len() || after.len() < next.len();
    out.truncate(before);
    let between_words = !out.is_empty() && !out.ends_with('\n') && !after.is_empty();
    if separated && between_words && !after.starts_with('\n') {
        out.push(' ');
    }
    out.push_str(after);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mention_goes_with_its_separators() {
        for (text, mention, left) in [
            ("@Magpie Ops @Magpie who is on call", 12..19, "@Magpie Ops who is on call"),
            ("@Magpie\u{2005}/help", 0..7, "/help"),
            ("@Magpie\u{a0}\u{200b}停止", 0..7, "停止"),
            ("/new @Magpie", 5..12, "/new"),
            ("/new @Magpie\u{200b}", 5..12, "/new"),
            ("ask @Magpie about it", 4..11, "ask about it"),
            ("你好@Magpie请问", 6..13, "你好请问"),
            ("a\n@Magpie\nb", 2..9, "a\n\nb"),
            ("  indented\n    code", 50..60, "indented\n    code"),
            ("中文", 1..2, "中文"),
        ] {
            assert_eq!(without(text, std::iter::once(mention)), left, "{text:?}");
        }
        assert_eq!(without("@A @A /help", [3..5, 0..2].into_iter()), "/help", "in any order");
        assert_eq!(without("@A @A /help", [0..5, 3..5].into_iter()), "/help", "and once where they overlap");
    }
}
