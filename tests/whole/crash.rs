//! Crashes and orderly ends: nothing that was acknowledged is lost.

use std::time::Duration;

use simulator::{Fault, Say, Target};

use crate::configured::Setup;

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_message_survives_a_crash_and_is_answered_once() {
    let Some(mut setup) = Setup::start().await else { return };
    setup.local.simulator.script(Target::Model, [Fault::Hang(Duration::from_secs(600))]);
    assert_eq!(setup.feishu(&Say::direct("ann", "do not lose me")).await, 200);
    setup.local_asked().await;
    setup.magpie = setup.magpie.crash_and_restart().await.unwrap();
    let seen = setup.platforms.seen(1).await.unwrap();
    assert!(seen[0].text.contains("do not lose me"), "{}", seen[0].text);
    assert_eq!(setup.feishu(&Say::direct("ann", "and the next")).await, 200);
    assert_eq!(setup.platforms.seen(2).await.unwrap().len(), 2, "each once");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_orderly_end_finishes_the_turn_in_work() {
    let Some(setup) = Setup::start().await else { return };
    setup.local.simulator.script(Target::Model, [Fault::Hang(Duration::from_secs(2))]);
    assert_eq!(setup.dingtalk(&Say::direct("ann", "nearly there")).await, 200);
    setup.local_asked().await;
    let id = setup.magpie.process.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let (code, said) = setup.magpie.process.end().await.unwrap();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(setup.platforms.simulator.sent().len(), 1, "answered before the end");
}
