//! From the bytes of an answer to what a protocol makes of them, for the protocols that speak in text: server-sent
//! events, JSON lines, or one JSON document where a server does not stream.
//!
//! What an answer is shows by its first byte and not by its content type alone: gateways label streams as plain text, and
//! hide an error's JSON in what they call a stream.

use http::{HeaderMap, header};
use serde_json::Value;

use super::{
    Decoder, Ending, Progress, Said,
    course::Course,
    lines::Lines,
    refusal,
    repair::{self, Halves, lenient},
    sse::{Event, Events},
};
use crate::{Failure, ServerError};

/// The largest answer in one piece, in bytes. A long answer is some 100 KiB; its reasoning, escaped to six bytes a
/// character, can be ten times that. It also bounds what a broken server can make a small function hold.
const WHOLE_BYTES: usize = 4 << 20;

/// The event after the last, in OpenAI's protocols and in those of its imitators.
const DONE: &[u8] = b"[DONE]";

/// What one protocol makes of its answers.
pub(super) trait Grammar: Send {
    /// Whether a stream is JSON lines; else JSON is a whole answer.
    const LINES: bool = false;

    /// Whether `[DONE]` is the end of an answer. Where it is not, it says nothing: gateways put it after everything.
    const DONE: bool = false;

    /// One event or line of a stream. What it does not know is [`Failure::Malformed`], and passed over.
    fn event(&mut self, data: &[u8], course: &mut Course, said: &mut Vec<Said>) -> Result<(), ServerError>;

    /// A whole answer in one piece.
    fn whole(&mut self, body: &[u8], course: &mut Course, said: &mut Vec<Said>) -> Result<(), ServerError> {
        self.event(body, course, said)
    }

    /// What was still held back.
    fn rest(&mut self, _: &mut Vec<Said>) {}
}

/// The shape of a body.
enum Shape {
    /// Nothing has come yet that tells.
    Unclear {
        /// Whether the server says that it streams.
        promised: bool,
    },
    Events(Events),
    Lines(Lines),
    Whole(Vec<u8>),
}

/// Reads answers of one protocol.
pub(super) struct Reader<G> {
    grammar: G,
    shape: Shape,
    course: Course,
    halves: Halves,
}

impl<G: Grammar> Reader<G> {
    pub(super) fn new(grammar: G, headers: &HeaderMap) -> Self {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.trim_start().to_ascii_lowercase();
        let promised = kind.starts_with("text/event-stream") || kind.starts_with("application/x-ndjson");
        Self {
            grammar,
            shape: Shape::Unclear { promised },
            course: Course::default(),
            halves: Halves::default(),
        }
    }

