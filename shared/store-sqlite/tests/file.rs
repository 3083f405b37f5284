//! What is particular to a file: it lasts, it grows up, it is cleaned.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![expect(clippy::panic, reason = "helpers of tests")]

use std::{path::Path, time::Duration};

use chat::{BotId, ChatId, Conversation, EventId, PlatformId, Timestamp, TurnKey};
use rusqlite::Connection;
use store::{
    Claim, ClaimRequest, Conversations as _, DeadLetter, DeadLetters as _, Dequeue as _, Ending,
    Enqueue as _, Exchange, ExchangeKind, Opening, Openings as _, Park as _, ParkReason, ParkedTurn,
    QueueItem, ReadFrom, Redriven, SealedToken, StoreError, TokenSlot, Tokens as _, Turns as _,
};
use store_sqlite::SqliteStore;

const SECOND: Duration = Duration::from_secs(1);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn conversation() -> Conversation {
    Conversation {
        platform: PlatformId::parse("feishu").unwrap(),
        bot: BotId::parse("bot").unwrap(),
        chat: ChatId::parse("chat").unwrap(),
        thread: None,
        user: None,
    }
}

fn turn(name: &str) -> TurnKey {
    TurnKey::new(&conversation(), &EventId::parse(name).unwrap())
}

fn item(name: &str) -> QueueItem {
    QueueItem { group: conversation().key(), dedup: turn(name), body: name.to_owned() }
}

fn exchange(keep_until: i64) -> Exchange {
    let sealed = b"sealed".to_vec();
    Exchange { turn: turn("a"), at: at(0), kind: ExchangeKind::Answer, sealed, keep_until: at(keep_until) }
}

fn request() -> ClaimRequest {
    ClaimRequest { now: at(0), lease: SECOND, accepted_at: at(0), keep_until: at(10_000) }
}

/// Writes one record of each sort, all past their time at 10 000.
async fn fill(store: &SqliteStore) {
    let Claim::Granted(record) = store.claim(&turn("a"), request()).await.unwrap() else {
        panic!("it is free")
    };
    store.end(&turn("a"), record.fence, Ending::Done).await.unwrap();
    store.keep(&conversation().key(), &exchange(10_000)).await.unwrap();
    let token = SealedToken { sealed: b"token".to_vec(), ends_at: at(10_000) };
    let Conversation { platform, bot, .. } = conversation();
    store.put_token(&platform, &bot, TokenSlot::Access, token).await.unwrap();
    let opening = Opening { endpoint: "office".to_owned(), since: at(0), until: at(10_000), step: 1 };
    store.tell(&opening).await.unwrap();
    for name in ["a", "b", "c"] {
        store.enqueue(item(name), at(0)).await.unwrap();
    }
}

/// What a second connection sees in the file.
fn number(path: &Path, sql: &str) -> i64 {
    Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn everything_survives_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("magpie.db");
    let store = SqliteStore::open(&path).unwrap();
    fill(&store).await;
    let first = store.next(at(0), SECOND).await.unwrap().unwrap();
    drop(store);

    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.claim(&turn("a"), request()).await, Ok(Claim::Ended(Ending::Done)));
    assert_eq!(store.find(&conversation().key(), at(0), &turn("a")).await, Ok(Some(exchange(10_000))));
    let Conversation { platform, bot, .. } = conversation();
    let token = store.token(&platform, &bot, TokenSlot::Access).await.unwrap().unwrap();
    assert_eq!(token.sealed, b"token");
    assert_eq!(store.depth().await, Ok(3));
    store.enqueue(item("a"), at(1)).await.unwrap();
    assert_eq!(store.depth().await, Ok(3), "the ids it has seen are remembered");
    store.done(&first.receipt).await.unwrap();
    assert_eq!(store.next(at(1), SECOND).await.unwrap().unwrap().body, "b", "and so are receipts");
}

