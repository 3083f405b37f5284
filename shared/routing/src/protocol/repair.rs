//! Events that one server sends by mistake and every browser reads: JSON with what Rust's strings cannot hold (half an
//! emoji, bytes that are not UTF-8), with raw control characters, with Python's `NaN`, with a key twice; and JSON that is
//! valid and says nothing of an answer. Neither ends an answer.
//!
//! A character can be cut in two between two chunks: each is JSON by itself, and only together they make the character.
//! So the halves pass the protocol's reading as characters of the private use area, and [`Halves`] joins those that meet.

use serde_json::Value;

use super::{Said, course::Course, refusal};
use crate::{Failure, ServerError};

/// Stands for the surrogate `D800` plus as much as it is more.
const SURROGATE: u32 = 0x10_F000;

/// Stands for a byte that is not UTF-8.
const BYTE: u32 = 0x10_F800;

/// Lets `read` have one event. One that cannot be read is repaired, and if that does not help, passed over: the end of the
/// stream tells whether the answer came to it. A valid event that `read` does not know is an error or is nothing.
pub(super) fn lenient(
    data: &[u8],
    course: &mut Course,
    mut read: impl FnMut(&[u8], &mut Course) -> Result<(), ServerError>,
) -> Result<(), ServerError> {
    let unknown =
        |read: &Result<(), ServerError>| matches!(read, Err(ServerError { failure: Failure::Malformed, .. }));
    let first = read(data, course);
    if !unknown(&first) {
        course.known = true;
        return first;
    }
    let Some(repaired) = repaired(data) else {
        course.garbled = true;
        return Ok(());
    };
    course.halves |= repaired.halves;
    let second = read(&repaired.json, course);
    if unknown(&second) {
        course.unknown = true;
        return refusal::class(&repaired.json).map_or(Ok(()), Err);
    }
    course.known = true;
    second
}

/// JSON without what was wrong with it.
pub(super) struct Repaired {
    pub(super) json: Vec<u8>,
    /// Whether characters in it stand for halves.
    pub(super) halves: bool,
}

/// The same as valid JSON; nothing if it is none.
pub(super) fn repaired(data: &[u8]) -> Option<Repaired> {
    let (json, halves) = mended(data);
    // Of a key that comes twice, the last one counts.
    let value: Value = serde_json::from_slice(&json).ok()?;
    Some(Repaired { json: serde_json::to_vec(&value).ok()?, halves })
}

/// The value, repaired where that is needed.
pub(super) fn value(data: &[u8]) -> Option<Value> {
    serde_json::from_slice(data).ok().or_else(|| serde_json::from_slice(&mended(data).0).ok())
}

/// The bytes with everything in its strings as a character, and whether some stand for halves.
fn mended(data: &[u8]) -> (Vec<u8>, bool) {
    let mut mending = Mending { out: Vec::with_capacity(data.len()), halves: false };
    let mut rest = data;
    let mut inside = false;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'"' => {
                inside = !inside;
                mending.out.push(byte);
                after
            }
            b'\\' if inside => mending.escape(after),
            0..0x20 if inside => {
                mending.out.extend(format!("\\u{byte:04x}").as_bytes());
                after
            }
            0x80.. => mending.beyond_ascii(rest),
            _ if inside => {
                mending.out.push(byte);
                after
            }
            _ => mending.outside(rest),
        };
    }
    (mending.out, mending.halves)
}

struct Mending {
    out: Vec<u8>,
    halves: bool,
}

