//! A thousand mutations of recorded streams, asked for through a router of a local and a cloud endpoint.
//!
//! What is readable is said by a model that shares nothing with the decoders: each event's text is where the protocol's
//! documents say, a text is UTF-16, and the answer is all of them together, with half characters that do not meet replaced
//! once at the end. Mutations never take away the end of an answer: without one, a stream is cut off.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use routing::{
    Ask, Clocks, Context, Endpoint, Gate, Listener, Place, Ports, Prompt, Protocol, Route, Router,
};
use serde_json::Value;
use transport::{Limits, NetError, OutRequest, OutResponse, OutStream, Pieces, Transport};

use crate::recorded::{self, Expected, Recorded};

/// How many mutations are tried.
const MUTATIONS: usize = 1000;

/// The same ones every time.
const SEED: u64 = 0x6d61_6770_6965;

/// A generator of numbers that looks random (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(most).unwrap()).unwrap()
    }
}

/// One event, and the text that a reader of the protocol's documents finds in it.
#[derive(Clone)]
struct Event {
    bytes: Vec<u8>,
    text: Vec<u16>,
}

/// Where the text of an event stands.
fn text_of(protocol: Protocol, data: &Value) -> String {
    let at = |pointer: &str| data.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    match protocol {
        Protocol::ChatCompletions => at("/choices/0/delta/content"),
        Protocol::Completions => at("/choices/0/text"),
        Protocol::Responses if data["type"] == "response.output_text.delta" => at("/delta"),
        Protocol::Messages if data["type"] == "content_block_delta" => at("/delta/text"),
        Protocol::Gemini => {
            let parts = data.pointer("/candidates/0/content/parts").and_then(Value::as_array);
            let words = parts.into_iter().flatten().filter(|part| part["thought"] != true);
            words.filter_map(|part| part["text"].as_str()).collect()
        }
        Protocol::Ollama => at("/message/content"),
        Protocol::Converse => at("/delta/text"),
        Protocol::Responses | Protocol::Messages | Protocol::Echo => String::new(),
    }
}

