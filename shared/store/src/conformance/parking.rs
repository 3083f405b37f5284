//! Dead letters: kept, listed, brought back.

use std::sync::Arc;

use super::{
    Parking, Scope, at, cases,
    claims::{granted, request},
};
use crate::{Claim, DeadLetter, Ending, ParkReason, ParkedTurn, QueueItem, Redriven, StoreError};

cases!(Parking:
    nothing_is_listed_where_nothing_was_parked,
    what_was_parked_is_listed_and_shown_without_its_message,
    the_latest_come_first,
    a_turn_that_is_parked_again_is_listed_once,
    a_redrive_opens_the_turn_and_queues_its_message,
    a_redrive_is_not_held_up_by_what_the_queue_has_seen,
    a_redrive_takes_the_letter_away,
    a_redrive_of_what_is_not_there_does_nothing,
    a_redrive_of_a_turn_that_is_not_parked_queues_it_only,
    a_turn_that_is_parked_after_its_redrive_can_be_redriven_again,
    a_redrive_of_a_turn_in_work_leaves_the_letter,
    a_redrive_after_the_lease_takes_the_turn_away_from_whoever_stood_still,
    a_redrive_of_a_turn_that_nobody_claimed_queues_it,
);

fn letter(scope: Scope, name: &str, now: i64) -> ParkedTurn {
    ParkedTurn {
        turn: scope.turn(name),
        conversation: scope.conversation("chat"),
        reason: ParkReason::NoAnswer,
        cause: None,
        body: format!("sealed {name}"),
        tries: 2,
        at: at(now),
    }
}

/// Those of this case; another suite may share the table.
async fn listed(store: &Arc<Parking>, scope: Scope) -> Vec<DeadLetter> {
    let all = store.letters.list(usize::MAX).await.unwrap();
    all.into_iter().filter(|letter| letter.conversation == scope.conversation("chat")).collect()
}

/// Parks a turn as a worker does.
async fn park(store: &Arc<Parking>, scope: Scope, name: &str, now: i64) {
    let fence = granted(store.turns.claim(&scope.turn(name), request(now)).await.unwrap()).fence;
    store.letters.park(letter(scope, name, now)).await.unwrap();
    store.turns.end(&scope.turn(name), fence, Ending::Parked(ParkReason::NoAnswer)).await.unwrap();
}

async fn nothing_is_listed_where_nothing_was_parked(store: Arc<Parking>, scope: Scope) {
    assert_eq!(listed(&store, scope).await, []);
    assert_eq!(store.letters.show(&scope.turn("a")).await, Ok(None));
}

async fn what_was_parked_is_listed_and_shown_without_its_message(store: Arc<Parking>, scope: Scope) {
    let reasons = [
        ParkReason::NoAnswer,
        ParkReason::SendRefused,
        ParkReason::SendUncertain,
        ParkReason::TriesExhausted,
    ];
    for (now, reason) in (0..).zip(reasons) {
        let name = format!("{reason:?}");
        let cause = (reason != ParkReason::SendUncertain).then(|| format!("because of {name} 鹊桥"));
        let parked = ParkedTurn { reason, cause, ..letter(scope, &name, now) };
        let ParkedTurn { turn, conversation, cause, tries, at, .. } = parked.clone();
        let expected =
            DeadLetter { turn: turn.clone(), conversation, reason: Some(reason), cause, tries, at };
        store.letters.park(parked).await.unwrap();
        assert_eq!(store.letters.show(&turn).await, Ok(Some(expected.clone())));
        assert_eq!(listed(&store, scope).await[0], expected);
    }
    assert_eq!(listed(&store, scope).await.len(), 4);
}

/// Later than all others, so that no letter of another case comes between.
async fn the_latest_come_first(store: Arc<Parking>, scope: Scope) {
    let late = 1_000_000_000;
    for (name, now) in [("b", 20), ("c", 30), ("a", 10)] {
        store.letters.park(letter(scope, name, late + now)).await.unwrap();
    }
    let turns = |letters: Vec<DeadLetter>| letters.into_iter().map(|one| one.turn).collect::<Vec<_>>();
    assert_eq!(turns(listed(&store, scope).await), ["c", "b", "a"].map(|name| scope.turn(name)));
    assert_eq!(turns(store.letters.list(2).await.unwrap()), ["c", "b"].map(|name| scope.turn(name)));
    assert_eq!(store.letters.list(0).await, Ok(vec![]));
}

async fn a_turn_that_is_parked_again_is_listed_once(store: Arc<Parking>, scope: Scope) {
    store.letters.park(letter(scope, "a", 0)).await.unwrap();
    let cause = Some("again".to_owned());
    let again = ParkedTurn { reason: ParkReason::SendUncertain, cause, tries: 3, ..letter(scope, "a", 9) };
    store.letters.park(again).await.unwrap();
    let letters = listed(&store, scope).await;
    assert_eq!(letters.len(), 1);
    let DeadLetter { reason, cause, tries, at: when, .. } = letters[0].clone();
    assert_eq!((reason, tries, when), (Some(ParkReason::SendUncertain), 3, at(9)));
    assert_eq!(cause.as_deref(), Some("again"));
}

async fn a_redrive_opens_the_turn_and_queues_its_message(store: Arc<Parking>, scope: Scope) {
    park(&store, scope, "a", 0).await;
    assert_eq!(store.letters.redrive(&scope.turn("a"), at(10)).await, Ok(Redriven::Reopened));
    assert_eq!(store.queue.take_all(at(11)).await, [(scope.conversation("chat"), "sealed a".to_owned())]);
    assert_eq!(granted(store.turns.claim(&scope.turn("a"), request(11)).await.unwrap()).redrive, 1);
}

