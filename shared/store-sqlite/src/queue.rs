//! The queue.
//!
//! Only the oldest item of a conversation may be handed out. It is marked as the head, so that finding the next one
//! looks at one item per conversation, however many wait behind it.

use std::time::Duration;

use async_trait::async_trait;
use chat::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use store::{Delivery, Dequeue, Enqueue, QueueItem, Receipt, StoreError, words};

use crate::{
    SqliteStore,
    backlog::Lane,
    database::{Failure, VERSION, check_version},
};

/// For how long an id is remembered, counted from its first item: what SQS does in a FIFO queue.
pub(crate) const DEDUP_WINDOW: Duration = Duration::from_secs(5 * 60);

/// Whether the item is new.
fn enqueue(connection: &Connection, item: &QueueItem, now: Timestamp) -> Result<bool, Failure> {
    let mut seen = connection.prepare_cached(
        "INSERT INTO queue_seen (dedup, first_at) VALUES (?1, ?2)
         ON CONFLICT (dedup) DO UPDATE SET first_at = excluded.first_at WHERE first_at <= ?3",
    )?;
    let old = now.minus(DEDUP_WINDOW).as_millis();
    if seen.execute(params![item.dedup.as_str(), now.as_millis(), old])? == 0 {
        return Ok(false);
    }
    append(connection, item)?;
    Ok(true)
}

/// Puts an item in, seen or not.
pub(crate) fn append(connection: &Connection, item: &QueueItem) -> Result<(), Failure> {
    // Due since ever, so that a clock that is set back does not hold it up.
    let mut insert = connection.prepare_cached(
        "INSERT INTO queue (v, conversation, dedup, body, tries, due, in_work, head)
         VALUES (?1, ?2, ?3, ?4, 0, ?5, 0, NOT EXISTS (SELECT 1 FROM queue WHERE conversation = ?2))",
    )?;
    insert.execute(params![VERSION, item.group.as_str(), item.dedup.as_str(), item.body, i64::MIN])?;
    Ok(())
}

fn next(connection: &Connection, now: Timestamp, visibility: Duration) -> Result<Option<Delivery>, Failure> {
    let mut statement = connection.prepare_cached(
        "UPDATE queue SET tries = tries + 1, in_work = 1, due = ?2
         WHERE id = (SELECT id FROM queue INDEXED BY queue_heads WHERE head = 1 AND due <= ?1 ORDER BY id LIMIT 1)
         RETURNING v, id, tries, body, conversation",
    )?;
    let until = now.plus(visibility).as_millis();
    let row = statement.query_row([now.as_millis(), until], |row| {
        let (id, tries): (i64, u32) = (row.get(1)?, row.get(2)?);
        Ok((row.get(0)?, id, tries, row.get(3)?, row.get::<_, String>(4)?))
    });
    let Some((version, id, tries, body, conversation)) = row.optional()? else { return Ok(None) };
    check_version(version)?;
    let group = words::conversation_key(&conversation)?;
    Ok(Some(Delivery { receipt: Receipt(format!("{id}.{tries}")), body, group, tries }))
}

/// The item and the handing out of it that a receipt names.
fn parts(receipt: &Receipt) -> Option<(i64, u32)> {
    let (id, tries) = receipt.0.split_once('.')?;
    Some((id.parse().ok()?, tries.parse().ok()?))
}

/// Takes the item of a valid receipt out, after copying it to the dead letters where it is to be buried.
fn remove(
    connection: &Connection,
    (id, tries): (i64, u32),
    buried_at: Option<Timestamp>,
) -> Result<(), Failure> {
    if let Some(at) = buried_at {
        let mut bury = connection.prepare_cached(
            "INSERT INTO dead_letters (v, conversation, dedup, body, tries, buried_at)
             SELECT v, conversation, dedup, body, tries, ?3 FROM queue WHERE id = ?1 AND tries = ?2 AND in_work = 1
             ON CONFLICT (dedup) DO UPDATE SET tries = excluded.tries, buried_at = excluded.buried_at",
        )?;
        bury.execute(params![id, tries, at.as_millis()])?;
    }
    let mut delete = connection.prepare_cached(
        "DELETE FROM queue WHERE id = ?1 AND tries = ?2 AND in_work = 1 RETURNING conversation",
    )?;
    let conversation: Option<String> = delete.query_row(params![id, tries], |row| row.get(0)).optional()?;
    if let Some(conversation) = conversation {
        let mut promote = connection.prepare_cached(
            "UPDATE queue SET head = 1 WHERE id = (SELECT min(id) FROM queue WHERE conversation = ?1)",
        )?;
        promote.execute([conversation])?;
    }
    Ok(())
}

fn put_off(connection: &Connection, (id, tries): (i64, u32), due: Timestamp) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(
        "UPDATE queue SET in_work = 0, due = ?3 WHERE id = ?1 AND tries = ?2 AND in_work = 1",
    )?;
    statement.execute(params![id, tries, due.as_millis()])?;
    Ok(())
}

#[async_trait]
impl Enqueue for SqliteStore {
    async fn enqueue(&self, item: QueueItem, now: Timestamp) -> Result<(), StoreError> {
        let waiting = self.enqueued();
        let announce = move |new: &bool| {
            if *new {
                waiting.notify_one();
            }
        };
        let work = move |connection: &Connection| enqueue(connection, &item, now);
        self.database.run_then(Lane::Acknowledgement, work, announce).await?;
        Ok(())
    }
}

#[async_trait]
impl Dequeue for SqliteStore {
    async fn next(&self, now: Timestamp, visibility: Duration) -> Result<Option<Delivery>, StoreError> {
        self.database.run(move |connection| next(connection, now, visibility)).await
    }

    async fn done(&self, receipt: &Receipt) -> Result<(), StoreError> {
        let Some(parts) = parts(receipt) else { return Ok(()) };
        self.database.run(move |connection| remove(connection, parts, None)).await
    }

    async fn again(&self, receipt: &Receipt, due: Timestamp) -> Result<(), StoreError> {
        let Some(parts) = parts(receipt) else { return Ok(()) };
        self.database.run(move |connection| put_off(connection, parts, due)).await
    }

    async fn bury(&self, receipt: &Receipt, now: Timestamp) -> Result<(), StoreError> {
        let Some(parts) = parts(receipt) else { return Ok(()) };
        self.database.run(move |connection| remove(connection, parts, Some(now))).await
    }

    async fn depth(&self) -> Result<u64, StoreError> {
        let count = self.database.read(|connection| {
            Ok(connection
                .prepare_cached("SELECT count(*) FROM queue")?
                .query_row([], |row| row.get::<_, i64>(0))?)
        });
        Ok(count.await?.unsigned_abs())
    }
}
