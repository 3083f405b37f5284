//! The loop against a scripted network and a clock that only the script moves.
#![expect(clippy::unwrap_used, reason = "a test that cannot lay its table has failed")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chat::{Clock, Timestamp};
use http::{HeaderMap, StatusCode};
use routing::{
    Answer, Attempt, AttemptOutcome, Endpoint, Failure, Line, NoAnswer, NoAnswerReason, Place, Prompt,
    Protocol, Role, Router, RoutingError, Strategy, Timeouts,
};
use transport::{Limits, NetError, OutRequest, OutResponse, Transport};

/// What the server behind an endpoint does with a call.
#[derive(Clone)]
enum Does {
    Say(&'static str),
    Status(u16, &'static str),
    Fail(NetError),
    /// Nothing, for as long as the caller waits.
    Hang,
}

/// Servers by host name. A call takes a second, or all it is given when the server hangs.
struct Net {
    servers: BTreeMap<String, Does>,
    calls: Mutex<Vec<(String, Duration)>>,
    millis: AtomicI64,
}

impl Net {
    fn pass(&self, time: Duration) {
        self.millis.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }

    fn called(&self) -> Vec<String> {
        self.calls.lock().unwrap().iter().map(|(name, _)| name.clone()).collect()
    }
}

impl Clock for Net {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::Relaxed))
    }
}

#[async_trait]
impl Transport for Net {
    async fn call(&self, request: OutRequest, limits: Limits) -> Result<OutResponse, NetError> {
        let name = request.url.host_str().unwrap().to_owned();
        let does = self.servers[&name].clone();
        self.calls.lock().unwrap().push((name, limits.total));
        let answer = |status, body: String| {
            let status = StatusCode::from_u16(status).unwrap();
            Ok(OutResponse { status, headers: HeaderMap::new(), body: body.into() })
        };
        if matches!(does, Does::Hang) {
            self.pass(limits.total);
            return Err(NetError::Timeout);
        }
        self.pass(Duration::from_secs(1));
        match does {
            Does::Say(text) => {
                answer(200, serde_json::json!({"choices": [{"message": {"content": text}}]}).to_string())
            }
            Does::Status(status, body) => answer(status, body.to_owned()),
            Does::Fail(error) => Err(error),
            Does::Hang => Err(NetError::Timeout),
        }
    }
}

/// An endpoint is local when its name begins with `l`.
fn endpoint(name: &str) -> Endpoint {
    Endpoint {
        name: name.into(),
        place: if name.starts_with('l') { Place::Local } else { Place::Cloud },
        url: format!("http://{name}/v1/chat/completions").parse().unwrap(),
        protocol: Protocol::ChatCompletions,
        model: format!("model-of-{name}"),
        ..Endpoint::echo()
    }
}

fn setup(servers: &[(&str, Does)], strategy: Strategy) -> (Router, Arc<Net>) {
    let endpoints = servers.iter().map(|(name, _)| endpoint(name)).collect();
    let servers = servers.iter().map(|(name, does)| ((*name).to_owned(), does.clone())).collect();
    let net = Arc::new(Net { servers, calls: Mutex::default(), millis: AtomicI64::new(1_000_000) });
    (router(endpoints, strategy, &net).unwrap(), net)
}

fn router(endpoints: Vec<Endpoint>, strategy: Strategy, net: &Arc<Net>) -> Result<Router, RoutingError> {
    let timeouts = Timeouts { total_per_attempt: Duration::from_secs(30) };
    let (transport, clock): (Arc<dyn Transport>, Arc<dyn Clock>) = (net.clone(), net.clone());
    Router::new(endpoints, strategy, timeouts, transport, clock)
}

async fn ask(router: &Router, seconds: u64) -> Result<Answer, NoAnswer> {
    let lines = vec![Line { role: Role::User, text: "hi".into() }];
    router.ask(&Prompt { system: None, lines }, Duration::from_secs(seconds)).await
}

fn failed(attempt: &Attempt) -> Option<Failure> {
    match attempt.outcome {
        AttemptOutcome::Answered => None,
        AttemptOutcome::Failed(failure) => Some(failure),
    }
}

