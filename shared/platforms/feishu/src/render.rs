//! A reply as Feishu shows it: a short plain one as text, everything else as cards.

use chat::Segment;

use crate::{
    send::Payload,
    split::{Limits, split},
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

/// Dresses and splits a reply. One of nothing but white space has no segments: there is nothing to say.
pub(crate) fn render(markdown: &str) -> Vec<Segment> {
    let markdown = markdown.trim();
    if markdown.is_empty() {
        return Vec::new();
    }
    if is_plain(markdown) {
        return vec![text(markdown)];
    }
    let limits = Limits { cost: CARD_BODY_MAX - CARD_FRAME, tables: CARD_TABLES };
    split(&tame(markdown), limits).iter().map(|piece| card(piece)).collect()
}

fn text(words: &str) -> Segment {
    // Here a mention cannot be escaped, only misspelt: the sign is the full-width one, which looks nearly the same.
    let content = serde_json::json!({ "text": without_mentions(words, "＜") });
    Payload { msg_type: "text".to_owned(), content: content.to_string() }.seal()
}

fn card(markdown: &str) -> Segment {
    let content = serde_json::json!({
        "schema": "2.0",
        "config": { "update_multi": true },
        "body": { "elements": [{ "tag": "markdown", "content": markdown }] },
    });
    Payload { msg_type: "interactive".to_owned(), content: content.to_string() }.seal()
}

/// What a model may not do in a card: call people, and show pictures, which only Feishu's own keys may (200570).
fn tame(markdown: &str) -> String {
    links_for_pictures(&without_mentions(markdown, "&lt;"))
}

/// Puts `instead` for the `<` of every `<at` and `</at`, whatever the case. A model repeats what people write, and
/// would otherwise let anybody call everybody with `<at id=all></at>`. Code is no exception: nothing says that Feishu
/// leaves mentions in it alone. A longer word (`<attribute>`) is no mention.
fn without_mentions(markdown: &str, instead: &str) -> String {
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
    for block in crate::blocks::blocks(markdown) {
        if matches!(block.kind, crate::blocks::Kind::Fence { .. }) {
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
    let (mut found, mut open, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    let (mut at, mut mark) = (0, None);
    while let Some(byte) = bytes.get(at) {
        let before = mark.take();
        match byte {
            b'\\' => at += 1,
            b'`' => at += inline_code(&prose[at..]) - 1,
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

/// The bytes of the inline code that begins here; of the backticks alone, when nothing closes them.
fn inline_code(text: &str) -> usize {
    let run = text.len() - text.trim_start_matches('`').len();
    let mut at = run;
    while let Some(found) = text[at..].find('`') {
        let close = at + found;
        let length = text[close..].len() - text[close..].trim_start_matches('`').len();
        at = close + length;
        if length == run {
            return at;
        }
    }
    run
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
        let Segment(sent) = text("<at user_id=\"all\">all</at> <b");
        assert!(!sent.contains("<at") && !sent.contains("</at"), "{sent}");
        assert!(sent.contains("＜at user_id") && sent.contains("＜/at>") && sent.contains("<b"), "{sent}");
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
