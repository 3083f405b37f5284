//! Cutting Markdown into pieces that DingTalk takes.
//!
//! A piece ends at the end of a paragraph where one is near, else of a line, else of a word, else between two
//! characters. A code block that is cut is closed in the one piece and opened again in the next.

/// What one piece may weigh.
///
/// DingTalk says that `msgParam`, a JSON text, may have 15 000 bytes, and refuses a webhook's body over 20 000. A busy
/// third-party client cuts at 3800 characters, below which nobody reports trouble. 1000 and 2000 bytes of the first
/// two are kept for what surrounds the words: the title, the robot code, the ids (see `no_body_exceeds_its_limit`).
pub(crate) const LIMIT: Weight = Weight { chars: 3800, once: 14_000, twice: 18_000 };

/// What a text weighs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    chars: usize,
    /// Bytes inside a JSON string.
    once: usize,
    /// Bytes inside a JSON string inside a JSON string, which is how `msgParam` travels.
    twice: usize,
}

impl Weight {
    pub(crate) fn of(text: &str) -> Self {
        text.chars().fold(Self::default(), Self::with)
    }

    fn with(self, c: char) -> Self {
        let (once, twice) = match c {
            '"' | '\\' => (2, 4),
            '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => (2, 3),
            '\0'..='\u{1f}' => (6, 7),
            _ => (c.len_utf8(), c.len_utf8()),
        };
        Self { chars: self.chars + 1, once: self.once + once, twice: self.twice + twice }
    }

    pub(crate) const fn fits(self, limit: Self) -> bool {
        self.chars <= limit.chars && self.once <= limit.once && self.twice <= limit.twice
    }

    fn minus(self, other: Self) -> Self {
        Self {
            chars: self.chars.saturating_sub(other.chars),
            once: self.once.saturating_sub(other.once),
            twice: self.twice.saturating_sub(other.twice),
        }
    }
}

/// Longest fence and info string that are repeated when a code block is cut. Longer ones are no fence to us, so that
/// a reply made of backticks cannot eat its own room.
const FENCE_MAX: usize = 16;
const INFO_MAX: usize = 32;

/// A code block that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fence {
    mark: String,
    info: String,
}

impl Fence {
    /// The code block that this line opens, if it opens one.
    pub(crate) fn opened_by(line: &str) -> Option<Self> {
        let rest = unindented(line)?;
        let mark: String =
            rest.chars().take_while(|c| rest.starts_with(*c) && matches!(c, '`' | '~')).collect();
        let info = rest[mark.len()..].trim();
        let right = (3..=FENCE_MAX).contains(&mark.len()) && !(mark.starts_with('`') && info.contains('`'));
        right.then(|| Self { mark, info: info.chars().take(INFO_MAX).collect() })
    }

    /// Whether this line closes the code block.
    pub(crate) fn closed_by(&self, line: &str) -> bool {
        let rest = unindented(line).unwrap_or_default().trim_end();
        rest.len() >= self.mark.len() && rest.chars().all(|c| self.mark.starts_with(c))
    }

    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// What is open after `line`, if `open` was before it.
    pub(crate) fn after(open: Option<Self>, line: &str) -> Option<Self> {
        match open {
            Some(fence) if fence.closed_by(line) => None,
            Some(fence) => Some(fence),
            None => Self::opened_by(line),
        }
    }

    fn opening(&self) -> String {
        format!("{}{}\n", self.mark, self.info)
    }
}

/// The line without the up to three spaces that a fence may stand behind.
fn unindented(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches(' ');
    (line.len() - rest.len() <= 3).then_some(rest)
}

/// Cuts `text` into pieces that each fit `limit`. Blank pieces are left out.
pub(crate) fn split(text: &str, limit: Weight) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut open: Option<Fence> = None;
    while !rest.trim().is_empty() {
        if open.is_none() {
            rest = rest.trim_start_matches('\n');
        }
        let mut piece = open.as_ref().map(Fence::opening).unwrap_or_default();
        let room =
            limit.minus(Weight::of(&piece)).minus(Weight { chars: FENCE_MAX + 1, once: 18, twice: 19 });
        let (taken, left) = rest.split_at(cut(rest, room));
        open = taken.lines().fold(open, Fence::after);
        piece.push_str(
            taken.trim_end_matches(|c: char| if open.is_some() { c == '\n' } else { c.is_whitespace() }),
        );
        // Where a line ended or a word did, the new piece does not begin with what parted them.
        let parting = if open.is_some() { &['\n'][..] } else { &['\n', ' '] };
        rest = left.strip_prefix(parting).filter(|_| !taken.ends_with('\n')).unwrap_or(left);
        if let Some(fence) = &open {
            piece.push('\n');
            piece.push_str(&fence.mark);
            // A block that ends right at the cut is not opened again for nothing.
            let (first, after) = rest.split_once('\n').unwrap_or((rest, ""));
            if fence.closed_by(first) || rest.trim().is_empty() {
                (rest, open) = (after, None);
            }
        }
        if !piece.trim().is_empty() {
            pieces.push(piece);
        }
    }
    pieces
}

