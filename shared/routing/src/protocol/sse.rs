//! Server-sent events as model servers use them: the data of one event after the other, cut out of a byte stream (WHATWG
//! HTML, "Server-sent events"). Lines end in a line feed, with or without a carriage return before it; no model server
//! ends one in a carriage return alone.
//!
//! `eventsource-stream` and `sse-stream` read the same out of a stream that is polled, without a limit to what they hold.
//! This is pushed into, needs no executor, and gives up an event that has no end.

use crate::Failure;

/// The longest event. A chunk of an answer is some hundred bytes; a whole answer in one event stays below this.
const EVENT_BYTES: usize = 4 << 20;

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event<'a> {
    pub(super) data: &'a [u8],
    /// Whether the server calls it an error, by its name or by a field of that name (llama.cpp).
    pub(super) is_error: bool,
}

/// Gateways and editors put it before a text; it says nothing.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Cuts a byte stream into events.
#[derive(Default)]
pub(super) struct Events {
    /// A line that has begun and not ended.
    line: Vec<u8>,
    /// The data of an event that has begun and not ended.
    data: Vec<u8>,
    /// Whether it has begun.
    begun: bool,
    /// Whether it is an error.
    is_error: bool,
}

impl Events {
    /// Takes the next bytes, and calls `each` with every event that they end. Comments and fields without a meaning here
    /// are passed over.
    pub(super) fn push<E: From<Failure>>(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (head, tail) = (&rest[..end], &rest[end + 1..]);
            rest = tail;
            if self.line.is_empty() {
                self.take(head, &mut each)?;
            } else {
                self.hold(head)?;
                self.take_held(&mut each)?;
            }
        }
        Ok(self.hold(rest)?)
    }

    /// The body has ended: an event without the empty line after it counts too, since servers forget that one.
    pub(super) fn finish<E: From<Failure>>(
        &mut self,
        mut each: impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.take_held(&mut each)?;
        self.take(b"", &mut each)
    }

    fn hold(&mut self, part: &[u8]) -> Result<(), Failure> {
        if self.line.len() + part.len() > EVENT_BYTES {
            return Err(Failure::TooLarge);
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    /// The line that was held, which is whole now.
    fn take_held<E: From<Failure>>(
        &mut self,
        each: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut line = std::mem::take(&mut self.line);
        let taken = self.take(&line, each);
        // Its room is used again: there is a line for every word of an answer.
        line.clear();
        self.line = line;
        taken
    }

    /// One whole line.
    fn take<E: From<Failure>>(
        &mut self,
        line: &[u8],
        each: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        if line.is_empty() {
            let is_error = std::mem::take(&mut self.is_error);
            if !std::mem::take(&mut self.begun) {
                return Ok(());
            }
            let heard = each(Event { data: &self.data, is_error });
            self.data.clear();
            return heard;
        }
        let Some(colon) = memchr::memchr(b':', line) else { return Ok(()) };
        let value = line[colon + 1..].strip_prefix(b" ").unwrap_or(&line[colon + 1..]);
        match &line[..colon] {
            b"data" => {}
            b"error" => self.is_error = true,
            b"event" => {
                self.is_error = value.trim_ascii() == b"error";
                return Ok(());
            }
            _ => return Ok(()),
        }
        if self.data.len() + value.len() > EVENT_BYTES {
            return Err(Failure::TooLarge.into());
        }
        if std::mem::replace(&mut self.begun, true) {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&str]) -> Vec<String> {
        let (mut events, mut heard) = (Events::default(), Vec::new());
        let mut each = |event: Event<'_>| {
            let mark = if event.is_error { "!" } else { "" };
            heard.push(format!("{mark}{}", std::str::from_utf8(event.data).unwrap()));
            Ok::<_, Failure>(())
        };
        for piece in pieces {
            events.push(piece.as_bytes(), &mut each).unwrap();
        }
        events.finish(&mut each).unwrap();
        heard
    }

    #[test]
    fn data_comes_out_and_nothing_else() {
        for (text, heard) in [
            ("data: a\n\ndata: b\n\n", vec!["a", "b"]),
            ("data: a\r\n\r\ndata:b\r\n\r\n", vec!["a", "b"]),
            (": ping\n\nevent: x\nid: 7\nretry: 3\ndata: a\n\n", vec!["a"]),
            ("data: a\ndata: b\n\n", vec!["a\nb"]),
            ("data:\n\n", vec![""]),
            ("data:  a\n\n", vec![" a"]),
            ("data: a\n", vec!["a"]),
            ("data: a", vec!["a"]),
            ("database: a\n\n", vec![]),
            ("\u{feff}data: a\n\n\u{feff}data: b\n\u{feff}\n", vec!["a", "b"]),
            ("error: a\n\ndata: b\n\n", vec!["!a", "b"]),
            ("event: error\ndata: a\n\nevent: x\ndata: b\n\n", vec!["!a", "b"]),
            ("event:error\n\ndata: b\n\n", vec!["b"]),
            ("\n\n\n", vec![]),
        ] {
            assert_eq!(events(&[text]), heard, "{text:?}");
        }
    }

    #[test]
    fn where_the_network_cuts_says_nothing() {
        let text = ": ping\r\n\r\ndata: {\"a\": \"鹊桥\"}\r\ndata: b\r\n\r\ndata: [DONE]\n\n";
        let whole = events(&[text]);
        for cut in (0..text.len()).filter(|&cut| text.is_char_boundary(cut)) {
            let (head, tail) = text.split_at(cut);
            assert_eq!(events(&[head, tail]), whole, "cut at {cut}");
        }
        let single: Vec<_> = text.split_inclusive(|_| true).collect();
        assert_eq!(events(&single), whole);
    }

    #[test]
    fn an_endless_event_is_given_up() {
        let piece = vec![b'x'; 1 << 20];
        let mut parser = Events::default();
        let given_up =
            (0..6).any(|_| parser.push(&piece, |_| Ok::<_, Failure>(())) == Err(Failure::TooLarge));
        assert!(given_up);
        let mut line = b"data: ".to_vec();
        line.extend_from_slice(&piece);
        line.push(b'\n');
        let mut parser = Events::default();
        let given_up = (0..6).any(|_| parser.push(&line, |_| Ok::<_, Failure>(())) == Err(Failure::TooLarge));
        assert!(given_up);
    }
}
