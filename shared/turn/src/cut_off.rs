//! Answers that the turn's time cut off: marked for the person, and remembered without the mark, which a model that reads
//! it would imitate.

use chat::Language;
use markdown::{Kind, blocks};

use crate::words;

/// Between an answer and the mark.
const GAP: &str = "\n\n";

/// The answer with the mark behind it. Code that is still open is closed, or the mark would be a line of it.
pub(crate) fn mark(text: &str, language: Language) -> String {
    let mut marked = text.to_owned();
    if let Some(Kind::Fence { fence, close: None, .. }) = blocks(text).last().map(|block| block.kind) {
        if !marked.ends_with('\n') {
            marked.push('\n');
        }
        marked.push_str(fence.closing().trim_end());
    }
    marked + GAP + words::cut_off(language)
}

/// The answer without the mark, if it has one.
pub(crate) fn unmarked(reply: &mut String) {
    let marks = [Language::Zh, Language::En].map(words::cut_off);
    let answer = marks.iter().find_map(|mark| reply.strip_suffix(mark)?.strip_suffix(GAP));
    if let Some(length) = answer.map(str::len) {
        reply.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stands_behind_the_answer_and_not_in_its_code() {
        for (text, before) in [
            ("The answer", "The answer"),
            ("So:\n```rust\nfn main() {", "So:\n```rust\nfn main() {\n```"),
            ("So:\n```rust\nfn main() {\n", "So:\n```rust\nfn main() {\n```"),
            ("- a\n  ~~~~\n  b", "- a\n  ~~~~\n  b\n  ~~~~"),
            ("```\na\n```", "```\na\n```"),
            ("```\na\n```\nand", "```\na\n```\nand"),
        ] {
            for language in [Language::Zh, Language::En] {
                let mut marked = mark(text, language);
                assert_eq!(marked, format!("{before}\n\n{}", words::cut_off(language)));
                unmarked(&mut marked);
                assert_eq!(marked, before);
            }
        }
    }

    #[test]
    fn what_has_no_mark_stays_as_it_is() {
        let quoted = format!("It said: {} And then?", words::cut_off(Language::En));
        for text in ["", "The answer", "\n\n", quoted.as_str(), words::cut_off(Language::Zh)] {
            let mut reply = text.to_owned();
            unmarked(&mut reply);
            assert_eq!(reply, text);
        }
    }
}
