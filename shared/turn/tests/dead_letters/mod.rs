//! Turns that are given up, and what an operator can do about them.

use std::{sync::Arc, time::Duration};

use chat::{Clock as _, Entropy};
use receive::QueuedMessage;
use simulator::{Fault, Say, Target};
use store::{
    Claim, ClaimRequest, DeadLetter, DeadLetters as _, Dequeue as _, ParkReason, Redriven, Turns as _,
};
use turn::{GivenUp, Handled};
use vault::{DataKey, Vault};

use crate::support::{BUDGET, VAULT_KEY, World};

/// A platform that does not take a send now: longer than a run waits for it.
const BUSY: Fault = Fault::RateLimited { reset_seconds: 600 };

async fn letters(world: &World) -> Vec<DeadLetter> {
    world.store.list(10).await.unwrap()
}

/// Brings the only dead letter back and has it answered.
async fn redrive(world: &World) -> Redriven {
    let turn = letters(world).await.remove(0).turn;
    let redriven = world.store.redrive(&turn, world.clock.now()).await.unwrap();
    while world.step().await.is_some() {}
    redriven
}

/// Says something on Feishu and takes it off the queue, unanswered.
async fn queued(world: &World, text: &str) -> String {
    let webhook = world.simulator.feishu_message("cli_a", &Say::direct("ann", text)).unwrap();
    world.deliver("feishu", &webhook).await;
    let delivery = world.next().await.unwrap();
    world.store.done(&delivery.receipt).await.unwrap();
    delivery.body
}

struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, _: &mut [u8]) {}
}

/// Claims the turn of a queued message, as another worker would.
async fn hold(world: &World, body: &str) {
    let key = DataKey::from_base64("k", VAULT_KEY).unwrap();
    let opened = QueuedMessage::open(body, &Vault::new(vec![key], Arc::new(NoEntropy)).unwrap()).unwrap();
    let now = world.clock.now();
    let request = ClaimRequest { now, lease: BUDGET, accepted_at: now, keep_until: now.plus(BUDGET) };
    assert!(matches!(world.store.claim(&opened.message.turn(), request).await, Ok(Claim::Granted(_))));
}

fn models_down(world: &World) {
    world.local.script(Target::Model, [Fault::Empty]);
    world.cloud.script(Target::Model, [Fault::Empty]);
}

