//! Exchanges.

use async_trait::async_trait;
use chat::{ConversationKey, Timestamp, TurnKey};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use store::{Conversations, Exchange, ExchangeKind, Kept, ReadFrom, StoreError, words};

use crate::{
    SqliteStore,
    database::{Failure, VERSION, check_version},
};

/// The columns in the order in which [`exchange`] reads them.
struct Stored(i64, String, i64, String, Vec<u8>, i64);

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
}

fn exchange(Stored(version, turn, at, kind, sealed, keep_until): Stored) -> Result<Exchange, StoreError> {
    check_version(version)?;
    Ok(Exchange {
        turn: words::turn_key(&turn)?,
        at: Timestamp::from_millis(at),
        kind: words::kind(&kind)?,
        sealed,
        keep_until: Timestamp::from_millis(keep_until),
    })
}

fn find(
    connection: &Connection,
    conversation: &ConversationKey,
    at: Timestamp,
    turn: &TurnKey,
) -> Result<Option<Exchange>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT v, turn, at, kind, sealed, keep_until FROM exchanges
         WHERE conversation = ?1 AND at = ?2 AND turn = ?3",
    )?;
    let found = statement.query_row(params![conversation.as_str(), at.as_millis(), turn.as_str()], stored);
    Ok(found.optional()?.map(exchange).transpose()?)
}

fn keep(connection: &Connection, conversation: &ConversationKey, new: &Exchange) -> Result<Kept, Failure> {
    if let Some(standing) = find(connection, conversation, new.at, &new.turn)? {
        return Ok(Kept::Already(standing));
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO exchanges (conversation, at, turn, v, kind, sealed, keep_until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    statement.execute(params![
        conversation.as_str(),
        new.at.as_millis(),
        new.turn.as_str(),
        VERSION,
        words::of_kind(new.kind),
        new.sealed,
        new.keep_until.as_millis(),
    ])?;
    Ok(Kept::New)
}

/// Where everything is older. A turn's key is below `g`, since it is hexadecimal.
const NEWEST: (i64, &str) = (i64::MAX, "g");

/// Rows are read one by one, so that nothing is fetched beyond the limit or the reset. There is one copy of everything, so
/// no reading misses anything.
fn recent(
    connection: &Connection,
    conversation: &ConversationKey,
    now: Timestamp,
    (at, turn): (i64, &str),
    limit: usize,
) -> Result<Vec<Exchange>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT v, turn, at, kind, sealed, keep_until FROM exchanges
         WHERE conversation = ?1 AND (at, turn) < (?3, ?4) AND keep_until > ?2 AND kind <> 'notice'
         ORDER BY at DESC, turn DESC",
    )?;
    let mut found = Vec::new();
    let mut rows = statement.query_map(params![conversation.as_str(), now.as_millis(), at, turn], stored)?;
    while found.len() < limit {
        let Some(row) = rows.next() else { break };
        let exchange = exchange(row?)?;
        if exchange.kind == ExchangeKind::Reset {
            break;
        }
        found.push(exchange);
    }
    Ok(found)
}

#[async_trait]
impl Conversations for SqliteStore {
    async fn keep(&self, conversation: &ConversationKey, exchange: &Exchange) -> Result<Kept, StoreError> {
        let (conversation, exchange) = (conversation.clone(), exchange.clone());
        self.database.run(move |connection| keep(connection, &conversation, &exchange)).await
    }

    async fn find(
        &self,
        conversation: &ConversationKey,
        at: Timestamp,
        turn: &TurnKey,
    ) -> Result<Option<Exchange>, StoreError> {
        let (conversation, turn) = (conversation.clone(), turn.clone());
        self.database.read(move |connection| find(connection, &conversation, at, &turn)).await
    }

    async fn recent(
        &self,
        conversation: &ConversationKey,
        now: Timestamp,
        from: ReadFrom<'_>,
        limit: usize,
    ) -> Result<Vec<Exchange>, StoreError> {
        let (conversation, behind) = (conversation.clone(), from.behind());
        let behind = behind.map(|exchange| (exchange.at.as_millis(), exchange.turn.clone()));
        self.database
            .read(move |connection| {
                let end = behind.as_ref().map_or(NEWEST, |(at, turn)| (*at, turn.as_str()));
                recent(connection, &conversation, now, end, limit)
            })
            .await
    }
}
