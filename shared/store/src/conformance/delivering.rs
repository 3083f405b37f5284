//! What becomes of an item that was handed out.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Queue, Scope, at, at_once, cases, ms,
    queueing::{body, put, take},
};
use crate::Receipt;

cases!(dyn Queue:
    an_item_that_is_done_does_not_come_back,
    an_item_comes_back_when_its_visibility_ends,
    a_visibility_counts_from_the_handing_out,
    an_item_that_comes_back_goes_before_later_ones_of_its_group,
    a_receipt_is_void_once_the_item_is_handed_out_again,
    a_late_receipt_counts_while_nobody_else_has_the_item,
    a_receipt_is_used_up_by_again,
    a_receipt_is_used_up_by_done,
    a_receipt_that_never_was_is_passed_over,
    again_keeps_the_item_back_until_it_is_due,
    again_holds_up_its_own_group_only,
    again_may_be_due_at_once,
    bury_lets_the_group_go_on,
    a_buried_item_does_not_come_back,
    of_consumers_at_once_each_gets_another_group,
);

async fn an_item_that_is_done_does_not_come_back(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    let first = take(&store, 0).await.unwrap();
    store.done(&first.receipt).await.unwrap();
    assert_eq!(take(&store, 10_000).await, None);
    assert_eq!(store.depth().await, Ok(0));
}

async fn an_item_comes_back_when_its_visibility_ends(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    for tries in 1..=4 {
        let now = i64::from(tries) * 1_000;
        assert_eq!(store.depth().await, Ok(1));
        let delivery = take(&store, now).await.unwrap();
        assert_eq!((delivery.body.as_str(), delivery.tries), ("a", tries));
        assert_eq!(take(&store, now + 999).await, None, "the last millisecond counts");
    }
}

async fn a_visibility_counts_from_the_handing_out(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    store.next(at(500), ms(20_000)).await.unwrap().unwrap();
    assert_eq!(take(&store, 20_499).await, None);
    assert_eq!(body(&store, 20_500).await, "a");
}

async fn an_item_that_comes_back_goes_before_later_ones_of_its_group(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    put(&store, scope, "g", "b", 0).await;
    take(&store, 0).await.unwrap();
    assert_eq!(body(&store, 1_000).await, "a");
    assert_eq!(body(&store, 1_500).await, "");
}

async fn a_receipt_is_void_once_the_item_is_handed_out_again(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    put(&store, scope, "g", "b", 0).await;
    let first = take(&store, 0).await.unwrap();
    let second = take(&store, 1_000).await.unwrap();
    assert_ne!(first.receipt, second.receipt);
    store.done(&first.receipt).await.unwrap();
    store.bury(&first.receipt, at(1_000)).await.unwrap();
    store.again(&first.receipt, at(1_000)).await.unwrap();
    assert_eq!(store.depth().await, Ok(2));
    assert_eq!(take(&store, 1_000).await, None, "the second delivery is still in work");
    store.done(&second.receipt).await.unwrap();
    assert_eq!(body(&store, 1_000).await, "b");
}

async fn a_late_receipt_counts_while_nobody_else_has_the_item(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    let first = store.next(at(0), ms(0)).await.unwrap().unwrap();
    store.done(&first.receipt).await.unwrap();
    assert_eq!(take(&store, 5_000).await, None);
}

async fn a_receipt_is_used_up_by_again(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    let first = take(&store, 0).await.unwrap();
    store.again(&first.receipt, at(500)).await.unwrap();
    store.done(&first.receipt).await.unwrap();
    store.bury(&first.receipt, at(1)).await.unwrap();
    store.again(&first.receipt, at(9_000)).await.unwrap();
    assert_eq!(body(&store, 500).await, "a");
}

async fn a_receipt_is_used_up_by_done(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    let first = take(&store, 0).await.unwrap();
    store.done(&first.receipt).await.unwrap();
    // What comes next must not inherit the name of what is gone.
    put(&store, scope, "g", "b", 0).await;
    let next = take(&store, 0).await.unwrap();
    store.done(&first.receipt).await.unwrap();
    store.again(&first.receipt, at(0)).await.unwrap();
    assert_eq!(store.depth().await, Ok(1));
    assert_eq!(take(&store, 0).await, None);
    assert_ne!(first.receipt, next.receipt);
}

async fn a_receipt_that_never_was_is_passed_over(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    for text in ["", "x", "1", "1.0", "1.1", "9.1", "1.x", "-1.1", "99999999999999999999.1"] {
        let receipt = Receipt(text.to_owned());
        store.done(&receipt).await.unwrap();
        store.again(&receipt, at(9_000)).await.unwrap();
        store.bury(&receipt, at(0)).await.unwrap();
    }
    assert_eq!(body(&store, 0).await, "a");
}

async fn again_keeps_the_item_back_until_it_is_due(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    let first = take(&store, 0).await.unwrap();
    store.again(&first.receipt, at(5_000)).await.unwrap();
    assert_eq!(take(&store, 4_999).await, None, "also after the visibility");
    let second = take(&store, 5_000).await.unwrap();
    assert_eq!((second.body.as_str(), second.tries), ("a", 2));
}

async fn again_holds_up_its_own_group_only(store: Arc<dyn Queue>, scope: Scope) {
    for (group, name) in [("g", "a"), ("g", "b"), ("h", "c")] {
        put(&store, scope, group, name, 0).await;
    }
    let first = take(&store, 0).await.unwrap();
    store.again(&first.receipt, at(5_000)).await.unwrap();
    assert_eq!(body(&store, 1).await, "c");
    assert_eq!(body(&store, 2).await, "", "`b` waits behind `a`");
    let second = take(&store, 5_000).await.unwrap();
    assert_eq!(second.body, "a");
    store.done(&second.receipt).await.unwrap();
    assert_eq!(body(&store, 5_000).await, "b");
}

async fn again_may_be_due_at_once(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    let first = take(&store, 0).await.unwrap();
    store.again(&first.receipt, at(-5)).await.unwrap();
    assert_eq!(take(&store, 0).await.unwrap().tries, 2);
}

async fn bury_lets_the_group_go_on(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    put(&store, scope, "g", "b", 0).await;
    let first = take(&store, 0).await.unwrap();
    store.bury(&first.receipt, at(0)).await.unwrap();
    assert_eq!(store.depth().await, Ok(1));
    assert_eq!(body(&store, 0).await, "b");
}

async fn a_buried_item_does_not_come_back(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    let first = take(&store, 0).await.unwrap();
    store.bury(&first.receipt, at(0)).await.unwrap();
    store.again(&first.receipt, at(0)).await.unwrap();
    assert_eq!(take(&store, 10_000).await, None);
}

async fn of_consumers_at_once_each_gets_another_group(store: Arc<dyn Queue>, scope: Scope) {
    for group in ["g", "h", "i"] {
        for number in 0..4 {
            put(&store, scope, group, &format!("{group}{number}"), 0).await;
        }
    }
    let taken = at_once(12, |_| {
        let store = Arc::clone(&store);
        async move { body(&store, 0).await }
    })
    .await;
    let taken: BTreeSet<_> = taken.iter().map(String::as_str).collect();
    assert_eq!(taken, BTreeSet::from(["", "g0", "h0", "i0"]));
}
