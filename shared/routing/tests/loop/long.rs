//! Conversations that outgrow a model's context.

use std::{sync::Arc, time::Duration};

use routing::{
    Answer, Ask, AttemptOutcome, Context, Endpoint, Failure, Gate, Line, NoAnswer, NoAnswerReason, Prompt,
    Route, Router, Strategy,
};
use serde_json::Value;

use crate::net::{Does, Net, endpoint, failed, net, router, say, setup};

/// Both figures, as vLLM has them.
fn both(window: u64, prompt: u64) -> String {
    format!(
        r#"{{"error":{{"message":"This model's maximum context length is {window} tokens. However, you requested {prompt} tokens in the messages, Please reduce the length of the messages.","type":"BadRequestError","code":400}}}}"#
    )
}

/// The window only, as Alibaba Cloud has it.
fn window_only(window: u64, _: u64) -> String {
    format!(
        r#"{{"error":{{"code":"invalid_parameter_error","message":"Range of input length should be [1, {window}]"}}}}"#
    )
}

/// No figure, as Amazon has it.
fn neither(_: u64, _: u64) -> String {
    r#"{"message":"Input is too long for requested model."}"#.to_owned()
}

const WORDINGS: [fn(u64, u64) -> String; 3] = [both, window_only, neither];

/// A conversation of so many exchanges, each of so many characters on both sides.
fn conversation(exchanges: usize, text: &str, characters: usize) -> Prompt {
    let words =
        |number: usize| format!("{number}:{}", text.repeat(characters.div_ceil(text.chars().count())));
    let exchange = |number| [Line::user(words(number)), Line::assistant(words(number))];
    let mut lines: Vec<_> = (0..exchanges).flat_map(exchange).collect();
    let history = lines.len();
    lines.push(Line::user("And now?"));
    Prompt { system: Some("Be brief.".into()), lines, history, ..Prompt::default() }
}

async fn ask_of(router: &Router, prompt: &Prompt) -> Result<Answer, NoAnswer> {
    let context = Context::default();
    router.ask(&Ask::whole(prompt, &context, Duration::from_secs(90))).await
}

/// Asserts that what was sent is the end of the conversation, in whole exchanges, and returns how many these are.
fn remembered(body: &Value, prompt: &Prompt) -> usize {
    let sent = body["messages"].as_array().unwrap();
    assert_eq!((&sent[0]["role"], &sent[0]["content"]), (&"system".into(), &"Be brief.".into()));
    let texts: Vec<_> = sent[1..].iter().map(|message| message["content"].as_str().unwrap()).collect();
    let all: Vec<_> = prompt.lines.iter().map(|line| line.text.as_str()).collect();
    assert!(all.ends_with(&texts) && texts.len() % 2 == 1);
    texts.len() / 2
}

const ENGLISH: &str = "Tell me more about magpies. ";
const CHINESE: &str = "请再讲一讲喜鹊的故事。";
const CODE: &str = "fn f(x:&[u8])->u32{x.len()as u32}//";

