//! What a reasoning model thinks before it speaks is not part of what it says.

/// The mark before a model's reasoning, as DeepSeek R1 and Qwen 3 write it.
const OPEN: &str = "<think>";
/// The mark after it.
const CLOSE: &str = "</think>";

/// The words after leading reasoning, trimmed; empty when there is nothing but reasoning.
///
/// Two shapes lead: `<think>…</think>`, once or more, also cut off before its end; and `…</think>` on a line of its
/// own without an opening, which servers give whose chat template has already written the opening. Marks anywhere else
/// are the answer's own words: people do ask about them.
pub(crate) fn strip(text: &str) -> &str {
    let mut rest = text.trim();
    while let Some(inside) = rest.strip_prefix(OPEN) {
        match inside.split_once(CLOSE) {
            Some((_, after)) => rest = after.trim_start(),
            None => return "",
        }
    }
    match rest.split_once(CLOSE) {
        Some((before, after)) if !before.contains(OPEN) && alone_on_its_line(before, after) => after.trim(),
        Some(_) | None => rest,
    }
}

/// Whether reasoning leads a text that is still growing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    /// It leads, or it cannot be told yet.
    Unclear,
    /// It is over, or there was none: the answer begins at this byte.
    Over(usize),
}

/// Whether reasoning leads this beginning of a text. Reasoning without an opening shows only by its end, so it is not
/// found here; [`strip`] finds it in the whole.
pub(crate) fn lead(text: &str) -> Lead {
    let mut rest = text.trim_start();
    while let Some(inside) = rest.strip_prefix(OPEN) {
        match inside.split_once(CLOSE) {
            Some((_, after)) => rest = after.trim_start(),
            None => return Lead::Unclear,
        }
    }
    if OPEN.starts_with(rest) { Lead::Unclear } else { Lead::Over(text.len() - rest.len()) }
}

fn alone_on_its_line(before: &str, after: &str) -> bool {
    let starts = before.is_empty() || before.ends_with('\n');
    starts && (after.is_empty() || after.starts_with(['\n', '\r']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_leading_reasoning_goes() {
        for (text, words) in [
            ("plain", "plain"),
            ("  padded \n", "padded"),
            ("<think>hm</think>yes", "yes"),
            ("\n<think>\n\n</think>\n\nyes", "yes"),
            ("<think>a</think><think>b</think>\nyes", "yes"),
            ("<think>only", ""),
            ("<think>only</think>", ""),
            ("hm, the user says hello\n</think>\n\nyes", "yes"),
            ("hm\n</think>", ""),
            ("the mark `</think>` ends reasoning", "the mark `</think>` ends reasoning"),
            ("write <think>\nand then\n</think>\nthere", "write <think>\nand then\n</think>\nthere"),
            ("<think>hm</think>say <think>x</think>", "say <think>x</think>"),
        ] {
            assert_eq!(strip(text), words, "{text:?}");
        }
    }
}
