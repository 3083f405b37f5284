//! The connections, their pragmas, errors.

use std::{path::Path, sync::Arc, time::Duration};

use rusqlite::{Connection, OpenFlags};
use store::StoreError;
use tokio::sync::oneshot;

use crate::{
    backlog::Lane,
    job::{Write, unfinished},
    readers::Readers,
    schema,
    writer::Writer,
};

/// How long a statement waits for another process that has the file (a backup, an operator's shell) before it gives
/// up. Well below the seconds that a platform waits for our answer.
const BUSY: Duration = Duration::from_millis(1_500);

/// How many prepared statements a connection keeps: more than there are.
const STATEMENTS: usize = 64;

/// The bytes of log that stay after it grew.
const LOG_KEPT: i64 = 64 << 20;

/// The record version that this code writes, and the only one it reads.
pub(crate) const VERSION: i64 = 1;

/// One file: a thread that writes, and threads that read. Without a file (in memory) the writer reads too.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    /// Dropped in this order, so that the write connection is the last and puts the log into the file.
    threads: Arc<(Option<Readers>, Writer)>,
}

impl Database {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        Self::start(prepare(Connection::open(path))?, Some(path))
    }

    pub(crate) fn open_in_memory() -> Result<Self, StoreError> {
        Self::start(prepare(Connection::open_in_memory())?, None)
    }

    /// A database that is written through this connection, and read at this path if it is in a file.
    pub(crate) fn start(connection: Connection, path: Option<&Path>) -> Result<Self, StoreError> {
        let readers = path.map(|path| Readers::start(path, open_to_read)).transpose()?;
        Ok(Self { threads: Arc::new((readers, Writer::start(connection)?)) })
    }

    /// Runs `work` in a transaction that it may share with others, as if it were alone. It is committed, and on the disk,
    /// when this returns well; otherwise nothing of it happened. It may run twice, the first time in vain. A caller that
    /// stops waiting does not stop it.
    ///
    /// # Errors
    ///
    /// What `work` returns; [`StoreError::Unavailable`] when it was not committed or too many writes wait.
    pub(crate) async fn run<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        self.run_then(Lane::Ordinary, work, |_| ()).await
    }

    /// As [`Database::run`], and tells `after` what was committed, also when the caller has stopped waiting.
    pub(crate) async fn run_then<T, W, A>(&self, lane: Lane, work: W, after: A) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> Result<T, Failure> + Send + 'static,
        A: FnOnce(&T) + Send + 'static,
    {
        let (job, answer) = Write::new(work, after);
        self.threads.1.submit(lane, job)?;
        answer.await.unwrap_or_else(|_| Err(unfinished()))
    }

    /// Runs `work`, which changes nothing, on what was committed before this call, whatever is written meanwhile. One
    /// statement sees one state of the file.
    ///
    /// # Errors
    ///
    /// What `work` returns; [`StoreError::Unavailable`] when too many reads wait.
    pub(crate) async fn read<T, W>(&self, mut work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let Some(readers) = &self.threads.0 else { return self.run(work).await };
        let (reply, answer) = oneshot::channel();
        readers.submit(Box::new(move |connection| {
            // Who stopped waiting needs no answer.
            drop(reply.send(work(connection).map_err(StoreError::from)));
        }))?;
        answer.await.unwrap_or_else(|_| Err(unfinished()))
    }
}

/// A connection that cannot change anything.
fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(Failure::from)?;
    connection.busy_timeout(BUSY).map_err(Failure::from)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Sets a connection up for writing, and brings the file up to date.
pub(crate) fn prepare(connection: rusqlite::Result<Connection>) -> Result<Connection, StoreError> {
    let mut connection = connection.map_err(Failure::from)?;
    configure(&connection).map_err(Failure::from)?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Readers and our writes do not wait for each other.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Each commit is synced to the disk before it returns. With NORMAL, SQLite's usual choice beside WAL, a power cut
    // loses the last commits; a platform whose webhook we answered with 2xx never sends that event again.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What a savepoint would take back is kept in memory: a file for it could not be written when the disk is full.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // A log that a long reader let grow is cut when it begins anew.
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_KEPT, |_| Ok(()))
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
        configure(&connection).unwrap();
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
