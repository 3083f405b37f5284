//! What a notification says: an argument, or what comes in on standard input.

use std::io::Read;

use anyhow::{Context as _, bail};

/// Stands for standard input.
const STDIN: &str = "-";

/// The longest text on standard input, in bytes. A notification is read on a phone; more is a file that was piped in by
/// mistake.
const LONGEST: usize = 64 * 1024;

/// The text of this argument; of `input` where it is `-`.
pub(super) fn of(argument: &str, input: impl Read) -> anyhow::Result<String> {
    if argument != STDIN {
        return not_empty(argument, "the text is empty");
    }
    let mut bytes = Vec::new();
    // One byte more than allowed is read, to see that it is too much.
    let limit = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
    input.take(limit).read_to_end(&mut bytes).context("standard input cannot be read")?;
    if bytes.len() > LONGEST {
        bail!("standard input holds more than {} KiB, which is too long for a notification", LONGEST / 1024);
    }
    let Ok(text) = String::from_utf8(bytes) else { bail!("standard input is not UTF-8") };
    not_empty(&text, "standard input is empty")
}

/// The text without blanks around it. One of blanks and characters without a shape would be shown as nothing.
fn not_empty(text: &str, otherwise: &'static str) -> anyhow::Result<String> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let is_shown = |c: char| {
        !c.is_whitespace()
            && !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
    };
    if !text.contains(is_shown) {
        bail!("{otherwise}: give the text to send, or `-` to read it from standard input");
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_or_standard_input_is_the_text() {
        let input = "磁盘满了\n".as_bytes();
        assert_eq!(of("disk is **full**", input).unwrap(), "disk is **full**");
        assert_eq!(of("-", input).unwrap(), "磁盘满了");
        assert_eq!(of("-", "\u{feff}two\r\nlines\r\n".as_bytes()).unwrap(), "two\r\nlines");
        assert_eq!(of("-5 °C", input).unwrap(), "-5 °C");
    }

    #[test]
    fn what_shows_nothing_is_an_error() {
        for text in ["", " ", "\n\t", "\u{200b}\u{feff}", "\u{3000}"] {
            let said = of(text, "unread".as_bytes()).unwrap_err().to_string();
            assert!(said.starts_with("the text is empty"), "{said}");
            let said = of("-", text.as_bytes()).unwrap_err().to_string();
            assert!(said.starts_with("standard input is empty"), "{said}");
        }
    }

    #[test]
    fn what_is_no_text_or_too_much_is_an_error() {
        let said = of("-", &b"caf\xe9"[..]).unwrap_err().to_string();
        assert!(said.contains("not UTF-8"), "{said}");
        let longest = vec![b'a'; LONGEST];
        assert_eq!(of("-", &longest[..]).unwrap().len(), LONGEST);
        let said = of("-", std::io::repeat(b'a')).unwrap_err().to_string();
        assert!(said.contains("more than 64 KiB"), "{said}");
    }
}
