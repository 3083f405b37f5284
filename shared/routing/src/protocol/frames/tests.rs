use super::*;

/// A message as a server writes it.
pub(in crate::protocol) fn written(kind: &str, name: &str, payload: &[u8]) -> Vec<u8> {
    let label = match kind {
        "event" => ":event-type",
        "exception" => ":exception-type",
        _ => ":error-code",
    };
    let mut headers = Vec::new();
    for (name, value) in [(label, name), (":content-type", "application/json"), (":message-type", kind)] {
        headers.push(u8::try_from(name.len()).unwrap());
        headers.extend_from_slice(name.as_bytes());
        headers.push(7);
        headers.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    framed(&headers, payload)
}

fn framed(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = PRELUDE_BYTES + headers.len() + payload.len() + CHECKSUM_BYTES;
    let mut frame = u32::try_from(total).unwrap().to_be_bytes().to_vec();
    frame.extend_from_slice(&u32::try_from(headers.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(headers);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame
}

/// Kind, name and payload of each message.
type Heard = Vec<(String, String, Vec<u8>)>;

fn heard(pieces: &[&[u8]]) -> Result<Heard, Failure> {
    let (mut frames, mut heard) = (Frames::default(), Vec::new());
    for piece in pieces {
        frames.push(piece, |message| {
            heard.push((message.kind.to_owned(), message.name.to_owned(), message.payload.to_vec()));
            Ok::<_, Failure>(())
        })?;
    }
    Ok(heard)
}

/// The vector "all headers" of the specification in shape: every kind of header there is.
#[test]
fn every_kind_of_header_is_passed_over_but_ours() {
    let mut headers = Vec::new();
    for (kind, bytes) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (8, 8), (9, 16)] {
        headers.extend_from_slice(&[1, b'x', kind]);
        headers.resize(headers.len() + bytes, 7_u8);
    }
    headers.extend_from_slice(&[1, b'x', 6, 0, 2, 1, 2]);
    headers.extend_from_slice(b"\x0d:message-type\x07\x00\x05event");
    let frame = framed(&headers, b"{}");
    assert_eq!(heard(&[&frame]), Ok(vec![("event".into(), String::new(), b"{}".to_vec())]));
    // A kind that nobody knows has no length, so nothing after it can be read.
    assert_eq!(heard(&[&framed(&[1, b'x', 10], b"")]), Err(Failure::Malformed));
    assert_eq!(heard(&[&framed(&[9, b'x', 7], b"")]), Err(Failure::Malformed));
}

/// The smallest message there is, with the checksums that the specification gives for it.
#[test]
fn the_empty_message_of_the_specification_is_read() {
    let frame = [0, 0, 0, 0x10, 0, 0, 0, 0, 0x05, 0xC2, 0x48, 0xEB, 0x7D, 0x98, 0xC8, 0xFF];
    assert_eq!(framed(b"", b""), frame);
    assert_eq!(heard(&[&frame]).unwrap().len(), 1);
}

#[test]
fn where_the_network_cuts_says_nothing() {
    let mut bytes = written("event", "contentBlockDelta", "{\"a\":\"鹊桥\"}".as_bytes());
    bytes.extend(written("exception", "throttlingException", b"{}"));
    let whole = heard(&[&bytes]).unwrap();
    assert_eq!(whole.len(), 2);
    for cut in 0..bytes.len() {
        assert_eq!(heard(&[&bytes[..cut], &bytes[cut..]]).as_ref(), Ok(&whole), "cut at {cut}");
    }
    let single: Vec<_> = bytes.chunks(1).collect();
    assert_eq!(heard(&single), Ok(whole));
}

#[test]
fn a_flipped_bit_anywhere_is_found() {
    let bytes = written("event", "messageStop", br#"{"stopReason":"end_turn"}"#);
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        assert_eq!(heard(&[&flipped]), Err(Failure::Malformed), "byte {at}");
    }
}

#[test]
fn lengths_that_cannot_be_are_not_believed() {
    let prelude = |total: u32, headers: u32| {
        let mut bytes = total.to_be_bytes().to_vec();
        bytes.extend_from_slice(&headers.to_be_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        bytes
    };
    for (total, headers, failure) in [
        (15, 0, Failure::Malformed),
        (16, 1, Failure::Malformed),
        (0, 0, Failure::Malformed),
        (100, u32::MAX, Failure::Malformed),
        (u32::MAX, 0, Failure::TooLarge),
    ] {
        assert_eq!(heard(&[&prelude(total, headers)]), Err(failure), "{total} {headers}");
    }
}
