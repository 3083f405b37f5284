//! Killed at random moments: small runs of `cargo xtask chaos`.

use magpie_tests::{
    chaos::{
        Plan,
        functions::{self, Strike},
        run,
    },
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

/// The built functions under this trouble, so many times.
async fn functions(strike: Strike, strikes: usize) {
    let plan = Plan { messages: 36, conversations: 9, kills: strikes, seed: 7 };
    let Some(verdict) = functions::run(plan, strike, |_| ()).await.unwrap() else { return };
    assert!(verdict.is_good(), "{strike:?}: {verdict}");
    assert_eq!((verdict.messages, verdict.kills), (36, strikes));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_kills_worker_functions_loses_nothing_and_doubles_nothing() {
    functions(Strike::Kill, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_cut_off_and_comes_back_loses_nothing_and_doubles_nothing() {
    functions(Strike::CutOff, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn models_that_hang_and_errors_inside_of_200_lose_nothing_and_double_nothing() {
    functions(Strike::Answers, 0).await;
}
