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
    let malformed = Does::Stream(&[Step::Word("half an "), Step::Bytes("data: {\n\n"), Step::Done]);
    let unfinished = Does::Stream(&[Step::Word("half an ")]);
    let stalled = Does::Stream(&[Step::Word("half an "), Step::Rest(60)]);
    let failing = Does::Stream(&[
        Step::Word("half an "),
        Step::Bytes("data: {\"error\":{\"message\":\"engine died\",\"type\":\"server_error\"}}\n\n"),
    ]);
    for (breaking, failure) in [
        (CUT, Failure::Broken),
        (malformed, Failure::Malformed),
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
    // Where nobody is left to ask, it is all there is.
    let (router, _) = setup(&[("local", garbled)], Strategy::LocalFirst);
    assert_eq!(ask(&router, 90).await.unwrap().text, "a whole one");
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
