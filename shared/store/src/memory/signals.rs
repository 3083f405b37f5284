//! Signals.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chat::{ConversationKey, Timestamp, TurnKey};

use super::{MemoryStore, lock};
use crate::{SIGNALS_MAX, Signal, Signals, StoreError};

/// Each conversation's signals in the order of their messages, with the moment until which each is kept.
pub(super) type Table = BTreeMap<ConversationKey, BTreeMap<(Timestamp, TurnKey), (Signal, Timestamp)>>;

#[async_trait]
impl Signals for MemoryStore {
    async fn signal(
        &self,
        conversation: &ConversationKey,
        signal: &Signal,
        keep_until: Timestamp,
    ) -> Result<(), StoreError> {
        let mut table = lock(&self.inner.signals);
        let place = (signal.at, signal.turn.clone());
        let signals = table.entry(conversation.clone()).or_default();
        signals.entry(place).or_insert_with(|| (signal.clone(), keep_until));
        Ok(())
    }

    async fn signals(
        &self,
        conversation: &ConversationKey,
        after: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Signal>, StoreError> {
        let table = lock(&self.inner.signals);
        let signals = table.get(conversation).into_iter().flat_map(BTreeMap::values);
        let later = signals.filter(|(signal, keep_until)| signal.at > after && *keep_until > now);
        Ok(later.map(|(signal, _)| signal.clone()).take(SIGNALS_MAX).collect())
    }
}
