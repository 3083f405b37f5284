//! The four clocks, and the budget of time above them. The transport keeps the clock for connecting.

use routing::{Failure, Finish, Gate, NoAnswerReason, Strategy};

use crate::net::{Does, Ear, Step, ask, failed, listen_for, say, setup};

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
async fn who_never_begins_takes_its_attempt_and_no_more() {
    // Comments, empty chunks and the role alone are no token.
    let idle = Does::Stream(&[
        Step::Bytes("data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n"),
        Step::Rest(9),
        Step::Bytes(": working\n\n"),
        Step::Rest(9),
        Step::Bytes("data: {\"choices\":[{\"delta\":{}}]}\n\n"),
        Step::Rest(900),
    ]);
    for silent in [Does::Hang, idle] {
        let (router, net) = setup(&[("local", silent)], Strategy::LocalFirst);
        let none = ask(&router, 90).await.unwrap_err();
        assert_eq!(failed(&none.attempts), [Some(Failure::Timeout)]);
        assert_eq!((net.called().len(), net.millis()), (1, 30_000));
    }
}

/// Ninety seconds of reasoning, sixty of an answer.
fn long_answer() -> Does {
    let thoughts = (0..15).flat_map(|_| [Step::Rest(6), Step::Thought("hm")]);
    let words = (0..10).flat_map(|_| [Step::Rest(6), Step::Word("word ")]);
    Does::Stream(Box::leak(thoughts.chain(words).chain([Step::Done]).collect()))
}

#[tokio::test(start_paused = true)]
async fn a_long_answer_is_no_failure() {
    for ear in [None, Some(Ear::new(true)), Some(Ear::new(false))] {
        let servers = [("local", long_answer()), ("cloud", say("leaked"))];
        let (router, net) = setup(&servers, Strategy::LocalFirst);
        let answer = match &ear {
            None => ask(&router, 240).await,
            Some(ear) => listen_for(&router, ear, 240).await,
        };
        let answer = answer.unwrap();
        assert_eq!((answer.text, answer.finish), ("word ".repeat(10).trim().to_owned(), Finish::Complete));
        assert_eq!((net.called(), net.millis()), (vec!["local".to_owned()], 151_000));
        assert_eq!(failed(&answer.attempts), [None]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_questions_time_cuts_off_is_given_as_far_as_it_came() {
    // In its words, in its reasoning, and in the middle of a silence that is not yet too long.
    for (seconds, words, heard) in
        [(109, "word word word", "word word word "), (60, "", ""), (113, "word word word", "word word word ")]
    {
        for takes_back in [true, false] {
            let servers = [("local", long_answer()), ("cloud", say("leaked"))];
            let (router, net) = setup(&servers, Strategy::LocalFirst);
            for _ in 0..10 {
                let (began, ear) = (net.millis(), Ear::new(takes_back));
                let answer = listen_for(&router, &ear, seconds).await.unwrap();
                assert_eq!((answer.text.as_str(), answer.finish), (words, Finish::TimedOut), "{seconds}");
                assert_eq!(
                    (ear.heard().as_str(), net.millis() - began),
                    (heard, u128::from(seconds) * 1_000)
                );
                assert_eq!(failed(&answer.attempts), [None]);
                assert!(answer.usage.estimated);
            }
            assert_eq!(router.signs()[0].gate, Gate::Closed);
            assert!(net.called().iter().all(|name| name == "local"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_one_piece_has_its_attempts_time() {
    let whole =
        Does::Stream(&[Step::Rest(40), Step::Bytes("{\"choices\":[{\"message\":{\"content\":\"late\"}}]}")]);
    let (router, net) = setup(&[("local", whole), ("cloud", say("yes"))], Strategy::LocalOnly);
    assert_eq!(failed(&ask(&router, 90).await.unwrap_err().attempts), [Some(Failure::Timeout)]);
    assert_eq!(net.millis(), 30_000);
}

#[tokio::test(start_paused = true)]
async fn who_falls_silent_before_the_questions_time_is_over_has_failed() {
    let stalled = Does::Stream(&[Step::Word("half an "), Step::Rest(900)]);
    let (router, net) = setup(&[("local", stalled)], Strategy::LocalFirst);
    assert_eq!(failed(&ask(&router, 90).await.unwrap_err().attempts), [Some(Failure::Stalled)]);
    assert_eq!(net.millis(), 11_000);
}

#[tokio::test(start_paused = true)]
async fn attempts_are_cut_to_the_budget() {
    let names = ["la", "lb", "lc", "ld"];
    let (router, net) = setup(&names.map(|name| (name, Does::Hang)), Strategy::LocalFirst);
    let none = ask(&router, 40).await.unwrap_err();
    assert_eq!(none.reason, NoAnswerReason::OutOfTime);
    assert_eq!(net.called(), ["la", "lb", "lc"]);
    assert_eq!(net.allowed(), [40, 25, 10]);
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
