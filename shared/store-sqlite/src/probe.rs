//! Whether anything can be written.

use store::StoreError;

use crate::SqliteStore;

impl SqliteStore {
    /// Writes the schema's number over itself and commits that to the disk, to find out whether anything can be written: a
    /// disk may be full, or mounted anew for reading only, while all reads succeed. Takes an fsync and a page of the log;
    /// ask no more often than every few seconds.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when nothing can be written.
    pub async fn probe_write(&self) -> Result<(), StoreError> {
        let write = self.database.run(|connection| {
            let schema: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            Ok(connection.pragma_update(None, "user_version", schema)?)
        });
        write.await
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::database::Database;

    fn store(connection: Connection) -> SqliteStore {
        let database = Database::start(connection, None).unwrap();
        SqliteStore { database, enqueued: std::sync::Arc::default() }
    }

    #[tokio::test]
    async fn a_file_that_takes_no_writes_is_told() {
        let connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 6).unwrap();
        connection.pragma_update(None, "query_only", true).unwrap();
        let error = store(connection).probe_write().await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    }

    #[tokio::test]
    async fn a_probe_reaches_the_log_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("magpie.db");
        let store = SqliteStore::open(&path).unwrap();
        let log = || std::fs::metadata(folder.path().join("magpie.db-wal")).unwrap().len();
        let before = log();
        store.probe_write().await.unwrap();
        assert!(log() > before, "nothing was written");
        drop(store);
        SqliteStore::open(&path).unwrap().probe_write().await.unwrap();
    }
}
