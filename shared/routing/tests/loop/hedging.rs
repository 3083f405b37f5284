//! A second endpoint beside one that is slow to begin.

use std::time::Duration;

use routing::{AttemptOutcome, Hedge, Route};

use crate::net::{Does, Ear, Step, ask, endpoint, listen, net, router, say};

fn hedged(share: f64) -> Route {
    Route { hedge: Some(Hedge { after: Some(Duration::from_secs(3)), share }), ..Route::default() }
}

fn outcomes(attempts: &[routing::Attempt]) -> Vec<(&str, &'static str)> {
    attempts.iter().map(|attempt| (attempt.endpoint.as_str(), attempt.outcome.as_str())).collect()
}

const SLOW: Does = Does::Stream(&[Step::Rest(10), Step::Word("slow"), Step::Done]);

#[tokio::test(start_paused = true)]
async fn the_first_to_speak_answers_and_both_are_booked() {
    let net = net(&[("local", &[SLOW]), ("cloud", &[Does::Say(&["qu", "ick"])])]);
    let router = router(vec![endpoint("local"), endpoint("cloud")], hedged(1.0), &net).unwrap();
    let ear = Ear::new(false);
    let answer = listen(&router, &ear).await.unwrap();
    assert_eq!((answer.text.as_str(), ear.heard().as_str()), ("quick", "quick"));
    assert_eq!(outcomes(&answer.attempts), [("local", "outrun"), ("cloud", "answered")]);
    assert_eq!(net.times(), [0, 3_000]);
    assert_eq!(net.millis(), 4_000);
    let outrun = answer.attempts[0].usage.unwrap();
    assert!(outrun.estimated && outrun.prompt > 0);
}

#[tokio::test(start_paused = true)]
async fn the_slow_one_may_still_be_first() {
    let slow = Does::Stream(&[Step::Rest(3), Step::Word("mine"), Step::Done]);
    let net = net(&[("local", &[slow]), ("cloud", &[SLOW])]);
    let router = router(vec![endpoint("local"), endpoint("cloud")], hedged(1.0), &net).unwrap();
    let answer = ask(&router, 90).await.unwrap();
    assert_eq!(answer.text, "mine");
    assert_eq!(outcomes(&answer.attempts), [("cloud", "outrun"), ("local", "answered")]);
}

#[tokio::test(start_paused = true)]
async fn whichever_fails_the_other_goes_on() {
    for (local, cloud, answered) in [
        (
            Does::Stream(&[Step::Rest(3), Step::Break]),
            Does::Stream(&[Step::Rest(5), Step::Word("c"), Step::Done]),
            "cloud",
        ),
        (Does::Stream(&[Step::Rest(9), Step::Word("l"), Step::Done]), Does::Status(503, ""), "local"),
    ] {
        let net = net(&[("local", &[local]), ("cloud", &[cloud])]);
        let router = router(vec![endpoint("local"), endpoint("cloud")], hedged(1.0), &net).unwrap();
        let answer = ask(&router, 90).await.unwrap();
        assert_eq!(answer.endpoint, answered);
        assert_eq!(answer.attempts.len(), 2);
        assert_ne!(answer.attempts[0].outcome, AttemptOutcome::Outrun);
    }
}

#[tokio::test(start_paused = true)]
async fn a_quick_endpoint_is_not_hedged_and_the_share_is_kept() {
    let net_ = net(&[("local", &[say("quick")]), ("cloud", &[say("leaked")])]);
    let router_ = router(vec![endpoint("local"), endpoint("cloud")], hedged(1.0), &net_).unwrap();
    ask(&router_, 90).await.unwrap();
    assert_eq!(net_.called(), ["local"]);

    let slow = Does::Stream(&[Step::Rest(4), Step::Word("slow"), Step::Done]);
    let net_ = net(&[("local", &[slow]), ("cloud", &[say("quick")])]);
    let router_ = router(vec![endpoint("local"), endpoint("cloud")], hedged(0.25), &net_).unwrap();
    let mut twice = 0;
    for _ in 0..20 {
        twice += usize::from(ask(&router_, 90).await.unwrap().endpoint == "cloud");
    }
    assert_eq!(twice, 5);
}
