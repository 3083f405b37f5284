//! The reference passes its own suite.

use std::sync::Arc;

use store::{
    MemoryStore,
    conformance::{self, Parking},
};

#[tokio::test(flavor = "multi_thread")]
async fn turns_conform() {
    let store = MemoryStore::default();
    conformance::turns(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_conform() {
    let store = MemoryStore::default();
    conformance::conversations(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_conform() {
    let store = MemoryStore::default();
    conformance::tokens(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn budgets_conform() {
    let store = MemoryStore::default();
    conformance::budgets(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn choices_conform() {
    let store = MemoryStore::default();
    conformance::choices(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_conform() {
    let store = MemoryStore::default();
    conformance::signals(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openings_conform() {
    let store = MemoryStore::default();
    conformance::openings(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_conforms() {
    conformance::queue(|| Arc::new(MemoryStore::default())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_conform() {
    let store = Arc::new(MemoryStore::default());
    let parking = || Parking { letters: store.clone(), turns: store.clone(), queue: store.clone() };
    conformance::dead_letters(parking).await;
}