/// Where to cut `text` so that what comes before fits `room`: a byte index, at least one character in.
fn cut(text: &str, room: Weight) -> usize {
    let mut weight = Weight::default();
    let over = text.char_indices().find(|(_, c)| {
        weight = weight.with(*c);
        !weight.fits(room)
    });
    let Some((end, _)) = over else { return text.len() };
    let window = &text[..end];
    let late = |at: usize, share: usize| (at >= end / share).then_some(at);
    let best = window
        .rfind("\n\n")
        .and_then(|at| late(at + 1, 2))
        .or_else(|| window.rfind('\n').and_then(|at| late(at + 1, 4)))
        .or_else(|| window.rfind(char::is_whitespace).and_then(|at| late(at, 4)))
        .unwrap_or(end);
    let best = before_an_opening(window, best);
    if best > 0 { best } else { end.max(text.chars().next().map_or(0, char::len_utf8)) }
}

/// Moves a cut that would leave the first line of a code block alone at the end of a piece to before that line.
fn before_an_opening(window: &str, at: usize) -> usize {
    let taken = window[..at].trim_end_matches('\n');
    let line = taken.rfind('\n').map_or(0, |newline| newline + 1);
    let open = taken[..line].lines().fold(None, Fence::after);
    let lonely = open.is_none() && Fence::opened_by(&taken[line..]).is_some();
    if lonely { line } else { at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chars(count: usize) -> Weight {
        Weight { chars: count, ..LIMIT }
    }

    #[test]
    fn cuts_prefer_paragraphs_then_lines_then_words() {
        for (text, limit, expected) in [
            ("one\n\ntwo", 60, vec!["one\n\ntwo"]),
            ("aaaaaaaaaaaa\n\nbbbb bb bb\n\ncccccc", 17 + 20, vec!["aaaaaaaaaaaa", "bbbb bb bb\n\ncccccc"]),
            ("aaaaaaaaaa\nbbbbbbbbb bb", 17 + 18, vec!["aaaaaaaaaa", "bbbbbbbbb bb"]),
            ("aaaaaaaaaa bbbbbbbbb bb", 17 + 18, vec!["aaaaaaaaaa", "bbbbbbbbb bb"]),
            ("一二三四五六七八九十", 17 + 4, vec!["一二三四", "五六七八", "九十"]),
        ] {
            assert_eq!(split(text, chars(limit)), expected, "{text}");
        }
    }

    #[test]
    fn a_cut_code_block_is_closed_and_opened_again() {
        let text = "see\n```rust\n    one();\n    two();\n    three();\n```\nend";
        let pieces = split(text, chars(17 + 30));
        assert_eq!(
            pieces,
            ["see\n```rust\n    one();\n```", "```rust\n    two();\n```", "```rust\n    three();\n```\nend"]
        );
    }

    #[test]
    fn no_empty_code_block_is_left_at_a_cut() {
        let opening_last = "aaaaaaaaaaaaaaa\n```\nbbbbbbbbbbbb\n```";
        assert_eq!(split(opening_last, chars(17 + 24))[0], "aaaaaaaaaaaaaaa");
        let closing_first = "```\naaaaaaaaaa\nbbbbbbbbbb\n```\nend";
        assert_eq!(split(closing_first, chars(17 + 28)), ["```\naaaaaaaaaa\nbbbbbbbbbb\n```", "end"]);
    }

    #[test]
    fn fences_are_told_from_text() {
        for (line, mark) in [
            ("```", Some("```")),
            ("   ~~~~ rust", Some("~~~~")),
            ("    ```", None),
            ("``", None),
            ("```a`b", None),
            ("~~~a`b", Some("~~~")),
            ("``` ```", None),
        ] {
            assert_eq!(Fence::opened_by(line).as_ref().map(Fence::mark), mark, "{line:?}");
        }
        let fence = Fence::opened_by("````").unwrap();
        for (line, closes) in
            [("````", true), ("`````  ", true), ("```", false), ("~~~~", false), ("````x", false)]
        {
            assert_eq!(fence.closed_by(line), closes, "{line:?}");
        }
    }

    #[test]
    fn weights_are_those_of_the_encoder() {
        let text: String = (0..0x180_u32).filter_map(char::from_u32).chain("钉🚀\u{2028}".chars()).collect();
        for c in text.chars() {
            let once = serde_json::to_string(&c).unwrap();
            let twice = serde_json::to_string(&once).unwrap();
            let expected = Weight { chars: 1, once: once.len() - 2, twice: twice.len() - 6 };
            assert_eq!(Weight::of(&c.to_string()), expected, "{c:?}");
        }
    }
}
