//! A rule that forbids the cloud, through the whole loop: whatever fails, and however, no call leaves the house.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot lay its table has failed")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use chat::{Clock, Entropy, Pause, Timestamp};
use http::{HeaderMap, StatusCode};
use proptest::{
    prelude::{ProptestConfig, any, prop_assert},
    sample::select,
    strategy::Strategy as Given,
    test_runner::TestRunner,
};
use routing::{
    Ask, Balance, Board, Clocks, Context, Endpoint, Hedge, Line, Opening, Picture, Place, Ports, Prompt,
    Protocol, Route, Router, Rule, Strategy, Then, When,
};
use tokio::time::Instant;
use transport::{Limits, NetError, OutRequest, OutResponse, OutStream, Pieces, Transport};

/// What a server does with a call.
#[derive(Debug, Clone, Copy)]
enum Does {
    Answer,
    Refuse,
    Hang,
    Status(u16),
    Limit,
    Break,
    TooLong,
    Nonsense,
}

const ALL: [Does; 10] = [
    Does::Answer,
    Does::Refuse,
    Does::Hang,
    Does::Status(500),
    Does::Status(401),
    Does::Status(400),
    Does::Limit,
    Does::Break,
    Does::TooLong,
    Does::Nonsense,
];

/// Servers that do one thing after the other, and the hosts that were called.
struct World {
    script: Mutex<std::iter::Cycle<std::vec::IntoIter<Does>>>,
    called: Mutex<Vec<String>>,
    told: Vec<Opening>,
    began: Instant,
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus(self.began.elapsed())
    }
}

#[async_trait]
impl Pause for World {
    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl Entropy for World {
    fn fill(&self, bytes: &mut [u8]) {
        let seed = self.called.lock().unwrap().len();
        bytes.iter_mut().zip(1_u8..).for_each(|(byte, at)| *byte = at.wrapping_mul(seed.to_le_bytes()[0]));
    }
}

#[async_trait]
impl Board for World {
    async fn openings(&self, _: Timestamp) -> Vec<Opening> {
        self.told.clone()
    }

