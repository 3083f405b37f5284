//! Exchanges.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Bound,
};

use async_trait::async_trait;
use chat::{ConversationKey, Timestamp, TurnKey};

use super::{MemoryStore, lock};
use crate::{Conversations, Exchange, ExchangeKind, Kept, ReadFrom, StoreError};

/// Each conversation's exchanges in the order of their acceptance; turns of one moment in the order of their keys.
pub(super) type Table = BTreeMap<ConversationKey, BTreeMap<(Timestamp, TurnKey), Exchange>>;

#[async_trait]
impl Conversations for MemoryStore {
    async fn keep(&self, conversation: &ConversationKey, exchange: &Exchange) -> Result<Kept, StoreError> {
        let mut table = lock(&self.inner.conversations);
        let place = (exchange.at, exchange.turn.clone());
        Ok(match table.entry(conversation.clone()).or_default().entry(place) {
            // Planted: the last answer to be kept stands, not the first.
            Entry::Occupied(mut standing) if cfg!(planted = "kept_over") => {
                standing.insert(exchange.clone());
                Kept::New
            }
            Entry::Occupied(standing) => Kept::Already(standing.get().clone()),
            Entry::Vacant(place) => {
                place.insert(exchange.clone());
                Kept::New
            }
        })
    }

    async fn find(
        &self,
        conversation: &ConversationKey,
        at: Timestamp,
        turn: &TurnKey,
    ) -> Result<Option<Exchange>, StoreError> {
        let table = lock(&self.inner.conversations);
        Ok(table.get(conversation).and_then(|exchanges| exchanges.get(&(at, turn.clone()))).cloned())
    }

    /// Nothing is ever missing here, whichever way it is read.
    async fn recent(
        &self,
        conversation: &ConversationKey,
        now: Timestamp,
        from: ReadFrom<'_>,
        limit: usize,
    ) -> Result<Vec<Exchange>, StoreError> {
        let table = lock(&self.inner.conversations);
        let Some(exchanges) = table.get(conversation) else { return Ok(Vec::new()) };
        let end = from.behind().map(|exchange| (exchange.at, exchange.turn.clone()));
        let end = end.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(exchanges
            .range((Bound::Unbounded, end))
            .rev()
            .map(|(_, exchange)| exchange)
            .filter(|exchange| exchange.keep_until > now && exchange.kind != ExchangeKind::Notice)
            .take_while(|exchange| exchange.kind != ExchangeKind::Reset)
            .take(limit)
            .cloned()
            .collect())
    }
}