const FILTERED: Does = Does::Status(400, r#"{"error":{"code":"content_filter","message":"no"}}"#);
const TOO_LONG: Does = Does::Status(400, r#"{"error":{"code":"context_length_exceeded","message":"no"}}"#);

/// Every fault that is worth asking elsewhere, and the class it is recorded under.
fn faults() -> Vec<(Does, Failure)> {
    vec![
        (Does::Fail(NetError::Unreachable), Failure::Unreachable),
        (Does::Fail(NetError::ConnectTimeout), Failure::Unreachable),
        (Does::Fail(NetError::Timeout), Failure::Timeout),
        (Does::Hang, Failure::Timeout),
        (Does::Fail(NetError::Broken), Failure::Broken),
        (Does::Fail(NetError::TooLarge), Failure::TooLarge),
        (Does::Status(429, ""), Failure::RateLimited { retry_after: None }),
        (Does::Status(500, ""), Failure::Server(500)),
        (Does::Status(503, "{}"), Failure::Server(503)),
        (Does::Status(401, ""), Failure::Auth(401)),
        (Does::Status(404, ""), Failure::BadRequest(404)),
        (Does::Status(200, "<html>"), Failure::Malformed),
        (Does::Say("  "), Failure::Empty),
        (TOO_LONG, Failure::ContextTooLong),
    ]
}

#[tokio::test]
async fn every_fault_is_survived_and_recorded_whatever_the_strategy() {
    for (fault, failure) in faults() {
        for (strategy, bad, good) in [
            (Strategy::LocalFirst, "local", "cloud"),
            (Strategy::CloudFirst, "cloud", "local"),
            (Strategy::LocalOnly, "local-a", "local-b"),
            (Strategy::CloudOnly, "cloud-a", "cloud-b"),
        ] {
            let (router, net) = setup(&[(bad, fault.clone()), (good, Does::Say("yes"))], strategy);
            let answer = ask(&router, 90).await.unwrap();
            assert_eq!(
                (answer.text.as_str(), answer.endpoint.as_str()),
                ("yes", good),
                "{failure:?} {strategy:?}"
            );
            assert_eq!(answer.model, format!("model-of-{good}"));
            assert_eq!(answer.attempts.iter().map(failed).collect::<Vec<_>>(), [Some(failure), None]);
            assert_eq!(net.called(), [bad, good]);
        }
    }
}

#[tokio::test]
async fn a_strategy_of_one_place_never_calls_the_other() {
    for (fault, failure) in faults() {
        for (strategy, asked) in
            [(Strategy::LocalOnly, ["local-a", "local-b"]), (Strategy::CloudOnly, ["cloud-a", "cloud-b"])]
        {
            let says = |name: &str| if asked.contains(&name) { fault.clone() } else { Does::Say("leaked") };
            let names = ["cloud-a", "local-a", "cloud-b", "local-b"];
            let (router, net) = setup(&names.map(|name| (name, says(name))), strategy);
            let none = ask(&router, 90).await.unwrap_err();
            let reason = if failure == Failure::ContextTooLong {
                NoAnswerReason::Refused
            } else {
                NoAnswerReason::AllFailed
            };
            assert_eq!(none.reason, reason, "{failure:?}");
            assert_eq!(none.attempts.iter().map(failed).collect::<Vec<_>>(), [Some(failure); 2]);
            assert_eq!(net.called(), asked);
        }
    }
}

#[tokio::test]
async fn the_first_choice_answers_alone() {
    let servers = [("cloud", Does::Say("c")), ("local", Does::Say("l")), ("local-b", Does::Say("b"))];
    for (strategy, first) in [
        (Strategy::LocalFirst, "local"),
        (Strategy::CloudFirst, "cloud"),
        (Strategy::LocalOnly, "local"),
        (Strategy::CloudOnly, "cloud"),
    ] {
        let (router, net) = setup(&servers, strategy);
        assert_eq!(ask(&router, 90).await.unwrap().endpoint, first);
        assert_eq!(net.called(), [first]);
        assert_eq!(router.plan()[0].name, first);
    }
}

#[tokio::test]
async fn a_content_refusal_is_never_routed_around() {
    let (router, net) = setup(&[("local", FILTERED), ("cloud", Does::Say("leaked"))], Strategy::LocalFirst);
    let none = ask(&router, 90).await.unwrap_err();
    assert_eq!(none.reason, NoAnswerReason::Refused);
    assert!(!none.is_too_long());
    assert_eq!(net.called(), ["local"]);
}

#[tokio::test]
async fn a_conversation_that_is_too_long_is_told_as_such() {
    let (router, _) = setup(&[("local", Does::Status(500, "")), ("cloud", TOO_LONG)], Strategy::LocalFirst);
    let none = ask(&router, 90).await.unwrap_err();
    assert_eq!(none.reason, NoAnswerReason::Refused);
    assert!(none.is_too_long());
}

#[tokio::test]
async fn attempts_are_cut_to_the_budget_and_a_silent_endpoint_is_asked_once() {
    let hang = [("la", Does::Hang), ("lb", Does::Hang), ("lc", Does::Hang), ("ld", Does::Say("late"))];
    let (router, net) = setup(&hang, Strategy::LocalFirst);
    let none = ask(&router, 70).await.unwrap_err();
    assert_eq!(none.reason, NoAnswerReason::OutOfTime);
    let given: Vec<_> =
        net.calls.lock().unwrap().iter().map(|(name, total)| (name.clone(), total.as_secs())).collect();
    assert_eq!(given, [("la".into(), 30), ("lb".into(), 30), ("lc".into(), 10)]);
    assert_eq!(none.attempts.iter().map(|a| a.millis).collect::<Vec<_>>(), [30_000, 30_000, 10_000]);
}

#[tokio::test]
async fn a_budget_that_ends_with_the_last_endpoint_is_out_of_time_too() {
    let (router, _) = setup(&[("local", Does::Hang)], Strategy::LocalFirst);
    assert_eq!(ask(&router, 10).await.unwrap_err().reason, NoAnswerReason::OutOfTime);
    let (router, net) = setup(&[("local", Does::Say("late"))], Strategy::LocalFirst);
    assert_eq!(ask(&router, 0).await.unwrap_err().reason, NoAnswerReason::OutOfTime);
    assert!(net.called().is_empty());
}

#[tokio::test]
async fn usage_is_the_servers_or_an_estimate_that_says_so() {
    let counted = r#"{"model":"big-1","choices":[{"message":{"content":"yes"}}],
        "usage":{"prompt_tokens":11,"completion_tokens":2}}"#;
    let (router, _) = setup(&[("local", Does::Status(200, counted))], Strategy::LocalOnly);
    let answer = ask(&router, 90).await.unwrap();
    assert_eq!((answer.usage.prompt, answer.usage.completion, answer.usage.estimated), (11, 2, false));
    assert_eq!((answer.model.as_str(), answer.attempts[0].model.as_str()), ("big-1", "big-1"));

    let (router, _) = setup(&[("local", Does::Say("yes"))], Strategy::LocalOnly);
    let usage = ask(&router, 90).await.unwrap().usage;
    assert_eq!((usage.prompt, usage.completion, usage.estimated), (5, 1, true));
}

#[tokio::test]
async fn an_echo_calls_nobody_and_is_local_whatever_it_is_called() {
    let net = setup(&[("local", Does::Hang)], Strategy::LocalOnly).1;
    let cloudy = Endpoint { place: Place::Cloud, ..Endpoint::echo() };
    assert_eq!(
        router(vec![cloudy.clone()], Strategy::CloudOnly, &net).unwrap_err(),
        RoutingError::StrategyLeavesNone(Strategy::CloudOnly)
    );
    let answer = ask(&router(vec![cloudy], Strategy::LocalOnly, &net).unwrap(), 1).await.unwrap();
    assert_eq!(
        (answer.text.as_str(), answer.place, answer.model.as_str()),
        ("echo: hi", Place::Local, "echo")
    );
    assert!(answer.usage.estimated);
    assert!(net.called().is_empty());
}

#[test]
fn a_router_that_could_not_work_is_not_made() {
    let net = setup(&[("local", Does::Hang)], Strategy::LocalOnly).1;
    for (names, strategy, error) in [
        (vec![], Strategy::LocalFirst, RoutingError::NoEndpoints),
        (vec!["la", "lb", "la"], Strategy::LocalFirst, RoutingError::DuplicateName("la".into())),
        (vec!["la"], Strategy::CloudOnly, RoutingError::StrategyLeavesNone(Strategy::CloudOnly)),
        (vec!["ca"], Strategy::LocalOnly, RoutingError::StrategyLeavesNone(Strategy::LocalOnly)),
    ] {
        let endpoints = names.into_iter().map(endpoint).collect();
        assert_eq!(router(endpoints, strategy, &net).unwrap_err(), error);
    }
}

#[tokio::test]
async fn nothing_shown_holds_words() {
    let (router, _) = setup(&[("local", Does::Say("hidden words"))], Strategy::LocalOnly);
    let shown = format!("{:?}", ask(&router, 9).await.unwrap());
    assert!(!shown.contains("hidden"), "{shown}");
}
