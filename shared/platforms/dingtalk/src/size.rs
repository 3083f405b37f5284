//! How much one message may hold.

use std::ops::Add;

use markdown::{Limits, Weight, quoted, quoted_twice};

/// What the words of one message may measure.
///
/// DingTalk says that `msgParam`, a JSON text, may have 15 000 bytes, and refuses a webhook's body over 20 000. A busy
/// third-party client cuts at 3800 characters, below which nobody reports trouble. 1000 and 2000 bytes of the first
/// two are kept for what surrounds the words: the title, the robot code, the ids (see `no_body_exceeds_its_limit`).
/// Tables are not counted: they go out as code.
pub(crate) const LIMITS: Limits<Size> =
    Limits { weight: Size { chars: 3800, once: 14_000, twice: 18_000 }, tables: usize::MAX };

/// What a text measures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    chars: usize,
    /// Bytes inside a JSON string.
    once: usize,
    /// Bytes inside a JSON string inside a JSON string, which is how `msgParam` travels.
    twice: usize,
}

impl Add for Size {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            chars: self.chars + other.chars,
            once: self.once + other.once,
            twice: self.twice + other.twice,
        }
    }
}

impl Weight for Size {
    fn of_char(c: char) -> Self {
        Self { chars: 1, once: quoted(c), twice: quoted_twice(c) }
    }

    fn fits(self, limit: Self) -> bool {
        self.chars <= limit.chars && self.once <= limit.once && self.twice <= limit.twice
    }
}
