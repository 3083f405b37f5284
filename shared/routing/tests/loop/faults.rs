//! What each failure leads to, and what it never leads to.

use routing::{Endpoint, Failure, NoAnswerReason, Place, Route, RoutingError, Strategy};
use transport::NetError;

use crate::net::{Does, Step, ask, endpoint, failed, net, router, say, setup};

const FILTERED: Does = Does::Status(400, r#"{"error":{"code":"content_filter","message":"no"}}"#);
const TOO_LONG: Does = Does::Status(400, r#"{"error":{"code":"context_length_exceeded","message":"no"}}"#);

/// Every fault that is worth asking elsewhere, the class it is recorded under, and how often its endpoint is asked.
fn faults() -> Vec<(Does, Failure, usize)> {
    vec![
        (Does::Fail(NetError::Unreachable), Failure::Unreachable, 1),
        (Does::Fail(NetError::ConnectTimeout), Failure::Unreachable, 1),
        (Does::Fail(NetError::Timeout), Failure::Timeout, 1),
        (Does::Fail(NetError::Broken), Failure::Broken, 2),
        (Does::Fail(NetError::TooLarge), Failure::TooLarge, 1),
        (Does::Status(500, ""), Failure::Server(500), 2),
        (Does::Status(503, "{}"), Failure::Server(503), 2),
        (Does::Status(401, ""), Failure::Auth(401), 1),
        (Does::Status(404, ""), Failure::BadRequest(404), 1),
        (Does::Status(200, "<html>"), Failure::Malformed, 1),
        (Does::Stream(&[Step::Bytes("data: {\"choices\"\n\n")]), Failure::Malformed, 1),
        (Does::Stream(&[Step::Rest(1), Step::Break]), Failure::Broken, 2),
        (Does::Stream(&[]), Failure::Broken, 2),
        (say("  "), Failure::Empty, 1),
        (TOO_LONG, Failure::ContextTooLong, 1),
    ]
}

#[tokio::test(start_paused = true)]
async fn every_fault_is_survived_and_recorded_whatever_the_strategy() {
    for (fault, failure, times) in faults() {
        for (strategy, bad, good) in [
            (Strategy::LocalFirst, "local", "cloud"),
            (Strategy::CloudFirst, "cloud", "local"),
            (Strategy::LocalOnly, "local-a", "local-b"),
            (Strategy::CloudOnly, "cloud-a", "cloud-b"),
        ] {
            let (router, net) = setup(&[(bad, fault.clone()), (good, say("yes"))], strategy);
            let answer = ask(&router, 90).await.unwrap();
            assert_eq!(
                (answer.text.as_str(), answer.endpoint.as_str()),
                ("yes", good),
                "{failure:?} {strategy:?}"
            );
            let mut expected = vec![Some(failure); times];
            expected.push(None);
            assert_eq!(failed(&answer.attempts), expected, "{failure:?} {strategy:?}");
            assert_eq!(net.called().last().map(String::as_str), Some(good));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_strategy_of_one_place_never_calls_the_other() {
    for (fault, failure, _) in faults() {
        for (strategy, asked) in
            [(Strategy::LocalOnly, ["local-a", "local-b"]), (Strategy::CloudOnly, ["cloud-a", "cloud-b"])]
        {
            let says = |name: &str| if asked.contains(&name) { fault.clone() } else { say("leaked") };
            let names = ["cloud-a", "local-a", "cloud-b", "local-b"];
            let (router, net) = setup(&names.map(|name| (name, says(name))), strategy);
            let none = ask(&router, 90).await.unwrap_err();
            let reason = if failure == Failure::ContextTooLong {
                NoAnswerReason::Refused
            } else {
                NoAnswerReason::AllFailed
            };
            assert_eq!(none.reason, reason, "{failure:?}");
            assert!(net.called().iter().all(|name| asked.contains(&name.as_str())), "{failure:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_choice_answers_alone() {
    let servers = [("cloud", say("c")), ("local", say("l")), ("local-b", say("b"))];
    for (strategy, first) in [
        (Strategy::LocalFirst, "local"),
        (Strategy::CloudFirst, "cloud"),
        (Strategy::LocalOnly, "local"),
        (Strategy::CloudOnly, "cloud"),
    ] {
        let (router, net) = setup(&servers, strategy);
        assert_eq!(ask(&router, 90).await.unwrap().endpoint, first);
        assert_eq!(net.called(), [first]);
        assert_eq!(router.usual()[0].name, first);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_a_moment_is_waited_out_at_the_same_endpoint() {
    let servers = [("local", &[Does::Status(500, ""), say("yes")][..]), ("cloud", &[say("leaked")])];
    let net = net(&servers);
    let router = router(vec![endpoint("local"), endpoint("cloud")], Route::default(), &net).unwrap();
    let answer = ask(&router, 90).await.unwrap();
    assert_eq!((answer.endpoint.as_str(), net.called()), ("local", vec!["local".into(), "local".into()]));
    assert_eq!(net.times(), [0, 1_100]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_is_waited_for_where_it_can_be() {
    let busy = |after| Does::Told(429, ("retry-after", after), "");
    let (home, away) = ("local", "cloud");
    for (after, called, time) in [
        ("2", vec![home, home], 4_000),
        ("5", vec![home, home], 7_000),
        // Longer than a person is kept waiting for one endpoint.
        ("6", vec![home, away], 2_000),
    ] {
        let net = net(&[(home, &[busy(after), say("yes")]), (away, &[say("elsewhere")])]);
        let router = router(vec![endpoint(home), endpoint(away)], Route::default(), &net).unwrap();
        ask(&router, 90).await.unwrap();
        assert_eq!(
            (net.called(), net.millis()),
            (called.iter().map(|&n| n.to_owned()).collect(), time),
            "{after}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_endpoint_with_a_neighbour_is_not_waited_for() {
    let busy = Does::Told(429, ("retry-after", "1"), "");
    let (router, net) =
        setup(&[("la", busy), ("lb", say("yes")), ("cloud", say("leaked"))], Strategy::LocalFirst);
    assert_eq!(ask(&router, 90).await.unwrap().endpoint, "lb");
    assert_eq!((net.called().len(), net.millis()), (2, 2_000));
}

#[tokio::test(start_paused = true)]
async fn what_is_busy_for_good_is_asked_twice_and_no_more() {
    let busy = Does::Told(429, ("retry-after", "1"), "");
    let (router, net) = setup(&[("local", busy), ("cloud", say("yes"))], Strategy::LocalFirst);
    assert_eq!(ask(&router, 90).await.unwrap().endpoint, "cloud");
    assert_eq!(net.called(), ["local", "local", "cloud"]);
}

#[tokio::test(start_paused = true)]
async fn a_content_refusal_is_never_routed_around() {
    let cut_in = Does::Stream(&[
        Step::Word("half an"),
        Step::Bytes("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n"),
        Step::Done,
    ]);
    for refusing in [FILTERED, cut_in] {
        let (router, net) = setup(&[("local", refusing), ("cloud", say("leaked"))], Strategy::LocalFirst);
        let none = ask(&router, 90).await.unwrap_err();
        assert_eq!(none.reason, NoAnswerReason::Refused);
        assert!(!none.is_too_long());
        assert_eq!(net.called(), ["local"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_is_too_long_is_told_as_such() {
    let (router, _) = setup(&[("local", Does::Status(500, "")), ("cloud", TOO_LONG)], Strategy::LocalFirst);
    let none = ask(&router, 90).await.unwrap_err();
    assert_eq!(none.reason, NoAnswerReason::Refused);
    assert!(none.is_too_long());
}

#[tokio::test(start_paused = true)]
async fn what_was_too_long_goes_to_a_larger_window_only() {
    let window = |name, window| Endpoint { window, ..endpoint(name) };
    let endpoints = [
        window("la", Some(8_000)),
        window("lb", Some(8_000)),
        window("ca", Some(4_000)),
        window("cb", Some(32_000)),
    ];
    let net = net(&[("la", &[TOO_LONG]), ("lb", &[say("b")]), ("ca", &[say("c")]), ("cb", &[say("yes")])]);
    let router = router(endpoints.to_vec(), Route::default(), &net).unwrap();
    assert_eq!(ask(&router, 90).await.unwrap().endpoint, "cb");
    assert_eq!(net.called(), ["la", "cb"]);
}

#[tokio::test(start_paused = true)]
async fn all_attempts_together_have_one_budget_of_calls() {
    let names = ["la", "lb", "lc", "ld", "le"];
    let (_, net) = setup(&names.map(|name| (name, Does::Status(500, ""))), Strategy::LocalFirst);
    let route = Route { attempts: 5, ..Route::default() };
    let router = router(names.map(endpoint).to_vec(), route, &net).unwrap();
    assert_eq!(ask(&router, 90).await.unwrap_err().reason, NoAnswerReason::AllFailed);
    assert_eq!(net.called(), ["la", "la", "lb", "lb", "lc"]);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_full_is_passed_by_and_else_waited_for() {
    let one = |name| Endpoint { concurrency: Some(1), ..endpoint(name) };
    let slow = Does::Stream(&[Step::Word("slow"), Step::Rest(3), Step::Done]);
    let net = net(&[("la", std::slice::from_ref(&slow)), ("lb", std::slice::from_ref(&slow))]);
    let router = router(vec![one("la"), one("lb")], Route::default(), &net).unwrap();
    let (first, second, third) = tokio::join!(ask(&router, 90), ask(&router, 90), ask(&router, 90));
    assert_eq!(first.unwrap().endpoint, "la");
    assert_eq!(second.unwrap().endpoint, "lb");
    assert_eq!(third.unwrap().endpoint, "la");
    assert_eq!(net.times(), [0, 0, 4_000]);
    // Whoever has no time to wait learns so.
    let (first, second, third) = tokio::join!(ask(&router, 90), ask(&router, 90), ask(&router, 2));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(third.unwrap_err().reason, NoAnswerReason::OutOfTime);
}

#[tokio::test(start_paused = true)]
async fn an_echo_calls_nobody_and_is_local_whatever_it_is_called() {
    let net = net(&[]);
    let cloudy = Endpoint { place: Place::Cloud, ..Endpoint::echo() };
    let only = |strategy| Route { strategy, ..Route::default() };
    assert_eq!(
        router(vec![cloudy.clone()], only(Strategy::CloudOnly), &net).unwrap_err(),
        RoutingError::StrategyLeavesNone(Strategy::CloudOnly)
    );
    let answer = ask(&router(vec![cloudy], only(Strategy::LocalOnly), &net).unwrap(), 1).await.unwrap();
    assert_eq!(
        (answer.text.as_str(), answer.place, answer.model.as_str()),
        ("echo: hi", Place::Local, "echo")
    );
    assert!(answer.usage.estimated);
    assert!(net.called().is_empty());
}

#[tokio::test]
async fn a_router_that_could_not_work_is_not_made() {
    for (names, strategy, error) in [
        (vec![], Strategy::LocalFirst, RoutingError::NoEndpoints),
        (vec!["la", "lb", "la"], Strategy::LocalFirst, RoutingError::DuplicateName("la".into())),
        (vec!["la"], Strategy::CloudOnly, RoutingError::StrategyLeavesNone(Strategy::CloudOnly)),
        (vec!["ca"], Strategy::LocalOnly, RoutingError::StrategyLeavesNone(Strategy::LocalOnly)),
    ] {
        let endpoints = names.into_iter().map(endpoint).collect();
        assert_eq!(router(endpoints, Route { strategy, ..Route::default() }, &net(&[])).unwrap_err(), error);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_carries_the_status_and_what_the_server_says_without_what_was_asked() {
    let too_long = r#"{"error":{"message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4500 in the messages).","code":400}}"#;
    let amid = [Step::Bytes("data: {\"error\":{\"message\":\"CUDA error\\nin hi\",\"code\":500}}\n\n")];
    let amid: &'static [Step] = Box::leak(Box::new(amid));
    let servers = [
        ("l1", Does::Status(400, r#"{"error":"the input 'hi' is bad"}"#)),
        ("l2", Does::Stream(amid)),
        ("l3", Does::Status(400, too_long)),
        ("l4", Does::Fail(NetError::Unreachable)),
    ];
    let (router, _) = setup(&servers, Strategy::LocalFirst);
    let attempts = ask(&router, 90).await.unwrap_err().attempts;
    let told = |name: &str| {
        let attempt = attempts.iter().find(|attempt| attempt.endpoint == name).unwrap();
        (attempt.status, attempt.message.as_ref().map(ToString::to_string))
    };
    assert_eq!(told("l1"), (Some(400), Some("the input '…' is bad".to_owned())));
    assert_eq!(told("l2"), (Some(500), Some("CUDA error in …".to_owned())));
    assert_eq!(told("l3").0, Some(400));
    assert_eq!(told("l4"), (None, None));
    let figures = attempts.iter().find(|attempt| attempt.endpoint == "l3").unwrap().overflow;
    assert_eq!((figures.window, figures.prompt), (Some(4096), Some(4500)));
}