#[tokio::test(start_paused = true)]
async fn an_apology_is_followed_by_the_answer_once_the_turn_is_brought_back() {
    for platform in ["feishu", "dingtalk"] {
        let world = World::new().await;
        models_down(&world);
        match platform {
            "feishu" => world.feishu(&Say::direct("ann", "the question")).await,
            _ => world.dingtalk(&Say::direct("ann", "the question")).await,
        };
        let parked = letters(&world).await;
        assert_eq!((parked.len(), parked[0].reason, parked[0].tries), (1, Some(ParkReason::NoAnswer), 1));
        assert_eq!(redrive(&world).await, Redriven::Reopened);
        let seen = world.seen();
        assert_eq!(seen.len(), 2, "{platform}: within the platform's memory of keys, too: {seen:?}");
        assert!(seen[0].starts_with("Sorry") && seen[1].contains("the question"), "{seen:?}");
        assert_eq!(world.ended(), [("parked", Some("no_answer")), ("done", None)]);
        assert_eq!(letters(&world).await, []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_turn_can_be_brought_back_until_a_model_answers() {
    let world = World::new().await;
    models_down(&world);
    world.feishu(&Say::direct("ann", "the question")).await;
    for apologies in 2..4 {
        models_down(&world);
        redrive(&world).await;
        assert_eq!(world.seen().len(), apologies);
        assert_eq!(letters(&world).await.len(), 1);
    }
    redrive(&world).await;
    assert!(world.seen()[3].contains("the question"), "{:?}", world.seen());
    world.feishu(&Say::direct("ann", "the next")).await;
    let last = world.local.model_requests().pop().unwrap().to_string();
    assert!(last.contains("the question") && !last.contains("Sorry"), "remembered: {last}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_refused_is_sent_and_not_asked_for_again() {
    let world = World::new().await;
    world.simulator.script(Target::FeishuSend, [Fault::Code(230_002)]);
    world.feishu(&Say::direct("ann", "the question")).await;
    assert_eq!(letters(&world).await[0].reason, Some(ParkReason::SendRefused));
    redrive(&world).await;
    assert_eq!((world.seen().len(), world.local.model_requests().len()), (1, 1));
    assert_eq!(world.ended(), [("parked", Some("send_refused")), ("done", None)]);
}

#[tokio::test(start_paused = true)]
async fn an_uncertain_answer_is_sent_again_when_an_operator_says_so() {
    let world = World::new().await;
    world.simulator.script(Target::DingTalkSessionWebhook, [Fault::AcceptThenLose]);
    world.dingtalk(&Say::direct("ann", "the question")).await;
    assert_eq!(letters(&world).await[0].reason, Some(ParkReason::SendUncertain));
    redrive(&world).await;
    assert_eq!(
        (world.seen().len(), world.local.model_requests().len()),
        (2, 1),
        "shown twice, as was accepted"
    );
}

#[tokio::test(start_paused = true)]
async fn a_redriven_turn_that_is_interrupted_goes_on_with_its_own_answer() {
    let world = World::new().await;
    models_down(&world);
    world.feishu(&Say::direct("ann", "the question")).await;
    world.simulator.script(Target::FeishuSend, [BUSY]);
    redrive(&world).await;
    assert_eq!(world.seen().len(), 1, "kept, and not sent yet");
    let asked = world.local.model_requests().len();
    world.clock.advance(Duration::from_secs(601));
    while world.step().await.is_some() {}
    assert_eq!((world.seen().len(), world.local.model_requests().len()), (2, asked));
    assert!(world.seen()[1].contains("the question"));
}

#[tokio::test(start_paused = true)]
async fn the_user_is_told_when_a_message_is_given_up() {
    for (words, apology) in [("the question", "Sorry, this question"), ("问题", "抱歉，这个问题试了几次")]
    {
        let world = World::new().await;
        let body = queued(&world, words).await;
        assert_eq!(world.worker.give_up(&body, BUDGET).await, GivenUp::DeadLetter);
        assert!(world.seen().len() == 1 && world.seen()[0].starts_with(apology), "{:?}", world.seen());
        assert_eq!(letters(&world).await[0].reason, Some(ParkReason::TriesExhausted));
        assert_eq!(world.ended(), [("parked", Some("tries_exhausted"))]);
        assert_eq!(world.local.model_requests().len(), 0);
        redrive(&world).await;
        assert!(world.seen()[1].contains(words), "asked anew: {:?}", world.seen());
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_kept_is_sent_in_place_of_an_apology() {
    let world = World::new().await;
    let body = queued(&world, "the question").await;
    world.simulator.script(Target::FeishuSend, [BUSY]);
    assert!(matches!(world.worker.answer(&body, BUDGET).await, Handled::Again { .. }));
    assert_eq!(world.worker.give_up(&body, BUDGET).await, GivenUp::Over);
    assert!(world.seen()[0].contains("the question"));
    assert_eq!((letters(&world).await, world.ended()), (vec![], vec![("done", None)]));
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_is_down_does_not_keep_a_turn_from_being_parked() {
    let world = World::new().await;
    let body = queued(&world, "the question").await;
    world.simulator.script(Target::FeishuSend, [BUSY]);
    assert_eq!(world.worker.give_up(&body, BUDGET).await, GivenUp::DeadLetter);
    assert_eq!(world.seen().len(), 0);
    assert_eq!(letters(&world).await[0].reason, Some(ParkReason::TriesExhausted));
    redrive(&world).await;
    assert!(world.seen().len() == 1 && world.seen()[0].contains("the question"), "{:?}", world.seen());
}

#[tokio::test(start_paused = true)]
async fn what_is_over_or_in_other_hands_is_not_given_up() {
    let world = World::new().await;
    let body = queued(&world, "answered").await;
    assert_eq!(world.worker.answer(&body, BUDGET).await, Handled::Done);
    assert_eq!(world.worker.give_up(&body, BUDGET).await, GivenUp::Over);
    let held = queued(&world, "held").await;
    hold(&world, &held).await;
    assert_eq!(world.worker.give_up(&held, BUDGET).await, GivenUp::DeadLetter);
    assert_eq!(world.worker.give_up("not a message", BUDGET).await, GivenUp::DeadLetter);
    assert_eq!((world.seen().len(), letters(&world).await), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_group_that_speaks_to_others_gets_no_apology() {
    let world = World::new().await;
    let say = Say { mention_bot: false, ..Say::group("team", "ann", "not for you") };
    world.feishu(&Say::group("team", "ann", "hello")).await;
    let webhook = world.simulator.feishu_message("cli_a", &say).unwrap();
    world.deliver("feishu", &webhook).await;
    if let Some(delivery) = world.next().await {
        assert_eq!(world.worker.give_up(&delivery.body, BUDGET).await, GivenUp::Over);
    }
    assert_eq!((world.seen().len(), letters(&world).await), (1, vec![]));
}
