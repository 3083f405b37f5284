//! Who gets a turn.

use std::sync::Arc;

use super::{Scope, at, at_once, cases, ms};
use crate::{Claim, ClaimRequest, Ending, Fence, TurnRecord, Turns};

cases!(dyn Turns:
    the_first_claim_is_granted_under_fence_one,
    a_held_turn_names_the_end_of_its_lease,
    a_lease_holds_to_its_last_millisecond,
    a_lease_of_no_length_holds_nobody_up,
    of_concurrent_first_claims_exactly_one_is_granted,
    of_concurrent_claims_after_a_lease_exactly_one_is_granted,
    of_concurrent_claims_of_an_expired_record_exactly_one_is_granted,
    of_concurrent_claims_of_a_released_turn_exactly_one_is_granted,
    a_takeover_moves_the_fence_and_keeps_how_far_it_came,
    the_first_acceptance_survives_takeover_and_release,
    a_turn_that_was_taken_over_is_held_again,
    a_released_turn_is_granted_at_once,
    a_held_record_past_its_time_counts_as_absent,
    an_ended_record_past_its_time_counts_as_absent,
    a_released_record_past_its_time_counts_as_absent,
    an_ended_record_counts_to_its_last_millisecond,
    a_takeover_prolongs_the_record,
    turns_with_equal_events_in_two_conversations_are_two,
    a_turn_has_begun_from_its_first_claim_on,
);

/// A claim at `now`, for a second, of a message accepted at `now`, to be remembered for an hour.
pub(super) fn request(now: i64) -> ClaimRequest {
    ClaimRequest { now: at(now), lease: ms(1_000), accepted_at: at(now), keep_until: at(now + 3_600_000) }
}

pub(super) fn granted(claim: Claim) -> TurnRecord {
    match claim {
        Claim::Granted(record) => record,
        Claim::Held { .. } | Claim::Ended(_) => panic!("the claim must be granted, not {claim:?}"),
    }
}

async fn the_first_claim_is_granted_under_fence_one(store: Arc<dyn Turns>, scope: Scope) {
    let request = ClaimRequest { accepted_at: at(-500), ..request(0) };
    let expected =
        TurnRecord { fence: Fence(1), accepted_at: at(-500), segments_sent: 0, sending: None, redrive: 0 };
    assert_eq!(store.claim(&scope.turn("a"), request).await, Ok(Claim::Granted(expected)));
}

async fn a_held_turn_names_the_end_of_its_lease(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    granted(store.claim(&key, request(0)).await.unwrap());
    let second = ClaimRequest { lease: ms(5), ..request(10) };
    assert_eq!(store.claim(&key, second).await, Ok(Claim::Held { until: at(1_000) }));
    assert_eq!(
        store.claim(&key, second).await,
        Ok(Claim::Held { until: at(1_000) }),
        "asking changes nothing"
    );
}

async fn a_lease_holds_to_its_last_millisecond(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    granted(store.claim(&key, request(0)).await.unwrap());
    assert_eq!(store.claim(&key, request(999)).await, Ok(Claim::Held { until: at(1_000) }));
    assert_eq!(granted(store.claim(&key, request(1_000)).await.unwrap()).fence, Fence(2));
}

async fn a_lease_of_no_length_holds_nobody_up(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let request = ClaimRequest { lease: ms(0), ..request(0) };
    for fence in 1..=3 {
        assert_eq!(granted(store.claim(&key, request).await.unwrap()).fence, Fence(fence));
    }
}

/// Claims sixteen times at once. Exactly one may win; the others see it held.
async fn race(store: &Arc<dyn Turns>, scope: Scope, request: ClaimRequest) {
    let claims = at_once(16, |_| {
        let (store, key) = (Arc::clone(store), scope.turn("a"));
        async move { store.claim(&key, request).await.unwrap() }
    })
    .await;
    let won = claims.iter().filter(|claim| matches!(claim, Claim::Granted(_))).count();
    let until = request.now.plus(request.lease);
    let held = claims.iter().filter(|claim| **claim == Claim::Held { until }).count();
    assert_eq!((won, held), (1, 15), "{claims:?}");
}

async fn of_concurrent_first_claims_exactly_one_is_granted(store: Arc<dyn Turns>, scope: Scope) {
    race(&store, scope, request(0)).await;
}

async fn of_concurrent_claims_after_a_lease_exactly_one_is_granted(store: Arc<dyn Turns>, scope: Scope) {
    granted(store.claim(&scope.turn("a"), request(0)).await.unwrap());
    race(&store, scope, request(1_000)).await;
}

async fn of_concurrent_claims_of_an_expired_record_exactly_one_is_granted(
    store: Arc<dyn Turns>,
    scope: Scope,
) {
    let first = granted(store.claim(&scope.turn("a"), request(0)).await.unwrap());
    store.end(&scope.turn("a"), first.fence, Ending::Done).await.unwrap();
    race(&store, scope, request(3_600_000)).await;
}

async fn of_concurrent_claims_of_a_released_turn_exactly_one_is_granted(store: Arc<dyn Turns>, scope: Scope) {
    let first = granted(store.claim(&scope.turn("a"), request(0)).await.unwrap());
    store.release(&scope.turn("a"), first.fence).await.unwrap();
    race(&store, scope, request(1)).await;
}

