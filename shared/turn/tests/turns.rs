//! Turns from the webhook to what people see, on simulated platforms and models.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod alongside;
mod dead_letters;
mod models;
mod refusals;
mod signals;
mod spending;
mod support;

use std::{sync::atomic::Ordering, time::Duration};

use simulator::{Fault, Say, SayForm, Target};
use store::DeadLetters as _;
use support::World;
use telemetry::Step;
use turn::Handled;

#[tokio::test(start_paused = true)]
async fn a_question_is_answered_on_both_platforms() {
    let world = World::new().await;
    assert_eq!(world.feishu(&Say::direct("ann", "hello")).await, 200);
    assert_eq!(world.dingtalk(&Say::direct("bob", "hello")).await, 200);
    let sent = world.simulator.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!((sent[0].by, sent[0].key.is_some()), ("reply", true), "Feishu replies carry a key");
    assert_eq!(sent[1].by, "session_webhook");
    assert_eq!(world.ended(), [("done", None), ("done", None)]);
}

#[tokio::test(start_paused = true)]
async fn the_second_message_carries_the_first() {
    let world = World::new().await;
    world.feishu(&Say::direct("ann", "my name is Ann")).await;
    world.feishu(&Say::direct("ann", "what is my name?")).await;
    world.feishu(&Say::direct("eve", "and mine?")).await;
    let asked = world.local.model_requests();
    let second = asked[1].to_string();
    assert!(second.contains("my name is Ann") && second.contains("Be brief."), "{second}");
    assert!(!asked[2].to_string().contains("Ann"), "another person's chat is another memory");
}

#[tokio::test(start_paused = true)]
async fn a_new_conversation_forgets_and_help_is_no_memory() {
    let world = World::new().await;
    world.dingtalk(&Say::direct("ann", "remember 42")).await;
    world.dingtalk(&Say::direct("ann", "帮助")).await;
    world.dingtalk(&Say::direct("ann", "what did I say?")).await;
    world.dingtalk(&Say::direct("ann", "新会话")).await;
    world.dingtalk(&Say::direct("ann", "and now?")).await;
    let asked = world.local.model_requests();
    assert_eq!(asked.len(), 3, "commands never reach a model");
    assert!(asked[1].to_string().contains("remember 42"));
    assert!(!asked[1].to_string().contains("/help"), "help is not remembered");
    assert!(!asked[2].to_string().contains("42"), "forgotten");
    assert!(world.seen()[1].contains("/help") && world.seen()[3].contains("已开始新会话"));
}

