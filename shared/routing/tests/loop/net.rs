//! A scripted network, on a clock that only waiting moves.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use chat::{Clock, Entropy, Pause, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use routing::{
    Answer, Ask, Attempt, AttemptOutcome, Board, Clocks, Context, Endpoint, Failure, Listener, NoAnswer,
    Opening, Place, Ports, Prompt, Protocol, Route, Router, RoutingError, Strategy,
};
use tokio::time::Instant;
use transport::{Limits, NetError, OutRequest, OutResponse, OutStream, Pieces, Transport};

/// What the server behind an endpoint does with a call. A call takes a second until its head, unless it says otherwise.
#[derive(Clone)]
pub(crate) enum Does {
    /// Streams these words, one a chunk, and ends in good order.
    Say(&'static [&'static str]),
    /// Answers whole, with this status and body.
    Status(u16, &'static str),
    /// The same with a header.
    Told(u16, (&'static str, &'static str), &'static str),
    /// No answer at all, but this.
    Fail(NetError),
    /// Nothing, for as long as the caller waits.
    Hang,
    /// A stream, step by step.
    Stream(&'static [Step]),
    /// A refusal with this status, step by step.
    Refuse(u16, &'static [Step]),
    /// The first until so many seconds after the start of the test, then the second.
    Until(u64, Box<Does>, Box<Does>),
    /// Counts the prompt's tokens; answers where they are within the window, else refuses in these words.
    Window(u64, fn(window: u64, prompt: u64) -> String),
}

/// One step of a stream.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// These bytes.
    Bytes(&'static str),
    /// A chunk with this word.
    Word(&'static str),
    /// A chunk with this thought.
    Thought(&'static str),
    /// So many seconds of nothing.
    Rest(u64),
    /// The connection breaks.
    Break,
    /// The last chunk, and the end mark.
    Done,
}

pub(crate) fn say(text: &'static str) -> Does {
    Does::Say(Box::leak(Box::new([text])))
}

/// Servers by host name, and what each does with one call after the other; the last goes on for ever.
pub(crate) struct Net {
    servers: Mutex<BTreeMap<String, VecDeque<Does>>>,
    calls: Mutex<Vec<(String, Instant, Duration)>>,
    bodies: Mutex<Vec<serde_json::Value>>,
    began: Instant,
    pub(crate) told: Mutex<Vec<Opening>>,
    pub(crate) board: Mutex<Vec<Opening>>,
    /// What is answered at these paths, whichever the server, besides questions.
    pub(crate) infos: Mutex<Vec<(&'static str, &'static str)>>,
    /// The paths that were asked for.
    pub(crate) looked: Mutex<Vec<String>>,
}

impl Net {
    /// Who was called, in order.
    pub(crate) fn called(&self) -> Vec<String> {
        self.calls.lock().unwrap().iter().map(|(name, ..)| name.clone()).collect()
    }

    /// When each call came, in milliseconds from the start.
    pub(crate) fn times(&self) -> Vec<u128> {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .map(|(_, at, _)| at.duration_since(self.began).as_millis())
            .collect()
    }

    /// How long each call was allowed to take, in seconds.
    pub(crate) fn allowed(&self) -> Vec<u64> {
        self.calls.lock().unwrap().iter().map(|(.., total)| total.as_secs()).collect()
    }

    /// How long it all took until now, in milliseconds.
    pub(crate) fn millis(&self) -> u128 {
        self.began.elapsed().as_millis()
    }

    /// What was asked.
    pub(crate) fn bodies(&self) -> Vec<serde_json::Value> {
        self.bodies.lock().unwrap().clone()
    }
}

impl Clock for Net {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus(self.began.elapsed())
    }
}

#[async_trait]
impl Pause for Net {
    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl Entropy for Net {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

#[async_trait]
impl Board for Net {
    async fn openings(&self, _: Timestamp) -> Vec<Opening> {
        self.board.lock().unwrap().clone()
    }

    async fn tell(&self, opening: &Opening) {
        self.told.lock().unwrap().push(opening.clone());
    }
}

#[async_trait]
impl Transport for Net {
    async fn call(&self, request: OutRequest, _: Limits) -> Result<OutResponse, NetError> {
        let path = request.url.path().to_owned();
        let infos = self.infos.lock().unwrap();
        let (status, body) = match infos.iter().find(|(known, _)| *known == path) {
            Some((_, body)) => (StatusCode::OK, *body),
            None => (StatusCode::NOT_FOUND, "404 page not found"),
        };
        self.looked.lock().unwrap().push(path);
        Ok(OutResponse { status, headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) })
    }

    async fn stream(&self, request: OutRequest, limits: Limits) -> Result<OutStream, NetError> {
        let name = request.url.host_str().unwrap().to_owned();
        self.calls.lock().unwrap().push((name.clone(), Instant::now(), limits.total));
        self.bodies.lock().unwrap().push(serde_json::from_slice(&request.body).unwrap());
        let does = {
            let mut servers = self.servers.lock().unwrap();
            let script = servers.get_mut(&name).unwrap();
            if script.len() > 1 { script.pop_front().unwrap() } else { script[0].clone() }
        };
        let does = if let Does::Until(seconds, before, after) = does {
            if self.began.elapsed() < Duration::from_secs(seconds) { *before } else { *after }
        } else if let Does::Window(window, says) = does {
            let prompt = tokens(self.bodies.lock().unwrap().last().unwrap());
            if prompt > window { Does::Status(400, says(window, prompt).leak()) } else { counted(prompt) }
        } else {
            does
        };
        let end = Instant::now() + limits.total;
        let head = tokio::time::timeout_at(end, head(does)).await.unwrap_or(Err(NetError::Timeout))?;
        Ok(OutStream { status: head.0, headers: head.1, body: Box::new(Script { steps: head.2, end }) })
    }
}

/// What a server counts: three tokens for two Chinese characters, one for three others, and five for each message.
fn tokens(body: &serde_json::Value) -> u64 {
    let of_char = |c: char| if c.is_ascii() { 2 } else { 9 };
    let of = |message: &serde_json::Value| {
        30 + message["content"].as_str().unwrap().chars().map(of_char).sum::<u64>()
    };
    body["messages"].as_array().unwrap().iter().map(of).sum::<u64>() / 6
}

fn counted(prompt: u64) -> Does {
    let usage =
        serde_json::json!({"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": 1}});
    let usage = Step::Bytes(format!("data: {usage}\n\n").leak());
    Does::Stream(vec![Step::Word("yes"), usage, Step::Done].leak())
}

type Head = (StatusCode, HeaderMap, VecDeque<Step>);

async fn head(does: Does) -> Result<Head, NetError> {
    let whole = |status: u16, header: Option<(&'static str, &'static str)>, body| {
        let status = StatusCode::from_u16(status).unwrap();
        let headers = header
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .into_iter()
            .collect();
        Ok((status, headers, VecDeque::from([Step::Bytes(body)])))
    };
    let stream = |steps: Vec<Step>| {
        let kind = HeaderValue::from_static("text/event-stream");
        Ok((StatusCode::OK, [(http::header::CONTENT_TYPE, kind)].into_iter().collect(), steps.into()))
    };
    if matches!(does, Does::Hang) {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    match does {
        Does::Say(words) => stream(words.iter().map(|word| Step::Word(word)).chain([Step::Done]).collect()),
        Does::Status(status, body) => whole(status, None, body),
        Does::Told(status, header, body) => whole(status, Some(header), body),
        Does::Fail(error) => Err(error),
        Does::Stream(steps) => stream(steps.to_vec()),
        Does::Refuse(status, steps) => {
            Ok((StatusCode::from_u16(status).unwrap(), HeaderMap::new(), steps.iter().copied().collect()))
        }
        Does::Hang | Does::Until(..) | Does::Window(..) => Err(NetError::Timeout),
    }
}

/// A body that comes step by step, and for no longer than its call may take.
struct Script {
    steps: VecDeque<Step>,
    end: Instant,
}

#[async_trait]
impl Pieces for Script {
    async fn next(&mut self) -> Result<Option<Bytes>, NetError> {
        let end = self.end;
        tokio::time::timeout_at(end, self.step()).await.unwrap_or(Err(NetError::Timeout))
    }
}

impl Script {
    async fn step(&mut self) -> Result<Option<Bytes>, NetError> {
        let chunk = |delta: serde_json::Value| {
            let chunk = serde_json::json!({"model": "served", "choices": [{"delta": delta}]});
            Bytes::from(format!("data: {chunk}\n\n"))
        };
        while let Some(step) = self.steps.front().copied() {
            if let Step::Rest(seconds) = step {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            }
            self.steps.pop_front();
            let bytes = match step {
                Step::Rest(_) => continue,
                Step::Break => return Err(NetError::Broken),
                Step::Bytes(bytes) => Bytes::from_static(bytes.as_bytes()),
                Step::Word(word) => chunk(serde_json::json!({ "content": word })),
                Step::Thought(thought) => chunk(serde_json::json!({ "reasoning_content": thought })),
                Step::Done => Bytes::from_static(
                    b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
                ),
            };
            return Ok(Some(bytes));
        }
        Ok(None)
    }
}

/// An endpoint is local when its name begins with `l`.
pub(crate) fn endpoint(name: &str) -> Endpoint {
    let place = if name.starts_with('l') { Place::Local } else { Place::Cloud };
    let url = format!("http://{name}/v1/chat/completions").parse().unwrap();
    Endpoint::new(name, place, url, Protocol::ChatCompletions, format!("model-of-{name}"))
}

/// One script for each server.
pub(crate) fn net(servers: &[(&str, &[Does])]) -> Arc<Net> {
    let servers = servers.iter().map(|(name, does)| ((*name).to_owned(), does.iter().cloned().collect()));
    Arc::new(Net {
        servers: Mutex::new(servers.collect()),
        calls: Mutex::default(),
        bodies: Mutex::default(),
        began: Instant::now(),
        told: Mutex::default(),
        board: Mutex::default(),
        infos: Mutex::default(),
        looked: Mutex::default(),
    })
}

pub(crate) fn clocks() -> Clocks {
    let seconds = Duration::from_secs;
    Clocks { first_token: seconds(15), idle: seconds(10), attempt: seconds(30) }
}

pub(crate) fn router(endpoints: Vec<Endpoint>, route: Route, net: &Arc<Net>) -> Result<Router, RoutingError> {
    let ports = Ports {
        transport: net.clone(),
        clock: net.clone(),
        pause: net.clone(),
        entropy: net.clone(),
        board: Some(net.clone()),
    };
    Router::new(endpoints, route, clocks(), ports)
}

/// A router over servers that each always do the same.
pub(crate) fn setup(servers: &[(&str, Does)], strategy: Strategy) -> (Router, Arc<Net>) {
    let scripts: Vec<_> = servers.iter().map(|(name, does)| (*name, std::slice::from_ref(does))).collect();
    let net = net(&scripts);
    let endpoints = servers.iter().map(|(name, _)| endpoint(name)).collect();
    (router(endpoints, Route { strategy, ..Route::default() }, &net).unwrap(), net)
}

pub(crate) async fn ask(router: &Router, seconds: u64) -> Result<Answer, NoAnswer> {
    let (prompt, context) = (Prompt::question("hi"), Context::default());
    router.ask(&Ask::whole(&prompt, &context, Duration::from_secs(seconds))).await
}

/// Remembers what it heard; `|` stands for a restart, which it takes or does not.
pub(crate) struct Ear {
    heard: Mutex<String>,
    takes_back: bool,
}

impl Ear {
    pub(crate) fn new(takes_back: bool) -> Self {
        Self { heard: Mutex::default(), takes_back }
    }

    pub(crate) fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }
}

impl Listener for Ear {
    fn words(&self, more: &str) {
        self.heard.lock().unwrap().push_str(more);
    }

    fn takes_back(&self) -> bool {
        self.takes_back
    }

    fn restarted(&self) {
        self.heard.lock().unwrap().push('|');
    }
}

pub(crate) async fn listen(router: &Router, ear: &Ear) -> Result<Answer, NoAnswer> {
    listen_for(router, ear, 90).await
}

pub(crate) async fn listen_for(router: &Router, ear: &Ear, seconds: u64) -> Result<Answer, NoAnswer> {
    let (prompt, context) = (Prompt::question("hi"), Context::default());
    router.ask(&Ask { listener: ear, ..Ask::whole(&prompt, &context, Duration::from_secs(seconds)) }).await
}

/// How each attempt failed; nothing for those that did not.
pub(crate) fn failed(attempts: &[Attempt]) -> Vec<Option<Failure>> {
    let failed = |attempt: &Attempt| match attempt.outcome {
        AttemptOutcome::Answered | AttemptOutcome::Outrun => None,
        AttemptOutcome::Failed(failure) => Some(failure),
    };
    attempts.iter().map(failed).collect()
}
