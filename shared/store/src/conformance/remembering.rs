//! What a conversation remembers.

use std::sync::Arc;

use chat::ConversationKey;

use super::{Scope, at, cases, keeping::answer};
use crate::{Conversations, Exchange, ExchangeKind, ReadFrom};

cases!(dyn Conversations:
    a_new_conversation_remembers_nothing,
    the_newest_comes_first,
    the_order_is_of_acceptance_not_of_writing,
    turns_of_one_moment_are_all_remembered,
    no_more_than_the_limit_comes_and_the_newest_stay,
    notices_are_passed_over_and_do_not_count,
    many_notices_do_not_hide_an_older_answer,
    the_memory_ends_at_the_last_reset,
    a_reset_of_one_conversation_leaves_others_alone,
    what_is_past_its_time_is_not_remembered,
    what_is_past_its_time_does_not_count,
    a_long_memory_is_read_whole,
    merged_questions_are_remembered_and_count,
    reading_goes_on_behind_any_exchange,
    the_last_portion_is_short,
);

/// Keeps exchanges named 0, 1, 2 … accepted at those moments.
async fn keep_all(store: &Arc<dyn Conversations>, scope: Scope, name: &str, kinds: &[ExchangeKind]) {
    for (moment, kind) in (0_i64..).zip(kinds) {
        let text = moment.to_string();
        let exchange = Exchange { kind: *kind, ..answer(scope.turn(&text), moment, &text) };
        store.keep(&scope.conversation(name), &exchange).await.unwrap();
    }
}

/// The names of what is remembered, newest first.
async fn names(
    store: &Arc<dyn Conversations>,
    conversation: &ConversationKey,
    now: i64,
    limit: usize,
) -> String {
    let recent = store.recent(conversation, at(now), ReadFrom::Newest, limit).await.unwrap();
    let names: Vec<_> =
        recent.into_iter().map(|exchange| String::from_utf8(exchange.sealed).unwrap()).collect();
    names.join(" ")
}

use ExchangeKind::{Answer, Merged, Notice, Reset};

async fn a_new_conversation_remembers_nothing(store: Arc<dyn Conversations>, scope: Scope) {
    assert_eq!(store.recent(&scope.conversation("a"), at(0), ReadFrom::Newest, 10).await, Ok(vec![]));
}

async fn the_newest_comes_first(store: Arc<dyn Conversations>, scope: Scope) {
    keep_all(&store, scope, "a", &[Answer; 12]).await;
    assert_eq!(names(&store, &scope.conversation("a"), 50, 20).await, "11 10 9 8 7 6 5 4 3 2 1 0");
}

async fn the_order_is_of_acceptance_not_of_writing(store: Arc<dyn Conversations>, scope: Scope) {
    let conversation = scope.conversation("a");
    for moment in [3, -1, 100_000, 2] {
        let text = moment.to_string();
        store.keep(&conversation, &answer(scope.turn(&text), moment, &text)).await.unwrap();
    }
    assert_eq!(names(&store, &conversation, 100_000, 9).await, "100000 3 2 -1");
}

async fn turns_of_one_moment_are_all_remembered(store: Arc<dyn Conversations>, scope: Scope) {
    let conversation = scope.conversation("a");
    let mut expected: Vec<_> =
        (0..6).map(|n| answer(scope.turn(&n.to_string()), 5, &n.to_string())).collect();
    for exchange in &expected {
        store.keep(&conversation, exchange).await.unwrap();
    }
    expected.sort_by(|a, b| b.turn.cmp(&a.turn));
    assert_eq!(
        store.recent(&conversation, at(10), ReadFrom::Newest, 10).await.unwrap(),
        expected,
        "in the order of their keys"
    );
    assert_eq!(
        store.recent(&conversation, at(10), ReadFrom::Newest, 4).await.unwrap(),
        expected[..4],
        "and the same each time"
    );
}

async fn no_more_than_the_limit_comes_and_the_newest_stay(store: Arc<dyn Conversations>, scope: Scope) {
    keep_all(&store, scope, "a", &[Answer; 5]).await;
    let conversation = scope.conversation("a");
    assert_eq!(names(&store, &conversation, 50, 0).await, "");
    assert_eq!(names(&store, &conversation, 50, 1).await, "4");
    assert_eq!(names(&store, &conversation, 50, 5).await, "4 3 2 1 0");
    assert_eq!(names(&store, &conversation, 50, usize::MAX).await, "4 3 2 1 0");
}

async fn notices_are_passed_over_and_do_not_count(store: Arc<dyn Conversations>, scope: Scope) {
    keep_all(&store, scope, "a", &[Answer, Answer, Notice, Answer, Notice]).await;
    assert_eq!(names(&store, &scope.conversation("a"), 50, 2).await, "3 1");
}

async fn many_notices_do_not_hide_an_older_answer(store: Arc<dyn Conversations>, scope: Scope) {
    let mut kinds = vec![Answer];
    kinds.extend([Notice; 60]);
    keep_all(&store, scope, "a", &kinds).await;
    assert_eq!(names(&store, &scope.conversation("a"), 500, 1).await, "0");
}

