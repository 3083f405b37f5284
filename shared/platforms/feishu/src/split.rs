//! Cuts a text to size where it hurts least: between blocks, then lines, then words, then characters.
//!
//! Fenced code that is cut is closed and opened again, and a table that is cut gets its headings again, so that every
//! segment reads by itself.

use crate::blocks::{Block, Kind, blocks, marker};

/// What one segment may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes of the request, as [`cost`] counts them.
    pub(crate) cost: usize,
    /// Tables.
    pub(crate) tables: usize,
}

/// What a text adds to a request's body, in bytes: it stands there as JSON inside of JSON, so a quotation mark or a
/// backslash is written with four bytes and a line break with three.
pub(crate) fn cost(text: &str) -> usize {
    text.bytes().map(byte_cost).sum()
}

const fn byte_cost(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' => 4,
        b'\n' | b'\r' | b'\t' | 0x08 | 0x0C => 3,
        0x00..=0x1F => 7,
        _ => 1,
    }
}

/// Cuts a text. Every piece is within the limits; only white space is lost.
pub(crate) fn split(text: &str, limits: Limits) -> Vec<String> {
    let mut packer = Packer { limits, done: Vec::new(), piece: String::new(), cost: 0, tables: 0 };
    for block in blocks(text) {
        packer.block(block);
    }
    packer.flush();
    packer.done
}

struct Packer {
    limits: Limits,
    done: Vec<String>,
    piece: String,
    cost: usize,
    tables: usize,
}

impl Packer {
    fn block(&mut self, block: Block<'_>) {
        let tables = usize::from(matches!(block.kind, Kind::Table { .. }));
        if cost(block.whole) <= self.limits.cost {
            return self.push(block.whole, tables);
        }
        // Too large for any piece: it begins a new one, and is cut.
        self.flush();
        match block.kind {
            Kind::Prose => self.prose(block.whole),
            Kind::Fence { open, body } => self.fence(open, body),
            Kind::Table { head, rows } => self.table(block.whole, head, rows),
        }
    }

    /// Adds what is within the limits by itself; when it does not fit any more, a new piece begins.
    fn push(&mut self, text: &str, tables: usize) {
        let cost = cost(text);
        if self.cost + cost > self.limits.cost || self.tables + tables > self.limits.tables {
            self.flush();
        }
        self.piece.push_str(text);
        self.cost += cost;
        self.tables += tables;
    }

    fn flush(&mut self) {
        let piece = self.piece.trim_end().trim_start_matches(['\n', '\r']);
        if !piece.trim_start().is_empty() {
            self.done.push(piece.to_owned());
        }
        self.piece.clear();
        self.cost = 0;
        self.tables = 0;
    }

    fn prose(&mut self, text: &str) {
        for line in text.split_inclusive('\n') {
            for part in cut(line, self.limits.cost) {
                self.push(part, 0);
            }
        }
    }

    fn fence(&mut self, open: &str, body: &str) {
        let indent = &open[..open.len() - open.trim_start().len()];
        let open = format!("{}\n", open.trim_end());
        let close = format!("{indent}{}\n", marker(&open).unwrap_or("```"));
        // One line break more, for a last line without one.
        let room = self.limits.cost.saturating_sub(cost(&open) + cost(&close) + cost("\n"));
        for part in runs(body.split_inclusive('\n').flat_map(|line| cut(line, room)), room) {
            let end = if part.ends_with('\n') { "" } else { "\n" };
            self.push(&format!("{open}{part}{end}{close}"), 0);
        }
    }

    fn table(&mut self, whole: &str, head: &str, rows: &str) {
        let room = self.limits.cost.saturating_sub(cost(head));
        let fits = room >= self.limits.cost / 2 && rows.split_inclusive('\n').all(|row| cost(row) <= room);
        if fits {
            for part in runs(rows.split_inclusive('\n'), room) {
                self.push(&format!("{head}{part}"), 1);
            }
        } else {
            // A row that fills a segment is no row that anybody could read as one.
            self.prose(whole);
            self.tables = 1;
        }
    }
}