async fn a_redrive_is_not_held_up_by_what_the_queue_has_seen(store: Arc<Parking>, scope: Scope) {
    let ParkedTurn { conversation: group, turn: dedup, body, .. } = letter(scope, "a", 0);
    store.queue.put(QueueItem { group, dedup, body }, at(0)).await;
    assert_eq!(store.queue.take_all(at(1)).await.len(), 1);
    park(&store, scope, "a", 1).await;
    store.letters.redrive(&scope.turn("a"), at(2)).await.unwrap();
    assert_eq!(store.queue.take_all(at(3)).await, [(scope.conversation("chat"), "sealed a".to_owned())]);
}

async fn a_redrive_takes_the_letter_away(store: Arc<Parking>, scope: Scope) {
    park(&store, scope, "a", 0).await;
    park(&store, scope, "b", 0).await;
    store.letters.redrive(&scope.turn("a"), at(1)).await.unwrap();
    assert_eq!(store.letters.show(&scope.turn("a")).await, Ok(None));
    assert_eq!(store.letters.redrive(&scope.turn("a"), at(2)).await, Ok(Redriven::NotFound));
    assert_eq!(listed(&store, scope).await.len(), 1);
    assert_eq!(store.queue.take_all(at(3)).await.len(), 1);
}

async fn a_redrive_of_what_is_not_there_does_nothing(store: Arc<Parking>, scope: Scope) {
    assert_eq!(store.letters.redrive(&scope.turn("a"), at(0)).await, Ok(Redriven::NotFound));
    assert_eq!(store.queue.take_all(at(1)).await, []);
}

async fn a_redrive_of_a_turn_that_is_not_parked_queues_it_only(store: Arc<Parking>, scope: Scope) {
    // The worker crashed between the letter and the end, and another one answered.
    let fence = granted(store.turns.claim(&scope.turn("a"), request(0)).await.unwrap()).fence;
    store.letters.park(letter(scope, "a", 0)).await.unwrap();
    store.turns.end(&scope.turn("a"), fence, Ending::Done).await.unwrap();
    assert_eq!(store.letters.redrive(&scope.turn("a"), at(1)).await, Ok(Redriven::Requeued));
    assert_eq!(store.queue.take_all(at(2)).await.len(), 1);
    assert_eq!(store.turns.claim(&scope.turn("a"), request(3)).await, Ok(Claim::Ended(Ending::Done)));
}

async fn a_turn_that_is_parked_after_its_redrive_can_be_redriven_again(store: Arc<Parking>, scope: Scope) {
    for now in [0, 100, 200] {
        park(&store, scope, "a", now).await;
        assert_eq!(store.letters.redrive(&scope.turn("a"), at(now + 10)).await, Ok(Redriven::Reopened));
        assert_eq!(store.queue.take_all(at(now + 11)).await.len(), 1, "also within five minutes");
    }
}

/// The worker has put the letter there and stands still before it ends the turn.
async fn a_redrive_of_a_turn_in_work_leaves_the_letter(store: Arc<Parking>, scope: Scope) {
    let turn = scope.turn("a");
    let fence = granted(store.turns.claim(&turn, request(0)).await.unwrap()).fence;
    store.letters.park(letter(scope, "a", 1)).await.unwrap();
    let held = Redriven::Held { until: at(1_000) };
    assert_eq!(store.letters.redrive(&turn, at(2)).await, Ok(held));
    assert_eq!(store.queue.take_all(at(3)).await, []);
    assert_eq!(listed(&store, scope).await.len(), 1);
    store.turns.end(&turn, fence, Ending::Parked(ParkReason::NoAnswer)).await.unwrap();
    assert_eq!(store.letters.redrive(&turn, at(4)).await, Ok(Redriven::Reopened));
    assert_eq!(store.queue.take_all(at(5)).await.len(), 1);
    granted(store.turns.claim(&turn, request(6)).await.unwrap());
}

async fn a_redrive_after_the_lease_takes_the_turn_away_from_whoever_stood_still(
    store: Arc<Parking>,
    scope: Scope,
) {
    let turn = scope.turn("a");
    let fence = granted(store.turns.claim(&turn, request(0)).await.unwrap()).fence;
    store.letters.park(letter(scope, "a", 1)).await.unwrap();
    assert_eq!(store.letters.redrive(&turn, at(1_000)).await, Ok(Redriven::Requeued));
    let parked = Ending::Parked(ParkReason::NoAnswer);
    assert_eq!(store.turns.end(&turn, fence, parked).await, Err(StoreError::FenceLost));
    assert_eq!(store.queue.take_all(at(1_001)).await.len(), 1);
    assert_eq!(store.letters.show(&turn).await, Ok(None));
    granted(store.turns.claim(&turn, request(1_002)).await.unwrap());
}

/// It used up its tries before any worker could claim it.
async fn a_redrive_of_a_turn_that_nobody_claimed_queues_it(store: Arc<Parking>, scope: Scope) {
    store.letters.park(letter(scope, "a", 0)).await.unwrap();
    assert_eq!(store.letters.redrive(&scope.turn("a"), at(1)).await, Ok(Redriven::Requeued));
    assert_eq!(store.queue.take_all(at(2)).await.len(), 1);
    assert_eq!(store.letters.show(&scope.turn("a")).await, Ok(None));
}