    /// Learns from the first byte that is no blank what the body is, and returns what begins with it.
    fn look<'a>(&mut self, promised: bool, bytes: &'a [u8]) -> &'a [u8] {
        const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];
        let tells = |byte: &u8| !byte.is_ascii_whitespace() && !BYTE_ORDER_MARK.contains(byte);
        let Some(start) = bytes.iter().position(tells) else { return &[] };
        self.shape = match bytes[start] {
            b'd' | b'e' | b'i' | b'r' | b':' => Shape::Events(Events::default()),
            _ if G::LINES => Shape::Lines(Lines::default()),
            b'{' | b'[' => Shape::Whole(Vec::new()),
            _ if promised => Shape::Events(Events::default()),
            // An error page, for one.
            _ => Shape::Whole(Vec::new()),
        };
        &bytes[start..]
    }

    fn feed(&mut self, bytes: &[u8], said: &mut Vec<Said>) -> Result<(), ServerError> {
        let Self { grammar, shape, course, .. } = self;
        match shape {
            Shape::Unclear { .. } => Ok(()),
            Shape::Events(events) => events.push(bytes, |event| marked(grammar, course, event, said)),
            Shape::Lines(lines) => lines.push(bytes, |data| event(grammar, course, data, said)),
            Shape::Whole(whole) if whole.len() + bytes.len() > WHOLE_BYTES => Err(Failure::TooLarge.into()),
            Shape::Whole(whole) => {
                whole.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// What comes at the end of the body.
    fn last(&mut self, said: &mut Vec<Said>) -> Result<(), ServerError> {
        let Self { grammar, shape, course, .. } = self;
        match shape {
            Shape::Unclear { promised: true } => return Err(Failure::Broken.into()),
            Shape::Unclear { promised: false } => return Err(Failure::Malformed.into()),
            Shape::Events(events) => events.finish(|event| marked(grammar, course, event, said))?,
            Shape::Lines(lines) => lines.finish(|data| event(grammar, course, data, said))?,
            Shape::Whole(body) => {
                let body = std::mem::take(body);
                whole(grammar, course, &body, said)?;
            }
        }
        grammar.rest(said);
        Ok(())
    }

    /// Joins the halves of characters in the words from this place on.
    fn join(&mut self, said: &mut [Said]) {
        if self.course.halves {
            self.halves.join(said);
        }
    }
}

/// An event of a stream of events.
fn marked<G: Grammar>(
    grammar: &mut G,
    course: &mut Course,
    Event { data, is_error }: Event<'_>,
    said: &mut Vec<Said>,
) -> Result<(), ServerError> {
    let says_nothing = course.over || matches!(data.trim_ascii(), b"" | b"{}" | b"null" | DONE);
    if is_error && !says_nothing { Err(refusal::told(data)) } else { event(grammar, course, data, said) }
}

/// Lets the grammar read one event, unless the answer is over.
fn event<G: Grammar>(
    grammar: &mut G,
    course: &mut Course,
    data: &[u8],
    said: &mut Vec<Said>,
) -> Result<(), ServerError> {
    let data = data.trim_ascii();
    // An event without data is none, by the standard.
    if course.over || data.is_empty() {
        return Ok(());
    }
    if data == DONE {
        course.over = G::DONE;
        return Ok(());
    }
    lenient(data, course, |data, course| grammar.event(data, course, said))
}

/// An answer in one piece. Some come in a list of their events (Gemini's, without `alt=sse`), and some gateways put a line
/// of their own before a stream.
fn whole<G: Grammar>(
    grammar: &mut G,
    course: &mut Course,
    body: &[u8],
    said: &mut Vec<Said>,
) -> Result<(), ServerError> {
    let malformed =
        |read: &Result<(), ServerError>| matches!(read, Err(error) if error.failure == Failure::Malformed);
    let mut read = grammar.whole(body, course, said);
    if !malformed(&read) {
        // Whole JSON is a whole answer, whatever it says of its end.
        course.over = true;
        return read;
    }
    let Some(repaired) = repair::repaired(body) else {
        return stream_in_one_piece(grammar, course, body, said);
    };
    course.halves |= repaired.halves;
    read = grammar.whole(&repaired.json, course, said);
    if malformed(&read) && refusal::class(&repaired.json).is_none() {
        read = list(grammar, course, &repaired.json, said);
    }
    course.over = true;
    if malformed(&read) { Err(refusal::unreadable(&repaired.json)) } else { read }
}

/// A list of events, at least one of which must be known.
fn list<G: Grammar>(
    grammar: &mut G,
    course: &mut Course,
    body: &[u8],
    said: &mut Vec<Said>,
) -> Result<(), ServerError> {
    let Ok(Value::Array(events)) = serde_json::from_slice(body) else {
        return Err(Failure::Malformed.into());
    };
    let mut known = false;
    for data in events.iter().filter_map(|event| serde_json::to_vec(event).ok()) {
        match grammar.event(&data, course, said) {
            Err(ServerError { failure: Failure::Malformed, .. }) => {}
            read => {
                read?;
                known = true;
            }
        }
    }
    if known { Ok(()) } else { Err(Failure::Malformed.into()) }
}

/// A stream that did not look like one at its beginning.
fn stream_in_one_piece<G: Grammar>(
    grammar: &mut G,
    course: &mut Course,
    body: &[u8],
    said: &mut Vec<Said>,
) -> Result<(), ServerError> {
    let lines = || body.split(|&byte| byte == b'\n');
    let is_field = |line: &[u8]| line.starts_with(b"data:") || line.starts_with(b"event:");
    if lines().any(is_field) {
        let mut events = Events::default();
        events.push(body, |event| marked(grammar, course, event, said))?;
        return events.finish(|event| marked(grammar, course, event, said));
    }
    // One document a line; a page of text is none.
    let is_object = |line: &&[u8]| repair::value(line).is_some_and(|value| value.is_object());
    if lines().filter(is_object).nth(1).is_none() {
        return Err(refusal::unreadable(body));
    }
    lines().try_for_each(|line| event(grammar, course, line, said))
}

impl<G: Grammar> Decoder for Reader<G> {
    fn push(&mut self, bytes: &[u8], said: &mut Vec<Said>) -> Result<Progress, ServerError> {
        let bytes = match self.shape {
            Shape::Unclear { promised } => self.look(promised, bytes),
            Shape::Events(_) | Shape::Lines(_) | Shape::Whole(_) => bytes,
        };
        let from = said.len();
        let fed = self.feed(bytes, said);
        self.join(&mut said[from..]);
        fed?;
        Ok(if self.course.over { Progress::Over } else { Progress::More })
    }

    fn finish(&mut self, said: &mut Vec<Said>) -> Result<Ending, ServerError> {
        let from = said.len();
        let last = self.last(said);
        self.join(&mut said[from..]);
        self.halves.rest(said);
        last?;
        Ok(self.course.ending()?)
    }
}
