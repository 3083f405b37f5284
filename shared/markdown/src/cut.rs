//! One line that is too long for a piece.

use unicode_segmentation::GraphemeCursor;

use crate::Weight;

/// Cuts a line into parts that each fit beside what is `used`: after a space or Chinese punctuation, and else between
/// two characters as a reader sees them, so that an emoji of several code points stays one and an accent stays on its
/// letter. Each part comes with its weight.
pub(crate) fn cut<W: Weight>(line: &str, used: W, limit: W) -> Vec<(&str, W)> {
    // Nearly every line, and quicker than looking at each of its characters.
    let whole = W::of(line);
    if (used + whole).fits(limit) {
        return vec![(line, whole)];
    }
    let (mut parts, mut rest) = (Vec::new(), line);
    while !rest.is_empty() {
        let (part, after) = rest.split_at(fitting(rest, used, limit));
        parts.push((part, W::of(part)));
        rest = after;
    }
    parts
}

/// How many bytes of `text` to take. A gap in the first half of what fits is not worth a piece.
///
/// Code points are counted off first, and only where they end is it asked what a reader sees as one: that is dear, and an
/// answer without line breaks is looked at once for every piece.
fn fitting<W: Weight>(text: &str, used: W, limit: W) -> usize {
    let fit = fitting_chars(text, used, limit);
    if fit == text.len() {
        return fit;
    }
    match boundary(text, fit) {
        // A cluster that is larger than a piece, as only a made-up one is.
        0 => fit,
        at => gap(text, at).unwrap_or(at),
    }
}

/// How many bytes of code points fit. At least one, whatever the limit, so that cutting ends.
fn fitting_chars<W: Weight>(text: &str, used: W, limit: W) -> usize {
    let mut taken = used;
    let over = text.char_indices().find(|(at, c)| {
        taken = taken + W::of_char(*c);
        *at > 0 && !taken.fits(limit)
    });
    over.map_or(text.len(), |(at, _)| at)
}

/// The last place up to `at` where no character as a reader sees it is cut.
fn boundary(text: &str, at: usize) -> usize {
    if is_boundary(text, at) {
        return at;
    }
    // The cursor sees the whole text, so it never wants another part of it.
    GraphemeCursor::new(at, text.len(), true).prev_boundary(text, 0).ok().flatten().unwrap_or(0)
}

fn is_boundary(text: &str, at: usize) -> bool {
    GraphemeCursor::new(at, text.len(), true).is_boundary(text, 0).unwrap_or(true)
}

/// The last place in the second half of what is before `end` where words part.
fn gap(text: &str, end: usize) -> Option<usize> {
    let behind = text[..end].char_indices().rev().map(|(at, c)| (at + c.len_utf8(), c));
    let parts = |c: char| c.is_whitespace() || "，。；：、！？".contains(c);
    behind
        .take_while(|(at, _)| *at > end / 2)
        .find(|(at, c)| parts(*c) && is_boundary(text, *at))
        .map(|(at, _)| at)
}

#[cfg(test)]
mod tests;
