//! Models that people choose with `/model`.

use simulator::{Fault, Say, Target};

use crate::support::{Setup, World};

async fn choosing() -> World {
    World::with(Setup { models: &["local-model", "cloud", "gone"], ..Setup::default() }).await
}

async fn say(world: &World, text: &str) -> String {
    world.feishu(&Say::direct("ann", text)).await;
    world.seen().pop().unwrap()
}

/// How often the local and the cloud's model were asked.
fn asked(world: &World) -> (usize, usize) {
    (world.local.model_requests().len(), world.cloud.model_requests().len())
}

#[tokio::test(start_paused = true)]
async fn who_is_chosen_is_asked_first_from_then_on() {
    let world = choosing().await;
    let list = say(&world, "/model").await;
    assert!(list.contains("1. `local-model`") && list.contains("2. `cloud`"), "{list}");
    assert!(list.contains("in use: chosen for you") && !list.contains("gone"), "{list}");
    assert!(say(&world, "/model CLOUD").await.contains("`cloud` is asked first"));
    say(&world, "hello").await;
    say(&world, "and again").await;
    assert_eq!(asked(&world), (0, 2));
    assert!(say(&world, "/model").await.contains("2. `cloud` (in use)"));
    assert!(say(&world, "/模型 1").await.contains("`local-model`"));
    say(&world, "hello").await;
    assert_eq!(asked(&world), (1, 2));
    assert!(say(&world, "/model auto").await.contains("chosen for you again"));
    assert!(say(&world, "/model").await.contains("in use: chosen for you"));
}

#[tokio::test(start_paused = true)]
async fn a_choice_is_a_wish_and_no_promise() {
    let world = choosing().await;
    say(&world, "/model cloud").await;
    world.cloud.script(Target::Model, vec![Fault::Status(503); 2]);
    say(&world, "hello").await;
    assert_eq!(asked(&world).0, 1, "the route goes on where the chosen one fails");
}

#[tokio::test(start_paused = true)]
async fn only_what_is_offered_can_be_chosen() {
    let world = choosing().await;
    for wanted in ["gone", "cloud-model", "3", "nonsense"] {
        let reply = say(&world, &format!("/model {wanted}")).await;
        assert!(reply.contains("no such model") && reply.contains("`cloud`"), "{wanted}: {reply}");
    }
    let world = World::new().await;
    for text in ["/model", "/model cloud"] {
        assert!(say(&world, text).await.contains("nothing to switch"), "{text}");
    }
    say(&world, "hello").await;
    assert_eq!(asked(&world), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn each_conversation_has_a_choice_of_its_own() {
    let world = choosing().await;
    say(&world, "/model cloud").await;
    world.feishu(&Say::direct("bob", "hello")).await;
    assert_eq!(asked(&world), (1, 0));
    say(&world, "/new").await;
    say(&world, "hello").await;
    assert_eq!(
        asked(&world),
        (1, 1),
        "a new conversation forgets what was said, and not whom people want to hear"
    );
}
