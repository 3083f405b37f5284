//! Reading JSON that anybody may have sent: objects only, and none so deep that reading it overflows the stack.

use serde::{Deserialize, de::DeserializeOwned};

/// How deep JSON may nest. No event comes near it; serde's own limit is the same, but it does not hold for the parts
/// that are skipped over.
const DEPTH_MAX: usize = 128;

/// The text is not the JSON object that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotThat;

/// Reads a JSON object. An array does not pass for one, although serde would take it by position.
pub(crate) fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, NotThat> {
    let is_object = json.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    if !is_object || nests_too_deep(json) {
        return Err(NotThat);
    }
    // Checking the encoding once is cheaper than doing so string by string, as serde would.
    let json = std::str::from_utf8(json).map_err(|_| NotThat)?;
    serde_json::from_str(json).map_err(|_| NotThat)
}

/// Reads the answer to a call of ours, whose fields are few and small.
pub(crate) fn answer<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    object(json).ok()
}

/// Counting every bracket is quick and settles nearly all events; only a text with many is looked at closely.
fn nests_too_deep(json: &[u8]) -> bool {
    json.len() > DEPTH_MAX && opening_brackets(json) > DEPTH_MAX && depth(json) > DEPTH_MAX
}

/// In runs short enough to be counted in a byte each, which lets the compiler compare 16 bytes or more at once.
fn opening_brackets(json: &[u8]) -> usize {
    let opens = |byte: &u8| u8::from(byte | 0x20 == b'{');
    json.chunks(usize::from(u8::MAX)).map(|run| usize::from(run.iter().map(opens).sum::<u8>())).sum()
}

fn depth(json: &[u8]) -> usize {
    let (mut deepest, mut open, mut in_string, mut escaped) = (0, 0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b'}' | b']' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use serde::de::IgnoredAny;

    use super::*;

    #[test]
    fn nesting_is_counted_outside_of_strings_only() {
        let deep = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        assert!(object::<IgnoredAny>(deep(DEPTH_MAX - 1).as_bytes()).is_ok());
        assert!(object::<IgnoredAny>(deep(DEPTH_MAX).as_bytes()).is_err());
        assert!(object::<IgnoredAny>(deep(100_000).as_bytes()).is_err());
        let quoted = format!("{{\"a\":\"\\\"{}\"}}", "[".repeat(1000));
        assert!(object::<IgnoredAny>(quoted.as_bytes()).is_ok());
        let wide = format!("{{\"a\":[{}[]]}}", "[],".repeat(1000));
        assert!(object::<IgnoredAny>(wide.as_bytes()).is_ok());
    }

    #[test]
    fn brackets_are_counted_and_nothing_else() {
        let every: Vec<u8> = (0..=255).cycle().take(1024).collect();
        assert_eq!(opening_brackets(&every), 8);
        assert_eq!(opening_brackets(&[b'['; 1000]), 1000);
        assert_eq!(opening_brackets(b""), 0);
    }

    #[test]
    fn an_array_is_no_object() {
        #[derive(Deserialize)]
        struct Answer {
            #[expect(dead_code, reason = "only whether it is read is of interest")]
            code: i64,
        }
        assert!(object::<Answer>(br#" {"code":1}"#).is_ok());
        assert!(object::<Answer>(br#"[1]"#).is_err());
    }
}
