//! Tokens.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chat::{BotId, PlatformId};

use super::{MemoryStore, lock};
use crate::{SealedToken, StoreError, TokenSlot, Tokens};

pub(super) type Table = BTreeMap<(PlatformId, BotId, TokenSlot), SealedToken>;

#[async_trait]
impl Tokens for MemoryStore {
    async fn token(
        &self,
        platform: &PlatformId,
        bot: &BotId,
        slot: TokenSlot,
    ) -> Result<Option<SealedToken>, StoreError> {
        Ok(lock(&self.inner.tokens).get(&(platform.clone(), bot.clone(), slot)).cloned())
    }

    async fn put_token(
        &self,
        platform: &PlatformId,
        bot: &BotId,
        slot: TokenSlot,
        token: SealedToken,
    ) -> Result<(), StoreError> {
        lock(&self.inner.tokens).insert((platform.clone(), bot.clone(), slot), token);
        Ok(())
    }
}
