//! Answers that are heard while they come, and those that break off.

use routing::{Failure, Finish, Strategy};

use crate::net::{Does, Ear, Step, ask, failed, listen, say, setup};

const CUT: Does = Does::Stream(&[Step::Word("half an "), Step::Break]);

#[tokio::test(start_paused = true)]
async fn words_are_heard_as_they_come() {
    let (router, _) = setup(&[("local", Does::Say(&["The ", "magpie", " bridge "]))], Strategy::LocalFirst);
    let ear = Ear::new(true);
    let answer = listen(&router, &ear).await.unwrap();
    assert_eq!(ear.heard(), "The magpie bridge ");
    assert_eq!((answer.text.as_str(), answer.model.as_str()), ("The magpie bridge", "served"));
    assert_eq!(answer.finish, Finish::Complete);
}

#[tokio::test(start_paused = true)]
async fn a_broken_answer_begins_anew_elsewhere_and_the_hearer_is_told() {
    let unfinished = Does::Stream(&[Step::Word("half an ")]);
    let stalled = Does::Stream(&[Step::Word("half an "), Step::Rest(60)]);
    let failing = Does::Stream(&[
        Step::Word("half an "),
        Step::Bytes("data: {\"error\":{\"message\":\"engine died\",\"type\":\"server_error\"}}\n\n"),
    ]);
    for (breaking, failure) in [
        (CUT, Failure::Broken),
        (unfinished, Failure::Broken),
        (stalled, Failure::Stalled),
        (failing, Failure::Server(500)),
    ] {
        let (router, net) =
            setup(&[("local", breaking), ("cloud", say("a whole one"))], Strategy::LocalFirst);
        let ear = Ear::new(true);
        let answer = listen(&router, &ear).await.unwrap();
        assert_eq!((answer.text.as_str(), ear.heard().as_str()), ("a whole one", "half an |a whole one"));
        assert_eq!(failed(&answer.attempts), [Some(failure), None]);
        // What broke in the middle is not tried again at the same place: it would break for longer than it can be heard.
        assert_eq!(net.called(), ["local", "cloud"]);
    }
}

#[tokio::test(start_paused = true)]
async fn who_cannot_take_back_what_was_heard_gets_no_second_answer() {
    let (router, net) = setup(&[("local", CUT), ("cloud", say("a whole one"))], Strategy::LocalFirst);
    let ear = Ear::new(false);
    let none = listen(&router, &ear).await.unwrap_err();
    assert_eq!(failed(&none.attempts), [Some(Failure::Broken)]);
    assert_eq!((ear.heard().as_str(), net.called().len()), ("half an ", 1));
    // Before the first word anything may happen unheard.
    let (router, _) = setup(&[("local", Does::Status(503, "")), ("cloud", say("yes"))], Strategy::LocalFirst);
    let ear = Ear::new(false);
    assert!(listen(&router, &ear).await.is_ok());
    assert_eq!(ear.heard(), "yes");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_passed_over_by_who_cannot_take_back_the_rest() {
    let garbled = Does::Stream(&[
        Step::Word("a whole "),
        Step::Bytes("data: {\"cho\n\n"),
        Step::Word("one"),
        Step::Done,
    ]);
    let (router, _) = setup(&[("local", garbled.clone()), ("cloud", say("another"))], Strategy::LocalFirst);
    let ear = Ear::new(false);
    assert_eq!(listen(&router, &ear).await.unwrap().text, "a whole one");
    // Where nobody else is left to ask at this place, what can be read is the answer.
    for others in [vec![], vec![("cloud", say("another"))]] {
        let servers: Vec<_> = [("local", garbled.clone())].into_iter().chain(others).collect();
        let (router, net) = setup(&servers, Strategy::LocalFirst);
        assert_eq!(ask(&router, 90).await.unwrap().text, "a whole one");
        assert_eq!(net.called(), ["local"]);
    }
    let (router, _) = setup(&[("l1", garbled), ("l2", say("another"))], Strategy::LocalFirst);
    let answer = ask(&router, 90).await.unwrap();
    assert_eq!(
        (answer.text.as_str(), failed(&answer.attempts)),
        ("another", vec![Some(Failure::Malformed), None])
    );
    let cut = Does::Stream(&[Step::Word("half an "), Step::Bytes("data: {\"cho\n\n")]);
    let (router, _) = setup(&[("local", cut)], Strategy::LocalFirst);
    assert_eq!(failed(&ask(&router, 90).await.unwrap_err().attempts), [Some(Failure::Malformed)]);
}

#[tokio::test(start_paused = true)]
async fn an_end_mark_or_a_reason_makes_an_answer_whole() {
    let reason = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n";
    for (steps, finish) in [
        (&[Step::Word("yes"), Step::Bytes("data: [DONE]\n\n"), Step::Rest(900)][..], Finish::Complete),
        (Box::leak(Box::new([Step::Word("yes"), Step::Bytes(reason)])), Finish::Length),
    ] {
        let (router, _) = setup(&[("local", Does::Stream(steps))], Strategy::LocalFirst);
        let answer = ask(&router, 90).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.finish), ("yes", finish));
    }
}

