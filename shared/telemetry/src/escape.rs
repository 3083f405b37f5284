//! Values as they may stand in a line: whatever they hold, they begin no line, steer no terminal, and are not long.

use std::fmt::Write as _;

use serde_json::Value;

/// The most that is logged of one text, in characters. A server's error page is longer, and tells no more.
const LONGEST: usize = 1_000;

/// Whether a character could end a line, steer a terminal, or turn the direction in which a line is read.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text with what could end a line, steer a terminal or turn the direction of reading written out, as Rust writes it
/// in a literal, and cut where it is long.
#[must_use]
pub fn readable(text: &str) -> String {
    let mut readable = String::with_capacity(text.len());
    for c in cut(text).chars() {
        if is_unsafe(c) {
            readable.extend(c.escape_default());
        } else {
            readable.push(c);
        }
    }
    if cut(text).len() < text.len() {
        readable.push('…');
    }
    readable
}

/// A value beside its name: quoted where a reader could not tell its end.
pub(crate) fn quoted(text: &str) -> String {
    let readable = readable(text);
    let is_plain = |c: char| !c.is_whitespace() && !matches!(c, '"' | '=');
    if !readable.is_empty() && readable.chars().all(is_plain) && !text.contains(is_unsafe) {
        return readable;
    }
    format!("\"{}\"", readable.replace('"', "\\\""))
}

/// JSON on one line. JSON itself escapes only the first 32 characters.
pub(crate) fn json(value: &Value) -> String {
    let text = value.to_string();
    if !text.contains(is_unsafe) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            // All of them are in the basic plane. Writing to a text cannot fail.
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// The value with long texts cut, wherever they are.
pub(crate) fn bounded(value: Value) -> Value {
    match value {
        Value::String(text) if cut(&text).len() < text.len() => format!("{}…", cut(&text)).into(),
        Value::Array(values) => values.into_iter().map(bounded).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, bounded(value))).collect(),
        short @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => short,
    }
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_or_breaks_a_line_is_written_out() {
        for (text, expected) in [
            ("plain", "plain"),
            ("鹊桥", "鹊桥"),
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("\u{1b}[2J\u{7f}\u{9b}31m", r"\u{1b}[2J\u{7f}\u{9b}31m"),
            ("left\u{202e}tfel\u{2028}\u{feff}", r"left\u{202e}tfel\u{2028}\u{feff}"),
        ] {
            assert_eq!(readable(text), expected);
        }
    }

    #[test]
    fn a_value_ends_where_it_seems_to_end() {
        for (text, expected) in [
            ("office", "office"),
            ("", "\"\""),
            ("body too large", "\"body too large\""),
            ("a=b", "\"a=b\""),
            ("say \"hi\" level=error", "\"say \\\"hi\\\" level=error\""),
            ("a\nb", "\"a\\nb\""),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }

    #[test]
    fn json_stays_json_and_one_line() {
        let value = serde_json::json!({ "a": "x\n\u{9b}\u{2028}\u{7f}鹊" });
        let text = json(&value);
        assert_eq!(text, "{\"a\":\"x\\n\\u009b\\u2028\\u007f鹊\"}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn a_long_text_is_cut() {
        let long = "鹊".repeat(LONGEST + 1);
        assert_eq!(readable(&long).chars().count(), LONGEST + 1);
        let value = bounded(serde_json::json!({ "a": [long], "b": 1 }));
        assert_eq!(value["a"][0].as_str().unwrap().chars().count(), LONGEST + 1);
        assert_eq!(value["b"], 1);
    }
}
