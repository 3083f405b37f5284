//! Texts made of bytes, and what may be lost of a text.

/// The most bytes that a rendered text has: more than one segment of either platform.
const MOST: usize = 30_000;

/// How often a text may be repeated. Few inputs are long: all of the work goes by the length, and most of what can go wrong
/// goes wrong in a short text as well.
const TIMES: [usize; 16] = [1, 2, 4, 8, 1, 1, 16, 1, 1, 1, 32, 1, 1, 1, 1, 128];

/// The text of an input: the bytes after the first, repeated as often as the first says. Without that no input would
/// be long enough to be cut: a fuzzer's are a few kilobytes, and a segment holds thirty.
pub(crate) fn text_of(data: &[u8]) -> Option<String> {
    let (&times, rest) = data.split_first()?;
    let text = std::str::from_utf8(rest).ok()?;
    let most = MOST / text.len().max(1);
    Some(text.repeat(TIMES[usize::from(times) % TIMES.len()].clamp(1, most.max(1))))
}

/// Whether every sign of `part` that shows, but for those that `tamed` names, occurs in `whole` in the same order.
pub(crate) fn keeps(part: &str, whole: &str, tamed: &[char]) -> bool {
    let mut whole = whole.chars();
    part.chars().filter(|c| !c.is_whitespace() && !tamed.contains(c)).all(|c| whole.any(|other| other == c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_words_are_noticed() {
        for (part, whole, kept) in [
            ("a b\nc", "abc", true),
            ("abc", "a[b]c", true),
            ("abc", "acb", false),
            ("abb", "ab", false),
            ("a<b", "a&lt;b", true),
        ] {
            assert_eq!(keeps(part, whole, &['<']), kept, "{part} {whole}");
        }
        assert!(!keeps("a<b", "a&lt;b", &[]));
    }

    #[test]
    fn inputs_are_repeated_up_to_a_limit() {
        assert_eq!(text_of(b"\x02ab").as_deref(), Some("abababab"));
        assert_eq!(text_of(b"\x00ab").as_deref(), Some("ab"));
        let long = [&[255][..], &[b'x'; 12_000]].concat();
        assert_eq!(text_of(&long).map(|text| text.len()), Some(24_000));
        let longest = [&[255][..], &[b'x'; MOST + 1]].concat();
        assert_eq!(
            text_of(&longest).map(|text| text.len()),
            Some(MOST + 1),
            "not repeated, and not cut either"
        );
        assert_eq!(text_of(b"\x01\xff"), None);
    }
}
