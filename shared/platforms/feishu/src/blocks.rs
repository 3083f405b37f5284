//! Markdown as blocks that should stay whole: paragraphs, fenced code, tables.
//!
//! Line by line, which is all that splitting needs: a full parser would say more about the text and nothing more about
//! where it may be cut.

/// A run of whole lines. All blocks one after the other are the text again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block<'a> {
    /// The lines, with their line breaks.
    pub(crate) whole: &'a str,
    pub(crate) kind: Kind<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// A paragraph with the empty lines that follow it.
    Prose,
    /// Fenced code; the closing line may be missing.
    Fence {
        /// The line that opens it.
        open: &'a str,
        /// What is inside.
        body: &'a str,
    },
    /// A table.
    Table {
        /// The line of headings and the line of dashes.
        head: &'a str,
        /// The other lines.
        rows: &'a str,
    },
}

/// The longest line that opens a fence, in bytes. It is written again at each cut, so it must be short beside a
/// segment; a longer one is no honest fence and is taken for prose.
const OPEN_MAX: usize = 200;

/// Reads the blocks of a text.
pub(crate) fn blocks(text: &str) -> Vec<Block<'_>> {
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
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.split_inclusive('\n').scan(0, |end, line| {
            *end += line.len();
            Some(*end)
        }));
        Self { text, starts }
    }

    fn count(&self) -> usize {
        self.starts.len() - 1
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
        let open = self.line(at);
        let marker = marker(open)?;
        let close = (at + 1..self.count()).find(|line| closes(self.line(*line), marker));
        let end = close.map_or(self.count(), |close| close + 1);
        let body = self.slice(at + 1, close.unwrap_or(end));
        Some((Kind::Fence { open, body }, end))
    }

    /// Whether a table's headings stand in this line: cells, and a line of dashes below.
    fn heads_table(&self, at: usize) -> bool {
        at + 1 < self.count() && self.line(at).contains('|') && is_dashes(self.line(at + 1))
    }

    /// The table that begins at this line, and the line after it. A second line of dashes begins another table: some
    /// readers see one there, and a card with too many tables is refused.
    fn table(&self, at: usize) -> Option<(Kind<'a>, usize)> {
        if !self.heads_table(at) {
            return None;
        }
        let ends = |line: &usize| {
            self.is_blank(*line) || self.heads_table(*line) || marker(self.line(*line)).is_some()
        };
        let end = (at + 2..self.count()).find(ends).unwrap_or(self.count());
        Some((Kind::Table { head: self.slice(at, at + 2), rows: self.slice(at + 2, end) }, end))
    }

    /// Where the paragraph that begins at this line ends: after its empty lines, or before a fence or a table.
    fn prose(&self, at: usize) -> usize {
        let ends = |line: &usize| {
            (self.is_blank(line - 1) && !self.is_blank(*line))
                || self.heads_table(*line)
                || marker(self.line(*line)).is_some()
        };
        (at + 1..self.count()).find(ends).unwrap_or(self.count())
    }
}

/// The run of backticks or tildes with which a line opens a fence.
pub(crate) fn marker(line: &str) -> Option<&str> {
    let line = line.trim();
    let sign = line.chars().next().filter(|sign| matches!(sign, '`' | '~'))?;
    let info = line.trim_start_matches(sign);
    let run = &line[..line.len() - info.len()];
    // Backticks later in the line make it inline code.
    let opens = run.len() >= 3 && line.len() <= OPEN_MAX && !(sign == '`' && info.contains('`'));
    opens.then_some(run)
}

fn closes(line: &str, marker: &str) -> bool {
    let line = line.trim();
    line.len() >= marker.len()
        && line.starts_with(marker)
        && line.chars().all(|sign| marker.starts_with(sign))
}

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
                Kind::Fence { .. } => 'f',
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
            ("```\nnever closed\n\nx", "f"),
            ("```inline``` code", "p"),
            ("a\n| h |\n|---|\n| 1 |\n\nb", "ptpp"),
            ("| h |\n|---|\n| 1 |\n| i |\n|---|\n| 2 |", "tt"),
            ("a | b\n--- | ---", "t"),
            ("| not a table |\n\n|---|", "pp"),
            ("\n\na", "pp"),
        ] {
            assert_eq!(kinds(text), expected, "{text:?}");
        }
        assert_eq!(kinds(&format!("```{}\nx\n", "a".repeat(OPEN_MAX))), "p");
    }
}
