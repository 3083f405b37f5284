//! Files of every schema, with records of every version, are read for ever.
//!
//! `golden/schema-*.sql` is what a Magpie of that schema left behind. The files are never edited; each migration adds one.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::time::Duration;

use chat::{BotId, ConversationKey, PlatformId, Timestamp, TurnKey};
use rusqlite::Connection;
use store::{
    Claim, ClaimRequest, Conversations as _, DeadLetters as _, Dequeue as _, Ending, Fence, ParkReason,
    ReadFrom, Redriven, SignalKind, Signals as _, TokenSlot, Tokens as _, TurnRecord, Turns as _, words,
};
use store_sqlite::SqliteStore;

const GOLDEN: [&str; 3] = [
    include_str!("golden/schema-1.sql"),
    include_str!("golden/schema-2.sql"),
    include_str!("golden/schema-3.sql"),
];

fn turn(digit: &str) -> TurnKey {
    words::turn_key(&digit.repeat(64)).unwrap()
}

fn conversation() -> ConversationKey {
    words::conversation_key(&"c".repeat(64)).unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn request(now: i64) -> ClaimRequest {
    ClaimRequest {
        now: at(now),
        lease: Duration::from_secs(1),
        accepted_at: at(now),
        keep_until: at(950_000),
    }
}

async fn turns_are_read(store: &SqliteStore, redrive: u32) {
    assert_eq!(store.claim(&turn("a"), request(4_999)).await, Ok(Claim::Held { until: at(5_000) }));
    let record = |fence, segments_sent, sending| TurnRecord {
        fence: Fence(fence),
        accepted_at: at(1_000),
        segments_sent,
        sending,
        redrive,
    };
    assert_eq!(store.claim(&turn("a"), request(5_000)).await, Ok(Claim::Granted(record(4, 1, Some(1)))));
    assert_eq!(store.claim(&turn("b"), request(5_000)).await, Ok(Claim::Granted(record(2, 0, None))));
    let parked = [
        ParkReason::NoAnswer,
        ParkReason::SendRefused,
        ParkReason::SendUncertain,
        ParkReason::TriesExhausted,
    ];
    let endings = [Ending::Done].into_iter().chain(parked.map(Ending::Parked));
    for (digit, ending) in ["0", "1", "2", "3", "4"].into_iter().zip(endings) {
        assert_eq!(store.claim(&turn(digit), request(5_000)).await, Ok(Claim::Ended(ending)));
    }
}

async fn exchanges_are_read(store: &SqliteStore, merged: bool) {
    let recent = store.recent(&conversation(), at(2_000), ReadFrom::Newest, 9).await.unwrap();
    let turns: Vec<_> = recent.into_iter().map(|exchange| exchange.turn).collect();
    assert_eq!(turns, if merged { vec![turn("4"), turn("3")] } else { vec![turn("3")] }, "to the reset");
    for (millis, digit) in (1_000..).zip(["0", "1", "2", "3"]) {
        let exchange = store.find(&conversation(), at(millis), &turn(digit)).await.unwrap().unwrap();
        assert_eq!((exchange.sealed, exchange.keep_until), (vec![1, 2], at(900_000)));
    }
}

async fn the_rest_is_read(store: &SqliteStore, reason: Option<ParkReason>, signals: bool) {
    let (platform, bot) = (PlatformId::parse("feishu").unwrap(), BotId::parse("bot").unwrap());
    for (slot, sealed) in [(TokenSlot::Access, vec![3, 4]), (TokenSlot::Identity, vec![5, 6])] {
        assert_eq!(store.token(&platform, &bot, slot).await.unwrap().unwrap().sealed, sealed);
    }
    let found = store.signals(&conversation(), at(0), at(4_000)).await.unwrap();
    let kinds: Vec<_> = found.iter().map(|signal| signal.kind).collect();
    let expected = vec![SignalKind::Stop, SignalKind::Question, SignalKind::Other];
    assert_eq!(kinds, if signals { expected } else { Vec::new() });
    assert!(found.iter().all(|signal| signal.mentions == ["ou_bot"]));
    let letter = store.show(&turn("3")).await.unwrap().unwrap();
    assert_eq!((letter.reason, letter.tries, letter.at), (reason, 4, at(2_000)));
    assert_eq!(store.redrive(&turn("3"), at(6_000)).await, Ok(Redriven::Reopened));
    for (body, tries) in [("sealed", 2), ("sealed too", 1)] {
        let delivery = store.next(at(6_000), Duration::from_secs(9)).await.unwrap().unwrap();
        assert_eq!((delivery.body.as_str(), delivery.tries), (body, tries));
        store.done(&delivery.receipt).await.unwrap();
    }
}

#[tokio::test]
async fn files_of_every_schema_are_read_for_ever() {
    for (schema, golden) in (1..).zip(GOLDEN) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("magpie.db");
        Connection::open(&path).unwrap().execute_batch(golden).unwrap();
        let store = SqliteStore::open(&path).unwrap();
        turns_are_read(&store, if schema >= 2 { 2 } else { 0 }).await;
        exchanges_are_read(&store, schema >= 3).await;
        let reason = (schema >= 2).then_some(ParkReason::SendUncertain);
        the_rest_is_read(&store, reason, schema >= 3).await;
    }
}
