//! The queue.
//!
//! Only the oldest item of a conversation may be handed out. It is marked as the head, so that finding the next one
//! looks at one item per conversation, however many wait behind it.

use std::time::Duration;

use async_trait::async_trait;
use chat::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use store::{Delivery, Dequeue, Enqueue, QueueItem, Receipt, Received, StoreError, words};

use crate::{
    SqliteStore,
    backlog::Lane,
    database::{Failure, VERSION, check_version},
};

/// For how long an id is remembered, counted from its first item: what SQS does in a FIFO queue.
pub(crate) const DEDUP_WINDOW: Duration = Duration::from_secs(5 * 60);

/// When what was never handed out came due: a clock that is set back does not hold it up.
const EVER: i64 = i64::MIN;

/// Whether there is an item now that can be handed out: not if it was dropped, or waits behind another.
fn enqueue(connection: &Connection, item: &QueueItem, now: Timestamp) -> Result<bool, Failure> {
    let mut seen = connection.prepare_cached(
        "INSERT INTO queue_seen (dedup, first_at) VALUES (?1, ?2)
         ON CONFLICT (dedup) DO UPDATE SET first_at = excluded.first_at WHERE first_at <= ?3",
    )?;
    let old = now.minus(DEDUP_WINDOW).as_millis();
    if seen.execute(params![item.dedup.as_str(), now.as_millis(), old])? == 0 {
        return Ok(false);
    }
    append(connection, item)
}

/// Puts an item in, seen or not. Whether it is the head of its conversation, which can be handed out.
pub(crate) fn append(connection: &Connection, item: &QueueItem) -> Result<bool, Failure> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO queue (v, conversation, dedup, body, tries, due, in_work, head)
         VALUES (?1, ?2, ?3, ?4, 0, ?5, 0, NOT EXISTS (SELECT 1 FROM queue WHERE conversation = ?2))
         RETURNING head",
    )?;
    let values = params![VERSION, item.group.as_str(), item.dedup.as_str(), item.body, EVER];
    Ok(insert.query_row(values, |row| row.get(0))?)
}

/// The heads that may be handed out. What was never handed out has been due since ever, so that the index holds it in the
/// order of arrival; what comes back is behind it, by when it came due. Of those, 256 more than are needed are looked at for
/// the oldest, and no more: there may be any number.
const DUE_HEADS: &str = "
    SELECT id FROM (
        SELECT id FROM queue INDEXED BY queue_heads_by_due WHERE head = 1 AND due = ?1 ORDER BY id LIMIT ?3)
    UNION ALL
    SELECT id FROM (
        SELECT id FROM queue INDEXED BY queue_heads_by_due WHERE head = 1 AND due > ?1 AND due <= ?2
        ORDER BY due, id LIMIT ?3 + 256)
    ORDER BY id LIMIT ?3";

fn receive(
    connection: &Connection,
    now: Timestamp,
    visibility: Duration,
    max: usize,
) -> Result<Received, Failure> {
    let mut heads = connection.prepare_cached(DUE_HEADS)?;
    let max = i64::from(u32::try_from(max).unwrap_or(u32::MAX));
    let ids = heads.query_map([EVER, now.as_millis(), max], |row| row.get(0))?;
    let ids: Vec<i64> = ids.collect::<Result<_, _>>()?;
    let until = now.plus(visibility).as_millis();
    let deliveries = ids.into_iter().map(|id| hand_out(connection, id, until)).collect::<Result<_, _>>()?;
    let mut next_due = connection.prepare_cached(
        "SELECT min(due) FROM queue INDEXED BY queue_heads_by_due WHERE head = 1 AND due > ?1",
    )?;
    let next_due: Option<i64> = next_due.query_row([now.as_millis()], |row| row.get(0))?;
    Ok(Received { deliveries, next_due: next_due.map(Timestamp::from_millis) })
}

fn hand_out(connection: &Connection, id: i64, until: i64) -> Result<Delivery, Failure> {
    let mut statement = connection.prepare_cached(
        "UPDATE queue SET tries = tries + 1, in_work = 1, due = ?2 WHERE id = ?1
         RETURNING v, tries, body, conversation",
    )?;
    let (version, tries, body, conversation): (i64, u32, String, String) =
        statement.query_row([id, until], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    check_version(version)?;
    let group = words::conversation_key(&conversation)?;
    Ok(Delivery { receipt: Receipt(format!("{id}.{tries}")), body, group, tries })
}

/// The item and the handing out of it that a receipt names.
fn parts(receipt: &Receipt) -> Option<(i64, u32)> {
    let (id, tries) = receipt.0.split_once('.')?;
    Some((id.parse().ok()?, tries.parse().ok()?))
}

/// Takes the item of a valid receipt out, after copying it to the dead letters where it is to be buried. Whether a later
/// item of its conversation is the head now.
fn remove(
    connection: &Connection,
    (id, tries): (i64, u32),
    buried_at: Option<Timestamp>,
) -> Result<bool, Failure> {
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
    let Some(conversation) = conversation else { return Ok(false) };
    let mut promote = connection.prepare_cached(
        "UPDATE queue SET head = 1 WHERE id = (SELECT min(id) FROM queue WHERE conversation = ?1)",
    )?;
    Ok(promote.execute([conversation])? > 0)
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
        let announce = move |ready: &bool| {
            if *ready {
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
    async fn receive(
        &self,
        now: Timestamp,
        visibility: Duration,
        max: usize,
    ) -> Result<Received, StoreError> {
        self.database.run(move |connection| receive(connection, now, visibility, max)).await
    }

    async fn done(&self, receipt: &Receipt) -> Result<bool, StoreError> {
        let Some(parts) = parts(receipt) else { return Ok(false) };
        self.database.run(move |connection| remove(connection, parts, None)).await
    }

    async fn again(&self, receipt: &Receipt, due: Timestamp) -> Result<(), StoreError> {
        let Some(parts) = parts(receipt) else { return Ok(()) };
        self.database.run(move |connection| put_off(connection, parts, due)).await
    }

    async fn bury(&self, receipt: &Receipt, now: Timestamp) -> Result<bool, StoreError> {
        let Some(parts) = parts(receipt) else { return Ok(false) };
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
