//! The four clocks, and the budget of time above them. The transport keeps the clock for connecting.

use routing::{Failure, NoAnswerReason, Strategy};

use crate::net::{Does, Step, ask, failed, say, setup};

#[tokio::test(start_paused = true)]
async fn a_silent_endpoint_costs_the_first_tokens_time_and_is_asked_once() {
    // Comments of a proxy are no sign of life.
    let comments = Does::Stream(&[
        Step::Bytes(": working\n\n"),
        Step::Rest(10),
        Step::Bytes(": working\n\n"),
        Step::Rest(10),
        Step::Word("late"),
        Step::Done,
    ]);
    for silent in [Does::Hang, Does::Stream(&[Step::Rest(100)]), comments] {
        let (router, net) = setup(&[("local", silent), ("cloud", say("yes"))], Strategy::LocalFirst);
        let answer = ask(&router, 90).await.unwrap();
        assert_eq!(failed(&answer.attempts), [Some(Failure::SlowFirstToken), None]);
        assert_eq!((net.called().len(), net.times()), (2, vec![0, 15_000]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_never_ends_is_silence_too() {
    let refusing = Does::Refuse(503, &[Step::Bytes("{\"error\""), Step::Rest(100)]);
    let (router, net) = setup(&[("local", refusing), ("cloud", say("yes"))], Strategy::LocalFirst);
    let answer = ask(&router, 90).await.unwrap();
    assert_eq!(failed(&answer.attempts), [Some(Failure::SlowFirstToken), None]);
    assert_eq!(net.times(), [0, 15_000]);
}

#[tokio::test(start_paused = true)]
async fn thoughts_are_a_sign_of_life() {
    let thinking = Does::Stream(&[
        Step::Rest(10),
        Step::Thought("hm"),
        Step::Rest(9),
        Step::Thought("well"),
        Step::Rest(9),
        Step::Word("yes"),
        Step::Done,
    ]);
    let (router, net) = setup(&[("local", thinking), ("cloud", say("leaked"))], Strategy::LocalFirst);
    let answer = ask(&router, 90).await.unwrap();
    assert_eq!((answer.text.as_str(), net.called().len()), ("yes", 1));
    assert_eq!(answer.attempts[0].first_token_millis, Some(11_000));
}

#[tokio::test(start_paused = true)]
async fn whoever_is_the_last_to_ask_is_waited_for() {
    let slow = Does::Stream(&[Step::Rest(20), Step::Word("yes"), Step::Done]);
    let (router, _) = setup(&[("local", slow)], Strategy::LocalFirst);
    let answer = ask(&router, 90).await.unwrap();
    assert_eq!(answer.attempts[0].first_token_millis, Some(21_000));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_falls_silent_is_given_up() {
    let comments = Does::Stream(&[
        Step::Word("half"),
        Step::Rest(6),
        Step::Bytes(": working\n\n"),
        Step::Rest(6),
        Step::Word("late"),
        Step::Done,
    ]);
    for stalling in [Does::Stream(&[Step::Word("half"), Step::Rest(100)]), comments] {
        let (router, net) = setup(&[("local", stalling), ("cloud", say("whole"))], Strategy::LocalFirst);
        let answer = ask(&router, 90).await.unwrap();
        assert_eq!((answer.text.as_str(), net.called()), ("whole", vec!["local".into(), "cloud".into()]));
        assert_eq!(failed(&answer.attempts), [Some(Failure::Stalled), None]);
        assert_eq!(net.times(), [0, 11_000]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_end_takes_its_attempt_and_no_more() {
    let endless = Does::Stream(&[
        Step::Word("a"),
        Step::Rest(9),
        Step::Word("b"),
        Step::Rest(9),
        Step::Word("c"),
        Step::Rest(9),
        Step::Word("d"),
        Step::Rest(9),
        Step::Word("e"),
        Step::Done,
    ]);
    let (router, net) = setup(&[("local", endless), ("cloud", say("yes"))], Strategy::LocalFirst);
    let answer = ask(&router, 90).await.unwrap();
    assert_eq!(failed(&answer.attempts), [Some(Failure::Timeout), None]);
    assert_eq!(net.times(), [0, 30_000]);
}

#[tokio::test(start_paused = true)]
async fn attempts_are_cut_to_the_budget() {
    let names = ["la", "lb", "lc", "ld"];
    let (router, net) = setup(&names.map(|name| (name, Does::Hang)), Strategy::LocalFirst);
    let none = ask(&router, 40).await.unwrap_err();
    assert_eq!(none.reason, NoAnswerReason::OutOfTime);
    assert_eq!(net.called(), ["la", "lb", "lc"]);
    assert_eq!(net.allowed(), [30, 25, 10]);
    assert_eq!(none.attempts.iter().map(|a| a.millis).collect::<Vec<_>>(), [15_000, 15_000, 10_000]);
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_ends_with_the_last_endpoint_is_out_of_time_too() {
    let (router, _) = setup(&[("local", Does::Hang)], Strategy::LocalFirst);
    assert_eq!(ask(&router, 10).await.unwrap_err().reason, NoAnswerReason::OutOfTime);
    let (router, net) = setup(&[("local", say("late"))], Strategy::LocalFirst);
    assert_eq!(ask(&router, 0).await.unwrap_err().reason, NoAnswerReason::OutOfTime);
    assert!(net.called().is_empty());
}
