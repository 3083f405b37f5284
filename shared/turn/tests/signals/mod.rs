//! What people send while a question is being answered: a stop, or another short message.

use std::time::Duration;

use chat::Clock as _;
use simulator::{Fault, Say, Target, Webhook};
use turn::Handled;

use crate::support::World;

fn feishu(world: &World, text: &str) -> Webhook {
    world.simulator.feishu_message("cli_a", &Say::direct("ann", text)).unwrap()
}

/// Has the first item answered, and delivers what is said once the model has been asked for three seconds.
async fn interrupted(world: &World, say: &Say) {
    let interruption = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let webhook = world.simulator.feishu_message("cli_a", say).unwrap();
        assert_eq!(world.deliver("feishu", &webhook).await, 200);
    };
    let (handled, ()) = tokio::join!(world.step(), interruption);
    assert_eq!(handled, Some(Handled::Done));
    while world.step().await.is_some() {}
}

/// A model that says nothing for as long as it may.
fn silence(world: &World) {
    world.local.script(Target::Model, [Fault::Hang(Duration::from_secs(600))]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_reaches_a_turn_that_is_being_answered() {
    for (word, after) in [("stop", "nothing is being answered"), ("/new", "A new conversation")] {
        let world = World::new().await;
        silence(&world);
        world.deliver("feishu", &feishu(&world, "a long question")).await;
        let began = world.clock.now();
        interrupted(&world, &Say::direct("ann", word)).await;
        assert!(
            world.clock.now().since(began) < Duration::from_secs(15),
            "long before the model's time is up"
        );
        let seen = world.seen();
        assert_eq!(seen.len(), 2, "each message gets one reply: {seen:?}");
        assert!(seen[0].contains("Stopped") && seen[1].contains(after), "{seen:?}");
        assert_eq!(world.ended(), [("done", None), ("done", None)]);
        assert!(world.cloud.model_requests().is_empty(), "no other model is asked");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_behind_a_stopped_turn_is_stopped_and_what_comes_later_is_not() {
    let world = World::new().await;
    for text in ["first", "second", "停止", "third"] {
        world.deliver("feishu", &feishu(&world, text)).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world
        .local
        .script(Target::Model, [Fault::Hang(Duration::from_secs(1)), Fault::Hang(Duration::from_secs(1))]);
    while world.step().await.is_some() {}
    let seen = world.seen();
    assert!(seen[0].contains("Stopped") && seen[1].contains("Stopped"), "{seen:?}");
    assert!(seen[2].contains("没有正在回答") && !seen[3].contains("Stopped"), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_question_is_no_memory_and_a_redelivery_finds_it_over() {
    let world = World::new().await;
    silence(&world);
    let question = feishu(&world, "my secret is 42");
    world.deliver("feishu", &question).await;
    interrupted(&world, &Say::direct("ann", "stop")).await;
    world.clock.advance(Duration::from_secs(3_600));
    world.deliver("feishu", &question).await;
    while world.step().await.is_some() {}
    assert_eq!(world.seen().len(), 2);
    world.feishu(&Say::direct("ann", "what did I say?")).await;
    assert!(!world.local.model_requests().last().unwrap().to_string().contains("42"));
}

#[tokio::test(start_paused = true)]
async fn in_a_group_only_a_stop_that_mentions_the_bot_counts() {
    for mentions in [true, false] {
        let world = World::new().await;
        world.local.script(Target::Model, [Fault::Hang(Duration::from_secs(20))]);
        let question = Say::group("team", "ann", "a long question");
        world.deliver("feishu", &world.simulator.feishu_message("cli_a", &question).unwrap()).await;
        let stop = Say { mention_bot: mentions, ..Say::group("team", "ann", "stop") };
        interrupted(&world, &stop).await;
        assert_eq!(world.seen()[0].contains("Stopped"), mentions, "{:?}", world.seen());
    }
}

/// Says these, each so long after the one before, and has everything answered.
async fn burst(world: &World, texts: &[&str], gap: Duration) {
    let speaking = async {
        for text in texts {
            world.deliver("feishu", &feishu(world, text)).await;
            tokio::time::sleep(gap).await;
        }
    };
    let answering = async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        for _ in 0..200 {
            while world.step().await.is_some() {}
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::join!(speaking, answering);
}

#[tokio::test(start_paused = true)]
async fn short_messages_in_a_row_get_one_answer() {
    let world = World::merging().await;
    burst(&world, &["my printer", "is on fire"], Duration::from_secs(1)).await;
    assert_eq!(world.seen().len(), 1, "{:?}", world.seen());
    let asked = world.local.model_requests();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].to_string().contains(r"my printer\nis on fire"), "{}", asked[0]);
    assert_eq!(world.ended(), [("done", None), ("done", None)]);
    world.feishu(&Say::direct("ann", "what now?")).await;
    let asked = world.local.model_requests()[1].to_string();
    assert!(asked.contains(r"my printer\nis on fire"), "the burst is remembered as one question: {asked}");
}

#[tokio::test(start_paused = true)]
async fn messages_far_apart_are_answered_each() {
    let world = World::merging().await;
    burst(&world, &["one", "two"], Duration::from_secs(3)).await;
    assert_eq!(world.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_burst_has_an_end_and_a_command_is_not_part_of_it() {
    let world = World::merging().await;
    burst(&world, &["a", "b", "c", "d", "/help"], Duration::from_millis(200)).await;
    let asked = world.local.model_requests();
    assert_eq!(asked.len(), 2, "three, which is the most, and one");
    assert!(asked[0].to_string().contains(r"a\nb\nc"), "{}", asked[0]);
    assert_eq!(world.seen().len(), 3, "with the help: {:?}", world.seen());
}

#[tokio::test(start_paused = true)]
async fn what_a_command_comes_between_is_not_one_burst() {
    let world = World::merging().await;
    burst(&world, &["a", "/help", "b"], Duration::from_millis(200)).await;
    assert_eq!(world.local.model_requests().len(), 2);
    assert!(world.seen()[1].contains("/new"), "in order: {:?}", world.seen());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_arrives_after_its_follower_was_answered_gets_its_own_answer() {
    let world = World::merging().await;
    let early = feishu(&world, "sent first");
    tokio::time::sleep(Duration::from_millis(500)).await;
    world.deliver("feishu", &feishu(&world, "sent second")).await;
    while world.step().await.is_some() {}
    world.deliver("feishu", &early).await;
    while world.step().await.is_some() {}
    assert_eq!(world.seen().len(), 2, "{:?}", world.seen());
}

/// The platform delivers a `/new` after the first of two short messages that were said after it.
#[tokio::test(start_paused = true)]
async fn a_new_that_is_delivered_late_takes_no_question_away() {
    let world = World::merging().await;
    world.feishu(&Say::direct("ann", "my secret is 42")).await;
    let late = feishu(&world, "/new");
    let speaking = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.deliver("feishu", &feishu(&world, "my printer")).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.deliver("feishu", &late).await;
    };
    speaking.await;
    burst(&world, &["is on fire"], Duration::ZERO).await;
    let seen = world.seen();
    assert!(seen.len() == 3 && seen[1].contains("A new conversation"), "{seen:?}");
    let asked = world.local.model_requests().last().unwrap().to_string();
    assert!(asked.contains(r"my printer\nis on fire"), "{asked}");
    assert!(!asked.contains("42"), "and nothing else from before it: {asked}");
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_does_not_merge_answers_each_at_once() {
    let world = World::new().await;
    burst(&world, &["my printer", "is on fire"], Duration::from_millis(200)).await;
    assert_eq!(world.seen().len(), 2);
}
