//! Tables and migrations.
//!
//! `PRAGMA user_version` counts the migrations that a file has been through. A migration that was released is never
//! edited: what comes later is another one.

use rusqlite::{Connection, TransactionBehavior};
use store::StoreError;

use crate::database::Failure;

/// Moments are milliseconds since the epoch. `v` is the version of a record, so that one table can hold two of them
/// while a change is under way.
const MIGRATIONS: [&str; 7] = [
    "
    CREATE TABLE turns (
        key TEXT PRIMARY KEY,
        v INTEGER NOT NULL,
        state TEXT NOT NULL,            -- held, free, or the word of an ending
        fence INTEGER NOT NULL,
        lease_until INTEGER NOT NULL,
        accepted_at INTEGER NOT NULL,
        segments_sent INTEGER NOT NULL,
        sending INTEGER,
        keep_until INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX turns_by_age ON turns (keep_until);

    CREATE TABLE exchanges (
        conversation TEXT NOT NULL,
        at INTEGER NOT NULL,
        turn TEXT NOT NULL,
        v INTEGER NOT NULL,
        kind TEXT NOT NULL,
        sealed BLOB NOT NULL,
        keep_until INTEGER NOT NULL,
        PRIMARY KEY (conversation, at, turn)
    ) STRICT;
    CREATE INDEX exchanges_by_age ON exchanges (keep_until);

    CREATE TABLE tokens (
        platform TEXT NOT NULL,
        bot TEXT NOT NULL,
        slot TEXT NOT NULL,
        v INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        ends_at INTEGER NOT NULL,
        PRIMARY KEY (platform, bot, slot)
    ) STRICT, WITHOUT ROWID;

    -- AUTOINCREMENT, because the id is part of a receipt and may never come back.
    CREATE TABLE queue (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        v INTEGER NOT NULL,
        conversation TEXT NOT NULL,
        dedup TEXT NOT NULL,
        body TEXT NOT NULL,
        tries INTEGER NOT NULL,
        due INTEGER NOT NULL,           -- the end of the visibility while in work
        in_work INTEGER NOT NULL,
        head INTEGER NOT NULL           -- the oldest of its conversation, the only one that may be handed out
    ) STRICT;
    CREATE INDEX queue_by_conversation ON queue (conversation, id);
    CREATE INDEX queue_heads ON queue (id) WHERE head = 1;

    CREATE TABLE queue_seen (
        dedup TEXT PRIMARY KEY,
        first_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX queue_seen_by_age ON queue_seen (first_at);

    CREATE TABLE dead_letters (
        id INTEGER PRIMARY KEY,
        v INTEGER NOT NULL,
        conversation TEXT NOT NULL,
        dedup TEXT NOT NULL,
        body TEXT NOT NULL,
        tries INTEGER NOT NULL,
        buried_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX dead_letters_by_age ON dead_letters (buried_at);
",
    "
    ALTER TABLE turns ADD COLUMN redrive INTEGER NOT NULL DEFAULT 0;

    -- Parked turns are dead letters too, and a turn is one of them once.
    ALTER TABLE dead_letters ADD COLUMN reason TEXT;
    DELETE FROM dead_letters WHERE id NOT IN (SELECT max(id) FROM dead_letters GROUP BY dedup);
    CREATE UNIQUE INDEX dead_letters_by_turn ON dead_letters (dedup);
",
    "
    CREATE TABLE signals (
        conversation TEXT NOT NULL,
        at INTEGER NOT NULL,
        turn TEXT NOT NULL,
        v INTEGER NOT NULL,
        kind TEXT NOT NULL,
        mentions TEXT NOT NULL,         -- a list in JSON
        keep_until INTEGER NOT NULL,
        PRIMARY KEY (conversation, at, turn)
    ) STRICT;
    CREATE INDEX signals_by_age ON signals (keep_until);
",
    "
    CREATE TABLE spending (
        account TEXT NOT NULL,
        month TEXT NOT NULL,            -- as 2026-11
        v INTEGER NOT NULL,
        micros INTEGER NOT NULL,
        keep_until INTEGER NOT NULL,
        PRIMARY KEY (account, month)
    ) STRICT;
    CREATE INDEX spending_by_age ON spending (keep_until);

    CREATE TABLE choices (
        conversation TEXT PRIMARY KEY,
        v INTEGER NOT NULL,
        model TEXT,                     -- none once it is taken back
        keep_until INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX choices_by_age ON choices (keep_until);
",
    "
    CREATE TABLE openings (
        endpoint TEXT PRIMARY KEY,
        v INTEGER NOT NULL,
        since INTEGER NOT NULL,
        until INTEGER NOT NULL,
        step INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    "
    ALTER TABLE dead_letters ADD COLUMN cause TEXT;     -- what caused its reason, where that is known
",
    "
    -- Finds what is due among any number of heads in work or put off, and what comes due next.
    DROP INDEX queue_heads;
    CREATE INDEX queue_heads_by_due ON queue (due) WHERE head = 1;
",
];

/// Brings the file up to date, all or nothing.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let newest = MIGRATIONS.len();
    let found = migrate_from(connection).map_err(StoreError::from)?;
    if found > newest {
        return Err(StoreError::Unreadable(format!(
            "the database has schema {found} and this Magpie knows schemas up to {newest}: \
             run the newer Magpie, or restore a backup from before it"
        )));
    }
    Ok(())
}

/// The schema that was found. Immediate, so that of two processes that start at once one migrates.
fn migrate_from(connection: &mut Connection) -> Result<usize, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    for (number, migration) in (1_u32..).zip(MIGRATIONS).skip(found) {
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", number)?;
    }
    transaction.commit()?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_gets_every_migration_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        for found in [0, MIGRATIONS.len()] {
            assert_eq!(migrate_from(&mut connection).unwrap(), found);
        }
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let Err(StoreError::Unreadable(why)) = migrate(&mut connection) else { panic!("it must be refused") };
        assert!(why.contains("schema 99"), "{why}");
        let tables: u32 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 0);
    }
}
