//! Newline-delimited JSON: one document a line, cut out of a byte stream.

use crate::Failure;

/// The longest line; see the longest event of server-sent events.
const LINE_BYTES: usize = 4 << 20;

/// Cuts a byte stream into lines.
#[derive(Default)]
pub(super) struct Lines {
    /// A line that has begun and not ended.
    line: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes, and calls `each` with every line that they end. Blank lines are passed over.
    pub(super) fn push<E: From<Failure>>(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (head, tail) = (&rest[..end], &rest[end + 1..]);
            rest = tail;
            if self.line.is_empty() {
                whole(head, &mut each)?;
            } else {
                self.hold(head)?;
                self.finish(&mut each)?;
            }
        }
        Ok(self.hold(rest)?)
    }

    /// The body has ended, and with it the last line.
    pub(super) fn finish<E: From<Failure>>(
        &mut self,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut line = std::mem::take(&mut self.line);
        let heard = whole(&line, &mut each);
        line.clear();
        self.line = line;
        heard
    }

    fn hold(&mut self, part: &[u8]) -> Result<(), Failure> {
        if self.line.len() + part.len() > LINE_BYTES {
            return Err(Failure::TooLarge);
        }
        self.line.extend_from_slice(part);
        Ok(())
    }
}

fn whole<E>(line: &[u8], each: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    if line.trim_ascii().is_empty() { Ok(()) } else { each(line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> Result<Vec<String>, Failure> {
        let (mut lines, mut heard) = (Lines::default(), Vec::new());
        let mut each = |line: &[u8]| {
            heard.push(String::from_utf8(line.trim_ascii().to_vec()).unwrap());
            Ok::<_, Failure>(())
        };
        for piece in pieces {
            lines.push(piece, &mut each)?;
        }
        lines.finish(&mut each)?;
        Ok(heard)
    }

    #[test]
    fn lines_come_out_wherever_the_network_cuts() {
        let text = "{\"a\":\"鹊桥\"}\r\n\n{}\n[1]".as_bytes();
        let whole = lines(&[text]).unwrap();
        assert_eq!(whole, ["{\"a\":\"鹊桥\"}", "{}", "[1]"]);
        for cut in 0..text.len() {
            assert_eq!(lines(&[&text[..cut], &text[cut..]]).unwrap(), whole, "cut at {cut}");
        }
    }

    #[test]
    fn an_endless_line_is_given_up() {
        let piece = vec![b'x'; 1 << 20];
        assert_eq!(lines(&[&piece[..]; 5]), Err(Failure::TooLarge));
    }
}
