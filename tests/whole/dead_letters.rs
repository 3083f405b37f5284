//! An operator at a terminal, beside the running server.

use std::{path::Path, time::Duration};

use magpie_tests::{component::Component, process::Process};
use simulator::{Fault, Say, Target};

use crate::configured::Setup;

/// Runs `magpie dead-letters` in the server's folder.
async fn dead_letters(setup: &Setup, args: &[&str]) -> (Option<i32>, String) {
    let binary = Component::Magpie.find().unwrap();
    let args = [&["dead-letters", "--config", "magpie.toml"], args].concat();
    Process::start(Path::new(&binary), &args, &[], setup.magpie.folder()).unwrap().end().await.unwrap()
}

/// Lists until the server has got as far as this.
async fn listed(setup: &Setup, text: &str) -> String {
    let mut patience = tokio::time::interval(Duration::from_millis(50));
    for _ in 0..200 {
        patience.tick().await;
        let (code, said) = dead_letters(setup, &["list"]).await;
        assert_eq!(code, Some(0), "{said}");
        if said.contains(text) {
            return said;
        }
    }
    String::new()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apology_a_look_and_the_answer_once() {
    let Some(setup) = Setup::start().await else { return };
    setup.local.simulator.script(Target::Model, [Fault::Empty]);
    setup.cloud.simulator.script(Target::Model, [Fault::Empty]);
    assert_eq!(setup.feishu(&Say::direct("ann", "canary question")).await, 200);
    let seen = setup.platforms.seen(1).await.unwrap();
    assert!(seen[0].text.starts_with("Sorry"), "{}", seen[0].text);

    let said = listed(&setup, "no_answer").await;
    let id = said.lines().nth(1).unwrap().split_whitespace().next().unwrap();
    let (code, shown) = dead_letters(&setup, &["show", id]).await;
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("asks the models again"), "{shown}");
    assert!(said.contains("endpoint far (empty") && shown.contains("endpoint far (empty"), "{said}\n{shown}");
    assert!(!said.contains("canary") && !shown.contains("canary"), "{said}\n{shown}");

    let (code, said) = dead_letters(&setup, &["redrive", id]).await;
    assert_eq!((code, said.contains("open again")), (Some(0), true), "{said}");
    let seen = setup.platforms.seen(2).await.unwrap();
    assert!(seen[1].text.contains("canary question"), "{}", seen[1].text);
    assert_eq!(listed(&setup, "no dead letters").await, "no dead letters");

    let (code, said) = dead_letters(&setup, &["redrive", id]).await;
    assert_eq!((code, said.contains("no dead letter begins with")), (Some(2), true), "{said}");
    assert_eq!(setup.feishu(&Say::direct("ann", "and the next")).await, 200);
    assert_eq!(setup.platforms.seen(3).await.unwrap().len(), 3, "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_come_back_in_their_order() {
    let Some(setup) = Setup::start().await else { return };
    for simulator in [&setup.local.simulator, &setup.cloud.simulator] {
        simulator.script(Target::Model, [Fault::Empty, Fault::Empty]);
    }
    for question in ["first", "second"] {
        assert_eq!(setup.dingtalk(&Say::direct("ann", question)).await, 200);
    }
    setup.platforms.seen(2).await.unwrap();
    let mut lines = 0;
    while lines < 3 {
        lines = listed(&setup, "no_answer").await.lines().count();
    }
    let (code, said) = dead_letters(&setup, &["redrive", "--all"]).await;
    assert_eq!(code, Some(0), "{said}");
    let seen = setup.platforms.seen(4).await.unwrap();
    assert!(seen[2].text.contains("first") && seen[3].text.contains("second"), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_cannot_be_carried_out_says_why() {
    let Some(setup) = Setup::start().await else { return };
    for (args, part) in [
        (&["redrive"][..], "--all"),
        (&["redrive", "--all", "abc"], "cannot be used with"),
        (&["show", "abc"], "no dead letter begins with `abc`"),
    ] {
        let (code, said) = dead_letters(&setup, args).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(part), "{said}");
    }
}
