//! Signals.

use async_trait::async_trait;
use chat::{ConversationKey, Timestamp};
use rusqlite::{Row, params};
use store::{SIGNALS_MAX, Signal, Signals, StoreError, words};

use crate::{
    SqliteStore,
    database::{VERSION, check_version},
};

/// The columns in the order in which [`signal`] reads them.
struct Stored(i64, String, i64, String, String);

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn signal(Stored(version, turn, at, kind, mentions): Stored) -> Result<Signal, StoreError> {
    check_version(version)?;
    Ok(Signal {
        turn: words::turn_key(&turn)?,
        at: Timestamp::from_millis(at),
        kind: words::signal(&kind)?,
        mentions: serde_json::from_str(&mentions)
            .map_err(|_| StoreError::Unreadable("the mentions of a signal are no list".to_owned()))?,
    })
}

#[async_trait]
impl Signals for SqliteStore {
    async fn signal(
        &self,
        conversation: &ConversationKey,
        signal: &Signal,
        keep_until: Timestamp,
    ) -> Result<(), StoreError> {
        let (conversation, signal) = (conversation.clone(), signal.clone());
        let insert = self.database.run(move |connection| {
            let mut statement = connection.prepare_cached(
                "INSERT OR IGNORE INTO signals (conversation, at, turn, v, kind, mentions, keep_until)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            statement.execute(params![
                conversation.as_str(),
                signal.at.as_millis(),
                signal.turn.as_str(),
                VERSION,
                words::of_signal(signal.kind),
                serde_json::json!(signal.mentions).to_string(),
                keep_until.as_millis(),
            ])?;
            Ok(())
        });
        insert.await
    }

    async fn signals(
        &self,
        conversation: &ConversationKey,
        after: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Signal>, StoreError> {
        let conversation = conversation.clone();
        let select = self.database.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT v, turn, at, kind, mentions FROM signals
                 WHERE conversation = ?1 AND at > ?2 AND keep_until > ?3 ORDER BY at, turn LIMIT ?4",
            )?;
            let most = i64::try_from(SIGNALS_MAX).unwrap_or(i64::MAX);
            let values = params![conversation.as_str(), after.as_millis(), now.as_millis(), most];
            let mut signals = Vec::new();
            for row in statement.query_map(values, stored)? {
                signals.push(signal(row?)?);
            }
            Ok(signals)
        });
        select.await
    }
}