    async fn tell(&self, _: &Opening) {}
}

/// A body that is there at once, and perhaps breaks at its end.
struct Body(Option<&'static str>, bool);

#[async_trait]
impl Pieces for Body {
    async fn next(&mut self) -> Result<Option<Bytes>, NetError> {
        match self.0.take() {
            Some(piece) => Ok(Some(Bytes::from_static(piece.as_bytes()))),
            None if self.1 => Err(NetError::Broken),
            None => Ok(None),
        }
    }
}

#[async_trait]
impl Transport for World {
    async fn call(&self, _: OutRequest, _: Limits) -> Result<OutResponse, NetError> {
        panic!("models are asked by streaming")
    }

    async fn stream(&self, request: OutRequest, limits: Limits) -> Result<OutStream, NetError> {
        self.called.lock().unwrap().push(request.url.host_str().unwrap().to_owned());
        let does = self.script.lock().unwrap().next().unwrap();
        let (status, body, breaks) = match does {
            Does::Answer => {
                (200, r#"{"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}]}"#, false)
            }
            Does::Refuse => return Err(NetError::Unreachable),
            Does::Hang => {
                tokio::time::sleep(limits.total).await;
                return Err(NetError::Timeout);
            }
            Does::Status(status) => (status, "{}", false),
            Does::Limit => (429, "{}", false),
            Does::Break => (200, r#"{"choices":["#, true),
            Does::TooLong => (400, r#"{"error":{"code":"context_length_exceeded"}}"#, false),
            Does::Nonsense => (200, "<html>", false),
        };
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse().unwrap());
        headers.insert("retry-after", "2".parse().unwrap());
        let status = StatusCode::from_u16(status).unwrap();
        Ok(OutStream { status, headers, body: Box::new(Body(Some(body), breaks)) })
    }
}

/// A house with some endpoints in it and some outside, and how its questions go.
#[derive(Debug, Clone)]
struct Scene {
    endpoints: Vec<Endpoint>,
    route: Route,
    script: Vec<Does>,
    told: Vec<Opening>,
    model: Option<String>,
    picture: bool,
    /// Where in the conversation the mark stands.
    mark: usize,
}

fn a_scene() -> impl Given<Value = Scene> {
    let places = proptest::collection::vec((select(Place::ALL), any::<bool>()), 1..7);
    let route = (
        select(Strategy::ALL),
        select(Balance::ALL),
        proptest::option::of(select(Strategy::ALL)),
        proptest::option::of((0_u64..3_000).prop_map(Duration::from_millis)),
    );
    let rest = (
        proptest::collection::vec(select(&ALL[..]), 1..12),
        proptest::collection::vec(any::<bool>(), 6),
        (proptest::option::of(0_usize..6), any::<bool>(), 0_usize..3),
    );
    (places, route, rest).prop_map(
        |(places, (strategy, balance, other, hedge), (script, told, (model, picture, mark)))| {
            let endpoints: Vec<_> =
                (0..).zip(places).map(|(number, place)| endpoint(number, place)).collect();
            let told = endpoints.iter().zip(told).filter(|(_, told)| *told).map(|(endpoint, _)| Opening {
                endpoint: endpoint.name.clone(),
                since: Timestamp::from_millis(1_000_000),
                until: Timestamp::from_millis(1_030_000),
                step: 1,
            });
            let told = told.collect();
            let hedge = hedge.map(|after| Hedge { after: Some(after), share: 1.0 });
            let rules = vec![steer(other), ban()];
            let route = Route { strategy, balance, rules, attempts: 8, hedge };
            let model = model.map(|number| format!("e{number}"));
            Scene { endpoints, route, script, told, model, picture, mark }
        },
    )
}

fn endpoint(number: usize, (place, vision): (Place, bool)) -> Endpoint {
    let url = format!("http://{}{number}.test/v1/chat/completions", place.as_str()).parse().unwrap();
    Endpoint { vision, ..Endpoint::new(format!("e{number}"), place, url, Protocol::ChatCompletions, "m") }
}

/// A rule before the ban that would rather have it otherwise.
fn steer(strategy: Option<Strategy>) -> Rule {
    let then = Then { strategy, ..Then::default() };
    Rule { name: "steer".into(), when: When::default(), then }
}

fn ban() -> Rule {
    let when = When { words: vec!["Confidential".into()], ..When::default() };
    Rule { name: "ban".into(), when, then: Then { local_only: true, ..Then::default() } }
}

/// Asks some questions, and returns the hosts that were called.
async fn ask(scene: &Scene, marked: bool) -> Option<Vec<String>> {
    let world = Arc::new(World {
        script: Mutex::new(scene.script.clone().into_iter().cycle()),
        called: Mutex::default(),
        told: scene.told.clone(),
        began: Instant::now(),
    });
    let ports = Ports {
        transport: world.clone(),
        clock: world.clone(),
        pause: world.clone(),
        entropy: world.clone(),
        board: Some(world.clone()),
    };
    // A strategy without any endpoint is refused at the start.
    let router = Router::new(scene.endpoints.clone(), scene.route.clone(), Clocks::default(), ports).ok()?;
    let mut lines = vec![Line::user("a"), Line::assistant("b"), Line::user("c")];
    if marked {
        lines[scene.mark].text.push_str(" CONFIDENTIAL");
    }
    if scene.picture {
        lines[0].pictures.push(Picture { media_type: "image/png".into(), data: Bytes::new() });
    }
    let prompt = Prompt { lines, ..Prompt::default() };
    let context = Context { model: scene.model.clone(), ..Context::default() };
    for _ in 0..4 {
        let _ = router.ask(&Ask::whole(&prompt, &context, Duration::from_secs(90))).await;
    }
    let called = world.called.lock().unwrap().clone();
    Some(called)
}

#[test]
fn no_call_leaves_the_house_once_a_rule_forbids_it() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    // What the same questions would have done without the mark: else the test might forbid what never happens.
    let (inside, outside, unmarked) = (Mutex::new(0), Mutex::new(0), Mutex::new(0));
    let config = ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() };
    let tried = TestRunner::new(config).run(&a_scene(), |scene| {
        let Some(called) = runtime.block_on(ask(&scene, true)) else { return Ok(()) };
        let left: Vec<_> = called.iter().filter(|host| host.starts_with("cloud")).collect();
        prop_assert!(left.is_empty(), "{left:?}");
        *inside.lock().unwrap() += called.len();
        let called = runtime.block_on(ask(&scene, false)).unwrap_or_default();
        *unmarked.lock().unwrap() += called.len();
        *outside.lock().unwrap() += called.iter().filter(|host| host.starts_with("cloud")).count();
        Ok(())
    });
    tried.unwrap();
    let [inside, outside, unmarked] = [inside, outside, unmarked].map(|count| count.into_inner().unwrap());
    println!("{inside} calls with the mark, none outside; {unmarked} without it, {outside} outside");
    assert!(inside > 1_000 && outside > 1_000);
}
