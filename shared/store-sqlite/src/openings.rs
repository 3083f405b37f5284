//! Openings.

use async_trait::async_trait;
use chat::Timestamp;
use rusqlite::{Row, params};
use store::{OPENINGS_MAX, Opening, Openings, StoreError};

use crate::{
    SqliteStore,
    database::{VERSION, check_version},
};

fn stored(row: &Row<'_>) -> rusqlite::Result<(i64, Opening)> {
    let opening = Opening {
        endpoint: row.get(1)?,
        since: Timestamp::from_millis(row.get(2)?),
        until: Timestamp::from_millis(row.get(3)?),
        step: row.get(4)?,
    };
    Ok((row.get(0)?, opening))
}

#[async_trait]
impl Openings for SqliteStore {
    async fn tell(&self, opening: &Opening) -> Result<(), StoreError> {
        let opening = opening.clone();
        let insert = self.database.run(move |connection| {
            let mut statement = connection.prepare_cached(
                "INSERT INTO openings (endpoint, v, since, until, step) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (endpoint) DO UPDATE
                 SET v = excluded.v, since = excluded.since, until = excluded.until, step = excluded.step
                 WHERE excluded.until > openings.until",
            )?;
            let (since, until) = (opening.since.as_millis(), opening.until.as_millis());
            statement.execute(params![opening.endpoint, VERSION, since, until, opening.step])?;
            Ok(())
        });
        insert.await
    }

    async fn openings(&self, now: Timestamp) -> Result<Vec<Opening>, StoreError> {
        let select = self.database.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT v, endpoint, since, until, step FROM openings
                 WHERE until > ?1 ORDER BY endpoint LIMIT ?2",
            )?;
            let most = i64::try_from(OPENINGS_MAX).unwrap_or(i64::MAX);
            let mut openings = Vec::new();
            for row in statement.query_map(params![now.as_millis(), most], stored)? {
                let (version, opening) = row?;
                check_version(version)?;
                openings.push(opening);
            }
            Ok(openings)
        });
        select.await
    }
}
