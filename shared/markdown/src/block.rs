//! A text as blocks that should stay whole: paragraphs, fenced code, tables.

use crate::fence::{Fence, depth_after};

/// A run of whole lines. All blocks one after the other are the text again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    /// The lines, with their line breaks.
    pub whole: &'a str,
    /// What they are.
    pub kind: Kind<'a>,
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A paragraph with the empty lines that follow it.
    Prose,
    /// Fenced code.
    Fence {
        /// The line that opens it.
        fence: Fence<'a>,
        /// The lines inside.
        body: &'a str,
        /// The line that closes it. Without one, it ends with the text.
        close: Option<&'a str>,
    },
    /// A table.
    Table {
        /// The line of headings and the line of dashes.
        head: &'a str,
        /// The other lines.
        rows: &'a str,
    },
}

/// Reads the blocks of a text. Lines end with `\n`.
#[must_use]
pub fn blocks(text: &str) -> Vec<Block<'_>> {
    let lines = Lines::new(text);
    let (mut blocks, mut at) = (Vec::new(), 0);
    while at < lines.count() {
        let (kind, end) =
            lines.fence(at).or_else(|| lines.table(at)).unwrap_or_else(|| (Kind::Prose, lines.prose(at)));
        blocks.push(Block { whole: lines.slice(at, end), kind });
        at = end;
    }
    blocks
}

struct Lines<'a> {
    text: &'a str,
    /// Where each line begins, and the end of the text.
    starts: Vec<usize>,
    /// What each line opens.
    fences: Vec<Option<Fence<'a>>>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let (mut starts, mut fences) = (vec![0], Vec::new());
        let (mut end, mut open, mut depth) = (0, None::<Fence<'a>>, 0);
        for line in text.split_inclusive('\n') {
            end += line.len();
            starts.push(end);
            let opened = if open.is_none() { Fence::opened_by(line, depth) } else { None };
            fences.push(opened);
            match open {
                Some(fence) => open = (!fence.closed_by(line)).then_some(fence),
                None if opened.is_some() => open = opened,
                None => depth = depth_after(line, depth),
            }
        }
        Self { text, starts, fences }
    }

    fn count(&self) -> usize {
        self.fences.len()
    }

    /// The lines from `from` up to, not including, `to`.
    fn slice(&self, from: usize, to: usize) -> &'a str {
        &self.text[self.starts[from]..self.starts[to]]
    }

    fn line(&self, at: usize) -> &'a str {
        self.slice(at, at + 1)
    }

    fn is_blank(&self, at: usize) -> bool {
        self.line(at).trim().is_empty()
    }

    /// The fence that opens at this line, and the line after it.
    fn fence(&self, at: usize) -> Option<(Kind<'a>, usize)> {
        let fence = self.fences[at]?;
        let close = (at + 1..self.count()).find(|line| fence.closed_by(self.line(*line)));
        let end = close.map_or(self.count(), |close| close + 1);
        let body = self.slice(at + 1, close.unwrap_or(end));
        Some((Kind::Fence { fence, body, close: close.map(|line| self.line(line)) }, end))
    }

    /// Whether a table's headings stand in this line: cells, and a line of dashes below.
    fn heads_table(&self, at: usize) -> bool {
        at + 1 < self.count() && self.line(at).contains('|') && is_dashes(self.line(at + 1))
    }

    /// The table that begins at this line, and the line after it. A second line of dashes begins another table: some
    /// readers see one there, and a message with too many tables may be refused.
    fn table(&self, at: usize) -> Option<(Kind<'a>, usize)> {
        if !self.heads_table(at) {
            return None;
        }
        let ends = |line: &usize| {
            !self.line(*line).contains('|') || self.heads_table(*line) || self.fences[*line].is_some()
        };
        let end = (at + 2..self.count()).find(ends).unwrap_or(self.count());
        Some((Kind::Table { head: self.slice(at, at + 2), rows: self.slice(at + 2, end) }, end))
    }

    /// Where the paragraph that begins at this line ends: after its empty lines, or before a fence or a table.
    fn prose(&self, at: usize) -> usize {
        let ends = |line: &usize| {
            (self.is_blank(line - 1) && !self.is_blank(*line))
                || self.heads_table(*line)
                || self.fences[*line].is_some()
        };
        (at + 1..self.count()).find(ends).unwrap_or(self.count())
    }
}

/// Whether a line parts headings from rows. In a quotation it begins with `>`.
fn is_dashes(line: &str) -> bool {
    let cells = line.trim();
    cells.contains('|')
        && cells.contains('-')
        && cells.chars().all(|sign| matches!(sign, '|' | '-' | ':' | ' ' | '\t' | '>'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> String {
        let all = blocks(text);
        assert_eq!(all.iter().map(|block| block.whole).collect::<String>(), text, "blocks lose nothing");
        all.iter()
            .map(|block| match block.kind {
                Kind::Prose => 'p',
                Kind::Fence { close: Some(_), .. } => 'f',
                Kind::Fence { close: None, .. } => 'o',
                Kind::Table { .. } => 't',
            })
            .collect()
    }

    #[test]
    fn blocks_are_told_apart() {
        for (text, expected) in [
            ("", ""),
            ("a\nb\n\n\nc", "pp"),
            ("a\n```rust\n\n| a |\n|---|\n```\nb", "pfp"),
            ("~~~\n```\n~~~\nb", "fp"),
            ("````\n```\n````\nb", "fp"),
            ("```\nnever closed\n\nx", "o"),
            ("```inline``` code", "p"),
            ("1. item\n\n    ```\n    code\n    ```\n", "pf"),
            ("no item\n\n    ```\n    code\n    ```\n", "pp"),
            ("```\n- no item\n```\n    ```\n", "fp"),
            ("a\n| h |\n|---|\n| 1 |\n\nb", "ptpp"),
            ("| h |\n|---|\n| 1 |\nb", "tp"),
            ("| h |\n|---|\n| 1 |\n``` a|b\n```", "tf"),
            ("| h |\n|---|\n| 1 |\n| i |\n|---|\n| 2 |", "tt"),
            ("> | h |\n> |---|\n> | 1 |", "t"),
            ("a | b\n--- | ---", "t"),
            ("a | b\nc | d", "p"),
            ("a\n---|", "p"),
            ("| a |\n| : |", "p"),
            ("| not a table |\n\n|---|", "pp"),
            ("\n\na", "pp"),
        ] {
            assert_eq!(kinds(text), expected, "{text:?}");
        }
    }
}
