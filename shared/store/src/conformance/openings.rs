//! Which endpoints are to be left alone.

use std::sync::Arc;

use super::{Scope, at, at_once, cases};
use crate::{Opening, Openings};

cases!(dyn Openings:
    an_opening_comes_back_whole,
    what_is_over_is_not_told,
    the_one_that_ends_later_stands,
    endpoints_are_apart,
    any_name_will_do,
    of_openings_told_at_once_the_longest_stands,
);

/// All cases share the openings, so each has endpoints of its own.
fn opening(scope: Scope, name: &str, until: i64) -> Opening {
    let endpoint = format!("{name}/{}", scope.bot("of").as_str());
    Opening { endpoint, since: at(0), until: at(until), step: 1 }
}

/// What is told of this case's endpoints.
async fn told(store: &Arc<dyn Openings>, scope: Scope, now: i64) -> Vec<Opening> {
    let mut openings = store.openings(at(now)).await.unwrap();
    openings.retain(|opening| opening.endpoint.ends_with(scope.bot("of").as_str()));
    openings.sort_by(|a, b| a.endpoint.cmp(&b.endpoint));
    openings
}

async fn an_opening_comes_back_whole(store: Arc<dyn Openings>, scope: Scope) {
    assert_eq!(told(&store, scope, 0).await, []);
    let opening = Opening { since: at(-7), step: 9, ..opening(scope, "a", 10) };
    store.tell(&opening).await.unwrap();
    assert_eq!(told(&store, scope, 0).await, [opening]);
}

async fn what_is_over_is_not_told(store: Arc<dyn Openings>, scope: Scope) {
    store.tell(&opening(scope, "a", 10)).await.unwrap();
    assert_eq!(told(&store, scope, 9).await.len(), 1);
    assert_eq!(told(&store, scope, 10).await, []);
}

async fn the_one_that_ends_later_stands(store: Arc<dyn Openings>, scope: Scope) {
    let longest = Opening { step: 3, ..opening(scope, "a", 30) };
    for opening in [opening(scope, "a", 10), longest.clone(), opening(scope, "a", 20)] {
        store.tell(&opening).await.unwrap();
    }
    assert_eq!(told(&store, scope, 0).await, [longest]);
}

async fn endpoints_are_apart(store: Arc<dyn Openings>, scope: Scope) {
    let (a, b) = (opening(scope, "a", 10), opening(scope, "b", 20));
    for opening in [&b, &a] {
        store.tell(opening).await.unwrap();
    }
    assert_eq!(told(&store, scope, 0).await, [a, b.clone()]);
    assert_eq!(told(&store, scope, 15).await, [b]);
}

async fn any_name_will_do(store: Arc<dyn Openings>, scope: Scope) {
    for name in ["büro", "鹊桥", "a#b", "a b"] {
        let opening = opening(scope, name, 10);
        store.tell(&opening).await.unwrap();
        assert!(told(&store, scope, 0).await.contains(&opening), "{name}");
    }
}

async fn of_openings_told_at_once_the_longest_stands(store: Arc<dyn Openings>, scope: Scope) {
    at_once(8, |number| {
        let (store, until) = (store.clone(), 10 + i64::try_from(number).unwrap());
        async move { store.tell(&opening(scope, "a", until)).await.unwrap() }
    })
    .await;
    assert_eq!(told(&store, scope, 0).await, [opening(scope, "a", 17)]);
}
