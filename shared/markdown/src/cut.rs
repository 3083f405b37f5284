//! One line that is too long for a piece.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::Weight;

/// Cuts a line into parts that each fit beside what is `used`: after a space or Chinese punctuation, and else between
/// two characters as a reader sees them, so that an emoji of several code points stays one and an accent stays on its
/// letter.
pub(crate) fn cut<W: Weight>(line: &str, used: W, limit: W) -> Vec<&str> {
    // Nearly every line, and quicker than looking at each of its characters.
    if (used + W::of(line)).fits(limit) {
        return vec![line];
    }
    let (mut parts, mut rest) = (Vec::new(), line);
    while !rest.is_empty() {
        let (part, after) = rest.split_at(fitting(rest, used, limit));
        parts.push(part);
        rest = after;
    }
    parts
}

/// How many bytes of `text` to take. A gap in the first half of what fits is not worth a piece.
fn fitting<W: Weight>(text: &str, used: W, limit: W) -> usize {
    let (mut taken, mut gap) = (used, 0);
    for (at, cluster) in text.grapheme_indices(true) {
        let before = taken;
        taken = taken + W::of(cluster);
        if !taken.fits(limit) {
            return match at {
                0 => fitting_chars(cluster, before, limit),
                at if gap > at / 2 => gap,
                at => at,
            };
        }
        if cluster.ends_with(|c: char| c.is_whitespace() || "，。；：、！？".contains(c)) {
            gap = at + cluster.len();
        }
    }
    text.len()
}

/// How many bytes of a cluster to take that is larger than a piece, as only a made-up one is. At least one `char`,
/// whatever the limit, so that cutting ends.
fn fitting_chars<W: Weight>(cluster: &str, used: W, limit: W) -> usize {
    let mut taken = used;
    let over = cluster.char_indices().find(|(at, c)| {
        taken = taken + W::of_char(*c);
        *at > 0 && !taken.fits(limit)
    });
    over.map_or(cluster.len(), |(at, _)| at)
}
