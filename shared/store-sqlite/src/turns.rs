//! Turns.

use async_trait::async_trait;
use chat::{Timestamp, TurnKey};
use rusqlite::{Connection, OptionalExtension as _, Params, params};
use store::{Claim, ClaimRequest, Ending, Fence, Reopening, StoreError, TurnRecord, Turns, words};

use crate::{
    SqliteStore,
    database::{Failure, VERSION, check_version},
};

/// The states beside the endings' words.
const HELD: &str = "held";
const FREE: &str = "free";

struct Row {
    version: i64,
    state: String,
    lease_until: Timestamp,
    keep_until: Timestamp,
    record: TurnRecord,
}

fn read(connection: &Connection, key: &TurnKey) -> Result<Option<Row>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT v, state, lease_until, keep_until, fence, accepted_at, segments_sent, sending, redrive
         FROM turns WHERE key = ?1",
    )?;
    let row = statement.query_row([key.as_str()], |row| {
        Ok(Row {
            version: row.get(0)?,
            state: row.get(1)?,
            lease_until: Timestamp::from_millis(row.get(2)?),
            keep_until: Timestamp::from_millis(row.get(3)?),
            record: TurnRecord {
                fence: Fence(row.get::<_, i64>(4)?.unsigned_abs()),
                accepted_at: Timestamp::from_millis(row.get(5)?),
                segments_sent: row.get(6)?,
                sending: row.get(7)?,
                redrive: row.get(8)?,
            },
        })
    });
    let row = row.optional()?;
    if let Some(row) = &row {
        check_version(row.version)?;
    }
    Ok(row)
}

/// What a claim may take: the record to go on from, or why not.
fn decide(row: Option<Row>, request: &ClaimRequest) -> Result<Result<TurnRecord, Claim>, StoreError> {
    let accepted_at = request.accepted_at;
    let fresh = |fence| TurnRecord { fence, accepted_at, segments_sent: 0, sending: None, redrive: 0 };
    let Some(row) = row else { return Ok(Ok(fresh(Fence(1)))) };
    let fence = Fence(row.record.fence.0 + 1);
    if row.keep_until <= request.now {
        // The fence goes on, so that a worker from before can still write nothing.
        return Ok(Ok(fresh(fence)));
    }
    match row.state.as_str() {
        HELD if row.lease_until > request.now => Ok(Err(Claim::Held { until: row.lease_until })),
        HELD | FREE => Ok(Ok(TurnRecord { fence, ..row.record })),
        word => Ok(Err(Claim::Ended(words::ending(word)?))),
    }
}

fn claim(connection: &Connection, key: &TurnKey, request: &ClaimRequest) -> Result<Claim, Failure> {
    let record = match decide(read(connection, key)?, request)? {
        Ok(record) => record,
        Err(claim) => return Ok(claim),
    };
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO turns
         (key, v, state, fence, lease_until, accepted_at, segments_sent, sending, keep_until, redrive)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    statement.execute(params![
        key.as_str(),
        VERSION,
        HELD,
        column(record.fence),
        request.now.plus(request.lease).as_millis(),
        record.accepted_at.as_millis(),
        record.segments_sent,
        record.sending,
        request.keep_until.as_millis(),
        record.redrive,
    ])?;
    Ok(Claim::Granted(record))
}

/// Opens a parked turn, or takes away a lease that is over.
pub(crate) fn reopen(connection: &Connection, key: &TurnKey, now: Timestamp) -> Result<Reopening, Failure> {
    let row = read(connection, key)?.filter(|row| row.keep_until > now);
    let Some(row) = row else { return Ok(Reopening::NotParked) };
    let (update, found) = match row.state.as_str() {
        HELD if row.lease_until > now => return Ok(Reopening::Held { until: row.lease_until }),
        HELD => ("UPDATE turns SET state = 'free', fence = fence + 1 WHERE key = ?1", Reopening::NotParked),
        word if word.starts_with(words::PARKED) => (
            "UPDATE turns SET state = 'free', sending = NULL, redrive = redrive + 1 WHERE key = ?1",
            Reopening::Opened,
        ),
        _ => return Ok(Reopening::NotParked),
    };
    connection.prepare_cached(update)?.execute([key.as_str()])?;
    Ok(found)
}

/// A fence as a column. It counts claims of one turn, so the end is never reached; stopping there is safe.
fn column(fence: Fence) -> i64 {
    i64::try_from(fence.0).unwrap_or(i64::MAX)
}

impl SqliteStore {
    /// Runs an update that is to hit the one turn that is held under the caller's fence.
    async fn write(
        &self,
        update: &'static str,
        values: impl Params + Clone + Send + 'static,
    ) -> Result<(), StoreError> {
        let change = move |connection: &Connection| match connection
            .prepare_cached(update)?
            .execute(values.clone())?
        {
            0 => Err(StoreError::FenceLost.into()),
            _ => Ok(()),
        };
        self.database.run(change).await
    }
}

#[async_trait]
impl Turns for SqliteStore {
    async fn claim(&self, key: &TurnKey, request: ClaimRequest) -> Result<Claim, StoreError> {
        let key = key.clone();
        self.database.run(move |connection| claim(connection, &key, &request)).await
    }

    async fn sending(&self, key: &TurnKey, fence: Fence, segment: u32) -> Result<(), StoreError> {
        let update = "UPDATE turns SET sending = ?3 WHERE key = ?1 AND fence = ?2 AND state = 'held'";
        self.write(update, (key.as_str().to_owned(), column(fence), segment)).await
    }

    async fn sent(&self, key: &TurnKey, fence: Fence, count: u32) -> Result<(), StoreError> {
        let update = "UPDATE turns SET segments_sent = ?3, sending = NULL
                      WHERE key = ?1 AND fence = ?2 AND state = 'held'";
        self.write(update, (key.as_str().to_owned(), column(fence), count)).await
    }

    async fn end(&self, key: &TurnKey, fence: Fence, ending: Ending) -> Result<(), StoreError> {
        let update = "UPDATE turns SET state = ?3 WHERE key = ?1 AND fence = ?2 AND state = 'held'";
        self.write(update, (key.as_str().to_owned(), column(fence), words::of_ending(&ending))).await
    }

    async fn release(&self, key: &TurnKey, fence: Fence) -> Result<(), StoreError> {
        let update = "UPDATE turns SET state = 'free' WHERE key = ?1 AND fence = ?2 AND state = 'held'";
        self.write(update, (key.as_str().to_owned(), column(fence))).await
    }

    async fn begun(&self, key: &TurnKey) -> Result<bool, StoreError> {
        let key = key.clone();
        self.database.read(move |connection| Ok(read(connection, &key)?.is_some())).await
    }

    async fn reopen(&self, key: &TurnKey, now: Timestamp) -> Result<Reopening, StoreError> {
        let key = key.clone();
        self.database.run(move |connection| reopen(connection, &key, now)).await
    }
}