async fn a_takeover_moves_the_fence_and_keeps_how_far_it_came(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let first = granted(store.claim(&key, request(0)).await.unwrap());
    store.sent(&key, first.fence, 2).await.unwrap();
    store.sending(&key, first.fence, 2).await.unwrap();
    let second = granted(store.claim(&key, request(2_000)).await.unwrap());
    assert_eq!((second.fence, second.segments_sent, second.sending), (Fence(2), 2, Some(2)));
}

async fn the_first_acceptance_survives_takeover_and_release(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    granted(store.claim(&key, ClaimRequest { accepted_at: at(-7), ..request(0) }).await.unwrap());
    let second = granted(store.claim(&key, request(1_000)).await.unwrap());
    assert_eq!(second.accepted_at, at(-7));
    store.release(&key, second.fence).await.unwrap();
    assert_eq!(granted(store.claim(&key, request(1_500)).await.unwrap()).accepted_at, at(-7));
}

async fn a_turn_that_was_taken_over_is_held_again(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    granted(store.claim(&key, request(0)).await.unwrap());
    granted(store.claim(&key, request(5_000)).await.unwrap());
    assert_eq!(store.claim(&key, request(5_999)).await, Ok(Claim::Held { until: at(6_000) }));
}

async fn a_released_turn_is_granted_at_once(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let first = granted(store.claim(&key, request(0)).await.unwrap());
    store.sent(&key, first.fence, 1).await.unwrap();
    store.sending(&key, first.fence, 1).await.unwrap();
    store.release(&key, first.fence).await.unwrap();
    let second = granted(store.claim(&key, request(0)).await.unwrap());
    assert_eq!((second.fence, second.segments_sent, second.sending), (Fence(2), 1, Some(1)));
    assert_eq!(store.claim(&key, request(1)).await, Ok(Claim::Held { until: at(1_000) }));
}

/// The claim at the end of `keep_until` begins anew, and the worker from before can write nothing.
async fn begins_anew(store: &Arc<dyn Turns>, scope: Scope, old: Fence) {
    let key = scope.turn("a");
    let new = granted(store.claim(&key, request(3_600_000)).await.unwrap());
    assert_eq!((new.accepted_at, new.segments_sent, new.sending), (at(3_600_000), 0, None));
    assert_eq!(store.sent(&key, old, 9).await, Err(crate::StoreError::FenceLost));
    assert_eq!(store.claim(&key, request(3_600_001)).await, Ok(Claim::Held { until: at(3_601_000) }));
}

async fn a_held_record_past_its_time_counts_as_absent(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let first =
        granted(store.claim(&key, ClaimRequest { lease: ms(9_000_000), ..request(0) }).await.unwrap());
    store.sent(&key, first.fence, 4).await.unwrap();
    store.sending(&key, first.fence, 4).await.unwrap();
    begins_anew(&store, scope, first.fence).await;
}

async fn an_ended_record_past_its_time_counts_as_absent(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let first = granted(store.claim(&key, request(0)).await.unwrap());
    store.sent(&key, first.fence, 4).await.unwrap();
    store.end(&key, first.fence, Ending::Done).await.unwrap();
    begins_anew(&store, scope, first.fence).await;
}

async fn a_released_record_past_its_time_counts_as_absent(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let first = granted(store.claim(&key, request(0)).await.unwrap());
    store.sent(&key, first.fence, 4).await.unwrap();
    store.release(&key, first.fence).await.unwrap();
    begins_anew(&store, scope, first.fence).await;
}

async fn an_ended_record_counts_to_its_last_millisecond(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    let first = granted(store.claim(&key, request(0)).await.unwrap());
    store.end(&key, first.fence, Ending::Done).await.unwrap();
    assert_eq!(store.claim(&key, request(3_599_999)).await, Ok(Claim::Ended(Ending::Done)));
}

async fn a_takeover_prolongs_the_record(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    granted(store.claim(&key, request(0)).await.unwrap());
    let second = granted(store.claim(&key, request(10_000)).await.unwrap());
    store.end(&key, second.fence, Ending::Done).await.unwrap();
    assert_eq!(store.claim(&key, request(3_609_999)).await, Ok(Claim::Ended(Ending::Done)));
}

async fn turns_with_equal_events_in_two_conversations_are_two(store: Arc<dyn Turns>, scope: Scope) {
    let event = chat::EventId::parse("m1").unwrap();
    for chat in ["here", "there"] {
        let key = chat::TurnKey::new(&scope.conversation_of(chat), &event);
        assert_eq!(granted(store.claim(&key, request(0)).await.unwrap()).fence, Fence(1));
    }
}

async fn a_turn_has_begun_from_its_first_claim_on(store: Arc<dyn Turns>, scope: Scope) {
    let key = scope.turn("a");
    assert_eq!(store.begun(&key).await, Ok(false));
    let record = granted(store.claim(&key, request(0)).await.unwrap());
    assert_eq!(store.begun(&key).await, Ok(true), "held");
    store.release(&key, record.fence).await.unwrap();
    assert_eq!(store.begun(&key).await, Ok(true), "free");
    let record = granted(store.claim(&key, request(1)).await.unwrap());
    store.end(&key, record.fence, Ending::Done).await.unwrap();
    assert_eq!(store.begun(&key).await, Ok(true), "ended");
    assert_eq!(store.begun(&scope.turn("b")).await, Ok(false));
}
