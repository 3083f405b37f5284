//! Budgets.

use async_trait::async_trait;
use chat::Timestamp;
use rusqlite::{OptionalExtension as _, params};
use store::{Account, Budgets, Month, StoreError};

use crate::{
    SqliteStore,
    database::{VERSION, check_version},
};

#[async_trait]
impl Budgets for SqliteStore {
    async fn spent(&self, account: &Account, month: Month) -> Result<u64, StoreError> {
        let (account, month) = (account.clone(), month.to_string());
        let select = self.database.read(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT v, micros FROM spending WHERE account = ?1 AND month = ?2")?;
            let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
            let found = statement.query_row(params![account.as_str(), month], read).optional()?;
            let Some((version, micros)) = found else { return Ok(0) };
            check_version(version)?;
            Ok(u64::try_from(micros).unwrap_or(0))
        });
        select.await
    }

    async fn spend(
        &self,
        account: &Account,
        month: Month,
        micros: u64,
        keep_until: Timestamp,
    ) -> Result<(), StoreError> {
        let (account, month) = (account.clone(), month.to_string());
        let update = self.database.run(move |connection| {
            let mut statement = connection.prepare_cached(
                "INSERT INTO spending (account, month, v, micros, keep_until) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (account, month)
                 DO UPDATE SET micros = micros + excluded.micros, keep_until = excluded.keep_until",
            )?;
            let micros = i64::try_from(micros).unwrap_or(i64::MAX);
            statement.execute(params![account.as_str(), month, VERSION, micros, keep_until.as_millis()])?;
            Ok(())
        });
        update.await
    }
}
