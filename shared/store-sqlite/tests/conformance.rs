//! SQLite passes the suite that every store must pass.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use store::conformance::{self, Parking};
use store_sqlite::SqliteStore;

fn store() -> SqliteStore {
    SqliteStore::open_in_memory().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_conform() {
    let store = store();
    conformance::turns(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_conform() {
    let store = store();
    conformance::conversations(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_conform() {
    let store = store();
    conformance::tokens(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn budgets_conform() {
    let store = store();
    conformance::budgets(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn choices_conform() {
    let store = store();
    conformance::choices(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_conform() {
    let store = store();
    conformance::signals(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openings_conform() {
    let store = store();
    conformance::openings(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_conforms() {
    conformance::queue(|| Arc::new(store())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_conform() {
    let store = Arc::new(store());
    let parking = || Parking { letters: store.clone(), turns: store.clone(), queue: store.clone() };
    conformance::dead_letters(parking).await;
}
