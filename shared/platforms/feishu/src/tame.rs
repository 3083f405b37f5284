//! What a model may not do in a reply: call people, and show pictures.

use std::collections::BTreeMap;

use markdown::{Kind, blocks};

/// A card's words without mentions and without pictures, which only Feishu's own keys may show (200570).
pub(crate) fn tame(markdown: &str) -> String {
    links_for_pictures(&without_mentions(markdown, "&lt;"))
}

/// Puts `instead` for the `<` of every `<at` and `</at`, whatever the case. A model repeats what people write, and
/// would otherwise let anybody call everybody with `<at id=all></at>`. Code is no exception: nothing says that Feishu
/// leaves mentions in it alone. A longer word (`<attribute>`) is no mention.
pub(crate) fn without_mentions(markdown: &str, instead: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut rest = markdown;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        out.push_str(if begins_mention(rest) { instead } else { "<" });
    }
    out.push_str(rest);
    out
}

fn begins_mention(after: &str) -> bool {
    let name = after.strip_prefix('/').unwrap_or(after).as_bytes();
    let is_at = name.get(..2).is_some_and(|word| word.eq_ignore_ascii_case(b"at"));
    is_at && name.get(2).is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
}

/// Takes the `!` off pictures, which leaves a link. Not in code, where it may be an operator.
fn links_for_pictures(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    for block in blocks(markdown) {
        if matches!(block.kind, Kind::Fence { .. }) {
            out.push_str(block.whole);
        } else {
            unpicture(block.whole, &mut out);
        }
    }
    out
}

fn unpicture(prose: &str, out: &mut String) {
    let mut from = 0;
    for (mark, is_mute) in pictures(prose) {
        out.push_str(&prose[from..mark]);
        from = mark + 1;
        // A picture without words would be a link that nobody sees.
        if is_mute {
            out.push_str("[图");
            from += 1;
        }
    }
    out.push_str(&prose[from..]);
}

/// Where the `!` of each picture stands, in order, and whether the picture has no words.
///
/// A picture is what has a target right after the bracket that closes its own, and also what has one after the next
/// bracket that closes any: a simpler reader than a Markdown parser would see a picture there, and refuse the card.
fn pictures(prose: &str) -> Vec<(usize, bool)> {
    let bytes = prose.as_bytes();
    let closing = Backticks::of(prose);
    let (mut found, mut open, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    let (mut at, mut mark) = (0, None);
    while let Some(byte) = bytes.get(at) {
        let before = mark.take();
        match byte {
            b'\\' => at += 1,
            b'`' => at += closing.inline_code(prose, at) - 1,
            b'!' => mark = Some(at),
            b'[' => {
                open.push(before);
                waiting.extend(before);
            }
            b']' => {
                let own = open.pop().flatten();
                if matches!(bytes.get(at + 1), Some(b'(' | b'[')) {
                    found.extend(
                        own.into_iter().chain(waiting.iter().copied()).map(|mark| (mark, mark + 2 == at)),
                    );
                }
                waiting.clear();
            }
            _ => {}
        }
        at += 1;
    }
    found.sort_unstable();
    found.dedup_by_key(|(mark, _)| *mark);
    found
}

/// Where the last run of each length of backticks begins. Who looks for one that is not there would otherwise read to the
/// end of the text for each run that nothing closes.
struct Backticks(BTreeMap<usize, usize>);

impl Backticks {
    fn of(text: &str) -> Self {
        let mut last = BTreeMap::new();
        let mut at = 0;
        while let Some(found) = text[at..].find('`') {
            let run = run(text, at + found);
            last.insert(run, at + found);
            at += found + run;
        }
        Self(last)
    }

    /// The bytes of the inline code that begins at `from`; of the backticks alone, when nothing closes them.
    fn inline_code(&self, text: &str, from: usize) -> usize {
        let open = run(text, from);
        if self.0.get(&open).is_none_or(|last| *last < from + open) {
            return open;
        }
        let mut at = from + open;
        while let Some(found) = text[at..].find('`') {
            let close = run(text, at + found);
            at += found + close;
            if close == open {
                return at - from;
            }
        }
        open
    }
}

/// How many backticks stand at `at` and behind it.
fn run(text: &str, at: usize) -> usize {
    text[at..].len() - text[at..].trim_start_matches('`').len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_cannot_mention_anybody() {
        for (markdown, tamed) in [
            ("<at id=all></at>", "&lt;at id=all>&lt;/at>"),
            ("<AT user_id=\"all\">x</At>", "&lt;AT user_id=\"all\">x&lt;/At>"),
            ("<<at\tid=ou_1>", "<&lt;at\tid=ou_1>"),
            ("```\n<at id=all>\n```", "```\n&lt;at id=all>\n```"),
            ("`<at id=all>`", "`&lt;at id=all>`"),
            ("<at", "&lt;at"),
            ("vector<atomic<int>> <attribute> <a t>", "vector<atomic<int>> <attribute> <a t>"),
        ] {
            assert_eq!(tame(markdown), tamed, "{markdown:?}");
        }
    }

    #[test]
    fn pictures_become_links_outside_of_code() {
        for (markdown, tamed) in [
            ("![alt](https://e.x/a.png)", "[alt](https://e.x/a.png)"),
            ("![](https://e.x/a.png)", "[图](https://e.x/a.png)"),
            ("[![a](b)](c) ![d][e]", "[[a](b)](c) [d][e]"),
            ("unmatched ` then ![a](b)", "unmatched ` then [a](b)"),
            ("`![a](b)` ``![`](b)``", "`![a](b)` ``![`](b)``"),
            ("```md\n![a](b)\n```", "```md\n![a](b)\n```"),
            ("wow! and ![1] and [a](b)", "wow! and ![1] and [a](b)"),
            ("![a [b](c)", "[a [b](c)"),
            (r"\![a](b)", r"\![a](b)"),
            ("![a `]` b](c)", "[a `]` b](c)"),
            ("![two\nlines](b)", "[two\nlines](b)"),
        ] {
            assert_eq!(tame(markdown), tamed, "{markdown:?}");
        }
    }
}
