//! Texts as JSON strings, as `serde_json` writes them and nearly two times (a line break every 50 bytes) to five times
//! (none) as fast, by the bench `codecs`: it looks at each byte by itself, which was an eighth of all that routing a long
//! prompt costs.

/// How many bytes are looked at together: two registers of every processor that this runs on.
const BLOCK: usize = 32;

/// Appends `text` in quotation marks.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    // The marks, and room for some that are escaped: a text that is prose needs no more.
    out.reserve(text.len() + text.len() / 16 + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, after) = rest.split_at(plain(rest));
        out.extend_from_slice(plain);
        let Some((&byte, after)) = after.split_first() else { break };
        escaped(out, byte);
        rest = after;
    }
    out.push(b'"');
}

/// How many bytes at the beginning are written as they are.
fn plain(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>)
        && !block.iter().fold(false, |found, &byte| found | is_escaped(byte))
    {
        at += BLOCK;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| is_escaped(byte)).unwrap_or(rest.len())
}

/// Without a branch, so that a block becomes vector instructions.
const fn is_escaped(byte: u8) -> bool {
    (byte < b' ') | (byte == b'"') | (byte == b'\\')
}

fn escaped(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(br#"\""#),
        b'\\' => out.extend_from_slice(br"\\"),
        b'\n' => out.extend_from_slice(br"\n"),
        b'\r' => out.extend_from_slice(br"\r"),
        b'\t' => out.extend_from_slice(br"\t"),
        0x08 => out.extend_from_slice(br"\b"),
        0x0c => out.extend_from_slice(br"\f"),
        _ => {
            let digit = |four: u8| if four < 10 { b'0' + four } else { b'a' + four - 10 };
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert_eq, proptest};

    use super::*;

    fn quoted(text: &str) -> String {
        let mut out = Vec::new();
        super::text(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_character_that_json_escapes_is_written_as_serde_json_writes_it() {
        for c in (0..=0x2ff).chain([0x2028, 0xfffd, 0x1f44d]).filter_map(char::from_u32) {
            // In a block of its own, at the edges of one, and in the rest after it.
            for before in [0, 1, BLOCK - 1, BLOCK, BLOCK + 3] {
                let text = format!("{}{c}{}", "a".repeat(before), "鹊".repeat(BLOCK));
                assert_eq!(quoted(&text), serde_json::to_string(&text).unwrap(), "{c:?} after {before}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_written_as_serde_json_writes_it(text in "([a-z ]{0,40}|[\"\\\\\\x00-\\x1f]|.){0,12}") {
            prop_assert_eq!(quoted(&text), serde_json::to_string(&text).unwrap());
        }
    }

    #[test]
    fn a_plain_text_is_written_into_room_that_was_made_at_once() {
        let text = "the magpie crosses the bridge\n".repeat(1_000);
        let mut out = Vec::new();
        super::text(&mut out, &text);
        assert!(out.capacity() < 2 * text.len(), "{} for {}", out.capacity(), text.len());
    }
}
