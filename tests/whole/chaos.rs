//! Killed at random moments: a small run of `cargo xtask chaos`.

use magpie_tests::{
    chaos::{Plan, run},
    component::Component,
};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_kills_it_loses_nothing_and_doubles_nothing() {
    let Some(magpie) = Component::Magpie.find() else { return };
    let plan = Plan { messages: 120, conversations: 12, kills: 4, seed: 7 };
    let verdict = run(&magpie, plan, |_| ()).await.unwrap();
    assert!(verdict.is_good(), "{verdict}");
    assert_eq!((verdict.messages, verdict.kills), (120, 4));
}
