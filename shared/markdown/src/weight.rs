//! What a text weighs, in whatever a platform counts.

use std::ops::Add;

/// An amount of text. A platform that limits several things at once has a field for each.
///
/// Adding must not depend on the order, and a text that fits must still fit with a part of it taken away.
pub trait Weight: Copy + Default + Add<Output = Self> {
    /// What one character weighs.
    fn of_char(c: char) -> Self;

    /// Whether this much is within `limit`.
    fn fits(self, limit: Self) -> bool;

    /// What a text weighs: as much as its characters.
    #[must_use]
    fn of(text: &str) -> Self {
        text.chars().map(Self::of_char).fold(Self::default(), Add::add)
    }
}

/// The bytes that a character takes inside a JSON string.
#[must_use]
pub const fn quoted(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => c.len_utf8(),
    }
}

/// The bytes that a character takes inside a JSON string that is inside a JSON string.
#[must_use]
pub const fn quoted_twice(c: char) -> usize {
    match c {
        // Both of `\"` are quoted again, of the others only the backslash.
        '"' | '\\' => 4,
        '\0'..='\u{1f}' => quoted(c) + 1,
        _ => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_is_that_of_the_encoder() {
        let low = (0..0x180_u32).filter_map(char::from_u32);
        for c in low.chain("你好钉👍🚀\u{2028}</>&".chars()) {
            let once = serde_json::to_string(&c).unwrap();
            let twice = serde_json::to_string(&once).unwrap();
            // `twice` quotes the quotation marks of `once`, too.
            assert_eq!((quoted(c), quoted_twice(c)), (once.len() - 2, twice.len() - 6), "{c:?}");
        }
    }
}
