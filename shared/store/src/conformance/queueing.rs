//! What goes into the queue, and in which order it comes out.

use std::sync::Arc;

use super::{Queue, Scope, at, at_once, cases, ms};
use crate::{Delivery, QueueItem};

cases!(dyn Queue:
    an_empty_queue_has_nothing,
    an_item_comes_out_as_it_went_in,
    a_group_comes_out_in_its_order,
    a_group_has_one_item_in_work,
    a_group_in_work_does_not_hold_up_others,
    the_oldest_group_comes_first,
    an_item_put_in_twice_comes_once,
    an_item_put_in_again_while_in_work_comes_once,
    an_item_put_in_again_after_it_was_done_comes_once,
    an_item_put_in_again_after_it_was_buried_comes_once,
    five_minutes_later_it_is_a_new_item,
    the_five_minutes_count_from_the_first,
    of_items_put_in_at_once_under_one_id_one_stays,
    items_put_in_at_once_all_stay,
    the_depth_counts_what_waits_and_what_is_in_work,
);

pub(super) const FIVE_MINUTES: i64 = 300_000;

/// Puts in an item that is named like its body.
pub(super) async fn put(store: &Arc<dyn Queue>, scope: Scope, group: &str, body: &str, now: i64) {
    let item = QueueItem { group: scope.conversation(group), dedup: scope.turn(body), body: body.to_owned() };
    store.enqueue(item, at(now)).await.unwrap();
}

/// Takes an item out for a second.
pub(super) async fn take(store: &Arc<dyn Queue>, now: i64) -> Option<Delivery> {
    store.next(at(now), ms(1_000)).await.unwrap()
}

/// The body of the next item, or nothing.
pub(super) async fn body(store: &Arc<dyn Queue>, now: i64) -> String {
    take(store, now).await.map_or_else(String::new, |delivery| delivery.body)
}

async fn an_empty_queue_has_nothing(store: Arc<dyn Queue>, _: Scope) {
    assert_eq!(take(&store, 0).await, None);
    assert_eq!(store.depth().await, Ok(0));
}

async fn an_item_comes_out_as_it_went_in(store: Arc<dyn Queue>, scope: Scope) {
    let text = "鹊桥 \" \\ \u{1f426}".repeat(1_000);
    let item = QueueItem { group: scope.conversation("g"), dedup: scope.turn("a"), body: text.clone() };
    store.enqueue(item, at(0)).await.unwrap();
    let delivery = take(&store, 0).await.unwrap();
    assert_eq!((delivery.body, delivery.group, delivery.tries), (text, scope.conversation("g"), 1));
}

async fn a_group_comes_out_in_its_order(store: Arc<dyn Queue>, scope: Scope) {
    for name in ["c", "a", "b"] {
        put(&store, scope, "g", name, 0).await;
    }
    for name in ["c", "a", "b"] {
        let delivery = take(&store, 0).await.unwrap();
        assert_eq!(delivery.body, name);
        store.done(&delivery.receipt).await.unwrap();
    }
    assert_eq!(take(&store, 0).await, None);
}

async fn a_group_has_one_item_in_work(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    put(&store, scope, "g", "b", 0).await;
    let first = take(&store, 0).await.unwrap();
    assert_eq!(take(&store, 0).await, None);
    store.done(&first.receipt).await.unwrap();
    assert_eq!(body(&store, 0).await, "b");
}

async fn a_group_in_work_does_not_hold_up_others(store: Arc<dyn Queue>, scope: Scope) {
    for (group, name) in [("g", "a"), ("g", "b"), ("h", "c"), ("i", "d")] {
        put(&store, scope, group, name, 0).await;
    }
    assert_eq!(body(&store, 0).await, "a");
    assert_eq!(body(&store, 0).await, "c");
    assert_eq!(body(&store, 0).await, "d");
    assert_eq!(take(&store, 0).await, None);
}