/// Joins parts into runs as long as `room` allows.
fn runs<'a>(parts: impl Iterator<Item = &'a str>, room: usize) -> Vec<String> {
    let (mut runs, mut run, mut taken) = (Vec::new(), String::new(), 0);
    for part in parts {
        let cost = cost(part);
        if taken + cost > room && !run.is_empty() {
            runs.push(std::mem::take(&mut run));
            taken = 0;
        }
        run.push_str(part);
        taken += cost;
    }
    if !run.is_empty() {
        runs.push(run);
    }
    runs
}

/// Cuts one line: after the last space or Chinese punctuation in the second half
/// of what fits, and else between two characters. Makes
/// progress by a character at least, so `room` must be larger than the largest character, which it is by far.
fn cut(line: &str, room: usize) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), line);
    while !rest.is_empty() {
        let (part, after) = rest.split_at(fitting(rest, room));
        parts.push(part);
        rest = after;
    }
    parts
}

/// How many bytes of `text` to take, at least one character of it. A gap in the first half is not worth a piece.
fn fitting(text: &str, room: usize) -> usize {
    let (mut taken, mut gap) = (0, None);
    for (at, sign) in text.char_indices() {
        taken += cost(sign.encode_utf8(&mut [0; 4]));
        if taken > room && at > 0 {
            return gap.unwrap_or(at);
        }
        if taken > room / 2 && (sign.is_whitespace() || "，。；：、！？".contains(sign)) {
            gap = Some(at + sign.len_utf8());
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, cost: usize) -> Vec<String> {
        split(text, Limits { cost, tables: 3 })
    }

    #[test]
    fn cuts_are_made_where_they_hurt_least() {
        for (text, cost, expected) in [
            ("one\n\ntwo", 50, vec!["one\n\ntwo"]),
            ("one one\n\ntwo two", 16, vec!["one one", "two two"]),
            ("line one\nline two\n", 12, vec!["line one", "line two"]),
            ("some words here", 11, vec!["some words", "here"]),
            ("好的。可以吗？", 12, vec!["好的。", "可以吗？"]),
            ("abcdefgh", 5, vec!["abcde", "fgh"]),
            ("a bcdefgh", 5, vec!["a bcd", "efgh"]),
            ("你好吗", 6, vec!["你好", "吗"]),
            ("", 10, vec![]),
            (" \n\n ", 10, vec![]),
        ] {
            assert_eq!(pieces(text, cost), expected, "{text:?}");
        }
    }

    #[test]
    fn code_that_is_cut_is_closed_and_opened_again() {
        let found = pieces("before\n\n  ```rust\n  first();\n  second();\n  ```\nafter", 40);
        let expected = ["before", "  ```rust\n  first();\n  ```", "  ```rust\n  second();\n  ```\nafter"];
        assert_eq!(found, expected.map(str::to_owned));
    }

    #[test]
    fn a_table_that_is_cut_gets_its_headings_again() {
        let found = pieces("| h |\n|---|\n| 1 |\n| 2 |\n| 3 |\n| 4 |", 42);
        assert_eq!(found, ["| h |\n|---|\n| 1 |\n| 2 |\n| 3 |", "| h |\n|---|\n| 4 |"].map(str::to_owned));
    }

    #[test]
    fn the_fourth_table_goes_into_the_next_piece() {
        let text = "| h |\n|---|\n| 1 |\n\n".repeat(7);
        let found = pieces(&text, 10_000);
        let tables: Vec<_> = found.iter().map(|piece| piece.matches("|---|").count()).collect();
        assert_eq!(tables, [3, 3, 1]);
    }

    #[test]
    fn cost_is_what_json_in_json_takes() {
        for text in ["a\"b\\c\nd\te\rf", "\u{1}\u{8}\u{c}\u{1f}\u{7f}", "你好 👍 </>&"] {
            let once = serde_json::to_string(text).unwrap();
            let twice = serde_json::to_string(&once[1..once.len() - 1]).unwrap();
            assert_eq!(cost(text), twice.len() - 2, "{text:?}");
        }
    }
}