#[tokio::test(start_paused = true)]
async fn a_redelivered_event_is_answered_once_however_late() {
    let world = World::new().await;
    let webhook = world.simulator.feishu_message("cli_a", &Say::direct("ann", "once")).unwrap();
    for wait in [0, 15, 300, 3_600, 21_600] {
        world.clock.advance(Duration::from_secs(wait));
        assert_eq!(world.deliver("feishu", &webhook).await, 200);
        while world.step().await.is_some() {}
    }
    assert_eq!(world.seen().len(), 1);
    assert_eq!(world.local.model_requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_fails_is_replaced_by_the_cloud_and_then_by_an_apology() {
    let world = World::new().await;
    // What fails for a moment is asked again once.
    world.local.script(Target::Model, vec![Fault::Status(500); 4]);
    world.feishu(&Say::direct("ann", "first")).await;
    assert_eq!(world.cloud.model_requests().len(), 1, "the cloud answered, over legacy completions");
    assert_eq!(world.ended(), [("done", None)]);
    world.cloud.script(Target::Model, [Fault::Empty]);
    world.feishu(&Say::direct("ann", "second")).await;
    assert!(world.seen()[1].starts_with("Sorry, no model can be reached"), "{:?}", world.seen());
    assert_eq!(world.ended(), [("parked", Some("no_answer"))]);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_hangs_costs_its_attempt_and_no_more() {
    let world = World::new().await;
    world.local.script(Target::Model, [Fault::Hang(Duration::from_secs(600))]);
    world.dingtalk(&Say::direct("ann", "hello?")).await;
    assert_eq!(world.cloud.model_requests().len(), 1);
    let mut asked = vec![];
    for step in world.notes() {
        if let Step::Asked { endpoint, outcome, .. } = step {
            asked.push((endpoint, outcome));
        }
    }
    assert_eq!(asked, [("local".to_owned(), "slow_first_token"), ("cloud".to_owned(), "answered")]);
}

/// One note for each attempt, with all that an operator needs, and a failover that can be followed.
#[tokio::test(start_paused = true)]
async fn each_failed_attempt_is_noted_once_with_its_cause() {
    let world = World::new().await;
    world.local.script(Target::Model, [Fault::Status(401)]);
    world.feishu(&Say::direct("ann", "hello?")).await;
    let (mut asked, mut answered) = (vec![], vec![]);
    for step in world.notes() {
        if let Step::Asked { endpoint, failed, outcome, status, asker, .. } = step {
            let bot = asker.bot.unwrap();
            asked.push((endpoint, failed, outcome, status, format!("{}/{bot}", asker.platform)));
        } else if let Step::Answered { by, failed_over, .. } = step {
            answered.push((by.unwrap().endpoint, failed_over));
        }
    }
    let bot = "feishu/bot".to_owned();
    assert_eq!(
        asked,
        [
            ("local".to_owned(), true, "auth", Some(401), bot.clone()),
            ("cloud".to_owned(), false, "answered", None, bot),
        ]
    );
    assert_eq!(answered, [("cloud".to_owned(), vec!["local (auth, status 401)".to_owned()])]);
}

/// The error line of an apology and the dead letter name the last failure, also after a crash in between.
#[tokio::test(start_paused = true)]
async fn an_apology_names_its_last_cause() {
    let world = World::new().await;
    world.local.script(Target::Model, [Fault::Status(401)]);
    world.cloud.script(Target::Model, [Fault::Status(404)]);
    world.feishu(&Say::direct("ann", "hello?")).await;
    let cause_of = |step| if let Step::Ended { cause, .. } = step { cause } else { None };
    let cause = world.notes().into_iter().find_map(cause_of).unwrap();
    assert!(cause.starts_with("endpoint cloud (bad_request, status 404)"), "{cause}");
    let letters = world.store.list(9).await.unwrap();
    assert_eq!(letters[0].cause.as_deref(), Some(cause.as_str()));
}

#[tokio::test(start_paused = true)]
async fn models_that_start_are_waited_for() {
    let world = World::new().await;
    world.local.script(Target::Model, vec![Fault::Status(503); 9]);
    world.cloud.script(Target::Model, vec![Fault::Status(502); 12]);
    world.feishu(&Say::direct("ann", "first")).await;
    assert_eq!(world.seen(), ["You said: first (turn 1)"]);
    assert_eq!(world.ended(), [("done", None)]);
    // Not for longer than the turn may take, and then the apology says what it is.
    world.local.script(Target::Model, vec![Fault::Status(503); 900]);
    world.cloud.script(Target::Model, vec![Fault::Status(502); 900]);
    world.feishu(&Say::direct("ann", "second")).await;
    assert!(world.seen()[1].starts_with("Sorry, no model can be reached"), "{:?}", world.seen());
    assert_eq!(world.ended(), [("parked", Some("no_answer"))]);
}

/// Refused as vLLM does.
fn too_long(window: u32, prompt: u32) -> Fault {
    let body = format!(
        r#"{{"error":{{"message":"This model's maximum context length is {window} tokens. However, you requested {prompt} tokens in the messages.","code":400}}}}"#
    );
    Fault::Raw { status: 400, body }
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_outgrew_the_model_is_answered_by_it() {
    let world = World::new().await;
    for _ in 0..6 {
        world.feishu(&Say::direct("ann", &"喜鹊".repeat(100))).await;
    }
    // The answer repeats the question: some 410 tokens of ours for each of them, and the server's are as many.
    world.local.script(Target::Model, [too_long(2_048, 2_500)]);
    world.feishu(&Say::direct("ann", "and now?")).await;
    assert!(world.seen()[6].starts_with("You said: and now?"), "{:?}", world.seen());
    let asked = world.local.model_requests().pop().unwrap();
    let messages = asked["messages"].as_array().unwrap();
    assert_eq!((&messages[0]["role"], &messages[1]["role"]), (&"system".into(), &"user".into()));
    assert!((4..14).contains(&messages.len()), "{} messages", messages.len());
    assert_eq!(messages.last().unwrap()["content"], "and now?");
    assert!(world.cloud.model_requests().is_empty());
    assert!(world.ended().iter().all(|ended| *ended == ("done", None)));
}

#[tokio::test(start_paused = true)]
async fn a_question_that_alone_is_too_long_is_told_so_and_is_no_dead_letter() {
    for (question, told) in [
        (
            "喜鹊".repeat(1_900),
            "这条消息本身太长，超过了模型一次能读的长度，和之前的对话无关。大约不要超过 1400 个汉字。请精简一下，或分成几条发送。",
        ),
        (
            "magpie ".repeat(2_000),
            "This message alone is longer than the model can read at once, whatever was said before. It can read about 1000 words. Please shorten it, or send it in several messages.",
        ),
    ] {
        let world = World::new().await;
        world.feishu(&Say::direct("ann", "hello")).await;
        world.local.script(Target::Model, [too_long(2_048, 4_000), too_long(2_048, 4_000)]);
        world.cloud.script(Target::Model, [too_long(2_048, 4_000), too_long(2_048, 4_000)]);
        world.feishu(&Say::direct("ann", &question)).await;
        assert_eq!(world.seen()[1], told);
        assert_eq!(world.ended().last(), Some(&("done", None)));
        // It is no memory, so what follows is answered as ever.
        world.feishu(&Say::direct("ann", "again?")).await;
        assert_eq!(world.seen()[2], "You said: again? (turn 2)");
    }
}

fn chunk(delta: &serde_json::Value) -> String {
    serde_json::json!({"choices": [{"index": 0, "delta": delta}]}).to_string()
}

fn paced(thoughts: usize, words: usize) -> Fault {
    let thoughts = (0..thoughts).map(|_| chunk(&serde_json::json!({"reasoning_content": "hm"})));
    let words = (0..words).map(|_| chunk(&serde_json::json!({"content": "word "})));
    let end = [chunk(&serde_json::json!({"content": "end."})), "[DONE]".to_owned()];
    Fault::Paced { events: thoughts.chain(words).chain(end).collect(), every: Duration::from_secs(2) }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_reasons_for_long_is_waited_for() {
    let world = World::new().await;
    // 90 s and 28 s of the 120 that a turn has here.
    world.local.script(Target::Model, [paced(45, 12)]);
    world.feishu(&Say::direct("ann", "hello?")).await;
    assert_eq!(world.seen(), ["word ".repeat(12) + "end."]);
    assert!(world.cloud.model_requests().is_empty());
    assert_eq!(world.ended(), [("done", None)]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_the_turn_cuts_off_is_shown_as_far_as_it_came() {
    for (question, mark, more) in [
        (
            "Tell me all.",
            "*(The time limit was reached and this answer is incomplete. Send \"continue\" for the rest.)*",
            "continue",
        ),
        ("都告诉我。", "*（时间到了，回答没有写完。发送「继续」可以接着写。）*", "继续"),
    ] {
        let world = World::new().await;
        world.local.script(Target::Model, [paced(45, 100)]);
        world.feishu(&Say::direct("ann", question)).await;
        let words = "word ".repeat(15);
        assert_eq!(world.seen(), [format!("{}\n\n{mark}", words.trim())]);
        assert!(world.cloud.model_requests().is_empty());
        assert_eq!(world.ended(), [("done", None)]);
        // It is remembered as the model said it, and the model is in good health.
        world.feishu(&Say::direct("ann", more)).await;
        let asked = world.local.model_requests().pop().unwrap();
        assert_eq!(asked["messages"][2]["content"], words.trim());
        assert_eq!(asked["messages"][3]["content"], more);
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_only_reasoned_until_the_turn_ended_is_told_of() {
    for (question, told) in
        [("Tell me all.", "The model was still reasoning"), ("都告诉我。", "模型到时间上限还在思考")]
    {
        let world = World::new().await;
        world.local.script(Target::Model, [paced(900, 1)]);
        world.feishu(&Say::direct("ann", question)).await;
        assert!(world.seen()[0].starts_with(told), "{:?}", world.seen());
        assert_eq!(world.cloud.model_requests().len(), 0);
        assert_eq!(world.ended(), [("done", None)]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_ended_token_is_renewed_once() {
    let world = World::new().await;
    world.feishu(&Say::direct("ann", "one")).await;
    world.simulator.expire_tokens();
    world.feishu(&Say::direct("ann", "two")).await;
    assert_eq!(world.seen().len(), 2);
    let tokens = |world: &World| {
        world.simulator.calls().iter().filter(|call| call.target == Target::FeishuToken).count()
    };
    assert_eq!(tokens(&world), 2);
    world.feishu(&Say::direct("ann", "three")).await;
    assert_eq!(tokens(&world), 2, "the fresh one is kept");
}

#[tokio::test(start_paused = true)]
async fn dingtalk_is_answered_over_the_open_api_when_the_session_has_ended() {
    let world = World::new().await;
    let webhook = world.dingtalk_webhook(&Say::direct("ann", "slow queue"));
    assert_eq!(world.deliver("dingtalk", &webhook).await, 200);
    world.clock.advance(Duration::from_secs(91 * 60));
    while world.step().await.is_some() {}
    assert_eq!(world.simulator.sent()[0].by, "oto");
}

#[tokio::test(start_paused = true)]
async fn in_a_group_only_mentions_of_the_bot_are_answered() {
    let world = World::new().await;
    world.feishu(&Say::group("team", "ann", "hello bot")).await;
    assert_eq!(world.seen().len(), 1);
    let asked = world.local.model_requests()[0].to_string();
    assert!(!asked.contains("@"), "the bot's own mention is taken out: {asked}");
    world.feishu(&Say { mention_bot: false, ..Say::group("team", "ann", "not for you") }).await;
    world.dingtalk(&Say::group("team", "ann", "hello bot")).await;
    world.feishu(&Say { from_bot: true, ..Say::direct("robot", "loop?") }).await;
    assert_eq!(world.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_whose_receipt_is_lost_shows_once() {
    let world = World::new().await;
    world.simulator.script(Target::FeishuSend, [Fault::AcceptThenLose]);
    world.feishu(&Say::direct("ann", "keyed")).await;
    assert_eq!(world.ended(), [("done", None)], "sent again under the same key");
    world.simulator.script(Target::DingTalkSessionWebhook, [Fault::AcceptThenLose]);
    world.dingtalk(&Say::direct("ann", "unkeyed")).await;
    assert_eq!(world.ended(), [("parked", Some("send_uncertain"))], "never sent again blindly");
    assert_eq!(world.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_is_busy_is_waited_for() {
    let world = World::new().await;
    world.simulator.script(Target::FeishuSend, [Fault::RateLimited { reset_seconds: 3 }]);
    world.feishu(&Say::direct("ann", "busy")).await;
    world.simulator.script(Target::DingTalkSessionWebhook, [Fault::Code(-1)]);
    world.dingtalk(&Say::direct("ann", "busy")).await;
    assert_eq!(world.seen().len(), 2);
    assert_eq!(world.ended(), [("done", None), ("done", None)]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_answer_parks_the_turn() {
    let world = World::new().await;
    world.simulator.script(Target::FeishuSend, [Fault::Code(230_002)]);
    world.feishu(&Say::direct("ann", "gone")).await;
    assert_eq!(world.ended(), [("parked", Some("send_refused"))]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_answered_with_words() {
    let world = World::new().await;
    world.feishu(&Say::direct("ann", "").form(SayForm::Picture)).await;
    world.dingtalk(&Say::direct("ann", "").form(SayForm::File)).await;
    world.dingtalk(&Say::direct("ann", "spoken words").form(SayForm::Voice)).await;
    let seen = world.seen();
    assert!(seen[0].contains("图片") && seen[1].contains("文件"), "{seen:?}");
    assert!(
        seen[0].contains("pictures") && seen[1].contains("files"),
        "in both, as nothing shows the language"
    );
    assert!(
        world.local.model_requests()[0].to_string().contains("spoken words"),
        "the platform's transcript"
    );
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_down_makes_the_platform_deliver_again() {
    let world = World::new().await;
    let webhook = world.simulator.feishu_message("cli_a", &Say::direct("ann", "keep me")).unwrap();
    world.queue_down.store(true, Ordering::SeqCst);
    assert_eq!(world.deliver("feishu", &webhook).await, 503);
    world.queue_down.store(false, Ordering::SeqCst);
    assert_eq!(world.deliver("feishu", &webhook).await, 200);
    while world.step().await.is_some() {}
    assert_eq!(world.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_another_worker_holds_comes_again() {
    let world = World::new().await;
    let webhook = world.simulator.feishu_message("cli_a", &Say::direct("ann", "held")).unwrap();
    world.deliver("feishu", &webhook).await;
    let delivery = world.next().await.unwrap();
    // The platform is down for longer than a run lasts: the turn is given back, its answer kept.
    world.simulator.script(Target::FeishuSend, [Fault::RateLimited { reset_seconds: 600 }]);
    let handled = world.worker.answer(&delivery.body, support::BUDGET).await;
    assert!(matches!(handled, Handled::Again { .. }));
    assert_eq!(world.worker.answer(&delivery.body, support::BUDGET).await, Handled::Done);
    assert_eq!(world.local.model_requests().len(), 1, "the model is not asked twice");
    assert_eq!(world.seen().len(), 1);
}
