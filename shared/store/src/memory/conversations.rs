//! Exchanges.

use std::collections::{BTreeMap, btree_map::Entry};

use async_trait::async_trait;
use chat::{ConversationKey, Timestamp, TurnKey};

use super::{MemoryStore, lock};
use crate::{Conversations, Exchange, ExchangeKind, Kept, StoreError};

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

    async fn recent(
        &self,
        conversation: &ConversationKey,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Exchange>, StoreError> {
        let table = lock(&self.inner.conversations);
        let exchanges = table.get(conversation).into_iter().flat_map(|exchanges| exchanges.values().rev());
        let mut answers = 0;
        Ok(exchanges
            .filter(|exchange| exchange.keep_until > now && exchange.kind != ExchangeKind::Notice)
            .take_while(|exchange| {
                answers += usize::from(exchange.kind == ExchangeKind::Answer);
                exchange.kind != ExchangeKind::Reset && answers <= limit
            })
            .cloned()
            .collect())
    }
}