async fn the_memory_ends_at_the_last_reset(store: Arc<dyn Conversations>, scope: Scope) {
    keep_all(&store, scope, "a", &[Answer, Reset, Answer, Notice, Reset, Answer, Answer]).await;
    let conversation = scope.conversation("a");
    assert_eq!(names(&store, &conversation, 50, 9).await, "6 5");
    assert_eq!(names(&store, &conversation, 50, 1).await, "6");
    let last = Exchange { kind: Reset, ..answer(scope.turn("last"), 10, "last") };
    store.keep(&conversation, &last).await.unwrap();
    assert_eq!(names(&store, &conversation, 50, 9).await, "");
    assert!(store.find(&conversation, at(6), &scope.turn("6")).await.unwrap().is_some(), "it stays kept");
}

async fn a_reset_of_one_conversation_leaves_others_alone(store: Arc<dyn Conversations>, scope: Scope) {
    keep_all(&store, scope, "here", &[Answer, Reset]).await;
    keep_all(&store, scope, "there", &[Answer]).await;
    assert_eq!(names(&store, &scope.conversation("there"), 50, 9).await, "0");
}

async fn what_is_past_its_time_is_not_remembered(store: Arc<dyn Conversations>, scope: Scope) {
    keep_all(&store, scope, "a", &[Answer, Answer, Answer]).await;
    let conversation = scope.conversation("a");
    assert_eq!(names(&store, &conversation, 3_599_999, 9).await, "2 1 0", "the last millisecond counts");
    assert_eq!(names(&store, &conversation, 3_600_001, 9).await, "2");
}

async fn what_is_past_its_time_does_not_count(store: Arc<dyn Conversations>, scope: Scope) {
    let conversation = scope.conversation("a");
    let brief = Exchange { keep_until: at(20), ..answer(scope.turn("brief"), 9, "brief") };
    keep_all(&store, scope, "a", &[Answer, Answer]).await;
    store.keep(&conversation, &brief).await.unwrap();
    assert_eq!(names(&store, &conversation, 20, 2).await, "1 0");
}

/// Two megabytes, because stores answer in pages of one.
async fn a_long_memory_is_read_whole(store: Arc<dyn Conversations>, scope: Scope) {
    let conversation = scope.conversation("a");
    let large = "x".repeat(50_000);
    for moment in 0..40 {
        store.keep(&conversation, &answer(scope.turn(&moment.to_string()), moment, &large)).await.unwrap();
    }
    let recent = store.recent(&conversation, at(50), ReadFrom::Newest, 40).await.unwrap();
    assert!(recent.iter().map(|exchange| exchange.at).eq((0..40).rev().map(at)));
}

async fn merged_questions_are_remembered_and_count(store: Arc<dyn Conversations>, scope: Scope) {
    let conversation = scope.conversation("a");
    let kinds = [Merged, Reset, Merged, Answer, Merged, Notice, Merged, Answer, Merged, Merged];
    keep_all(&store, scope, "a", &kinds).await;
    for (limit, expected) in [(0, ""), (1, "9"), (3, "9 8 7"), (5, "9 8 7 6 4"), (99, "9 8 7 6 4 3 2")] {
        assert_eq!(names(&store, &conversation, 50, limit).await, expected, "{limit}");
    }
}

/// Read in portions of every size, a memory is what it is when read at once. What was written long ago is all there, however
/// it is read.
async fn reading_goes_on_behind_any_exchange(store: Arc<dyn Conversations>, scope: Scope) {
    let conversation = scope.conversation("a");
    let kinds = [Answer, Reset, Answer, Merged, Notice, Notice, Answer, Answer, Notice, Merged, Answer];
    keep_all(&store, scope, "a", &kinds).await;
    for kind in [Answer, Merged, Answer] {
        let twin = Exchange { kind, ..answer(scope.turn(&format!("twin {kind:?}")), 7, "twin") };
        store.keep(&conversation, &twin).await.unwrap();
    }
    let whole = store.recent(&conversation, at(50), ReadFrom::Newest, 99).await.unwrap();
    assert_eq!(whole.len(), 8);
    for portion in 1..=9 {
        for settled in [false, true] {
            let mut read = store.recent(&conversation, at(50), ReadFrom::Newest, portion).await.unwrap();
            while read.len() < whole.len() {
                let last = read[read.len() - 1].clone();
                let from = if settled { ReadFrom::SettledBehind(&last) } else { ReadFrom::Behind(&last) };
                let more = store.recent(&conversation, at(50), from, portion).await.unwrap();
                assert!(!more.is_empty() && more.len() <= portion, "{portion}");
                read.extend(more);
            }
            assert_eq!(read, whole, "in portions of {portion}");
        }
    }
}

/// A portion that nothing but notices follow, and one that the reset follows, are told from one that more follows.
async fn the_last_portion_is_short(store: Arc<dyn Conversations>, scope: Scope) {
    keep_all(&store, scope, "a", &[Answer, Reset, Answer, Answer]).await;
    keep_all(&store, scope, "b", &[Notice, Notice, Answer, Answer]).await;
    for name in ["a", "b"] {
        let conversation = scope.conversation(name);
        let all = store.recent(&conversation, at(50), ReadFrom::Newest, 2).await.unwrap();
        assert_eq!(all.len(), 2);
        for from in [ReadFrom::Behind(&all[1]), ReadFrom::SettledBehind(&all[1])] {
            assert_eq!(store.recent(&conversation, at(50), from, 2).await, Ok(vec![]), "{name}");
        }
    }
}
