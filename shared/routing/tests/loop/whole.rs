//! Endpoints that are asked for an answer in one piece where nobody hears it come.

use std::time::Duration;

use routing::{Endpoint, Failure, Hedge, Route, Streaming};

use crate::net::{Does, Ear, Step, ask, endpoint, failed, listen, net, router, say};

/// In one piece, after twenty seconds more than the head takes.
const LATE: Does = Does::Stream(&[
    Step::Rest(20),
    Step::Bytes(r#"{"model":"served","choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}"#),
]);

fn when_heard(name: &str) -> Endpoint {
    Endpoint { streaming: Streaming::WhenHeard, ..endpoint(name) }
}

#[tokio::test(start_paused = true)]
async fn who_hears_nothing_come_asks_for_the_whole() {
    let net = net(&[("local", &[LATE])]);
    let router = router(vec![when_heard("local")], Route::default(), &net).unwrap();
    let answer = ask(&router, 90).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.model.as_str()), ("yes", "served"));
    assert_eq!(answer.attempts[0].first_token_millis, None, "a whole answer has no first token");
    let body = &net.bodies()[0];
    assert_eq!((&body["stream"], body.get("stream_options")), (&false.into(), None));
}

#[tokio::test(start_paused = true)]
async fn who_hears_it_come_asks_for_a_stream() {
    let net = net(&[("local", &[say("yes")])]);
    let router = router(vec![when_heard("local")], Route::default(), &net).unwrap();
    let answer = listen(&router, &Ear::new(true)).await.unwrap();
    assert_eq!(net.bodies()[0]["stream"], true);
    assert_eq!(answer.attempts[0].first_token_millis, Some(1_000));
}

#[tokio::test(start_paused = true)]
async fn silence_before_a_whole_answer_tells_nothing() {
    let hedge = Some(Hedge { after: Some(Duration::from_secs(3)), share: 1.0 });
    let net = net(&[("local", &[LATE]), ("cloud", &[say("leaked")])]);
    let route = Route { hedge, ..Route::default() };
    let router = router(vec![when_heard("local"), endpoint("cloud")], route, &net).unwrap();
    let answer = ask(&router, 90).await.unwrap();
    assert_eq!((answer.text.as_str(), net.called()), ("yes", vec!["local".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn no_second_endpoint_races_with_a_whole_answer() {
    let slow = Does::Stream(&[Step::Rest(10), Step::Word("slow"), Step::Done]);
    let hedge = Some(Hedge { after: Some(Duration::from_secs(3)), share: 1.0 });
    let net = net(&[("local", &[slow]), ("cloud", &[LATE])]);
    let route = Route { hedge, ..Route::default() };
    let router = router(vec![endpoint("local"), when_heard("cloud")], route, &net).unwrap();
    assert_eq!(ask(&router, 90).await.unwrap().text, "slow");
    assert_eq!(net.called(), ["local"]);
}

#[tokio::test(start_paused = true)]
async fn a_whole_answer_that_never_comes_takes_its_attempt_and_no_more() {
    let net = net(&[("local", &[Does::Hang]), ("cloud", &[say("yes")])]);
    let router = router(vec![when_heard("local"), endpoint("cloud")], Route::default(), &net).unwrap();
    let answer = ask(&router, 90).await.unwrap();
    assert_eq!(failed(&answer.attempts), [Some(Failure::Timeout), None]);
    assert_eq!(net.times(), [0, 30_000]);
}
