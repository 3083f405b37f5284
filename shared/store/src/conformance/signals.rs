//! Word past the queue.

use std::sync::Arc;

use super::{Scope, at, at_once, cases};
use crate::{SIGNALS_MAX, Signal, SignalKind, Signals};

cases!(dyn Signals:
    a_signal_comes_back_whole,
    only_later_signals_are_heard,
    signals_come_in_the_order_of_their_messages,
    leaving_a_signal_again_changes_nothing,
    conversations_hear_their_own,
    what_is_past_its_time_is_not_heard,
    no_more_come_than_the_most,
    signals_left_at_once_are_all_heard,
);

fn signal(scope: Scope, name: &str, sent: i64) -> Signal {
    Signal { turn: scope.turn(name), at: at(sent), kind: SignalKind::Question, mentions: Vec::new() }
}

async fn heard(store: &Arc<dyn Signals>, scope: Scope, after: i64) -> Vec<Signal> {
    store.signals(&scope.conversation("a"), at(after), at(100)).await.unwrap()
}

async fn leave(store: &Arc<dyn Signals>, scope: Scope, signal: &Signal) {
    store.signal(&scope.conversation("a"), signal, at(1_000)).await.unwrap();
}

async fn a_signal_comes_back_whole(store: Arc<dyn Signals>, scope: Scope) {
    let stop = Signal {
        kind: SignalKind::Stop,
        mentions: vec!["ou_1".to_owned(), "ünï#,code".to_owned()],
        ..signal(scope, "t", 5)
    };
    let question = signal(scope, "u", 6);
    leave(&store, scope, &stop).await;
    leave(&store, scope, &question).await;
    assert_eq!(heard(&store, scope, 0).await, [stop, question]);
}

async fn only_later_signals_are_heard(store: Arc<dyn Signals>, scope: Scope) {
    leave(&store, scope, &signal(scope, "t", 5)).await;
    assert_eq!(heard(&store, scope, 4).await.len(), 1);
    assert_eq!(heard(&store, scope, 5).await, []);
    assert_eq!(heard(&store, scope, 6).await, []);
}

async fn signals_come_in_the_order_of_their_messages(store: Arc<dyn Signals>, scope: Scope) {
    for (name, sent) in [("c", 30), ("a", 9), ("b", 10)] {
        leave(&store, scope, &signal(scope, name, sent)).await;
    }
    let order: Vec<_> = heard(&store, scope, 0).await.into_iter().map(|signal| signal.at).collect();
    assert_eq!(order, [at(9), at(10), at(30)]);
}

async fn leaving_a_signal_again_changes_nothing(store: Arc<dyn Signals>, scope: Scope) {
    let first = signal(scope, "t", 5);
    for _ in 0..2 {
        leave(&store, scope, &first).await;
    }
    assert_eq!(heard(&store, scope, 0).await, [first]);
}

async fn conversations_hear_their_own(store: Arc<dyn Signals>, scope: Scope) {
    leave(&store, scope, &signal(scope, "t", 5)).await;
    let other = store.signals(&scope.conversation("b"), at(0), at(100)).await;
    assert_eq!(other, Ok(vec![]));
}

async fn what_is_past_its_time_is_not_heard(store: Arc<dyn Signals>, scope: Scope) {
    leave(&store, scope, &signal(scope, "t", 5)).await;
    for (now, heard) in [(999, 1), (1_000, 0)] {
        let signals = store.signals(&scope.conversation("a"), at(0), at(now)).await.unwrap();
        assert_eq!(signals.len(), heard, "{now}");
    }
}

async fn no_more_come_than_the_most(store: Arc<dyn Signals>, scope: Scope) {
    for sent in 1..=i64::try_from(SIGNALS_MAX).unwrap() + 3 {
        leave(&store, scope, &signal(scope, &format!("t{sent}"), sent)).await;
    }
    let heard = heard(&store, scope, 0).await;
    assert_eq!((heard.len(), heard[0].at), (SIGNALS_MAX, at(1)), "the oldest");
}

async fn signals_left_at_once_are_all_heard(store: Arc<dyn Signals>, scope: Scope) {
    let left = store.clone();
    at_once(8, move |number| {
        let (store, signal) = (left.clone(), signal(scope, &format!("t{number}"), 5));
        async move { store.signal(&scope.conversation("a"), &signal, at(1_000)).await.unwrap() }
    })
    .await;
    assert_eq!(heard(&store, scope, 0).await.len(), 8, "also of one moment");
}
