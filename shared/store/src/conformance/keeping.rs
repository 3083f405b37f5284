//! One exchange at a time.

use std::sync::Arc;

use chat::TurnKey;

use super::{Scope, at, at_once, cases};
use crate::{Conversations, Exchange, ExchangeKind, Kept, ReadFrom};

cases!(dyn Conversations:
    what_is_kept_is_found,
    any_bytes_come_back,
    the_first_exchange_of_a_turn_stands,
    of_exchanges_kept_at_once_one_stands_for_all,
    nothing_is_found_where_nothing_was_kept,
    equal_turns_in_two_conversations_are_two,
    one_turn_accepted_at_two_moments_is_two,
    keeping_again_does_not_change_the_memory,
);

/// An answer accepted at `moment`, kept for an hour.
pub(super) fn answer(turn: TurnKey, moment: i64, text: &str) -> Exchange {
    Exchange {
        turn,
        at: at(moment),
        kind: ExchangeKind::Answer,
        sealed: text.as_bytes().to_vec(),
        keep_until: at(moment + 3_600_000),
    }
}

async fn what_is_kept_is_found(store: Arc<dyn Conversations>, scope: Scope) {
    let conversation = scope.conversation("a");
    for (number, kind) in
        [ExchangeKind::Answer, ExchangeKind::Notice, ExchangeKind::Reset].into_iter().enumerate()
    {
        let exchange = Exchange { kind, ..answer(scope.turn(&number.to_string()), 5, "sealed") };
        assert_eq!(store.keep(&conversation, &exchange).await, Ok(Kept::New));
        assert_eq!(store.find(&conversation, exchange.at, &exchange.turn).await, Ok(Some(exchange)));
    }
}

async fn any_bytes_come_back(store: Arc<dyn Conversations>, scope: Scope) {
    let conversation = scope.conversation("a");
    let large: Vec<u8> = (0..=u8::MAX).cycle().take(60_000).collect();
    for (number, sealed) in [vec![], vec![0], vec![0xff, 0xfe], large].into_iter().enumerate() {
        let exchange = Exchange { sealed, ..answer(scope.turn(&number.to_string()), 5, "") };
        store.keep(&conversation, &exchange).await.unwrap();
        assert_eq!(store.find(&conversation, exchange.at, &exchange.turn).await, Ok(Some(exchange)));
    }
}

async fn the_first_exchange_of_a_turn_stands(store: Arc<dyn Conversations>, scope: Scope) {
    let conversation = scope.conversation("a");
    let first = answer(scope.turn("a"), 5, "first");
    let second = Exchange {
        kind: ExchangeKind::Notice,
        keep_until: at(9_999_999),
        ..answer(scope.turn("a"), 5, "second")
    };
    assert_eq!(store.keep(&conversation, &first).await, Ok(Kept::New));
    assert_eq!(store.keep(&conversation, &second).await, Ok(Kept::Already(first.clone())));
    assert_eq!(store.keep(&conversation, &first).await, Ok(Kept::Already(first.clone())), "its own too");
    assert_eq!(store.find(&conversation, at(5), &first.turn).await, Ok(Some(first)));
}

async fn of_exchanges_kept_at_once_one_stands_for_all(store: Arc<dyn Conversations>, scope: Scope) {
    let conversation = scope.conversation("a");
    let kept = at_once(12, |number| {
        let (store, conversation) = (Arc::clone(&store), conversation.clone());
        let exchange = answer(scope.turn("a"), 5, &number.to_string());
        async move { store.keep(&conversation, &exchange).await.unwrap() }
    })
    .await;
    let standing = store.find(&conversation, at(5), &scope.turn("a")).await.unwrap().unwrap();
    let writer: usize = String::from_utf8(standing.sealed.clone()).unwrap().parse().unwrap();
    for (number, kept) in kept.into_iter().enumerate() {
        let expected = if number == writer { Kept::New } else { Kept::Already(standing.clone()) };
        assert_eq!(kept, expected, "writer {number}");
    }
}

async fn nothing_is_found_where_nothing_was_kept(store: Arc<dyn Conversations>, scope: Scope) {
    let conversation = scope.conversation("a");
    let exchange = answer(scope.turn("a"), 5, "sealed");
    assert_eq!(store.find(&conversation, at(5), &exchange.turn).await, Ok(None));
    store.keep(&conversation, &exchange).await.unwrap();
    assert_eq!(store.find(&conversation, at(6), &exchange.turn).await, Ok(None), "another moment");
    assert_eq!(store.find(&conversation, at(5), &scope.turn("b")).await, Ok(None), "another turn");
    assert_eq!(
        store.find(&scope.conversation("b"), at(5), &exchange.turn).await,
        Ok(None),
        "another conversation"
    );
}

async fn equal_turns_in_two_conversations_are_two(store: Arc<dyn Conversations>, scope: Scope) {
    for name in ["here", "there"] {
        let kept = store.keep(&scope.conversation(name), &answer(scope.turn("a"), 5, name)).await;
        assert_eq!(kept, Ok(Kept::New));
    }
    for name in ["here", "there"] {
        let recent = store.recent(&scope.conversation(name), at(10), ReadFrom::Newest, 10).await.unwrap();
        assert_eq!(recent, [answer(scope.turn("a"), 5, name)]);
    }
}

async fn one_turn_accepted_at_two_moments_is_two(store: Arc<dyn Conversations>, scope: Scope) {
    let conversation = scope.conversation("a");
    for (moment, text) in [(5, "early"), (6, "late")] {
        assert_eq!(store.keep(&conversation, &answer(scope.turn("a"), moment, text)).await, Ok(Kept::New));
    }
    let early = store.find(&conversation, at(5), &scope.turn("a")).await.unwrap().unwrap();
    assert_eq!(early.sealed, b"early");
}

async fn keeping_again_does_not_change_the_memory(store: Arc<dyn Conversations>, scope: Scope) {
    let conversation = scope.conversation("a");
    let first = answer(scope.turn("a"), 5, "first");
    store.keep(&conversation, &first).await.unwrap();
    let reset = Exchange { kind: ExchangeKind::Reset, ..first.clone() };
    store.keep(&conversation, &reset).await.unwrap();
    assert_eq!(store.recent(&conversation, at(10), ReadFrom::Newest, 10).await, Ok(vec![first]));
}
