//! Servers that are not there yet, and who waits for them.

use std::{sync::Arc, time::Duration};

use chat::Pause as _;
use routing::{Ask, Context, Failure, Gate, NoAnswerReason, Prompt, Route, Rule, Strategy, Then, When};
use transport::NetError;

use crate::net::{Does, Ear, Step, ask, endpoint, failed, listen_for, net, router, say, setup};

const REFUSED: Does = Does::Fail(NetError::Unreachable);

/// Loading, as llama.cpp, Hugging Face's and Triton's servers, Ollama, and proxies say it.
fn loading() -> [Does; 7] {
    [
        Does::Status(503, r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#),
        Does::Status(503, r#"{"error":"Model Qwen/Qwen3-32B is currently loading","estimated_time":20.0}"#),
        Does::Status(503, r#"{"error":"Model with name qwen is not ready."}"#),
        Does::Status(500, r#"{"error":"unexpected server status: llm server loading model"}"#),
        Does::Status(503, "<html><h1>503 Service Temporarily Unavailable</h1></html>"),
        Does::Status(502, "<html><h1>502 Bad Gateway</h1></html>"),
        Does::Fail(NetError::ConnectTimeout),
    ]
}

/// It does this until it has been up for so many seconds, and answers from then on.
fn up_after(seconds: u64, until: &Does) -> Does {
    Does::Until(seconds, Box::new(until.clone()), Box::new(say("up")))
}

#[tokio::test(start_paused = true)]
async fn who_starts_is_waited_for_where_nobody_else_may_be_asked() {
    for down in loading().into_iter().chain([REFUSED]) {
        for seconds in [2, 30, 100, 200] {
            let (router, net) = setup(&[("local", up_after(seconds, &down))], Strategy::LocalFirst);
            let answer = ask(&router, 240).await.unwrap();
            assert_eq!(answer.text, "up");
            let late = net.millis() - u128::from(seconds) * 1_000;
            assert!(late <= 8_000, "{late} ms after it was up at {seconds} s");
            // Neither is it hammered: once a second on the way to the longest wait, then every five and the second that a call takes.
            assert!(
                net.called().len() as u64 <= 8 + seconds / 5,
                "{} calls in {seconds} s",
                net.called().len()
            );
            assert_eq!(router.signs()[0].gate, Gate::Closed);
            let shown = failed(&answer.attempts);
            assert!(
                shown.len() <= 3 && shown.last() == Some(&None),
                "the books are not full of it: {shown:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_wait_is_told_at_once_what_failed() {
    let (router, net) = setup(&[("local", up_after(30, &REFUSED))], Strategy::LocalFirst);
    let (prompt, context) = (Prompt::question("hi"), Context::default());
    let ask = Ask { waits: false, ..Ask::whole(&prompt, &context, Duration::from_secs(240)) };
    let none = router.ask(&ask).await.unwrap_err();
    assert_eq!(
        (none.reason, failed(&none.attempts)),
        (NoAnswerReason::AllFailed, vec![Some(Failure::Unreachable)])
    );
    assert_eq!(net.called().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_is_the_only_one_left_is_waited_for() {
    let servers = [("local", up_after(60, &REFUSED)), ("cloud", Does::Status(401, ""))];
    // Forbidden by the strategy, and by a rule.
    let (only, strict) = setup(&servers, Strategy::LocalOnly);
    assert_eq!(ask(&only, 240).await.unwrap().endpoint, "local");
    assert!(strict.called().iter().all(|name| name == "local"));
    let then = Then { local_only: true, ..Then::default() };
    let rules = vec![Rule {
        name: "secret".into(),
        when: When { words: vec!["hi".into()], ..When::default() },
        then,
    }];
    let scripts: Vec<_> = servers.iter().map(|(name, does)| (*name, std::slice::from_ref(does))).collect();
    let ruled = net(&scripts);
    let endpoints = vec![endpoint("local"), endpoint("cloud")];
    let router = router(endpoints, Route { rules, ..Route::default() }, &ruled).unwrap();
    assert_eq!(ask(&router, 240).await.unwrap().endpoint, "local");
    assert!(ruled.called().iter().all(|name| name == "local"));
    // It is asked in vain, and then the other one is waited for.
    let (router, net) = setup(&servers, Strategy::LocalFirst);
    assert_eq!(ask(&router, 240).await.unwrap().endpoint, "local");
    assert_eq!(net.called().iter().filter(|name| *name == "cloud").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_starts_is_not_waited_for_where_another_can_answer() {
    for down in loading().into_iter().chain([REFUSED]) {
        let (router, net) = setup(&[("local", down), ("cloud", say("yes"))], Strategy::LocalFirst);
        assert_eq!(ask(&router, 240).await.unwrap().endpoint, "cloud");
        assert!(net.millis() < 4_000, "{}", net.millis());
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_of_two_that_are_back_answers() {
    let servers = [("la", up_after(90, &REFUSED)), ("lb", up_after(40, &REFUSED))];
    let (router, net) = setup(&servers, Strategy::LocalFirst);
    assert_eq!(ask(&router, 240).await.unwrap().endpoint, "lb");
    assert!(net.millis() < 48_000);
}

#[tokio::test(start_paused = true)]
async fn many_who_wait_ask_no_more_often_than_one_and_are_answered_together() {
    let (router, net) = setup(&[("local", up_after(60, &REFUSED))], Strategy::LocalFirst);
    let router = Arc::new(router);
    let asked: Vec<_> = (0..200)
        .map(|_| {
            let router = Arc::clone(&router);
            tokio::spawn(async move { ask(&router, 240).await.unwrap().text })
        })
        .collect();
    for one in asked {
        assert_eq!(one.await.unwrap(), "up");
    }
    // Each once as it came, all together every five seconds, and each once when it was up.
    let calls = net.called().len();
    assert!(calls <= 200 + 20 + 200, "{calls}");
    assert!(net.millis() < 68_000);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_questions_time_and_says_why() {
    for down in loading().into_iter().chain([REFUSED]) {
        let (router, net) = setup(&[("local", down)], Strategy::LocalFirst);
        let none = ask(&router, 60).await.unwrap_err();
        assert_eq!(none.reason, NoAnswerReason::AllFailed);
        assert!((53_000..=60_000).contains(&net.millis()), "{}", net.millis());
    }
}

#[tokio::test(start_paused = true)]
async fn tries_of_who_starts_are_not_counted_among_the_calls() {
    let (_, net) = setup(&[("local", up_after(120, &REFUSED))], Strategy::LocalFirst);
    let router = router(vec![endpoint("local")], Route { attempts: 1, ..Route::default() }, &net).unwrap();
    assert_eq!(ask(&router, 240).await.unwrap().text, "up");
}

#[tokio::test(start_paused = true)]
async fn who_says_that_it_is_starting_is_asked_soon_after_it_is_up() {
    let starting = &loading()[0];
    let (router, net) =
        setup(&[("local", up_after(600, starting)), ("cloud", say("yes"))], Strategy::LocalFirst);
    // Other questions come all the time, and the cloud answers them.
    let mut answered = String::new();
    while answered != "local" {
        net.pause(Duration::from_secs(1)).await;
        answered = ask(&router, 240).await.unwrap().endpoint;
    }
    assert!(net.millis() < 620_000, "{}", net.millis());
}

#[tokio::test(start_paused = true)]
async fn who_restarts_in_the_middle_of_an_answer_is_waited_for() {
    let dies = Does::Stream(&[Step::Word("half an "), Step::Break]);
    let scripts = [("local", &[dies.clone(), up_after(30, &REFUSED)][..])];
    let net = net(&scripts);
    let router = router(vec![endpoint("local")], Route::default(), &net).unwrap();
    let ear = Ear::new(true);
    assert_eq!(listen_for(&router, &ear, 240).await.unwrap().text, "up");
    assert_eq!(ear.heard(), "half an |up");
}

#[tokio::test(start_paused = true)]
async fn who_dies_of_a_question_is_asked_it_twice_and_no_more() {
    let dies = Does::Stream(&[Step::Thought("hm"), Step::Break]);
    let script = [dies.clone(), REFUSED, REFUSED, REFUSED, dies.clone(), REFUSED, REFUSED, say("leaked")];
    let net = net(&[("local", &script)]);
    let router = router(vec![endpoint("local")], Route::default(), &net).unwrap();
    let none = ask(&router, 240).await.unwrap_err();
    assert_eq!(none.reason, NoAnswerReason::AllFailed);
    assert_eq!(
        failed(&none.attempts),
        [Some(Failure::Broken), Some(Failure::Unreachable), Some(Failure::Broken)]
    );
}
