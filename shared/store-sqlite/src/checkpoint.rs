//! When the write-ahead log goes into the database file.
//!
//! SQLite does it at the end of a `COMMIT`, before the commit returns. The writer does it between two groups instead, when
//! everybody in the first has been answered.

use std::sync::{
    Arc,
    atomic::{AtomicI32, Ordering},
};

use rusqlite::{Connection, DEFAULT_NAME, wal::CheckpointMode};

/// After how many further pages (of 4 KiB) of log: SQLite's usual number.
const EVERY: i32 = 1_000;

/// Runs checkpoints on one connection.
pub(crate) struct Checkpoints {
    /// The length of the log after the last commit, in pages.
    pages: Arc<AtomicI32>,
    /// What it was at the last checkpoint.
    last: i32,
}

impl Checkpoints {
    /// Takes the checkpoints of this connection over. In memory there is no log, and so none ever.
    pub(crate) fn of(connection: &mut Connection) -> rusqlite::Result<Self> {
        let pages = Arc::new(AtomicI32::new(0));
        let log = Arc::clone(&pages);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            log.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { pages, last: 0 })
    }

    /// Waits for nobody: what a reader still needs stays in the log until the next time. A checkpoint that fails leaves the
    /// log as it is, which holds everything.
    pub(crate) fn run_if_due(&mut self, connection: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        // The log began anew, which it does once all of it is in the file and nobody reads from it.
        if pages < self.last {
            self.last = 0;
        }
        if pages - self.last >= EVERY {
            self.last = pages;
            drop(connection.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::PASSIVE));
        }
    }
}