#[tokio::test]
async fn what_returned_is_in_the_file_before_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("magpie.db");
    let store = SqliteStore::open(&path).unwrap();
    fill(&store).await;
    assert_eq!(number(&path, "SELECT count(*) FROM queue"), 3);
    let mode: String =
        Connection::open(&path).unwrap().query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn two_connections_share_one_queue() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("magpie.db");
    let (here, there) = (SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap());
    here.enqueue(item("a"), at(0)).await.unwrap();
    assert!(there.next(at(0), SECOND).await.unwrap().is_some());
    assert_eq!(here.next(at(0), SECOND).await, Ok(None));
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("magpie.db");
    drop(SqliteStore::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let Err(StoreError::Unreadable(why)) = SqliteStore::open(&path) else { panic!("it must be refused") };
    assert!(why.contains("schema 99"), "{why}");
    assert_eq!(number(&path, "PRAGMA user_version"), 99);
}

#[test]
fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "not a database, and long enough to look like one ".repeat(99)).unwrap();
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Unavailable(_))));
    assert!(matches!(
        SqliteStore::open(&folder.path().join("no/such/folder")),
        Err(StoreError::Unavailable(_))
    ));
}

#[tokio::test]
async fn records_of_another_version_are_unreadable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("magpie.db");
    let store = SqliteStore::open(&path).unwrap();
    fill(&store).await;
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("UPDATE turns SET v = 2; UPDATE exchanges SET v = 2; UPDATE tokens SET v = 2; UPDATE queue SET v = 2; UPDATE openings SET v = 2;")
        .unwrap();
    let unreadable = |error: StoreError| assert!(matches!(error, StoreError::Unreadable(_)), "{error}");
    let Conversation { platform, bot, .. } = conversation();
    unreadable(store.claim(&turn("a"), request()).await.unwrap_err());
    unreadable(store.find(&conversation().key(), at(0), &turn("a")).await.unwrap_err());
    unreadable(store.recent(&conversation().key(), at(0), ReadFrom::Newest, 1).await.unwrap_err());
    unreadable(store.token(&platform, &bot, TokenSlot::Access).await.unwrap_err());
    unreadable(store.openings(at(0)).await.unwrap_err());
    unreadable(store.next(at(0), SECOND).await.unwrap_err());
    other.execute_batch("UPDATE queue SET v = 1").unwrap();
    assert_eq!(store.next(at(0), SECOND).await.unwrap().unwrap().tries, 1, "the failure changed nothing");
}

#[tokio::test]
async fn buried_items_are_dead_letters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("magpie.db");
    let store = SqliteStore::open(&path).unwrap();
    fill(&store).await;
    store.next(at(0), Duration::ZERO).await.unwrap().unwrap();
    let second = store.next(at(0), SECOND).await.unwrap().unwrap();
    for _ in 0..2 {
        store.bury(&second.receipt, at(77)).await.unwrap();
    }
    let letter = Connection::open(&path)
        .unwrap()
        .query_row("SELECT conversation, dedup, body, tries, buried_at FROM dead_letters", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .unwrap();
    let (group, dedup) = (conversation().key(), turn("a"));
    assert_eq!(letter, (group.as_str().to_owned(), dedup.as_str().to_owned(), "a".to_owned(), 2, 77));
    assert_eq!(number(&path, "SELECT count(*) FROM dead_letters"), 1);
}

#[tokio::test]
async fn a_sweep_takes_what_is_past_its_time_and_nothing_else() {
    let store = SqliteStore::open_in_memory().unwrap();
    fill(&store).await;
    let first = store.next(at(0), SECOND).await.unwrap().unwrap();
    store.bury(&first.receipt, at(0)).await.unwrap();
    assert_eq!(store.sweep(at(9_999)).await, Ok(0));
    assert_eq!(store.claim(&turn("a"), request()).await, Ok(Claim::Ended(Ending::Done)));
    assert_eq!(store.sweep(at(10_000)).await, Ok(4), "turn, exchange, token, opening");
    assert_eq!(store.find(&conversation().key(), at(0), &turn("a")).await, Ok(None));
    assert_eq!(store.sweep(at(299_999)).await, Ok(0));
    assert_eq!(store.sweep(at(300_000)).await, Ok(3), "the ids of the queue");
    assert_eq!(store.sweep(at(14 * 86_400_000 - 1)).await, Ok(0));
    assert_eq!(store.sweep(at(14 * 86_400_000)).await, Ok(1), "the dead letter");
    assert_eq!(store.depth().await, Ok(2), "what waits stays, however old");
}

