//! Counting tokens without a tokenizer.

use crate::{Line, Prompt, Usage};

/// What a chat template adds to each line: role, separators.
const TOKENS_PER_LINE: u32 = 4;

/// About how many tokens a text is.
///
/// A tokenizer belongs to one model and is megabytes large; memory limits and quotas need an order of magnitude that
/// is never far too low. So: a Han character, kana, hangul or emoji is one token, other text is one token for every
/// four characters, and each stretch between two such kinds is rounded up. For prose in English and Chinese that is
/// within about a third of what the vocabularies of Qwen, Llama and GPT count; it is low for dense code and digits.
///
/// ```
/// use routing::estimate_tokens;
///
/// assert_eq!(estimate_tokens(""), 0);
/// assert_eq!(estimate_tokens("magpie bridge"), 4);
/// assert_eq!(estimate_tokens("鹊桥"), 2);
/// assert_eq!(estimate_tokens("鹊桥 is a bridge"), 5);
/// ```
#[must_use]
pub fn estimate_tokens(text: &str) -> u32 {
    // Most text by far that is long: a program's, or a document. Looking at each of its characters is most of what routing would cost.
    if text.is_ascii() {
        return u32::try_from(text.len()).unwrap_or(u32::MAX).div_ceil(CHARACTERS_PER_TOKEN);
    }
    let (mut tokens, mut run) = (0_u32, 0_u32);
    for c in text.chars() {
        if is_whole_token(c) {
            tokens = tokens.saturating_add(run.div_ceil(CHARACTERS_PER_TOKEN)).saturating_add(1);
            run = 0;
        } else {
            run = run.saturating_add(1);
        }
    }
    tokens.saturating_add(run.div_ceil(CHARACTERS_PER_TOKEN))
}

/// Characters of alphabetic text that make a token.
const CHARACTERS_PER_TOKEN: u32 = 4;

/// Scripts without spaces, their punctuation and full-width forms, and emoji.
const fn is_whole_token(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{11FF}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE4F}' | '\u{FF00}'..='\u{FFEF}' | '\u{1F000}'..='\u{1FAFF}' | '\u{20000}'..='\u{323AF}')
}

/// What a picture takes, about: providers count from 250 to 1,600 by its size, which is not looked at here.
const TOKENS_PER_PICTURE: u32 = 1_000;

/// About how many tokens a whole prompt is.
pub(crate) fn prompt_tokens(prompt: &Prompt) -> u32 {
    sum(prompt, 0, estimate_tokens)
}

/// About how many tokens of it no endpoint can do without: all but its memory.
pub(crate) fn least_tokens(prompt: &Prompt) -> u32 {
    sum(prompt, prompt.history, estimate_tokens)
}

/// What [`prompt_tokens`] cannot exceed, without looking at every letter: no token is less than a byte.
pub(crate) fn prompt_tokens_most(prompt: &Prompt) -> u32 {
    sum(prompt, 0, bytes)
}

/// What [`least_tokens`] cannot exceed.
pub(crate) fn least_tokens_most(prompt: &Prompt) -> u32 {
    sum(prompt, prompt.history, bytes)
}

fn bytes(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

/// About how many tokens a line is.
pub(crate) fn line_tokens(line: &Line) -> u32 {
    of_line(line, estimate_tokens)
}

fn of_line(line: &Line, tokens: impl Fn(&str) -> u32) -> u32 {
    let pictures = u32::try_from(line.pictures.len()).unwrap_or(u32::MAX).saturating_mul(TOKENS_PER_PICTURE);
    tokens(&line.text).saturating_add(TOKENS_PER_LINE).saturating_add(pictures)
}

/// Of all but the first lines.
fn sum(prompt: &Prompt, without: usize, tokens: impl Fn(&str) -> u32) -> u32 {
    let system = prompt.system.as_ref().map_or(0, |text| tokens(text).saturating_add(TOKENS_PER_LINE));
    let lines = prompt.lines.get(without..).unwrap_or_default();
    lines.iter().fold(system, |sum, line| sum.saturating_add(of_line(line, &tokens)))
}

/// The usage of a call whose server did not count.
pub(crate) fn usage(prompt: &Prompt, text: &str) -> Usage {
    Usage { prompt: prompt_tokens(prompt), completion: estimate_tokens(text), estimated: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_weighed_apart() {
        for (text, tokens) in [
            ("a", 1),
            ("abcd", 1),
            ("abcde", 2),
            ("你好，世界", 5),
            ("こんにちは", 5),
            ("안녕", 2),
            ("👍", 1),
            ("a你b", 3),
            ("Ключ", 1),
        ] {
            assert_eq!(estimate_tokens(text), tokens, "{text:?}");
        }
    }

    #[test]
    fn a_longer_text_is_never_fewer_tokens() {
        let text = "鹊桥 is a bridge, 一座桥 of magpies. ".repeat(20);
        let mut last = 0;
        for (end, _) in text.char_indices() {
            let tokens = estimate_tokens(&text[..end]);
            assert!(tokens >= last, "at byte {end}");
            last = tokens;
        }
    }
}
