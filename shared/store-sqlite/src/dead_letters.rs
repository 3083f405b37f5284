//! Dead letters: parked turns, and messages that used up their tries.

use async_trait::async_trait;
use chat::{Timestamp, TurnKey};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use store::{DeadLetter, DeadLetters, Park, ParkedTurn, QueueItem, Redriven, Reopening, StoreError, words};

use crate::{
    SqliteStore,
    backlog::Lane,
    database::{Failure, VERSION, check_version},
    queue::append,
    turns::reopen,
};

/// The columns in the order in which [`letter`] reads them.
struct Stored(i64, String, String, Option<String>, Option<String>, u32, i64);

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
}

fn letter(
    Stored(version, turn, conversation, reason, cause, tries, at): Stored,
) -> Result<DeadLetter, StoreError> {
    check_version(version)?;
    Ok(DeadLetter {
        turn: words::turn_key(&turn)?,
        conversation: words::conversation_key(&conversation)?,
        reason: reason.as_deref().map(words::reason).transpose()?,
        cause,
        tries,
        at: Timestamp::from_millis(at),
    })
}

fn park(connection: &Connection, parked: &ParkedTurn) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO dead_letters (v, conversation, dedup, body, tries, buried_at, reason, cause)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (dedup) DO UPDATE SET v = excluded.v, body = excluded.body, tries = excluded.tries,
            buried_at = excluded.buried_at, reason = excluded.reason, cause = excluded.cause",
    )?;
    statement.execute(params![
        VERSION,
        parked.conversation.as_str(),
        parked.turn.as_str(),
        parked.body,
        parked.tries,
        parked.at.as_millis(),
        words::of_reason(parked.reason),
        parked.cause,
    ])?;
    Ok(())
}

fn list(connection: &Connection, limit: usize) -> Result<Vec<DeadLetter>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT v, dedup, conversation, reason, cause, tries, buried_at FROM dead_letters
         ORDER BY buried_at DESC, dedup LIMIT ?1",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    statement.query_map([limit], stored)?.map(|row| Ok(letter(row?)?)).collect()
}

fn show(connection: &Connection, turn: &TurnKey) -> Result<Option<DeadLetter>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT v, dedup, conversation, reason, cause, tries, buried_at FROM dead_letters WHERE dedup = ?1",
    )?;
    let found = statement.query_row([turn.as_str()], stored).optional()?;
    Ok(found.map(letter).transpose()?)
}

fn redrive(connection: &Connection, turn: &TurnKey, now: Timestamp) -> Result<Redriven, Failure> {
    let Some(letter) = show(connection, turn)? else { return Ok(Redriven::NotFound) };
    let redriven = match reopen(connection, turn, now)? {
        Reopening::Opened => Redriven::Reopened,
        Reopening::Held { until } => return Ok(Redriven::Held { until }),
        Reopening::NotParked => Redriven::Requeued,
    };
    let mut delete = connection.prepare_cached("DELETE FROM dead_letters WHERE dedup = ?1 RETURNING body")?;
    let body = delete.query_row([turn.as_str()], |row| row.get(0))?;
    append(connection, &QueueItem { group: letter.conversation, dedup: letter.turn, body })?;
    Ok(redriven)
}

#[async_trait]
impl Park for SqliteStore {
    async fn park(&self, parked: ParkedTurn) -> Result<(), StoreError> {
        self.database.run(move |connection| park(connection, &parked)).await
    }
}

#[async_trait]
impl DeadLetters for SqliteStore {
    async fn list(&self, limit: usize) -> Result<Vec<DeadLetter>, StoreError> {
        self.database.read(move |connection| list(connection, limit)).await
    }

    async fn show(&self, turn: &TurnKey) -> Result<Option<DeadLetter>, StoreError> {
        let turn = turn.clone();
        self.database.read(move |connection| show(connection, &turn)).await
    }

    /// One transaction: all of it happens or nothing. Another process may do it while a server runs on the file; the
    /// server finds the item when it next looks.
    async fn redrive(&self, turn: &TurnKey, now: Timestamp) -> Result<Redriven, StoreError> {
        let (turn, waiting) = (turn.clone(), self.enqueued());
        let announce = move |redriven: &Redriven| {
            if matches!(redriven, Redriven::Reopened | Redriven::Requeued) {
                waiting.notify_one();
            }
        };
        let work = move |connection: &Connection| redrive(connection, &turn, now);
        self.database.run_then(Lane::Ordinary, work, announce).await
    }
}
