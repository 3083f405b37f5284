//! The recorded answers, read from their files.

use std::{fs, path::Path, time::Duration};

use http::{HeaderMap, header};
use routing::{Failure, Finish, Protocol, Template, protocol::Ending};

/// What an answer is to come to.
#[derive(Debug, PartialEq)]
pub(crate) enum Expected {
    Answer { words: String, thoughts: usize, ending: Ending },
    Failure(Failure),
}

/// One answer, and what is expected of it.
pub(crate) struct Recorded {
    pub(crate) name: String,
    pub(crate) protocol: Protocol,
    pub(crate) template: Template,
    /// A text before which the answer was to end.
    pub(crate) stop: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) expected: Expected,
}

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = Recorded> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streams/recorded");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 80, "some are missing");
    files.into_iter().map(|file| {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        read(name, &fs::read_to_string(&file).unwrap())
    })
}

/// One that is in no file.
pub(crate) fn of(protocol: Protocol, body: &[u8]) -> Recorded {
    let frames = protocol == Protocol::Converse;
    let kind = if frames { "application/vnd.amazon.eventstream" } else { "text/event-stream" };
    Recorded {
        name: "made up".to_owned(),
        protocol,
        template: Template::Transcript,
        stop: None,
        headers: [(header::CONTENT_TYPE, kind.parse().unwrap())].into_iter().collect(),
        body: body.to_vec(),
        expected: Expected::Failure(Failure::Malformed),
    }
}

fn read(name: String, text: &str) -> Recorded {
    let (head, body) = text.split_once("---\n").unwrap();
    let mut recorded = of(Protocol::ChatCompletions, body.as_bytes());
    let (mut words, mut thoughts, mut failure) = (None, 0, None);
    let mut ending = Ending { model: None, tokens: None, finish: Finish::Complete, garbled: false };
    for line in head.lines() {
        let (key, value) = line.split_once(": ").unwrap();
        match key {
            "protocol" => recorded.protocol = value.parse().unwrap(),
            "content-type" => {
                recorded.headers = [(header::CONTENT_TYPE, value.parse().unwrap())].into_iter().collect();
            }
            "template" => recorded.template = value.parse().unwrap(),
            "stop" => recorded.stop = Some(serde_json::from_str(value).unwrap()),
            "words" => words = Some(serde_json::from_str(value).unwrap()),
            "thoughts" => thoughts = value.parse().unwrap(),
            "model" => ending.model = Some(value.to_owned()),
            "tokens" => {
                let (prompt, answer) = value.split_once(' ').unwrap();
                ending.tokens = Some((prompt.parse().unwrap(), answer.parse().unwrap()));
            }
            "garbled" => ending.garbled = value.parse().unwrap(),
            "finish" if value == "complete" => {}
            "finish" if value == "length" => ending.finish = Finish::Length,
            "failure" => failure = Some(self::failure(value)),
            _ => panic!("{name}: `{line}` is no expectation"),
        }
    }
    recorded.expected = match (words, failure) {
        (Some(words), None) => Expected::Answer { words, thoughts, ending },
        (None, Some(failure)) => Expected::Failure(failure),
        _ => panic!("{name}: either words or a failure"),
    };
    if recorded.protocol == Protocol::Converse {
        recorded.body = body.lines().flat_map(frame).collect();
    }
    Recorded { name, ..recorded }
}

fn failure(text: &str) -> Failure {
    let (class, number) = text.split_once(' ').unwrap_or((text, ""));
    let known = [Failure::Broken, Failure::Malformed, Failure::ContentFiltered, Failure::ContextTooLong];
    match class {
        "server" => Failure::Server(number.parse().unwrap()),
        "rate_limited" => {
            Failure::RateLimited { retry_after: number.parse().ok().map(Duration::from_millis) }
        }
        _ => known.into_iter().find(|failure| failure.class() == class).unwrap(),
    }
}

/// One message in Amazon's framing: total length, length of the headers, checksum, headers, payload, checksum.
pub(crate) fn frame(line: &str) -> Vec<u8> {
    let mut parts = line.splitn(3, ' ');
    let (kind, name, payload) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let label = match kind {
        "event" => ":event-type",
        "exception" => ":exception-type",
        _ => ":error-code",
    };
    let headers = [(label, name), (":content-type", "application/json"), (":message-type", kind)];
    let headers: Vec<u8> = headers.iter().flat_map(|(name, value)| text_header(name, value)).collect();
    let total = u32::try_from(16 + headers.len() + payload.len()).unwrap();
    let mut frame = total.to_be_bytes().to_vec();
    frame.extend(u32::try_from(headers.len()).unwrap().to_be_bytes());
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend(headers);
    frame.extend(payload.as_bytes());
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame
}

fn text_header(name: &str, value: &str) -> Vec<u8> {
    let mut header = vec![u8::try_from(name.len()).unwrap()];
    header.extend(name.as_bytes());
    header.push(7);
    header.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
    header.extend(value.as_bytes());
    header
}

impl Recorded {
    /// Whether it comes in events.
    pub(crate) fn is_stream(&self) -> bool {
        self.event_ends().len() > 1
    }

    /// Where one event ends and the next begins.
    pub(crate) fn event_ends(&self) -> Vec<usize> {
        if self.protocol == Protocol::Converse {
            return frame_ends(&self.body);
        }
        let lines = self.protocol == Protocol::Ollama;
        let ends = |text: &[u8]| if lines { text.ends_with(b"\n") } else { blank_line_ends(text) };
        (1..=self.body.len()).filter(|&at| ends(&self.body[..at])).collect()
    }
}

fn frame_ends(body: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while let Some(length) = body.get(at..at + 4) {
        at += usize::try_from(u32::from_be_bytes(length.try_into().unwrap())).unwrap();
        ends.push(at);
    }
    ends
}

fn blank_line_ends(text: &[u8]) -> bool {
    text.ends_with(b"\n\n") || text.ends_with(b"\n\r\n")
}
