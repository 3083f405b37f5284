//! What a redrive finds and leaves.

use std::sync::Arc;

use super::{
    Scope, at, at_once, cases,
    claims::{granted, request},
};
use crate::{
    Claim, Ending, Fence, ParkReason,
    Reopening::{self, Held, NotParked, Opened},
    StoreError, TurnRecord, Turns,
};

cases!(dyn Turns:
    a_parked_turn_can_be_claimed_once_it_is_reopened,
    a_reopened_turn_keeps_what_was_sent_and_forgets_the_mark,
    every_parked_ending_can_be_reopened,
    a_turn_that_is_done_is_not_reopened,
    a_turn_in_work_is_not_reopened,
    a_lease_that_is_over_is_taken_away,
    of_a_reopening_and_a_claim_when_the_lease_ends_both_go_well,
    a_turn_that_was_given_back_is_not_reopened,
    a_turn_that_nobody_claimed_is_not_reopened,
    a_parked_turn_past_its_time_is_not_reopened,
    a_turn_is_reopened_once_for_each_time_it_is_parked,
    of_concurrent_reopenings_one_counts,
    takeover_and_release_keep_the_redrive,
);

async fn park(store: &Arc<dyn Turns>, scope: Scope, now: i64) -> TurnRecord {
    let record = granted(store.claim(&scope.turn("a"), request(now)).await.unwrap());
    store.end(&scope.turn("a"), record.fence, Ending::Parked(ParkReason::NoAnswer)).await.unwrap();
    record
}

async fn a_parked_turn_can_be_claimed_once_it_is_reopened(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let parked = park(&store, scope, 0).await;
    assert_eq!(store.reopen(&key, at(5)).await, Ok(Opened));
    assert_eq!(store.end(&key, parked.fence, Ending::Done).await, Err(StoreError::FenceLost));
    let expected = TurnRecord { fence: Fence(2), redrive: 1, ..parked };
    assert_eq!(store.claim(&key, request(6)).await, Ok(Claim::Granted(expected)));
}

async fn a_reopened_turn_keeps_what_was_sent_and_forgets_the_mark(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let fence = granted(store.claim(&key, request(0)).await.unwrap()).fence;
    store.sent(&key, fence, 2).await.unwrap();
    store.sending(&key, fence, 2).await.unwrap();
    store.end(&key, fence, Ending::Parked(ParkReason::SendUncertain)).await.unwrap();
    assert_eq!(store.reopen(&key, at(5)).await, Ok(Opened));
    let record = granted(store.claim(&key, request(6)).await.unwrap());
    assert_eq!((record.segments_sent, record.sending, record.accepted_at), (2, None, at(0)));
}

async fn every_parked_ending_can_be_reopened(store: Arc<dyn Turns>, scope: Scope) {
    let reasons = [
        ParkReason::NoAnswer,
        ParkReason::SendRefused,
        ParkReason::SendUncertain,
        ParkReason::TriesExhausted,
    ];
    for (number, reason) in reasons.into_iter().enumerate() {
        let key = scope.turn(&number.to_string());
        let fence = granted(store.claim(&key, request(0)).await.unwrap()).fence;
        store.end(&key, fence, Ending::Parked(reason)).await.unwrap();
        assert_eq!(store.reopen(&key, at(1)).await, Ok(Opened), "{reason:?}");
    }
}

async fn a_turn_that_is_done_is_not_reopened(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let fence = granted(store.claim(&key, request(0)).await.unwrap()).fence;
    store.end(&key, fence, Ending::Done).await.unwrap();
    assert_eq!(store.reopen(&key, at(1)).await, Ok(NotParked));
    assert_eq!(store.claim(&key, request(2)).await, Ok(Claim::Ended(Ending::Done)));
}

async fn a_turn_in_work_is_not_reopened(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let fence = granted(store.claim(&key, request(0)).await.unwrap()).fence;
    store.sending(&key, fence, 0).await.unwrap();
    for now in [1, 999] {
        assert_eq!(store.reopen(&key, at(now)).await, Ok(Held { until: at(1_000) }), "{now}");
    }
    store.sent(&key, fence, 1).await.unwrap();
    assert_eq!(store.claim(&key, request(2)).await, Ok(Claim::Held { until: at(1_000) }));
}

