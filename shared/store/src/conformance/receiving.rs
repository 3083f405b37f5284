//! Several items at once, and when to look for more.

use std::{collections::BTreeSet, sync::Arc};

use super::{Queue, Scope, at, at_once, cases, ms, queueing::put};
use crate::Received;

cases!(dyn Queue:
    at_most_as_many_as_asked_for_are_received_oldest_first,
    one_item_of_each_group_is_received,
    what_is_received_is_in_work,
    none_are_received_when_none_are_asked_for,
    what_comes_back_is_received_beside_what_is_new,
    the_next_to_come_due_is_told,
    of_receives_at_once_each_item_goes_to_one,
    done_and_bury_tell_whether_their_group_goes_on,
);

/// Takes items out for a second.
async fn receive(store: &Arc<dyn Queue>, now: i64, max: usize) -> Received {
    store.receive(at(now), ms(1_000), max).await.unwrap()
}

fn bodies(received: &Received) -> Vec<&str> {
    received.deliveries.iter().map(|delivery| delivery.body.as_str()).collect()
}

async fn at_most_as_many_as_asked_for_are_received_oldest_first(store: Arc<dyn Queue>, scope: Scope) {
    for name in ["c", "a", "d", "b", "e"] {
        put(&store, scope, name, name, 0).await;
    }
    assert_eq!(bodies(&receive(&store, 0, 3).await), ["c", "a", "d"]);
    assert_eq!(bodies(&receive(&store, 0, 3).await), ["b", "e"]);
    assert_eq!(bodies(&receive(&store, 0, 3).await), [""; 0]);
}

async fn one_item_of_each_group_is_received(store: Arc<dyn Queue>, scope: Scope) {
    for (group, name) in [("g", "a"), ("g", "b"), ("h", "c"), ("g", "d"), ("h", "e")] {
        put(&store, scope, group, name, 0).await;
    }
    let received = receive(&store, 0, 9).await;
    assert_eq!(bodies(&received), ["a", "c"]);
    let groups: Vec<_> = received.deliveries.iter().map(|delivery| delivery.group.clone()).collect();
    assert_eq!(groups, [scope.conversation("g"), scope.conversation("h")]);
    assert_eq!(bodies(&receive(&store, 0, 9).await), [""; 0]);
}

async fn what_is_received_is_in_work(store: Arc<dyn Queue>, scope: Scope) {
    for name in ["a", "b"] {
        put(&store, scope, name, name, 0).await;
    }
    let first = receive(&store, 0, 9).await.deliveries;
    assert!(first.iter().all(|delivery| delivery.tries == 1));
    store.done(&first[0].receipt).await.unwrap();
    let second = receive(&store, 1_000, 9).await.deliveries;
    assert_eq!((second.len(), second[0].body.as_str(), second[0].tries), (1, "b", 2));
    assert_ne!(second[0].receipt, first[1].receipt);
}

async fn none_are_received_when_none_are_asked_for(store: Arc<dyn Queue>, scope: Scope) {
    put(&store, scope, "g", "a", 0).await;
    assert_eq!(receive(&store, 0, 0).await, Received::default());
    assert_eq!(bodies(&receive(&store, 0, 1).await), ["a"]);
}

async fn what_comes_back_is_received_beside_what_is_new(store: Arc<dyn Queue>, scope: Scope) {
    for name in ["a", "b", "c"] {
        put(&store, scope, name, name, 0).await;
    }
    let first = receive(&store, 0, 2).await.deliveries;
    store.again(&first[0].receipt, at(700)).await.unwrap();
    put(&store, scope, "d", "d", 1).await;
    assert_eq!(bodies(&receive(&store, 699, 1).await), ["c"]);
    assert_eq!(bodies(&receive(&store, 700, 9).await), ["a", "d"]);
    assert_eq!(bodies(&receive(&store, 1_000, 9).await), ["b"], "its visibility is over");
}

async fn the_next_to_come_due_is_told(store: Arc<dyn Queue>, scope: Scope) {
    assert_eq!(receive(&store, 0, 9).await.next_due, None);
    for name in ["a", "b"] {
        put(&store, scope, name, name, 0).await;
    }
    let first = receive(&store, 0, 1).await;
    assert_eq!(first.next_due, Some(at(1_000)), "the end of its own visibility");
    store.again(&first.deliveries[0].receipt, at(300)).await.unwrap();
    // Of a group whose first item waits, the second comes due with nothing but the first.
    put(&store, scope, "a", "behind a", 0).await;
    let second = receive(&store, 100, 9).await;
    assert_eq!((bodies(&second), second.next_due), (vec!["b"], Some(at(300))));
    let third = receive(&store, 300, 9).await;
    assert_eq!((bodies(&third), third.next_due), (vec!["a"], Some(at(1_100))));
    store.done(&third.deliveries[0].receipt).await.unwrap();
    store.done(&second.deliveries[0].receipt).await.unwrap();
    let last = receive(&store, 400, 9).await;
    assert_eq!((bodies(&last), last.next_due), (vec!["behind a"], Some(at(1_400))));
    store.done(&last.deliveries[0].receipt).await.unwrap();
    assert_eq!(receive(&store, 400, 9).await, Received::default());
}

async fn of_receives_at_once_each_item_goes_to_one(store: Arc<dyn Queue>, scope: Scope) {
    for number in 0..40 {
        put(&store, scope, &format!("g{number}"), &format!("{number}"), 0).await;
    }
    let received = at_once(8, |_| {
        let store = Arc::clone(&store);
        async move { receive(&store, 0, 9).await }
    })
    .await;
    let all: Vec<_> = received.iter().flat_map(bodies).collect();
    assert!(received.iter().all(|received| received.deliveries.len() <= 9));
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (40, 40));
}

async fn done_and_bury_tell_whether_their_group_goes_on(store: Arc<dyn Queue>, scope: Scope) {
    for (group, name) in [("g", "a"), ("g", "b"), ("g", "c"), ("h", "d")] {
        put(&store, scope, group, name, 0).await;
    }
    let first = receive(&store, 0, 9).await.deliveries;
    assert_eq!(store.done(&first[0].receipt).await, Ok(true));
    assert_eq!(store.done(&first[0].receipt).await, Ok(false), "the receipt is used up");
    let second = receive(&store, 0, 9).await.deliveries;
    assert_eq!(store.bury(&second[0].receipt, at(0)).await, Ok(true));
    let third = receive(&store, 0, 9).await.deliveries;
    assert_eq!(store.bury(&third[0].receipt, at(0)).await, Ok(false));
    assert_eq!(store.done(&first[1].receipt).await, Ok(false));
    assert_eq!(store.depth().await, Ok(0));
}
