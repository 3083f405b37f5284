//! What a platform refuses is sent in another form, or ends the turn.

use simulator::{Fault, Say, Target};
use store::{DeadLetters as _, ParkReason};

use crate::support::World;

/// A question whose answer is a card, because the model says it again.
const FOR_A_CARD: &str = "**bold** and `code`";

/// As Feishu refuses.
fn feishu(code: i64, message: &str) -> Fault {
    Fault::Raw { status: 400, body: serde_json::json!({"code": code, "msg": message}).to_string() }
}

fn dingtalk(code: i64, message: &str) -> Fault {
    Fault::Raw { status: 200, body: serde_json::json!({"errcode": code, "errmsg": message}).to_string() }
}

async fn letters(world: &World) -> Vec<store::DeadLetter> {
    world.store.list(usize::MAX).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_card_that_is_refused_is_sent_as_text_under_its_key() {
    let world = World::new().await;
    let refused = "Failed to create card content, ext=ErrCode: 11310; ErrMsg: card table number over limit";
    world.simulator.script(Target::FeishuSend, [feishu(230_099, refused)]);
    world.feishu(&Say::direct("ann", FOR_A_CARD)).await;
    let sent = world.simulator.sent();
    assert_eq!((sent.len(), sent[0].form.as_str()), (1, "text"));
    assert!(sent[0].text.contains("**bold** and `code`"), "the same words: {}", sent[0].text);
    assert_eq!(world.ended(), [("done", None)]);
    let keys: Vec<_> =
        world.simulator.calls().into_iter().filter(|call| call.target == Target::FeishuSend).collect();
    assert_eq!(keys.len(), 2, "one refused, one taken");
}

#[tokio::test(start_paused = true)]
async fn a_crash_after_the_text_shows_nothing_twice() {
    let world = World::new().await;
    let webhook = world.simulator.feishu_message("cli_a", &Say::direct("ann", FOR_A_CARD)).unwrap();
    world.deliver("feishu", &webhook).await;
    let delivery = world.next().await.unwrap();
    // The text is taken, its receipt lost, and then the platform is down for longer than the run: the mark stays, and the
    // next run knows of no refusal and begins with the card.
    world.simulator.script(
        Target::FeishuSend,
        [feishu(230_099, "card"), Fault::AcceptThenLose, Fault::RateLimited { reset_seconds: 600 }],
    );
    let handled = world.worker.answer(&delivery.body, crate::support::BUDGET).await;
    assert!(matches!(handled, turn::Handled::Again { .. }));
    for refused_again in [true, false] {
        if refused_again {
            world.simulator.script(
                Target::FeishuSend,
                [feishu(230_099, "card"), Fault::RateLimited { reset_seconds: 600 }],
            );
        }
        world.worker.answer(&delivery.body, crate::support::BUDGET).await;
    }
    assert_eq!(world.seen().len(), 1, "whichever form came first stands for the key: {:?}", world.seen());
    assert_eq!(world.ended(), [("done", None)]);
}

#[tokio::test(start_paused = true)]
async fn refused_content_is_replaced_by_a_notice_in_the_persons_language() {
    let world = World::new().await;
    for (code, question, notice) in [(230_022, "tell me", "content check"), (230_028, "说说看", "内容审核")]
    {
        world.simulator.script(Target::FeishuSend, [feishu(code, "sensitive")]);
        world.feishu(&Say::direct("ann", question)).await;
        assert!(world.seen().last().unwrap().contains(notice), "{:?}", world.seen());
    }
    world.simulator.script(Target::DingTalkSessionWebhook, [dingtalk(430_104, "unsafe content")]);
    world.dingtalk(&Say::direct("ann", "tell me")).await;
    assert!(world.seen().last().unwrap().contains("content check"), "{:?}", world.seen());
    assert_eq!(world.ended(), [("done", None); 3]);
    assert_eq!(letters(&world).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_notice_that_is_refused_too_is_for_an_operator() {
    let world = World::new().await;
    world.simulator.script(Target::FeishuSend, [feishu(230_022, "no"), feishu(230_022, "no")]);
    world.feishu(&Say::direct("ann", "tell me")).await;
    assert_eq!(world.ended(), [("parked", Some("send_refused"))]);
    assert_eq!(letters(&world).await[0].cause.as_deref(), Some("230022: no"));
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_question_and_a_chat_that_is_gone_end_quietly() {
    let world = World::new().await;
    for code in [230_011, 231_003, 230_110, 232_009] {
        world.simulator.script(Target::FeishuSend, [feishu(code, "The message was withdrawn.")]);
        world.feishu(&Say::direct("ann", "never mind")).await;
    }
    world.simulator.script(Target::DingTalkSessionWebhook, [dingtalk(400_013, "group dissolved")]);
    world.dingtalk(&Say::direct("ann", "never mind")).await;
    // An apology that nobody waits for is nothing to bring back either.
    world.local.script(Target::Model, [Fault::Empty]);
    world.cloud.script(Target::Model, [Fault::Empty]);
    world.simulator.script(Target::FeishuSend, [feishu(230_011, "The message was withdrawn.")]);
    world.feishu(&Say::direct("ann", "never mind")).await;
    assert_eq!(world.ended(), [("done", None); 6]);
    assert_eq!((letters(&world).await, world.seen().len()), (vec![], 0));
}

#[tokio::test(start_paused = true)]
async fn the_platforms_words_reach_the_operator_without_what_people_wrote() {
    let world = World::new().await;
    let scope = "Access denied. One of the following scopes is required: [im:message:send_as_bot]. content={\"text\":\"hunter2\"} near hunter2";
    world.simulator.script(Target::FeishuSend, [feishu(99_991_672, scope)]);
    world.feishu(&Say::direct("ann", "my password is hunter2")).await;
    let letter = letters(&world).await.remove(0);
    assert_eq!(letter.reason, Some(ParkReason::SendRefused));
    let cause = letter.cause.unwrap();
    assert!(cause.starts_with("99991672: Access denied."), "{cause}");
    assert!(cause.contains("[im:message:send_as_bot]") && !cause.contains("hunter2"), "{cause}");
}

#[tokio::test(start_paused = true)]
async fn every_way_to_mention_the_bot_leads_to_the_same_command() {
    let world = World::new().await;
    world.feishu(&Say::group("team", "ann", "／help")).await;
    world.dingtalk(&Say::direct("ann", "@Magpie /help")).await;
    assert!(world.seen().iter().all(|seen| seen.contains("/help")), "{:?}", world.seen());
    assert!(world.local.model_requests().is_empty(), "commands never reach a model");
}
