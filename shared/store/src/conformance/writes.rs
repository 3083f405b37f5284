//! Who may write to a turn.

use std::sync::Arc;

use chat::TurnKey;

use super::{
    Scope, at, at_once, cases,
    claims::{granted, request},
};
use crate::{Claim, ClaimRequest, Ending, Fence, ParkReason, StoreError, Turns};

cases!(dyn Turns:
    progress_is_read_back_by_the_next_claim,
    the_mark_of_a_segment_moves_and_goes,
    the_largest_numbers_come_back,
    every_ending_comes_back,
    an_ended_turn_stays_ended,
    an_ended_turn_takes_no_writes,
    a_released_turn_takes_no_writes,
    a_turn_that_nobody_claimed_takes_no_writes,
    a_worker_that_was_replaced_writes_nothing,
    a_fence_from_the_future_writes_nothing,
    a_late_worker_that_nobody_replaced_still_writes,
    of_an_end_and_a_takeover_at_once_one_happens,
    progress_in_one_turn_leaves_others_alone,
);

/// Tries each write under a fence that has none coming.
async fn writes_nothing(store: &Arc<dyn Turns>, key: &TurnKey, fence: Fence) {
    assert_eq!(store.sending(key, fence, 7).await, Err(StoreError::FenceLost), "sending");
    assert_eq!(store.sent(key, fence, 7).await, Err(StoreError::FenceLost), "sent");
    assert_eq!(store.release(key, fence).await, Err(StoreError::FenceLost), "release");
    assert_eq!(store.end(key, fence, Ending::Done).await, Err(StoreError::FenceLost), "end");
}

/// What the next worker finds, a lease later.
async fn next(store: &Arc<dyn Turns>, key: &TurnKey) -> (Fence, u32, Option<u32>) {
    let record = granted(store.claim(key, request(100_000)).await.unwrap());
    (record.fence, record.segments_sent, record.sending)
}

async fn progress_is_read_back_by_the_next_claim(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let fence = granted(store.claim(&key, request(0)).await.unwrap()).fence;
    store.sending(&key, fence, 0).await.unwrap();
    store.sent(&key, fence, 1).await.unwrap();
    assert_eq!(next(&store, &key).await, (Fence(2), 1, None), "`sent` clears the mark");
}

async fn the_mark_of_a_segment_moves_and_goes(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let fence = granted(store.claim(&key, request(0)).await.unwrap()).fence;
    store.sending(&key, fence, 0).await.unwrap();
    store.sending(&key, fence, 1).await.unwrap();
    assert_eq!(next(&store, &key).await, (Fence(2), 0, Some(1)));
}

async fn the_largest_numbers_come_back(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let fence = granted(store.claim(&key, request(0)).await.unwrap()).fence;
    store.sent(&key, fence, u32::MAX).await.unwrap();
    store.sending(&key, fence, u32::MAX).await.unwrap();
    assert_eq!(next(&store, &key).await, (Fence(2), u32::MAX, Some(u32::MAX)));
}

async fn every_ending_comes_back(store: Arc<dyn Turns>, scope: Scope) {
    let endings = [
        Ending::Done,
        Ending::Parked(ParkReason::NoAnswer),
        Ending::Parked(ParkReason::SendRefused),
        Ending::Parked(ParkReason::SendUncertain),
        Ending::Parked(ParkReason::TriesExhausted),
    ];
    for (number, ending) in endings.into_iter().enumerate() {
        let key = scope.turn(&number.to_string());
        let fence = granted(store.claim(&key, request(0)).await.unwrap()).fence;
        store.end(&key, fence, ending.clone()).await.unwrap();
        assert_eq!(store.claim(&key, request(1)).await, Ok(Claim::Ended(ending)));
    }
}

