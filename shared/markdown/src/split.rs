//! Blocks packed into pieces.

use crate::{
    Weight,
    block::{Block, Kind, blocks},
    cut::cut,
};

/// What one piece may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits<W> {
    /// How much text. It should be many times the 200 bytes that each of the lines may have that open and close
    /// code: they are repeated in every piece of the code.
    pub weight: W,
    /// How many tables; at least one.
    pub tables: usize,
}

/// Cuts a text into pieces within the limits, none of them blank. The same text always gives the same pieces.
///
/// A block that fits into a piece is never cut. Only white space is lost, and what is added is only what makes a piece
/// read by itself: the lines around cut code, the headings of a cut table.
#[must_use]
pub fn split<W: Weight>(text: &str, limits: Limits<W>) -> Vec<String> {
    let mut packer =
        Packer { limits, done: Vec::new(), piece: String::new(), weight: W::default(), tables: 0 };
    for block in blocks(text) {
        packer.block(block);
    }
    packer.flush();
    packer.done
}

struct Packer<W> {
    limits: Limits<W>,
    done: Vec<String>,
    piece: String,
    /// Of `piece`.
    weight: W,
    /// In `piece`.
    tables: usize,
}

impl<W: Weight> Packer<W> {
    fn block(&mut self, block: Block<'_>) {
        let tables = usize::from(matches!(block.kind, Kind::Table { .. }));
        let weight = W::of(block.whole);
        if weight.fits(self.limits.weight) {
            self.make_room(weight, tables);
            self.append(block.whole, weight);
            self.tables += tables;
            return;
        }
        match block.kind {
            Kind::Prose => self.prose(block.whole),
            Kind::Fence { fence, body, close } => match fence.around(close) {
                Some((before, after)) => {
                    self.code(&Frame { before: &before, after: &after, tables: 0 }, body);
                }
                None => self.bare(block.whole),
            },
            Kind::Table { head, rows } => self.table(block.whole, head, rows),
        }
    }

    /// Begins a new piece when this one has no room for so much more.
    fn make_room(&mut self, weight: W, tables: usize) {
        let fits = (self.weight + weight).fits(self.limits.weight);
        if !fits || self.tables + tables > self.limits.tables {
            self.flush();
        }
    }

    fn append(&mut self, text: &str, weight: W) {
        self.piece.push_str(text);
        self.weight = self.weight + weight;
    }

    fn flush(&mut self) {
        let piece = self.piece.trim_end().trim_start_matches(['\n', '\r']);
        if !piece.trim_start().is_empty() {
            self.done.push(piece.to_owned());
        }
        self.piece.clear();
        self.weight = W::default();
        self.tables = 0;
    }

    fn prose(&mut self, text: &str) {
        for line in text.split_inclusive('\n') {
            for (part, weight) in cut(line, W::default(), self.limits.weight) {
                self.make_room(weight, 0);
                self.append(part, weight);
            }
        }
    }

    fn code(&mut self, frame: &Frame<'_>, body: &str) {
        let around = frame.weight();
        let parts = body.split_inclusive('\n').flat_map(|line| cut(line, around, self.limits.weight));
        self.framed(frame, &parts.collect::<Vec<_>>());
    }

    /// Code that cannot be framed, because a line around it is too long to be repeated. Where it is cut, a reader sees
    /// text, so it is packed as the text that they see: what was opened in one piece is not open in the next.
    fn bare(&mut self, whole: &str) {
        let (opening, rest) = whole.split_at(whole.find('\n').map_or(whole.len(), |end| end + 1));
        self.flush();
        self.prose(opening);
        self.flush();
        for block in blocks(rest) {
            self.block(block);
        }
        self.flush();
    }

    fn table(&mut self, whole: &str, head: &str, rows: &str) {
        let frame = Frame { before: head, after: "", tables: 1 };
        let around: W = frame.weight();
        let rows: Vec<_> = rows.split_inclusive('\n').map(|row| (row, W::of(row))).collect();
        let fits = |weight| (around + weight).fits(self.limits.weight);
        if fits(around) && rows.iter().all(|(_, weight)| fits(*weight)) {
            self.framed(&frame, &rows);
        } else {
            // A row that fills a piece is no row that anybody could read as one.
            self.flush();
            self.prose(whole);
            self.tables = 1;
        }
    }

    /// Adds lines that each fit beside the frame, and the frame around them in every piece. Begins in what is left of
    /// this piece: words that announce some code stay with the beginning of it.
    fn framed(&mut self, frame: &Frame<'_>, lines: &[(&str, W)]) {
        let (before, end) = (W::of(frame.before), frame.end());
        let mut lines = lines.iter().peekable();
        while let Some((first, weight)) = lines.next() {
            self.make_room(before + end + *weight, frame.tables);
            self.append(frame.before, before);
            self.append(first, *weight);
            while let Some((line, weight)) =
                lines.next_if(|(_, weight)| (self.weight + *weight + end).fits(self.limits.weight))
            {
                self.append(line, *weight);
            }
            if !frame.after.is_empty() && !self.piece.ends_with('\n') {
                self.append("\n", W::of("\n"));
            }
            self.append(frame.after, W::of(frame.after));
            self.tables += frame.tables;
            if lines.peek().is_some() {
                self.flush();
            }
        }
    }
}

/// What stands around the lines of a block in every piece of it.
struct Frame<'a> {
    before: &'a str,
    after: &'a str,
    tables: usize,
}

impl Frame<'_> {
    fn weight<W: Weight>(&self) -> W {
        W::of(self.before) + self.end()
    }

    /// What follows the lines, with a line break more for a last line without one.
    fn end<W: Weight>(&self) -> W {
        if self.after.is_empty() { W::default() } else { W::of("\n") + W::of(self.after) }
    }
}

#[cfg(test)]
mod tests;