/// An event around this JSON text, which may be half a character.
fn with_text(protocol: Protocol, text: &str) -> Vec<u8> {
    let data = match protocol {
        Protocol::ChatCompletions => format!(r#"{{"choices":[{{"delta":{{"content":"{text}"}}}}]}}"#),
        Protocol::Completions => format!(r#"{{"choices":[{{"text":"{text}"}}]}}"#),
        Protocol::Responses => format!(r#"{{"type":"response.output_text.delta","delta":"{text}"}}"#),
        Protocol::Messages => {
            format!(r#"{{"type":"content_block_delta","delta":{{"type":"text_delta","text":"{text}"}}}}"#)
        }
        Protocol::Gemini => format!(r#"{{"candidates":[{{"content":{{"parts":[{{"text":"{text}"}}]}}}}]}}"#),
        Protocol::Ollama => format!(r#"{{"message":{{"content":"{text}"}},"done":false}}"#),
        Protocol::Converse | Protocol::Echo => format!(r#"{{"delta":{{"text":"{text}"}}}}"#),
    };
    framed(protocol, &data)
}

fn framed(protocol: Protocol, data: &str) -> Vec<u8> {
    match protocol {
        Protocol::Ollama => format!("{data}\n").into_bytes(),
        Protocol::Converse => recorded::frame(&format!("event contentBlockDelta {data}")),
        Protocol::ChatCompletions
        | Protocol::Completions
        | Protocol::Responses
        | Protocol::Messages
        | Protocol::Gemini
        | Protocol::Echo => format!("data: {data}\n\n").into_bytes(),
    }
}

/// Valid JSON that holds nothing of an answer.
const UNUSUAL: [&str; 14] = [
    r#"{"id":"c1","choices":null}"#,
    r#"{"id":"c1"}"#,
    r#"{"type":"ping"}"#,
    r#"{"choices":[{"delta":null}],"candidates":[{"content":null}],"delta":null,"message":null}"#,
    r#"{"choices":[{"delta":{"content":7},"text":7}],"delta":{"text":[]},"message":{"content":{}}}"#,
    r#"{"choices":[],"candidates":[],"usage":{"prompt_tokens":null}}"#,
    r#"{"choices":{},"candidates":{},"error":null}"#,
    r#"{"status":"processing","message":"still here"}"#,
    "{}",
    "[]",
    "[1,{}]",
    "7",
    "null",
    r#""ping""#,
];

/// The events of a recorded answer; nothing where the model does not read what is expected.
fn events(recorded: &Recorded) -> Option<Vec<Event>> {
    let Expected::Answer { words, ending, .. } = &recorded.expected else { return None };
    let mut events = Vec::new();
    let mut from = 0;
    for end in recorded.event_ends() {
        let bytes = &recorded.body[from..end];
        from = end;
        let json = String::from_utf8_lossy(bytes);
        let json = json.find('{').and_then(|at| Some(&json[at..=json.rfind('}')?]));
        let data = json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or(Value::Null);
        let text = text_of(recorded.protocol, &data).encode_utf16().collect();
        events.push(Event { bytes: bytes.to_vec(), text });
    }
    let plain =
        !ending.garbled && recorded.stop.is_none() && !words.contains('<') && from == recorded.body.len();
    (plain && read(&events) == words.trim() && events.len() > 1).then_some(events)
}

/// What is readable.
fn read(events: &[Event]) -> String {
    let units: Vec<u16> = events.iter().flat_map(|event| event.text.iter().copied()).collect();
    String::from_utf16_lossy(&units).trim().to_owned()
}

fn mutate(events: &mut Vec<Event>, protocol: Protocol, chance: &mut Chance) {
    // What holds words is never the end of an answer, in these recordings.
    let worded =
        |event: &Event| !event.text.is_empty() && !String::from_utf8_lossy(&event.bytes).contains("\"STOP\"");
    let at: Vec<usize> = (0..events.len()).filter(|&at| worded(&events[at])).collect();
    let Some(&at) = at.get(chance.below(at.len().max(1))) else { return };
    let half = |text: &str, unit| Event { bytes: with_text(protocol, text), text: vec![unit] };
    let unusual = Event { bytes: framed(protocol, UNUSUAL[chance.below(UNUSUAL.len())]), text: Vec::new() };
    match chance.below(6) {
        0 => drop(events.remove(at)),
        1 => events.insert(at, events[at].clone()),
        2 => events[at] = unusual,
        3 => events.insert(at, unusual),
        4 => {
            events.insert(at, half(r"\ude42", 0xDE42));
            events.insert(at, half(r"\ud83d", 0xD83D));
        }
        _ => {
            let (text, unit) = [(r"\ud83d", 0xD83D), (r"\ude42", 0xDE42)][chance.below(2)];
            events.insert(at, half(text, unit));
        }
    }
}

/// Serves one body from the local endpoint, in pieces, and remembers who else was called.
#[derive(Default)]
struct Net {
    body: Mutex<(HeaderMap, VecDeque<Bytes>)>,
    elsewhere: Mutex<usize>,
}

struct Body(VecDeque<Bytes>);

#[async_trait]
impl Pieces for Body {
    async fn next(&mut self) -> Result<Option<Bytes>, NetError> {
        Ok(self.0.pop_front())
    }
}

#[async_trait]
impl Transport for Net {
    async fn call(&self, _: OutRequest, _: Limits) -> Result<OutResponse, NetError> {
        Err(NetError::Unreachable)
    }

    async fn stream(&self, request: OutRequest, _: Limits) -> Result<OutStream, NetError> {
        if request.url.host_str() != Some("local") {
            *self.elsewhere.lock().unwrap() += 1;
            return Err(NetError::Unreachable);
        }
        let (headers, pieces) = self.body.lock().unwrap().clone();
        Ok(OutStream { status: StatusCode::OK, headers, body: Box::new(Body(pieces)) })
    }
}

/// Cannot take back its first words, like a program that streams.
#[derive(Default)]
struct Program(Mutex<String>);

impl Listener for Program {
    fn words(&self, more: &str) {
        self.0.lock().unwrap().push_str(more);
    }

    fn takes_back(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }

    fn is_final(&self) -> bool {
        true
    }
}

fn router(protocol: Protocol, template: routing::Template, net: &Arc<Net>) -> Router {
    let endpoint = |name: &str, place| {
        let url = format!("http://{name}/").parse().unwrap();
        Endpoint { template, ..Endpoint::new(name, place, url, protocol, "m") }
    };
    let endpoints = vec![endpoint("local", Place::Local), endpoint("cloud", Place::Cloud)];
    let ports = Ports {
        transport: net.clone(),
        clock: Arc::new(host::SystemClock),
        pause: Arc::new(host::SystemPause),
        entropy: Arc::new(host::SystemEntropy),
        board: None,
    };
    Router::new(endpoints, Route::default(), Clocks::default(), ports).unwrap()
}

fn pieces(body: &[u8], chance: &mut Chance) -> VecDeque<Bytes> {
    let mut pieces = VecDeque::new();
    let mut rest = body;
    while !rest.is_empty() {
        let (piece, tail) = rest.split_at(1 + chance.below(rest.len().min(200)));
        pieces.push_back(Bytes::copy_from_slice(piece));
        rest = tail;
    }
    pieces
}

#[tokio::test]
async fn a_thousand_mutations_lose_no_readable_word_and_never_leave_for_the_cloud() {
    let recordings: Vec<_> = recorded::all().filter_map(|one| Some((events(&one)?, one))).collect();
    let mut kinds = BTreeMap::new();
    let net = Arc::new(Net::default());
    let mut routers = BTreeMap::new();
    let (mut chance, mut tried) = (Chance(SEED), 0);
    let context = Context::default();
    while tried < MUTATIONS {
        let (original, recorded) = &recordings[chance.below(recordings.len())];
        let mut events = original.clone();
        for _ in 0..=chance.below(4) {
            mutate(&mut events, recorded.protocol, &mut chance);
        }
        let readable = read(&events);
        if readable.is_empty() {
            continue;
        }
        tried += 1;
        *kinds.entry(recorded.protocol.as_str()).or_insert(0) += 1;
        let body: Vec<u8> = events.iter().flat_map(|event| event.bytes.iter().copied()).collect();
        *net.body.lock().unwrap() = (recorded.headers.clone(), pieces(&body, &mut chance));
        let router = routers
            .entry((recorded.protocol.as_str(), recorded.template.as_str()))
            .or_insert_with(|| router(recorded.protocol, recorded.template, &net));
        let program = Program::default();
        let prompt = Prompt::question("hi");
        let whole = Ask::whole(&prompt, &context, Duration::from_secs(60));
        let ask = if tried % 2 == 0 { whole } else { Ask { listener: &program, ..whole } };
        let answer = router.ask(&ask).await;
        let shown = String::from_utf8_lossy(&body);
        let answer = answer.unwrap_or_else(|none| panic!("{} {tried}: {none:?}\n{shown}", recorded.name));
        assert_eq!(answer.text, readable, "{} {tried}\n{shown}", recorded.name);
        assert_eq!((answer.endpoint.as_str(), answer.attempts.len()), ("local", 1), "{}", recorded.name);
        let heard = program.0.lock().unwrap();
        assert!(heard.is_empty() || heard.trim() == readable, "{}: {heard}", recorded.name);
        assert_eq!(router.signs()[0].gate, Gate::Closed, "{}", recorded.name);
    }
    assert_eq!(*net.elsewhere.lock().unwrap(), 0);
    let spoken = Protocol::ALL.iter().filter(|&&protocol| protocol != Protocol::Echo).count();
    assert!(kinds.len() == spoken && kinds.values().all(|&count| count > 20), "{kinds:?}");
}