impl Mending {
    /// What comes behind a backslash in a string.
    fn escape<'a>(&mut self, after: &'a [u8]) -> &'a [u8] {
        match after.split_first() {
            Some((b'u', digits)) => match unit(digits) {
                Some((unit, rest)) => self.surrogate(unit, rest),
                // No unit of UTF-16: what follows is read as it stands.
                None => digits,
            },
            Some((&c @ (b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't'), rest)) => {
                self.out.extend([b'\\', c]);
                rest
            }
            // JSON knows no other escapes; the character was meant.
            _ => after,
        }
    }

    /// A unit of UTF-16, with the one behind it where the two make a character.
    fn surrogate<'a>(&mut self, high: u16, rest: &'a [u8]) -> &'a [u8] {
        let low = rest.strip_prefix(b"\\u").and_then(unit);
        if let Some(Ok(c)) = char::decode_utf16([high]).next() {
            self.out.extend(format!("\\u{:04x}", u32::from(c)).as_bytes());
            return rest;
        }
        if let Some((low, rest)) = low
            && let Some(Ok(c)) = char::decode_utf16([high, low]).next()
        {
            self.put(c);
            return rest;
        }
        self.stand_in(SURROGATE + u32::from(high) - 0xD800);
        rest
    }

    /// Bytes of a character, or bytes that are not UTF-8.
    fn beyond_ascii<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let longest = &rest[..rest.len().min(4)];
        let valid = match std::str::from_utf8(longest) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&longest[..error.valid_up_to()]).unwrap_or_default(),
        };
        let Some(c) = valid.chars().next() else {
            self.stand_in(BYTE + u32::from(rest[0]));
            return &rest[1..];
        };
        // What stands for halves elsewhere must not come from outside.
        self.put(if u32::from(c) >= SURROGATE { char::REPLACEMENT_CHARACTER } else { c });
        &rest[c.len_utf8()..]
    }

    /// What stands outside of strings: numbers that Python writes and JSON does not know are none.
    fn outside<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        for word in [&b"-Infinity"[..], b"Infinity", b"NaN"] {
            if let Some(after) = rest.strip_prefix(word) {
                self.out.extend(b"null");
                return after;
            }
        }
        self.out.push(rest[0]);
        &rest[1..]
    }

    fn stand_in(&mut self, code: u32) {
        self.halves = true;
        self.put(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
    }

    fn put(&mut self, c: char) {
        self.out.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// The unit of UTF-16 that four digits write, and what comes behind them.
fn unit(text: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = text.split_at_checked(4)?;
    let digits =
        std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    Some((u16::from_str_radix(digits, 16).ok()?, rest))
}

/// Joins the halves of characters that meet. Those that do not become U+FFFD.
#[derive(Default)]
pub(super) struct Halves {
    /// A first surrogate that waits for its second.
    high: Option<u16>,
    /// The beginning of a character in UTF-8.
    bytes: Vec<u8>,
}

impl Halves {
    /// Joins what stands for halves in the words from this place on.
    pub(super) fn join(&mut self, said: &mut [Said]) {
        for said in said {
            if let Said::Words(words) = said {
                let mut joined = String::with_capacity(words.len());
                words.chars().for_each(|c| self.take(c, &mut joined));
                *words = joined;
            }
        }
    }

    /// Nothing more comes: what still waits is none.
    pub(super) fn rest(&mut self, said: &mut Vec<Said>) {
        let mut rest = String::new();
        self.give_up(&mut rest);
        if !rest.is_empty() {
            said.push(Said::Words(rest));
        }
    }

    fn take(&mut self, c: char, out: &mut String) {
        let code = u32::from(c);
        if let Ok(byte @ 0..=0xFF) = u8::try_from(code.wrapping_sub(BYTE)) {
            self.give_up_high(out);
            self.bytes.push(byte);
            self.complete(out);
        } else if let Ok(unit @ 0..=0x7FF) = u16::try_from(code.wrapping_sub(SURROGATE)) {
            self.give_up_bytes(out);
            self.surrogate(0xD800 + unit, out);
        } else {
            self.give_up(out);
            out.push(c);
        }
    }

    fn surrogate(&mut self, unit: u16, out: &mut String) {
        if let Some(high) = self.high.take() {
            if let Some(Ok(c)) = char::decode_utf16([high, unit]).next() {
                return out.push(c);
            }
            out.push(char::REPLACEMENT_CHARACTER);
        }
        if unit < 0xDC00 {
            self.high = Some(unit);
        } else {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }

    /// Lets out the bytes that are a character, and those that can become none.
    fn complete(&mut self, out: &mut String) {
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => {
                out.push_str(text);
                self.bytes.clear();
            }
            Err(error) => {
                if let Some(wrong) = error.error_len() {
                    out.push(char::REPLACEMENT_CHARACTER);
                    self.bytes.drain(..wrong);
                    self.complete(out);
                }
            }
        }
    }

    fn give_up(&mut self, out: &mut String) {
        self.give_up_high(out);
        self.give_up_bytes(out);
    }

    fn give_up_high(&mut self, out: &mut String) {
        if self.high.take().is_some() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }

    fn give_up_bytes(&mut self, out: &mut String) {
        if !std::mem::take(&mut self.bytes).is_empty() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

#[cfg(test)]
mod tests;
