//! Tokens.

use std::collections::HashMap;

use async_trait::async_trait;
use chat::{BotId, PlatformId};
use store::{SealedToken, StoreError, TokenSlot, Tokens};

use crate::{
    DynamoStore,
    failure::unavailable,
    item::{Item, Reader, VERSION, bytes, moment, number, text, ttl},
};

/// Platforms and bots are slugs and hold no `#`, so no name can imitate another.
fn key(platform: &PlatformId, bot: &BotId, slot: TokenSlot) -> Item {
    let (pk, sk) = (format!("BOT#{platform}#{bot}"), format!("TOKEN#{}", slot.as_str()));
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

#[async_trait]
impl Tokens for DynamoStore {
    /// Reads consistently: a worker that asks again because the platform refused a token must not get it once more.
    async fn token(
        &self,
        platform: &PlatformId,
        bot: &BotId,
        slot: TokenSlot,
    ) -> Result<Option<SealedToken>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = get.set_key(Some(key(platform, bot, slot))).send().await;
        let Some(item) = answer.map_err(|error| unavailable(&error))?.item else { return Ok(None) };
        let mut item = Reader::new(item)?;
        Ok(Some(SealedToken { ends_at: item.moment("ends_at")?, sealed: item.bytes("sealed")? }))
    }

    async fn put_token(
        &self,
        platform: &PlatformId,
        bot: &BotId,
        slot: TokenSlot,
        token: SealedToken,
    ) -> Result<(), StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(key(platform, bot, slot)))
            .item("v", number(VERSION))
            .item("ends_at", moment(token.ends_at))
            .item("ttl", ttl(token.ends_at))
            .item("sealed", bytes(token.sealed));
        put.send().await.map_err(|error| unavailable(&error))?;
        Ok(())
    }
}