async fn the_oldest_group_comes_first(store: Arc<dyn Queue>, scope: Scope) {
    for (group, name) in [("z", "first"), ("a", "second"), ("m", "third")] {
        put(&store, scope, group, name, 0).await;
    }
    assert_eq!(body(&store, 0).await, "first");
    assert_eq!(body(&store, 0).await, "second");
    assert_eq!(body(&store, 0).await, "third");
}

async fn an_item_put_in_twice_comes_once(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    put(&store, scope, "g", "a", 1).await;
    assert_eq!(store.depth().await, Ok(1));
    let first = take(&store, 1).await.unwrap();
    store.done(&first.receipt).await.unwrap();
    assert_eq!(take(&store, 1).await, None);
}

async fn an_item_put_in_again_while_in_work_comes_once(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    let first = take(&store, 0).await.unwrap();
    put(&store, scope, "g", "a", 1).await;
    store.done(&first.receipt).await.unwrap();
    assert_eq!(take(&store, 1).await, None);
}

async fn an_item_put_in_again_after_it_was_done_comes_once(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    let first = take(&store, 0).await.unwrap();
    store.done(&first.receipt).await.unwrap();
    put(&store, scope, "g", "a", FIVE_MINUTES - 1).await;
    assert_eq!(store.depth().await, Ok(0));
    assert_eq!(take(&store, FIVE_MINUTES).await, None);
}

async fn an_item_put_in_again_after_it_was_buried_comes_once(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    let first = take(&store, 0).await.unwrap();
    store.bury(&first.receipt, at(0)).await.unwrap();
    put(&store, scope, "g", "a", 1).await;
    assert_eq!(take(&store, 1).await, None);
}

async fn five_minutes_later_it_is_a_new_item(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    let first = take(&store, 0).await.unwrap();
    store.done(&first.receipt).await.unwrap();
    put(&store, scope, "g", "a", FIVE_MINUTES).await;
    let second = take(&store, FIVE_MINUTES).await.unwrap();
    assert_eq!((second.body.as_str(), second.tries), ("a", 1));
    put(&store, scope, "g", "a", 2 * FIVE_MINUTES - 1).await;
    assert_eq!(store.depth().await, Ok(1), "and a new five minutes begin with it");
}

async fn the_five_minutes_count_from_the_first(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    put(&store, scope, "g", "a", FIVE_MINUTES - 1).await;
    assert_eq!(store.depth().await, Ok(1));
    put(&store, scope, "g", "a", FIVE_MINUTES).await;
    assert_eq!(store.depth().await, Ok(2), "the one that was dropped does not count");
}

async fn of_items_put_in_at_once_under_one_id_one_stays(store: Arc<dyn Queue>, scope: Scope) {
    at_once(12, |_| {
        let store = Arc::clone(&store);
        async move { put(&store, scope, "g", "a", 0).await }
    })
    .await;
    assert_eq!(store.depth().await, Ok(1));
}

async fn items_put_in_at_once_all_stay(store: Arc<dyn Queue>, scope: Scope) {
    at_once(12, |number| {
        let store = Arc::clone(&store);
        async move { put(&store, scope, "g", &number.to_string(), 0).await }
    })
    .await;
    assert_eq!(store.depth().await, Ok(12));
}

async fn the_depth_counts_what_waits_and_what_is_in_work(store: Arc<dyn Queue>, scope: Scope) {
    for (group, name) in [("g", "a"), ("g", "b"), ("h", "c")] {
        put(&store, scope, group, name, 0).await;
    }
    let first = take(&store, 0).await.unwrap();
    assert_eq!(store.depth().await, Ok(3));
    store.again(&first.receipt, at(9_000)).await.unwrap();
    assert_eq!(store.depth().await, Ok(3));
    let other = take(&store, 0).await.unwrap();
    store.done(&other.receipt).await.unwrap();
    assert_eq!(store.depth().await, Ok(2));
}