#[tokio::test(start_paused = true)]
async fn a_conversation_that_outgrew_the_model_is_answered_by_it() {
    // Where no figure is named, a few questions halve what is sent until it fits.
    for (says, until) in WORDINGS.into_iter().zip([0, 0, 5]) {
        for text in [ENGLISH, CHINESE, CODE] {
            for (window, exchanges, characters) in [
                (4_096, 100, 400),
                (4_096, 8, 4_000),
                (2_048, 30, 300),
                (1_024, 2, 3_000),
                (512, 200, 40),
                (8_192, 90, 500),
            ] {
                let servers = [("local", Does::Window(window, says)), ("cloud", say("leaked"))];
                let (router, net) = setup(&servers, Strategy::LocalFirst);
                let prompt = conversation(exchanges, text, characters);
                let at = format!("{window} {exchanges} {characters} {text}");
                let answer = ask_of(&router, &prompt).await.unwrap();
                assert_eq!((answer.text.as_str(), answer.endpoint.as_str()), ("yes", "local"), "{at}");
                assert!(net.called().iter().all(|name| name == "local"));
                let outcome = failed(&answer.attempts);
                assert!(outcome[..outcome.len() - 1].iter().all(|one| *one == Some(Failure::ContextTooLong)));
                assert!((2..=3).contains(&outcome.len()), "{at}: {outcome:?}");
                assert_eq!(router.signs()[0].gate, Gate::Closed);
                for _ in 0..until {
                    assert!(ask_of(&router, &prompt).await.is_ok(), "{at}");
                }
                // What was learned spares the next questions the refusal.
                for _ in 0..3 {
                    let before = net.called().len();
                    assert!(ask_of(&router, &prompt).await.is_ok(), "{at}");
                    assert_eq!(net.called().len(), before + 1, "{at}");
                }
                remembered(net.bodies().last().unwrap(), &prompt);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_is_forgotten_than_needs_be() {
    for text in [ENGLISH, CHINESE, CODE] {
        let (router, net) = setup(&[("local", Does::Window(4_096, both))], Strategy::LocalFirst);
        let prompt = conversation(60, text, 200);
        let answer = ask_of(&router, &prompt).await.unwrap();
        assert_eq!(answer.attempts.len(), 2, "once is enough");
        remembered(&net.bodies()[1], &prompt);
        // A quarter is for the answer, and what the rest could hold is used but for an exchange and some inaccuracy.
        assert!((2_400..=3_300).contains(&answer.usage.prompt), "{} of 4,096: {text}", answer.usage.prompt);
    }
}

#[tokio::test(start_paused = true)]
async fn a_configured_window_spares_the_first_refusal_too() {
    let net = net(&[("local", &[Does::Window(4_096, both)]), ("cloud", &[say("leaked")])]);
    let local = Endpoint { window: Some(4_096), ..endpoint("local") };
    let cloud = Endpoint { window: Some(128_000), ..endpoint("cloud") };
    let router = router(vec![local, cloud], Route::default(), &net).unwrap();
    let prompt = conversation(100, ENGLISH, 400);
    assert_eq!(ask_of(&router, &prompt).await.unwrap().endpoint, "local");
    assert_eq!(net.called(), ["local"]);
    assert!(remembered(&net.bodies()[0], &prompt) > 5);
}

#[tokio::test(start_paused = true)]
async fn where_the_error_has_no_figure_the_server_is_asked_for_it_once() {
    let (router, net) = setup(&[("local", Does::Window(2_048, neither))], Strategy::LocalFirst);
    // What is loaded counts, and not what it was trained for.
    *net.infos.lock().unwrap() = vec![
        ("/v1/models", r#"{"data":[{"id":"model-of-local","meta":{"n_ctx_train":131072}}]}"#),
        ("/props", r#"{"default_generation_settings":{"n_ctx":2048}}"#),
    ];
    let prompt = conversation(4, ENGLISH, 4_000);
    for _ in 0..3 {
        assert!(ask_of(&router, &prompt).await.is_ok());
    }
    let looked = net.looked.lock().unwrap().clone();
    assert_eq!(looked, ["/v1/models", "/props", "/api/v0/models", "/api/ps", "/api/show"]);
    assert_eq!(net.called().len(), 2 + 1 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_figure_that_cannot_be_right_keeps_nobody_from_an_answer() {
    for wrong in [131_072, 1] {
        let says: fn(u64, u64) -> String =
            if wrong == 1 { |_, p| both(1, p) } else { |_, p| both(131_072, p) };
        let (router, net) = setup(&[("local", Does::Window(2_048, says))], Strategy::LocalFirst);
        let prompt = conversation(100, CHINESE, 100);
        for _ in 0..3 {
            assert!(ask_of(&router, &prompt).await.is_ok(), "{wrong}");
        }
        assert!(net.called().len() <= 3 + 2 + 2, "{wrong}: {}", net.called().len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_conversation_goes_on_for_ever() {
    for says in WORDINGS {
        let (router, net) = setup(&[("local", Does::Window(1_024, says))], Strategy::LocalFirst);
        for exchanges in 0..200 {
            let text = if exchanges % 2 == 0 { CHINESE } else { ENGLISH };
            let prompt = conversation(exchanges, text, 20 + exchanges % 7 * 60);
            assert!(ask_of(&router, &prompt).await.is_ok(), "{exchanges}");
        }
        let refused = net.called().len() - 200;
        assert!(refused <= 12, "{refused} of 200 questions met a refusal");
    }
}

#[tokio::test(start_paused = true)]
async fn the_retry_is_none_of_the_calls_that_a_question_may_cost() {
    let net = net(&[("local", &[Does::Window(2_048, neither)])]);
    let route = Route { attempts: 1, ..Route::default() };
    let router = router(vec![endpoint("local")], route, &net).unwrap();
    assert!(ask_of(&router, &conversation(100, ENGLISH, 400)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_question_that_alone_is_too_long_is_told_as_such_and_for_how_long_it_may_be() {
    for (says, text) in [(both as fn(u64, u64) -> String, CHINESE), (both, ENGLISH), (neither, CHINESE)] {
        let (router, net) = setup(&[("local", Does::Window(2_048, says))], Strategy::LocalFirst);
        let mut prompt = conversation(10, ENGLISH, 100);
        prompt.lines.last_mut().unwrap().text = text.repeat(4_000);
        let none = ask_of(&router, &prompt).await.unwrap_err();
        assert_eq!(none.reason, NoAnswerReason::Refused);
        assert!(none.is_too_long());
        assert!((2..=3).contains(&net.called().len()), "{}", net.called().len());
        let Some(most) = router.longest_question(&none, &prompt) else { panic!("a length is known") };
        // A question of that length is answered.
        if most < 2_048 {
            let count = if text == CHINESE { most as usize } else { most as usize * 4 };
            prompt.lines.last_mut().unwrap().text = text.chars().cycle().take(count).collect();
            assert!(ask_of(&router, &prompt).await.is_ok(), "{most} {text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_that_alone_is_too_long_goes_to_a_larger_window() {
    let servers = [("local", Does::Window(2_048, both)), ("cloud", Does::Window(200_000, both))];
    let (router, net) = setup(&servers, Strategy::LocalFirst);
    let mut prompt = conversation(10, ENGLISH, 100);
    prompt.lines.last_mut().unwrap().text = CHINESE.repeat(1_000);
    assert_eq!(ask_of(&router, &prompt).await.unwrap().endpoint, "cloud");
    // The cloud gets all of it, and the next time at once.
    assert_eq!(remembered(net.bodies().last().unwrap(), &prompt), 10);
    let before = net.called().len();
    assert_eq!(ask_of(&router, &prompt).await.unwrap().endpoint, "cloud");
    assert_eq!(net.called().len(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_caller_sends_itself_is_never_shortened() {
    for says in WORDINGS {
        let (router, net) = setup(&[("local", Does::Window(2_048, says))], Strategy::LocalFirst);
        let prompt = Prompt { history: 0, ..conversation(100, ENGLISH, 400) };
        for _ in 0..2 {
            let none = ask_of(&router, &prompt).await.unwrap_err();
            assert_eq!((none.reason, none.is_too_long()), (NoAnswerReason::Refused, true));
        }
        assert_eq!(net.called().len(), 2);
        assert!(net.bodies().iter().all(|body| body["messages"].as_array().unwrap().len() == 202));
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_after_it_was_shortened_was_not_too_long() {
    let long = Does::Status(400, r#"{"error":{"code":"context_length_exceeded"}}"#);
    let net: Arc<Net> = net(&[("local", &[long, Does::Status(404, "")])]);
    let router = router(vec![endpoint("local")], Route::default(), &net).unwrap();
    let none = ask_of(&router, &conversation(10, ENGLISH, 100)).await.unwrap_err();
    assert_eq!((none.reason, none.is_too_long()), (NoAnswerReason::AllFailed, false));
    assert_eq!(none.attempts[1].outcome, AttemptOutcome::Failed(Failure::BadRequest(404)));
}
