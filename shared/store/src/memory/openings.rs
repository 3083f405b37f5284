//! Openings.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chat::Timestamp;

use super::{MemoryStore, lock};
use crate::{OPENINGS_MAX, Opening, Openings, StoreError};

/// By endpoint.
pub(super) type Table = BTreeMap<String, Opening>;

#[async_trait]
impl Openings for MemoryStore {
    async fn tell(&self, opening: &Opening) -> Result<(), StoreError> {
        let mut table = lock(&self.inner.openings);
        let ends_later = |standing: &Opening| standing.until >= opening.until;
        if !table.get(&opening.endpoint).is_some_and(ends_later) {
            table.insert(opening.endpoint.clone(), opening.clone());
        }
        Ok(())
    }

    async fn openings(&self, now: Timestamp) -> Result<Vec<Opening>, StoreError> {
        let table = lock(&self.inner.openings);
        let open = table.values().filter(|opening| opening.until > now);
        Ok(open.take(OPENINGS_MAX).cloned().collect())
    }
}
