//! Dressing a reply in DingTalk's own Markdown.
//!
//! DingTalk's dialect has headings, quotes, emphasis, links, pictures and lists, and no tables; a line break shows
//! only behind two spaces. A table therefore becomes a code block, as the model aligned it. A short reply without any
//! markup goes out as plain text, which every DingTalk client shows at once.
//!
//! Words like `@all` in a reply mention nobody: DingTalk mentions only whom the `at` field of a message names, and
//! Magpie never sends that field.

use chat::{Language, Segment};
use markdown::{Block, Kind, blocks, split};
use serde::{Deserialize, Serialize};

use crate::size::LIMITS;

/// Longest title, in characters: what a phone's notification shows in one line.
const TITLE_MAX: usize = 20;

/// Longest reply, in characters, that goes out as plain text when it has no markup.
const PLAIN_MAX: usize = 1000;

/// One message's words, ready for either of the two ways to send it: what a [`Segment`] of this crate holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dressed {
    pub(crate) form: Form,
    /// What the notification and the list of chats show; for Markdown only.
    pub(crate) title: String,
    pub(crate) text: String,
}

/// How words are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    Text,
    Markdown,
}

impl Dressed {
    pub(crate) fn to_segment(&self) -> Segment {
        Segment(serde_json::json!(self).to_string())
    }

    pub(crate) fn read(segment: &Segment) -> Option<Self> {
        serde_json::from_str(&segment.0).ok()
    }
}

/// Dresses and splits. The same words always give the same pieces; none but blank words give none.
pub(crate) fn dress(markdown: &str) -> Vec<Dressed> {
    let markdown = markdown.replace("\r\n", "\n");
    if is_plain(&markdown) {
        let pieces = split(&markdown, LIMITS).into_iter();
        return pieces.map(|text| Dressed { form: Form::Text, title: String::new(), text }).collect();
    }
    let title = title(&markdown);
    split(&dialect(&markdown), LIMITS)
        .into_iter()
        .map(|text| Dressed { form: Form::Markdown, title: title.clone(), text })
        .collect()
}

/// Whether a reply is short and shows the same with and without Markdown.
fn is_plain(markdown: &str) -> bool {
    let marked = |line: &str| {
        let word = line.split_whitespace().next().unwrap_or_default();
        let number = word.trim_end_matches(['.', ')']);
        let listed = number.len() < word.len() && number.bytes().all(|byte| byte.is_ascii_digit());
        listed
            || matches!(word, "-" | "+")
            || word.starts_with("---")
            || line.starts_with(['\t', ' ', '>', '='])
    };
    markdown.chars().count() <= PLAIN_MAX
        && !markdown.contains(['*', '_', '`', '~', '#', '[', ']', '|', '<', '\\', '&'])
        && !markdown.contains("://")
        && !markdown.lines().any(marked)
}

/// CommonMark with tables in DingTalk's dialect.
fn dialect(markdown: &str) -> String {
    let mut out = String::new();
    let mut blocks = blocks(markdown).into_iter().peekable();
    while let Some(Block { whole, kind }) = blocks.next() {
        match kind {
            Kind::Fence { fence, close, .. } => {
                push_lines(&mut out, whole);
                if close.is_none() {
                    out.push_str(&fence.closing());
                }
            }
            // One inside a quotation would lose its `>` to the code block.
            Kind::Table { .. } if !whole.trim_start().starts_with('>') => push_table(&mut out, whole),
            Kind::Table { .. } | Kind::Prose => push_prose(&mut out, whole, blocks.peek()),
        }
    }
    out
}

fn push_lines(out: &mut String, lines: &str) {
    out.push_str(lines);
    if !lines.ends_with('\n') {
        out.push('\n');
    }
}

/// Puts two spaces before each line break that would be swallowed.
fn push_prose(out: &mut String, prose: &str, next: Option<&Block<'_>>) {
    let after = next.filter(|block| !matches!(block.kind, Kind::Fence { .. })).map(|block| block.whole);
    let mut lines = prose.lines().peekable();
    while let Some(line) = lines.next() {
        let following = lines.peek().copied().or_else(|| after?.lines().next());
        if is_swallowed_between(line, following.unwrap_or_default()) {
            out.push_str(line.trim_end());
            out.push_str("  \n");
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
}

/// Whether the line break between these lines of prose would be swallowed: both have words, and the first is not a
/// block of its own.
fn is_swallowed_between(line: &str, next: &str) -> bool {
    !line.trim().is_empty() && !next.trim().is_empty() && !line.trim_start().starts_with('#')
}

fn push_table(out: &mut String, table: &str) {
    let longest = table.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    push_lines(out, &fence);
    push_lines(out, table);
    push_lines(out, &fence);
}

/// The first heading, else the first words, without markup.
fn title(markdown: &str) -> String {
    let prose = blocks(markdown).into_iter().filter(|block| !matches!(block.kind, Kind::Fence { .. }));
    let prose: Vec<&str> = prose.flat_map(|block| block.whole.lines()).collect();
    let heading = prose.iter().find(|line| line.starts_with('#'));
    let bare = heading.into_iter().chain(&prose).map(|line| unmarked(line)).find(|line| !line.is_empty());
    let fallback = match Language::of(markdown) {
        Language::Zh => "回复",
        Language::En => "Reply",
    };
    bare.map_or_else(|| fallback.to_owned(), |line| shortened(&line))
}

fn unmarked(line: &str) -> String {
    let bare: String = line.chars().filter(|c| !"#*_`~>[]|".contains(*c)).collect();
    let words: Vec<&str> =
        bare.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    words.join(" ").trim_start_matches(['-', '+', ' ']).to_owned()
}

fn shortened(line: &str) -> String {
    let Some((end, _)) = line.char_indices().nth(TITLE_MAX) else { return line.to_owned() };
    let head = &line[..end];
    // A word is not cut when enough of the line stands before it.
    let whole = head.rfind(' ').filter(|at| line[end..].starts_with(|c: char| c != ' ') && *at >= end / 2);
    head[..whole.unwrap_or(end)].trim_end().to_owned()
}

#[cfg(test)]
mod tests;
