//! Where items lie, what they hold, and what an error says.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use chat::{BotId, ChatId, Conversation, EventId, PlatformId, Timestamp, TurnKey};
use store::{
    ClaimRequest, Conversations as _, Ending, Exchange, ExchangeKind, Fence, Opening, Openings as _,
    Park as _, ParkReason, ParkedTurn, ReadFrom, SealedToken, StoreError, TokenSlot, Tokens as _, Turns as _,
};
use store_dynamodb::DynamoStore;

use crate::{bench, table};

fn conversation() -> Conversation {
    Conversation {
        platform: PlatformId::parse("feishu").unwrap(),
        bot: BotId::parse("bot").unwrap(),
        chat: ChatId::parse("chat").unwrap(),
        thread: None,
        user: None,
    }
}

fn turn() -> TurnKey {
    TurnKey::new(&conversation(), &EventId::parse("e").unwrap())
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + millis)
}

fn request() -> ClaimRequest {
    ClaimRequest { now: at(0), lease: Duration::from_secs(1), accepted_at: at(0), keep_until: at(1_500) }
}

fn exchange() -> Exchange {
    let sealed = b"sealed".to_vec();
    Exchange { turn: turn(), at: at(7), kind: ExchangeKind::Answer, sealed, keep_until: at(1_500) }
}

async fn put_token(store: &DynamoStore) {
    let token = SealedToken { sealed: b"token".to_vec(), ends_at: at(1_500) };
    let Conversation { platform, bot, .. } = conversation();
    store.put_token(&platform, &bot, TokenSlot::Access, token).await.unwrap();
}

async fn fill(store: &DynamoStore) {
    store.claim(&turn(), request()).await.unwrap();
    store.keep(&conversation().key(), &exchange()).await.unwrap();
    put_token(store).await;
    let opening = Opening { endpoint: "office".to_owned(), since: at(0), until: at(1_500), step: 1 };
    store.tell(&opening).await.unwrap();
}

async fn items(client: &Client, table: &str) -> Vec<HashMap<String, AttributeValue>> {
    client.scan().table_name(table).send().await.unwrap().items.unwrap()
}

#[tokio::test]
async fn items_lie_under_their_keys_with_version_and_ttl() {
    let Some((client, table, store)) = table("layout").await else { return };
    fill(&store).await;
    let items = items(&client, &table).await;
    let (turn, conversation) = (turn(), conversation().key());
    for (pk, sk) in [
        (format!("TURN#{}", turn.as_str()), "TURN".to_owned()),
        (format!("CONV#{}", conversation.as_str()), format!("MSG#0000001790000000007#{}", turn.as_str())),
        ("BOT#feishu#bot".to_owned(), "TOKEN#access".to_owned()),
        ("OPENINGS".to_owned(), "office".to_owned()),
    ] {
        let key = (AttributeValue::S(pk), AttributeValue::S(sk));
        let item = items.iter().find(|item| item["pk"] == key.0 && item["sk"] == key.1);
        let item = item.unwrap_or_else(|| panic!("{key:?} must be there"));
        assert_eq!(item["v"], AttributeValue::N("1".to_owned()), "{key:?}");
        assert_eq!(item["ttl"], AttributeValue::N("1790000002".to_owned()), "{key:?}: seconds, rounded up");
    }
    assert_eq!(items.len(), 4);
}

#[tokio::test]
async fn a_parked_turn_lies_among_the_dead_letters_for_fourteen_days() {
    let Some((client, table, store)) = table("parked").await else { return };
    let parked = ParkedTurn {
        turn: turn(),
        conversation: conversation().key(),
        reason: ParkReason::NoAnswer,
        cause: None,
        body: "sealed".to_owned(),
        tries: 1,
        at: at(1),
    };
    store.park(parked).await.unwrap();
    let items = items(&client, &table).await;
    assert_eq!((items.len(), &items[0]["pk"]), (1, &AttributeValue::S("PARKED".to_owned())));
    assert_eq!(items[0]["sk"], AttributeValue::S(turn().as_str().to_owned()));
    assert_eq!(items[0]["ttl"], AttributeValue::N((1_790_000_001 + 14 * 86_400).to_string()));
}

#[tokio::test]
async fn a_later_claim_moves_the_ttl() {
    let Some((client, table, store)) = table("ttl").await else { return };
    store.claim(&turn(), request()).await.unwrap();
    store.claim(&turn(), ClaimRequest { now: at(1_200), keep_until: at(9_000), ..request() }).await.unwrap();
    assert_eq!(items(&client, &table).await[0]["ttl"], AttributeValue::N("1790000009".to_owned()));
    store.claim(&turn(), ClaimRequest { now: at(9_000), keep_until: at(20_000), ..request() }).await.unwrap();
    assert_eq!(items(&client, &table).await[0]["ttl"], AttributeValue::N("1790000020".to_owned()));
}

#[tokio::test]
async fn records_of_another_version_are_unreadable_and_left_alone() {
    let Some((client, table, store)) = table("versions").await else { return };
    fill(&store).await;
    for mut item in items(&client, &table).await {
        item.insert("v".to_owned(), AttributeValue::N("2".to_owned()));
        client.put_item().table_name(&table).set_item(Some(item)).send().await.unwrap();
    }
    let before = items(&client, &table).await;
    let (platform, bot, key) = (conversation().platform, conversation().bot, conversation().key());
    let unreadable = |error: StoreError| assert!(matches!(error, StoreError::Unreadable(_)), "{error}");
    for now in [1, 1_000, 9_000] {
        unreadable(store.claim(&turn(), ClaimRequest { now: at(now), ..request() }).await.unwrap_err());
    }
    unreadable(store.find(&key, at(7), &turn()).await.unwrap_err());
    unreadable(store.recent(&key, at(8), ReadFrom::Newest, 1).await.unwrap_err());
    unreadable(store.keep(&key, &exchange()).await.unwrap_err());
    unreadable(store.token(&platform, &bot, TokenSlot::Access).await.unwrap_err());
    let after = items(&client, &table).await;
    assert!(before.len() == after.len() && before.iter().all(|item| after.contains(item)));
}

#[tokio::test]
async fn an_error_holds_a_code_and_nothing_else() {
    let Some((client, ..)) = table("errors").await else { return };
    let store = DynamoStore::new(client, "secret-table".to_owned());
    let missing = StoreError::Unavailable("ResourceNotFoundException".to_owned());
    let (platform, bot, key) = (conversation().platform, conversation().bot, conversation().key());
    let token = SealedToken { sealed: vec![], ends_at: at(0) };
    assert_eq!(store.claim(&turn(), request()).await, Err(missing.clone()));
    assert_eq!(store.sent(&turn(), Fence(1), 1).await, Err(missing.clone()));
    assert_eq!(store.end(&turn(), Fence(1), Ending::Done).await, Err(missing.clone()));
    assert_eq!(store.keep(&key, &exchange()).await, Err(missing.clone()));
    assert_eq!(store.find(&key, at(7), &turn()).await, Err(missing.clone()));
    assert_eq!(store.recent(&key, at(7), ReadFrom::Newest, 1).await, Err(missing.clone()));
    assert_eq!(store.token(&platform, &bot, TokenSlot::Access).await, Err(missing.clone()));
    assert_eq!(store.put_token(&platform, &bot, TokenSlot::Access, token).await, Err(missing));
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_unavailable() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = DynamoStore::new(bench::dynamodb(&format!("http://{nobody}")), "magpie".to_owned());
    let expected = StoreError::Unavailable("the request did not get through".to_owned());
    assert_eq!(store.claim(&turn(), request()).await, Err(expected));
}