/// A worker that stood still could else end the turn under the eyes of whoever brought it back.
async fn a_lease_that_is_over_is_taken_away(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let fence = granted(store.claim(&key, request(0)).await.unwrap()).fence;
    store.sent(&key, fence, 1).await.unwrap();
    store.sending(&key, fence, 1).await.unwrap();
    for now in [1_000, 1_001] {
        assert_eq!(store.reopen(&key, at(now)).await, Ok(NotParked), "{now}");
    }
    let parked = Ending::Parked(ParkReason::NoAnswer);
    assert_eq!(store.end(&key, fence, parked).await, Err(StoreError::FenceLost));
    let record = granted(store.claim(&key, request(1_002)).await.unwrap());
    assert_eq!((record.fence, record.redrive, record.accepted_at), (Fence(3), 0, at(0)));
    assert_eq!((record.segments_sent, record.sending), (1, Some(1)), "it goes on where it stood");
}

async fn of_a_reopening_and_a_claim_when_the_lease_ends_both_go_well(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    granted(store.claim(&key, request(0)).await.unwrap());
    let opening = {
        let (store, key) = (Arc::clone(&store), key.clone());
        tokio::spawn(async move { store.reopen(&key, at(1_000)).await.unwrap() })
    };
    let claim = store.claim(&key, request(1_000)).await.unwrap();
    let opened = opening.await.unwrap();
    assert!(matches!(opened, NotParked | Held { .. }), "{opened:?}");
    let fence = granted(claim).fence;
    assert_eq!(store.end(&key, fence, Ending::Done).await, Ok(()), "whoever claimed it has it");
}

async fn a_turn_that_was_given_back_is_not_reopened(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let fence = granted(store.claim(&key, request(0)).await.unwrap()).fence;
    store.sending(&key, fence, 0).await.unwrap();
    store.release(&key, fence).await.unwrap();
    assert_eq!(store.reopen(&key, at(1)).await, Ok(NotParked));
    let record = granted(store.claim(&key, request(2)).await.unwrap());
    assert_eq!((record.redrive, record.sending), (0, Some(0)));
}

async fn a_turn_that_nobody_claimed_is_not_reopened(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    assert_eq!(store.reopen(&key, at(0)).await, Ok(NotParked));
    let record = granted(store.claim(&key, request(1)).await.unwrap());
    assert_eq!((record.fence, record.redrive), (Fence(1), 0), "and nothing is left behind");
}

async fn a_parked_turn_past_its_time_is_not_reopened(store: Arc<dyn Turns>, scope: Scope) {
    park(&store, scope, 0).await;
    assert_eq!(store.reopen(&scope.turn("a"), at(3_600_000)).await, Ok(NotParked));
    let record = granted(store.claim(&scope.turn("a"), request(3_600_000)).await.unwrap());
    assert_eq!(record.redrive, 0);
}

async fn a_turn_is_reopened_once_for_each_time_it_is_parked(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    for redrive in 0..3 {
        let now = i64::from(redrive) * 10;
        assert_eq!(park(&store, scope, now).await.redrive, redrive);
        assert_eq!(store.reopen(&key, at(now + 1)).await, Ok(Opened));
        assert_eq!(store.reopen(&key, at(now + 2)).await, Ok(NotParked), "it is open already");
    }
}

async fn of_concurrent_reopenings_one_counts(store: Arc<dyn Turns>, scope: Scope) {
    park(&store, scope, 0).await;
    let reopened = at_once(8, |_| {
        let (store, key) = (Arc::clone(&store), scope.turn("a"));
        async move { store.reopen(&key, at(1)).await.unwrap() }
    })
    .await;
    assert_eq!(reopened.iter().filter(|reopened: &&Reopening| **reopened == Opened).count(), 1);
    assert_eq!(granted(store.claim(&scope.turn("a"), request(2)).await.unwrap()).redrive, 1);
}

async fn takeover_and_release_keep_the_redrive(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    park(&store, scope, 0).await;
    store.reopen(&key, at(1)).await.unwrap();
    granted(store.claim(&key, request(2)).await.unwrap());
    let second = granted(store.claim(&key, request(2_000)).await.unwrap());
    store.release(&key, second.fence).await.unwrap();
    assert_eq!(granted(store.claim(&key, request(2_001)).await.unwrap()).redrive, 1);
}
