//! Amazon's event-stream framing: messages with headers, lengths and two checksums.
//!
//! Source: the specification "Amazon event stream" of Smithy. `aws-smithy-eventstream` does the same, and would bring the
//! runtime of the AWS SDK into every program that routes; only `lambda` and `store-dynamodb` know AWS.

use crate::Failure;

/// The longest message, in bytes. The specification allows more; a chunk of an answer is some hundred.
const MESSAGE_BYTES: usize = 4 << 20;

/// Length of the whole, length of the headers, checksum of both.
const PRELUDE_BYTES: usize = 12;

/// The checksum of everything before it.
const CHECKSUM_BYTES: usize = 4;

/// One message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// `:message-type`: `event`, `exception` or `error`.
    pub(super) kind: &'a str,
    /// `:event-type`, `:exception-type` or `:error-code`, whichever belongs to the kind.
    pub(super) name: &'a str,
    pub(super) payload: &'a [u8],
}

/// Cuts a byte stream into messages.
#[derive(Default)]
pub(super) struct Frames {
    /// What has come and is no whole message yet.
    held: Vec<u8>,
}

impl Frames {
    /// Takes the next bytes, and calls `each` with every message that they end.
    pub(super) fn push<E: From<Failure>>(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Message<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.held.extend_from_slice(bytes);
        let mut start = 0;
        while let Some(frame) = frame(&self.held[start..])? {
            start += frame.len();
            each(message(frame)?)?;
        }
        self.held.drain(..start);
        Ok(())
    }

    /// Whether nothing is left over.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}

/// The first message, once all of it is there. Its length is not believed before its checksum is.
fn frame(bytes: &[u8]) -> Result<Option<&[u8]>, Failure> {
    let Some(prelude) = bytes.get(..PRELUDE_BYTES) else { return Ok(None) };
    let [total, headers, checksum] = [0, 4, 8].map(|at| number(prelude, at));
    if crc32fast::hash(&prelude[..8]) != checksum {
        return Err(Failure::Malformed);
    }
    let (total, headers) = (size(total), size(headers));
    if total > MESSAGE_BYTES {
        return Err(Failure::TooLarge);
    }
    if headers.saturating_add(PRELUDE_BYTES + CHECKSUM_BYTES) > total {
        return Err(Failure::Malformed);
    }
    Ok(bytes.get(..total))
}

/// A whole message that `frame` cut out.
fn message(frame: &[u8]) -> Result<Message<'_>, Failure> {
    let end = frame.len() - CHECKSUM_BYTES;
    if crc32fast::hash(&frame[..end]) != number(frame, end) {
        return Err(Failure::Malformed);
    }
    let body = PRELUDE_BYTES + size(number(frame, 4));
    let mut message = Message { payload: &frame[body..end], ..Message::default() };
    let mut headers = &frame[PRELUDE_BYTES..body];
    while !headers.is_empty() {
        let (name, value) = header(&mut headers).ok_or(Failure::Malformed)?;
        match name {
            b":message-type" => message.kind = value,
            b":event-type" | b":exception-type" | b":error-code" => message.name = value,
            _ => {}
        }
    }
    Ok(message)
}

/// The next header; what is no text comes as an empty one.
fn header<'a>(headers: &mut &'a [u8]) -> Option<(&'a [u8], &'a str)> {
    let name = take(headers, 1)?[0];
    let name = take(headers, name.into())?;
    let bytes = match take(headers, 1)?[0] {
        // True and false, which say it by being there.
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        // A long number, a moment.
        5 | 8 => 8,
        9 => 16,
        kind @ (6 | 7) => {
            let bytes = take(headers, 2)?;
            let value = take(headers, u16::from_be_bytes([bytes[0], bytes[1]]).into())?;
            return Some((name, if kind == 7 { std::str::from_utf8(value).ok()? } else { "" }));
        }
        _ => return None,
    };
    take(headers, bytes)?;
    Some((name, ""))
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = bytes.split_at_checked(count)?;
    *bytes = tail;
    Some(head)
}

/// Four bytes as a number; zero where they are not there, which no checksum is likely to be.
fn number(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).unwrap_or_default();
    u32::from_be_bytes(four)
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
pub(super) mod tests;
