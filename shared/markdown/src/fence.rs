//! The lines that open and close code.

/// The longest line that opens or closes code and is written again at each cut, in bytes, with its indentation: such
/// lines must be short beside a piece.
const REPEATED_MAX: usize = 200;

/// The columns by which a fence may be indented beyond the text around it. With more, it is indented code.
const INDENT_MAX: usize = 3;

/// The line that opens fenced code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence<'a> {
    indent: &'a str,
    mark: &'a str,
    info: &'a str,
}

impl<'a> Fence<'a> {
    /// The fence that `line` opens where text stands at the column `depth`, if it opens one.
    pub(crate) fn opened_by(line: &'a str, depth: usize) -> Option<Self> {
        let rest = line.trim();
        let sign = rest.chars().next().filter(|sign| matches!(sign, '`' | '~'))?;
        let info = rest.trim_start_matches(sign);
        let mark = &rest[..rest.len() - info.len()];
        let indent = &line[..line.len() - line.trim_start().len()];
        let opens = mark.len() >= 3
            && columns(indent) <= depth + INDENT_MAX
            // Backticks later in the line make it inline code.
            && !(sign == '`' && info.contains('`'));
        opens.then_some(Self { indent, mark, info })
    }

    /// Whether `line` closes what this one opened.
    pub(crate) fn closed_by(&self, line: &str) -> bool {
        let rest = line.trim();
        rest.len() >= self.mark.len()
            && rest.chars().all(|sign| self.mark.starts_with(sign))
            && indent(line) <= columns(self.indent) + INDENT_MAX
    }

    /// The line again, with its indentation, and a line break.
    #[must_use]
    pub fn opening(&self) -> String {
        format!("{}{}{}\n", self.indent, self.mark, self.info)
    }

    /// A line that closes it, with the same indentation, and a line break.
    #[must_use]
    pub fn closing(&self) -> String {
        format!("{}{}\n", self.indent, self.mark)
    }

    /// The lines to write around each part of the code when it is cut, with line breaks. None when one of them is too
    /// long to be written more than once.
    pub(crate) fn around(&self, close: Option<&str>) -> Option<(String, String)> {
        let closing = close.map_or_else(|| self.closing(), |line| format!("{}\n", line.trim_end()));
        let lines = (self.opening(), closing);
        (lines.0.len().max(lines.1.len()) <= REPEATED_MAX + 1).then_some(lines)
    }
}

/// At which column text stands after `line`, if it stood at `depth` before: inside a list item, as deep as the item's
/// own words.
pub(crate) fn depth_after(line: &str, depth: usize) -> usize {
    let text = line.trim();
    if text.is_empty() {
        return depth;
    }
    bullet(text).map_or(depth.min(indent(line)), |bullet| indent(line) + bullet)
}

/// The columns of a list item's bullet or number, with the spaces behind it.
fn bullet(text: &str) -> Option<usize> {
    let after_digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - after_digits.len();
    let signs = if digits > 0 { &['.', ')'][..] } else { &['-', '*', '+'] };
    let words = after_digits.strip_prefix(signs)?;
    let spaces = indent(words);
    // More than four spaces begin indented code, one column after the bullet.
    (spaces > 0 || words.is_empty()).then_some(digits + 1 + if spaces > 4 { 1 } else { spaces })
}

fn indent(line: &str) -> usize {
    columns(&line[..line.len() - line.trim_start().len()])
}

fn columns(blank: &str) -> usize {
    blank.chars().map(|c| if c == '\t' { 4 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_are_told_from_text() {
        for (line, mark) in [
            ("```", Some("```")),
            ("   ~~~~ rust", Some("~~~~")),
            ("    ```", None),
            ("\t```", None),
            ("``", None),
            ("```a`b", None),
            ("~~~a`b", Some("~~~")),
            ("``` ```", None),
        ] {
            assert_eq!(Fence::opened_by(line, 0).map(|fence| fence.mark), mark, "{line:?}");
        }
    }

    #[test]
    fn a_long_line_is_a_fence_and_is_not_repeated() {
        for (bytes, is_repeated) in [(REPEATED_MAX, true), (REPEATED_MAX + 1, false)] {
            let opening = format!("```{}", "a".repeat(bytes - 3));
            let fence = Fence::opened_by(&opening, 0).unwrap();
            assert_eq!(fence.around(Some("```")).is_some(), is_repeated, "{bytes}");
            let (fence, closing) = (Fence::opened_by("```", 0).unwrap(), "`".repeat(bytes));
            assert!(fence.closed_by(&closing), "{bytes}");
            assert_eq!(fence.around(Some(&closing)).is_some(), is_repeated, "{bytes}");
        }
    }

    #[test]
    fn a_fence_is_closed_by_its_own_sign() {
        let fence = Fence::opened_by("````", 0).unwrap();
        for (line, closes) in [
            ("````", true),
            ("`````  ", true),
            ("   ````\n", true),
            ("    ````", false),
            ("```", false),
            ("~~~~", false),
            ("````x", false),
        ] {
            assert_eq!(fence.closed_by(line), closes, "{line:?}");
        }
    }

    #[test]
    fn a_fence_is_written_again_as_it_stood() {
        let fence = Fence::opened_by("  ~~~~ rust  \n", 0).unwrap();
        assert_eq!((fence.opening(), fence.closing()), ("  ~~~~ rust\n".to_owned(), "  ~~~~\n".to_owned()));
    }

    #[test]
    fn text_stands_deeper_in_a_list() {
        for (line, before, after) in [
            ("words", 0, 0),
            ("- item", 0, 2),
            ("*", 0, 1),
            ("  -   item", 0, 6),
            ("-      code", 0, 2),
            ("12) item", 0, 4),
            ("", 4, 4),
            ("    words", 4, 4),
            ("  words", 4, 2),
            ("words", 4, 0),
            ("**bold**", 4, 0),
            ("3.5 of them", 4, 0),
            ("---", 4, 0),
        ] {
            assert_eq!(depth_after(line, before), after, "{line:?}");
        }
    }
}
