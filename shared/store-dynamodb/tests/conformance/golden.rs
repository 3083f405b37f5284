//! Items of every version are read for ever.
//!
//! `golden/items-1.json` is what version 1 has written, as DynamoDB shows it, and the second form of each item is what a
//! later version may add to it: during an upgrade both share a table. The file is never edited; a new version adds another.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{Client, primitives::Blob, types::AttributeValue};
use chat::{BotId, ConversationKey, PlatformId, Timestamp, TurnKey};
use serde_json::Value;
use store::{
    Claim, ClaimRequest, Conversations as _, Ending, ExchangeKind, Fence, ParkReason, Reopening, SignalKind,
    Signals as _, TokenSlot, Tokens as _, TurnRecord, Turns as _, words,
};
use store_dynamodb::DynamoStore;

use crate::table;

const GOLDEN: &str = include_str!("../golden/items-1.json");

fn turn(digit: &str) -> TurnKey {
    words::turn_key(&digit.repeat(64)).unwrap()
}

fn conversation() -> ConversationKey {
    words::conversation_key(&"c".repeat(64)).unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// One attribute as DynamoDB writes it in JSON; bytes as a list of numbers, so that the file can be read.
fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "S" => AttributeValue::S(value.as_str().unwrap().to_owned()),
        "N" => AttributeValue::N(value.as_str().unwrap().to_owned()),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(attribute).collect()),
        "B" => AttributeValue::B(Blob::new(serde_json::from_value::<Vec<u8>>(value.clone()).unwrap())),
        other => panic!("the file holds a `{other}`"),
    }
}

/// Puts the items of the file into the table, with what a later version adds if that is wanted.
async fn put(client: &Client, table: &str, later: bool) {
    for golden in serde_json::from_str::<Vec<HashMap<String, Value>>>(GOLDEN).unwrap() {
        let mut item: HashMap<_, _> =
            golden.iter().map(|(name, value)| (name.clone(), attribute(value))).collect();
        if later {
            item.insert("of_a_later_version".to_owned(), AttributeValue::Bool(true));
        }
        client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }
}

fn request(now: i64) -> ClaimRequest {
    let (now, lease) = (at(now), Duration::from_secs(1));
    ClaimRequest { now, lease, accepted_at: now, keep_until: at(950_000) }
}

async fn turns_are_read(store: &DynamoStore) {
    assert_eq!(store.claim(&turn("a"), request(4_999)).await, Ok(Claim::Held { until: at(5_000) }));
    assert_eq!(store.reopen(&turn("a"), at(4_999)).await, Ok(Reopening::Held { until: at(5_000) }));
    let record = |fence, segments_sent, sending| TurnRecord {
        fence: Fence(fence),
        accepted_at: at(1_000),
        segments_sent,
        sending,
        redrive: 0,
    };
    assert_eq!(store.claim(&turn("a"), request(5_000)).await, Ok(Claim::Granted(record(4, 1, Some(1)))));
    assert_eq!(store.claim(&turn("b"), request(5_000)).await, Ok(Claim::Granted(record(2, 0, None))));
    let parked = [
        ParkReason::NoAnswer,
        ParkReason::SendRefused,
        ParkReason::SendUncertain,
        ParkReason::TriesExhausted,
    ];
    assert_eq!(store.claim(&turn("0"), request(5_000)).await, Ok(Claim::Ended(Ending::Done)));
    for (digit, reason) in ["1", "2", "3", "4"].into_iter().zip(parked) {
        let ended = Claim::Ended(Ending::Parked(reason));
        assert_eq!(store.claim(&turn(digit), request(5_000)).await, Ok(ended));
        assert_eq!(store.reopen(&turn(digit), at(5_001)).await, Ok(Reopening::Opened), "{reason:?}");
    }
    // It was redriven twice before.
    let Ok(Claim::Granted(redriven)) = store.claim(&turn("4"), request(5_002)).await else {
        panic!("it is open")
    };
    assert_eq!(redriven.redrive, 3);
}

async fn the_rest_is_read(store: &DynamoStore) {
    let kinds = [ExchangeKind::Answer, ExchangeKind::Notice, ExchangeKind::Reset, ExchangeKind::Merged];
    for ((millis, digit), kind) in (1_000..).zip(["0", "1", "2", "3"]).zip(kinds) {
        let exchange = store.find(&conversation(), at(millis), &turn(digit)).await.unwrap().unwrap();
        assert_eq!((exchange.kind, exchange.sealed, exchange.keep_until), (kind, vec![1, 2], at(900_000)));
    }
    let (platform, bot) = (PlatformId::parse("feishu").unwrap(), BotId::parse("bot").unwrap());
    for (slot, sealed) in [(TokenSlot::Access, vec![3, 4]), (TokenSlot::Identity, vec![5, 6])] {
        assert_eq!(store.token(&platform, &bot, slot).await.unwrap().unwrap().sealed, sealed);
    }
    let signals = store.signals(&conversation(), at(0), at(4_000)).await.unwrap();
    let kinds: Vec<_> = signals.iter().map(|signal| signal.kind).collect();
    assert_eq!(kinds, [SignalKind::Stop, SignalKind::Question, SignalKind::Other]);
    assert!(signals.iter().all(|signal| signal.mentions == ["ou_bot"]));
}

#[tokio::test]
async fn items_of_every_version_are_read_for_ever() {
    for later in [false, true] {
        let name = if later { "golden-later" } else { "golden" };
        let Some((client, table, store)) = table(name).await else { return };
        put(&client, &table, later).await;
        turns_are_read(&store).await;
        the_rest_is_read(&store).await;
    }
}