async fn an_ended_turn_stays_ended(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let fence = granted(store.claim(&key, request(0)).await.unwrap()).fence;
    store.end(&key, fence, Ending::Done).await.unwrap();
    for now in [0, 999, 1_000, 1_000_000] {
        assert_eq!(store.claim(&key, request(now)).await, Ok(Claim::Ended(Ending::Done)), "at {now}");
    }
}

async fn an_ended_turn_takes_no_writes(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let fence = granted(store.claim(&key, request(0)).await.unwrap()).fence;
    store.end(&key, fence, Ending::Parked(ParkReason::SendUncertain)).await.unwrap();
    writes_nothing(&store, &key, fence).await;
    let ended = Claim::Ended(Ending::Parked(ParkReason::SendUncertain));
    assert_eq!(store.claim(&key, request(1)).await, Ok(ended));
}

async fn a_released_turn_takes_no_writes(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let fence = granted(store.claim(&key, request(0)).await.unwrap()).fence;
    store.release(&key, fence).await.unwrap();
    writes_nothing(&store, &key, fence).await;
    assert_eq!(next(&store, &key).await, (Fence(2), 0, None));
}

async fn a_turn_that_nobody_claimed_takes_no_writes(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    for fence in [Fence(0), Fence(1)] {
        writes_nothing(&store, &key, fence).await;
    }
    assert_eq!(next(&store, &key).await, (Fence(1), 0, None), "a refused write leaves no record behind");
}

async fn a_worker_that_was_replaced_writes_nothing(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let first = granted(store.claim(&key, request(0)).await.unwrap()).fence;
    let second = granted(store.claim(&key, request(1_000)).await.unwrap()).fence;
    store.sending(&key, second, 3).await.unwrap();
    writes_nothing(&store, &key, first).await;
    assert_eq!(store.claim(&key, request(1_001)).await, Ok(Claim::Held { until: at(2_000) }));
    assert_eq!(next(&store, &key).await, (Fence(3), 0, Some(3)), "only the second one's writes are there");
}

async fn a_fence_from_the_future_writes_nothing(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let fence = granted(store.claim(&key, request(0)).await.unwrap()).fence;
    writes_nothing(&store, &key, Fence(fence.0 + 1)).await;
    assert_eq!(next(&store, &key).await, (Fence(2), 0, None));
}

async fn a_late_worker_that_nobody_replaced_still_writes(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let late = ClaimRequest { lease: super::ms(0), ..request(0) };
    let fence = granted(store.claim(&key, late).await.unwrap()).fence;
    store.sending(&key, fence, 0).await.unwrap();
    store.sent(&key, fence, 1).await.unwrap();
    store.end(&key, fence, Ending::Done).await.unwrap();
    assert_eq!(store.claim(&key, request(1)).await, Ok(Claim::Ended(Ending::Done)));
}

async fn of_an_end_and_a_takeover_at_once_one_happens(store: Arc<dyn Turns>, scope: Scope) {
    for round in 0..8 {
        let key = scope.turn(&round.to_string());
        let fence = granted(store.claim(&key, request(0)).await.unwrap()).fence;
        let happened = at_once(2, |task| {
            let (store, key) = (Arc::clone(&store), key.clone());
            async move {
                if task == 0 {
                    store.end(&key, fence, Ending::Done).await.is_ok()
                } else {
                    matches!(store.claim(&key, request(1_000)).await, Ok(Claim::Granted(_)))
                }
            }
        })
        .await;
        assert_ne!(happened[0], happened[1], "either the end or the takeover");
    }
}

async fn progress_in_one_turn_leaves_others_alone(store: Arc<dyn Turns>, scope: Scope) {
    let (here, there) = (scope.turn("a"), scope.turn("b"));
    let fence = granted(store.claim(&here, request(0)).await.unwrap()).fence;
    granted(store.claim(&there, request(0)).await.unwrap());
    store.sent(&here, fence, 5).await.unwrap();
    store.end(&here, fence, Ending::Done).await.unwrap();
    assert_eq!(next(&store, &there).await, (Fence(2), 0, None));
}
