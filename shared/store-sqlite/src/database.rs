//! The connection, its pragmas, transactions, errors.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use store::StoreError;

use crate::schema;

/// How long a statement waits for another process that has the file (a backup, an operator's shell) before it gives
/// up. Well below the seconds that a platform waits for our answer.
const BUSY: Duration = Duration::from_millis(1_500);

/// The record version that this code writes, and the only one it reads.
pub(crate) const VERSION: i64 = 1;

/// The one connection. SQLite has one writer in any case, and a single connection needs no pool.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    connection: Arc<Mutex<Connection>>,
}

impl Database {
    pub(crate) fn new(connection: rusqlite::Result<Connection>) -> Result<Self, StoreError> {
        let mut connection = connection.map_err(Failure::from)?;
        prepare(&connection).map_err(Failure::from)?;
        schema::migrate(&mut connection)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// Runs `work` as one transaction on a blocking thread. It is committed, and on the disk, when this returns
    /// well; otherwise nothing of it happened. A caller that stops waiting does not stop it.
    pub(crate) async fn run<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    {
        self.run_then(work, |_| ()).await
    }

    /// As [`Database::run`], and tells `after` what was committed, also when the caller has stopped waiting.
    pub(crate) async fn run_then<T, W, A>(&self, work: W, after: A) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Transaction<'_>) -> Result<T, Failure> + Send + 'static,
        A: FnOnce(&T) + Send + 'static,
    {
        let connection = Arc::clone(&self.connection);
        let task = tokio::task::spawn_blocking(move || {
            // After a panic the transaction was rolled back when it was dropped, so the connection is sound.
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            // Immediate: a transaction that reads first and writes later would otherwise fail where it should wait.
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            after(&result);
            Ok::<T, Failure>(result)
        });
        match task.await {
            Ok(result) => Ok(result?),
            Err(_) => Err(StoreError::Unavailable("the database task did not finish".to_owned())),
        }
    }
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Readers of other processes (a backup) and our writes do not wait for each other.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Each commit is synced to the disk before it returns. With NORMAL, SQLite's usual choice beside WAL, a power cut
    // loses the last commits; a platform whose webhook we answered with 2xx never sends that event again.
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(())
}

/// Why a transaction did not go through: the database's failure, or a record's.
#[derive(Debug)]
pub(crate) enum Failure {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for StoreError {
    /// Keeps SQLite's code and leaves its words behind: they may quote what was stored.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error,
            Failure::Sqlite(rusqlite::Error::SqliteFailure(code, _)) => Self::Unavailable(code.to_string()),
            Failure::Sqlite(
                rusqlite::Error::FromSqlConversionFailure(column, ..)
                | rusqlite::Error::IntegralValueOutOfRange(column, _)
                | rusqlite::Error::InvalidColumnType(column, ..),
            ) => Self::Unreadable(format!("column {column} holds what it should not")),
            Failure::Sqlite(_) => Self::Unavailable("SQLite was asked wrongly".to_owned()),
        }
    }
}

/// Refuses a record that another version wrote.
pub(crate) fn check_version(found: i64) -> Result<(), StoreError> {
    if found == VERSION {
        return Ok(());
    }
    Err(StoreError::Unreadable(format!("a record has version {found}, and this Magpie knows {VERSION}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_synced_before_it_returns() {
        let connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "synchronous", "OFF").unwrap();
        prepare(&connection).unwrap();
        let level: u8 = connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
        assert_eq!(level, 2, "FULL");
    }

    #[test]
    fn errors_do_not_quote_what_was_stored() {
        let connection = Connection::open_in_memory().unwrap();
        let secret = connection.query_row("SELECT 'secret'", [], |row| row.get::<_, i64>(0)).unwrap_err();
        let unreadable = StoreError::from(Failure::from(secret));
        assert_eq!(unreadable, StoreError::Unreadable("column 0 holds what it should not".to_owned()));
        let secret = connection.execute_batch("SELECT secret").unwrap_err();
        assert!(!StoreError::from(Failure::from(secret)).to_string().contains("secret"));
    }
}
