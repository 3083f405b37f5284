//! Dressing a reply in DingTalk's own Markdown.
//!
//! DingTalk's dialect has headings, quotes, emphasis, links, pictures and lists, and no tables; a line break shows
//! only behind two spaces. A table therefore becomes a code block, as the model aligned it. A short reply without any
//! markup goes out as plain text, which every DingTalk client shows at once.
//!
//! Words like `@all` in a reply mention nobody: DingTalk mentions only whom the `at` field of a message names, and
//! Magpie never sends that field.

use chat::{Language, Segment};
use serde::{Deserialize, Serialize};

use crate::split::{Fence, LIMIT, split};

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
        let pieces = split(&markdown, LIMIT).into_iter();
        return pieces.map(|text| Dressed { form: Form::Text, title: String::new(), text }).collect();
    }
    let title = title(&markdown);
    split(&dialect(&markdown), LIMIT)
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
    let lines: Vec<&str> = markdown.split('\n').collect();
    let (mut out, mut open, mut at) = (String::new(), None, 0);
    while let Some(line) = lines.get(at) {
        let table = if open.is_none() { table_at(&lines[at..]) } else { 0 };
        if table > 0 {
            push_table(&mut out, &lines[at..at + table]);
            at += table;
            continue;
        }
        let inside = open.is_some();
        open = Fence::after(open, line);
        let prose = !inside && open.is_none();
        push_line(&mut out, line, prose && breaks_before(line, lines.get(at + 1).copied()));
        at += 1;
    }
    if let Some(fence) = open {
        push_line(&mut out, fence.mark(), false);
    }
    out
}

fn push_line(out: &mut String, line: &str, breaks: bool) {
    if breaks {
        out.push_str(line.trim_end());
        out.push_str("  ");
    } else {
        out.push_str(line);
    }
    out.push('\n');
}

/// Whether the line break after this line of prose would be swallowed: both sides have words, and neither is a block
/// of its own.
fn breaks_before(line: &str, next: Option<&str>) -> bool {
    let next = next.unwrap_or_default();
    !line.trim().is_empty()
        && !next.trim().is_empty()
        && !line.trim_start().starts_with('#')
        && Fence::opened_by(next).is_none()
}

/// How many of these lines are one table: a row, a row of dashes, and the rows that follow.
fn table_at(lines: &[&str]) -> usize {
    match lines {
        [head, dashes, rows @ ..] if head.contains('|') && is_dashes(dashes) => {
            2 + rows.iter().take_while(|row| row.contains('|')).count()
        }
        _ => 0,
    }
}

fn is_dashes(line: &str) -> bool {
    line.contains('|')
        && line.contains('-')
        && line.trim().trim_matches('|').split('|').all(|cell| {
            let cell = cell.trim();
            let dashes = cell.strip_prefix(':').unwrap_or(cell);
            let dashes = dashes.strip_suffix(':').unwrap_or(dashes);
            !dashes.is_empty() && dashes.bytes().all(|byte| byte == b'-')
        })
}

fn push_table(out: &mut String, rows: &[&str]) {
    let longest = rows.iter().flat_map(|row| row.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    push_line(out, &fence, false);
    for row in rows {
        push_line(out, row, false);
    }
    push_line(out, &fence, false);
}

/// The first heading, else the first words, without markup.
fn title(markdown: &str) -> String {
    let mut open = None;
    let mut prose = Vec::new();
    for line in markdown.lines() {
        let inside = open.is_some();
        open = Fence::after(open, line);
        if !inside && open.is_none() {
            prose.push(line);
        }
    }
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
