//! What is past its time goes.

use chat::Timestamp;
use rusqlite::params;
use store::{DEAD_LETTERS_KEPT, StoreError};

use crate::{SqliteStore, queue::DEDUP_WINDOW};

/// Rows that go at once. A sweep after a long rest may find many, and an acknowledgement waits for what is in its group.
const BATCH: usize = 50;

/// Each statement takes a moment and a number, and removes no more than that number of rows from before the moment.
const EXPIRED: [&str; 7] = [
    "DELETE FROM turns WHERE key IN (SELECT key FROM turns WHERE keep_until <= ?1 LIMIT ?2)",
    "DELETE FROM exchanges WHERE rowid IN (SELECT rowid FROM exchanges WHERE keep_until <= ?1 LIMIT ?2)",
    "DELETE FROM signals WHERE rowid IN (SELECT rowid FROM signals WHERE keep_until <= ?1 LIMIT ?2)",
    "DELETE FROM spending WHERE rowid IN (SELECT rowid FROM spending WHERE keep_until <= ?1 LIMIT ?2)",
    "DELETE FROM choices WHERE rowid IN (SELECT rowid FROM choices WHERE keep_until <= ?1 LIMIT ?2)",
    "DELETE FROM openings WHERE endpoint IN (SELECT endpoint FROM openings WHERE until <= ?1 LIMIT ?2)",
    "DELETE FROM tokens WHERE (platform, bot, slot) IN
        (SELECT platform, bot, slot FROM tokens WHERE ends_at <= ?1 LIMIT ?2)",
];
const SEEN: &str =
    "DELETE FROM queue_seen WHERE dedup IN (SELECT dedup FROM queue_seen WHERE first_at <= ?1 LIMIT ?2)";
const DEAD: &str =
    "DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE buried_at <= ?1 LIMIT ?2)";

impl SqliteStore {
    /// Removes what is past its time and says how many records that were. Nothing depends on it but the file's size
    /// and how long people's words stay: records past their time count as absent already.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]; what was removed until then stays removed.
    pub async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        let expired = EXPIRED.map(|delete| (delete, now));
        let rest = [(SEEN, now.minus(DEDUP_WINDOW)), (DEAD, now.minus(DEAD_LETTERS_KEPT))];
        let mut removed = 0;
        for (delete, before) in expired.into_iter().chain(rest) {
            loop {
                let batch = self.delete(delete, before).await?;
                removed += batch as u64;
                if batch < BATCH {
                    break;
                }
            }
        }
        Ok(removed)
    }

    async fn delete(&self, delete: &'static str, before: Timestamp) -> Result<usize, StoreError> {
        let work = self.database.run(move |connection| {
            let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
            Ok(connection.prepare_cached(delete)?.execute(params![before.as_millis(), limit])?)
        });
        work.await
    }
}