#[tokio::test]
async fn a_long_sweep_goes_in_batches_to_the_end() {
    let store = SqliteStore::open_in_memory().unwrap();
    for number in 0..1_001 {
        store.claim(&turn(&number.to_string()), request()).await.unwrap();
    }
    assert_eq!(store.sweep(at(10_000)).await, Ok(1_001));
}

#[tokio::test]
async fn only_a_new_item_is_announced() {
    let store = SqliteStore::open_in_memory().unwrap();
    let announced = store.enqueued();
    store.enqueue(item("a"), at(0)).await.unwrap();
    announced.notified().await;
    store.enqueue(item("a"), at(1)).await.unwrap();
    let quiet = tokio::time::timeout(Duration::ZERO, announced.notified()).await;
    assert!(quiet.is_err(), "an item that is dropped wakes nobody");
}

#[tokio::test]
async fn a_parked_turn_that_is_buried_too_is_one_dead_letter_and_keeps_its_reason() {
    let store = SqliteStore::open_in_memory().unwrap();
    store.enqueue(item("a"), at(0)).await.unwrap();
    let delivery = store.next(at(0), SECOND).await.unwrap().unwrap();
    let parked = ParkedTurn {
        turn: turn("a"),
        conversation: conversation().key(),
        reason: ParkReason::TriesExhausted,
        cause: Some("the platform takes nothing".to_owned()),
        body: "a".to_owned(),
        tries: 9,
        at: at(1),
    };
    store.park(parked).await.unwrap();
    store.bury(&delivery.receipt, at(2)).await.unwrap();
    let letters = store.list(9).await.unwrap();
    assert_eq!(letters.len(), 1);
    let DeadLetter { reason, cause, tries, at: when, .. } = &letters[0];
    assert_eq!((*reason, *tries, *when), (Some(ParkReason::TriesExhausted), 1, at(2)));
    assert_eq!(cause.as_deref(), Some("the platform takes nothing"));
}

#[tokio::test]
async fn a_file_from_before_parked_turns_grows_up_with_its_dead_letters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("magpie.db");
    drop(SqliteStore::open(&path).unwrap());
    let (group, dedup) = (conversation().key(), turn("a"));
    let old = Connection::open(&path).unwrap();
    old.execute_batch(
        "DROP INDEX dead_letters_by_turn;
         ALTER TABLE dead_letters DROP COLUMN reason;
         ALTER TABLE dead_letters DROP COLUMN cause;
         ALTER TABLE turns DROP COLUMN redrive;
         DROP TABLE signals;
         DROP TABLE spending;
         DROP TABLE choices;
         DROP TABLE openings;
         DROP INDEX queue_heads_by_due;
         CREATE INDEX queue_heads ON queue (id) WHERE head = 1;
         PRAGMA user_version = 1;",
    )
    .unwrap();
    for buried_at in [5, 6] {
        old.execute(
            "INSERT INTO dead_letters (v, conversation, dedup, body, tries, buried_at) VALUES (1, ?1, ?2, 'a', 5, ?3)",
            rusqlite::params![group.as_str(), dedup.as_str(), buried_at],
        )
        .unwrap();
    }
    let store = SqliteStore::open(&path).unwrap();
    let expected = DeadLetter {
        turn: dedup.clone(),
        conversation: group,
        reason: None,
        cause: None,
        tries: 5,
        at: at(6),
    };
    assert_eq!(store.list(9).await, Ok(vec![expected]));
    assert_eq!(store.redrive(&dedup, at(7)).await, Ok(Redriven::Requeued));
    assert_eq!(store.next(at(7), SECOND).await.unwrap().unwrap().tries, 1);
}
