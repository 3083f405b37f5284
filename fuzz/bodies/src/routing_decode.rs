//! What model servers answer, in every protocol, whole and as a stream.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use routing::{
    Endpoint, Place, Prompt, Protocol, ServerError,
    protocol::{self, Decoder, Ending, Progress, Said},
};
use transport::OutResponse;

use crate::Reach;

/// Statuses that mean different things to the router.
const STATUSES: [u16; 12] = [200, 200, 200, 200, 400, 401, 404, 408, 413, 429, 500, 503];

/// The first byte chooses the status, and by its highest bit whether the body is a stream. What stands before the first
/// NUL, if there is one, is `retry-after`; the rest is the body.
#[must_use]
pub fn run(data: &[u8]) -> Reach {
    let Some((&choice, rest)) = data.split_first() else { return Reach::Door };
    let status =
        StatusCode::from_u16(STATUSES[usize::from(choice) % STATUSES.len()]).expect("statuses are whole");
    let (after, body) = match rest.iter().position(|byte| *byte == 0) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (&[][..], rest),
    };
    let mut headers = HeaderMap::new();
    if let Ok(after) = HeaderValue::from_bytes(after) {
        headers.insert(HeaderName::from_static("retry-after"), after);
    }
    let kind = if choice & 0x80 == 0 { "application/json" } else { "text/event-stream; charset=utf-8" };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if !status.is_success() {
        let refused = protocol::refusal(&OutResponse { status, headers, body: body.to_vec().into() });
        assert!(!refused.to_string().is_empty());
        let message = refused.message.and_then(|message| message.redact(["a secret word"]));
        assert!(message.is_none_or(|message| message.as_str().chars().count() <= 300));
        return Reach::Door;
    }
    let protocols = Protocol::ALL.iter().filter(|&&protocol| protocol != Protocol::Echo);
    let understood = protocols.map(|&protocol| check(protocol, &headers, body));
    let understood = understood.fold(false, |any, one| any | one);
    Reach::inside(understood | check(Protocol::Converse, &headers, &framed(body)))
}

/// Bedrock's framing around lines of a message's kind, name and payload: its checksums stop whatever knows them not.
fn framed(lines: &[u8]) -> Vec<u8> {
    lines.split(|byte| *byte == b'\n').flat_map(frame).collect()
}

fn frame(line: &[u8]) -> Vec<u8> {
    let mut parts = line.splitn(3, |byte| *byte == b' ');
    let mut next = || parts.next().unwrap_or_default();
    let (kind, name, payload) = (next(), next(), next());
    let label: &[u8] = if kind == b"exception" { b":exception-type" } else { b":event-type" };
    let headers = [header_field(b":message-type", kind), header_field(label, name)].concat();
    let length = |count: usize| u32::try_from(count).expect("an input is short").to_be_bytes();
    let mut frame = [length(16 + headers.len() + payload.len()), length(headers.len())].concat();
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend(headers);
    frame.extend(payload);
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame
}

/// A header with a text, which is cut to what its length can say.
fn header_field(name: &[u8], value: &[u8]) -> Vec<u8> {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    let lengths = (u8::try_from(name.len()), u16::try_from(value.len()));
    let (Ok(name_bytes), Ok(value_bytes)) = lengths else { return Vec::new() };
    [&[name_bytes], name, &[7], &value_bytes.to_be_bytes(), value].concat()
}

/// Where the network cuts a body says nothing. Returns whether it was an answer.
fn check(protocol: Protocol, headers: &HeaderMap, body: &[u8]) -> bool {
    let url = "http://h/".parse().expect("a constant URL");
    let endpoint = Endpoint::new("fuzzed", Place::Cloud, url, protocol, "m");
    let prompt = Prompt::default();
    let decoder = || protocol::decoder(&endpoint, &prompt, headers).expect("somebody is called");
    let whole = hear(&mut *decoder(), [body]);
    let half = body.split_at(body.len() / 2);
    assert_eq!(whole, hear(&mut *decoder(), [half.0, half.1]), "{protocol:?} cut in two");
    assert_eq!(whole, hear(&mut *decoder(), body.chunks(1)), "{protocol:?} byte by byte");
    whole.is_ok_and(|(words, _)| !words.is_empty())
}

fn hear<'a>(
    decoder: &mut dyn Decoder,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(String, Ending), ServerError> {
    let (mut said, mut words) = (Vec::new(), String::new());
    for piece in pieces {
        if decoder.push(piece, &mut said)? == Progress::Over {
            break;
        }
    }
    let ending = decoder.finish(&mut said)?;
    for said in said {
        let shown = format!("{said:?}");
        if let Said::Words(more) = said {
            assert!(more.len() < 12 || !shown.contains(&more), "words in Debug");
            words.push_str(&more);
        }
    }
    Ok((words, ending))
}
