//! Budgets.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chat::Timestamp;

use super::{MemoryStore, lock};
use crate::{Account, Budgets, Month, StoreError};

/// What each account has spent in each month.
pub(super) type Table = BTreeMap<(Account, Month), u64>;

#[async_trait]
impl Budgets for MemoryStore {
    async fn spent(&self, account: &Account, month: Month) -> Result<u64, StoreError> {
        Ok(lock(&self.inner.budgets).get(&(account.clone(), month)).copied().unwrap_or(0))
    }

    async fn spend(
        &self,
        account: &Account,
        month: Month,
        micros: u64,
        _keep_until: Timestamp,
    ) -> Result<(), StoreError> {
        let mut table = lock(&self.inner.budgets);
        let spent = table.entry((account.clone(), month)).or_default();
        *spent = spent.saturating_add(micros);
        Ok(())
    }
}