#[tokio::test(start_paused = true)]
async fn reasoning_is_not_heard() {
    let thinking = Does::Say(&["<thi", "nk>they greet", "</think>\n\n", "Hi."]);
    let (router, _) = setup(&[("local", thinking)], Strategy::LocalFirst);
    let ear = Ear::new(true);
    assert_eq!(listen(&router, &ear).await.unwrap().text, "Hi.");
    assert_eq!(ear.heard(), "Hi.");
    // Its opening may be missing; then only the end shows that it was no answer.
    let (router, _) =
        setup(&[("local", Does::Say(&["they greet\n", "</think>\n\n", "Hi."]))], Strategy::LocalFirst);
    let ear = Ear::new(true);
    assert_eq!(listen(&router, &ear).await.unwrap().text, "Hi.");
    assert_eq!(ear.heard(), "they greet\n</think>\n\nHi.|Hi.");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_stream_is_heard_whole() {
    let whole = Does::Status(200, r#"{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}"#);
    let (router, _) = setup(&[("local", whole)], Strategy::LocalFirst);
    let ear = Ear::new(true);
    assert_eq!(listen(&router, &ear).await.unwrap().text, "yes");
    assert_eq!(ear.heard(), "yes");
}

#[tokio::test(start_paused = true)]
async fn no_conversation_is_continued_in_the_models_name() {
    // Some servers refuse a prompt whose last line is the model's; ours never is, not even after a break.
    let (router, net) = setup(&[("local", CUT), ("cloud", say("yes"))], Strategy::LocalFirst);
    ask(&router, 90).await.unwrap();
    for body in net.bodies() {
        assert_eq!(body["messages"].as_array().unwrap().last().unwrap()["role"], "user");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_shown_holds_words() {
    let (router, _) = setup(&[("local", say("hidden words"))], Strategy::LocalOnly);
    let shown = format!("{:?}", ask(&router, 9).await.unwrap());
    assert!(!shown.contains("hidden"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn who_spent_all_tokens_on_reasoning_has_answered_and_nobody_else_is_asked() {
    let length =
        Step::Bytes("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n");
    let apart: &'static [Step] = Box::leak(Box::new([Step::Thought("they greet"), length]));
    let marked: &'static [Step] =
        Box::leak(Box::new([Step::Word("<think>they "), Step::Word("greet"), length]));
    let whole =
        r#"{"choices":[{"message":{"content":null,"reasoning_content":"they"},"finish_reason":"length"}]}"#;
    for does in [Does::Stream(apart), Does::Stream(marked), Does::Status(200, whole)] {
        let (router, net) = setup(&[("local", does), ("cloud", say("leaked"))], Strategy::LocalFirst);
        let ear = Ear::new(true);
        let answer = listen(&router, &ear).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.finish), ("", Finish::Length));
        assert_eq!((net.called(), ear.heard()), (vec!["local".to_owned()], String::new()));
        assert_eq!(failed(&answer.attempts), [None]);
    }
}

/// What a healthy server sends by mistake neither sends a question elsewhere nor closes it off.
#[tokio::test(start_paused = true)]
async fn an_event_without_an_answer_in_it_changes_nothing() {
    for event in [
        r#"{"id":"c1","choices":null}"#,
        r#"{"id":"c1"}"#,
        r#"{"choices":[{"delta":null}]}"#,
        r#"{"type":"ping"}"#,
        r#"{"choices":[{"delta":{"content":"\ud83d"}}]}"#,
        "[1]",
        "7",
        "{\"choices\":[{",
        "",
    ] {
        let event = Step::Bytes(Box::leak(format!("data: {event}\n\n").into_boxed_str()));
        let steps: &'static [Step] = Box::leak(Box::new([event, Step::Word("yes"), event, Step::Done]));
        let (router, net) =
            setup(&[("local", Does::Stream(steps)), ("cloud", say("leaked"))], Strategy::LocalFirst);
        for _ in 0..8 {
            let answer = ask(&router, 90).await.unwrap();
            assert_eq!((answer.text.trim_matches('\u{fffd}'), answer.endpoint.as_str()), ("yes", "local"));
        }
        assert_eq!(net.called().len(), 8);
        assert_eq!(router.signs()[0].gate, routing::Gate::Closed);
    }
}
