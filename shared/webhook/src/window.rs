//! How old, or how far ahead, a signed timestamp may be.

use std::time::Duration;

use chat::Timestamp;

use crate::Mismatch;

/// A window around the present, open to both sides: a clock may be ahead as well as behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayWindow(Duration);

impl ReplayWindow {
    /// A window of this width to each side. A moment exactly on the edge is outside.
    #[must_use]
    pub const fn new(width: Duration) -> Self {
        Self(width)
    }

    /// Checks that `signed` is inside the window around `now`.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] when it is on the edge or beyond.
    pub fn check(self, signed: Timestamp, now: Timestamp) -> Result<(), Mismatch> {
        if now.distance(signed) < self.0 { Ok(()) } else { Err(Mismatch) }
    }

    /// Reads a decimal timestamp in milliseconds as a platform writes it: digits only, no sign, no space, no
    /// exponent, at most 15 of them.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] when the text is anything else.
    pub fn parse_millis(text: &str) -> Result<Timestamp, Mismatch> {
        let plain = !text.is_empty() && text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit());
        if !plain {
            return Err(Mismatch);
        }
        text.parse().map(Timestamp::from_millis).map_err(|_| Mismatch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_edges_are_outside() {
        let window = ReplayWindow::new(Duration::from_secs(3600));
        let now = Timestamp::from_millis(1_700_000_000_000);
        for (offset, inside) in [
            (0, true),
            (3_599_999, true),
            (-3_599_999, true),
            (3_600_000, false),
            (-3_600_000, false),
            (3_600_001, false),
        ] {
            let signed = Timestamp::from_millis(now.as_millis() + offset);
            assert_eq!(window.check(signed, now).is_ok(), inside, "{offset} ms");
        }
    }

    #[test]
    fn only_plain_digits_are_a_timestamp() {
        assert_eq!(
            ReplayWindow::parse_millis("1700000000000"),
            Ok(Timestamp::from_millis(1_700_000_000_000))
        );
        for bad in ["", "-1", "+1", " 1", "1e3", "1.0", "０", "1234567890123456", "abc"] {
            assert!(ReplayWindow::parse_millis(bad).is_err(), "{bad:?}");
        }
    }
}
