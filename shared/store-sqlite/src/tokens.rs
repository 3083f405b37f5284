//! Tokens.

use async_trait::async_trait;
use chat::{BotId, PlatformId, Timestamp};
use rusqlite::{OptionalExtension as _, params};
use store::{SealedToken, StoreError, TokenSlot, Tokens};

use crate::{
    SqliteStore,
    database::{VERSION, check_version},
};

#[async_trait]
impl Tokens for SqliteStore {
    async fn token(
        &self,
        platform: &PlatformId,
        bot: &BotId,
        slot: TokenSlot,
    ) -> Result<Option<SealedToken>, StoreError> {
        let (platform, bot) = (platform.clone(), bot.clone());
        let read = self.database.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT v, sealed, ends_at FROM tokens WHERE platform = ?1 AND bot = ?2 AND slot = ?3",
            )?;
            let row = statement.query_row([platform.as_str(), bot.as_str(), slot.as_str()], |row| {
                let token = SealedToken { sealed: row.get(1)?, ends_at: Timestamp::from_millis(row.get(2)?) };
                Ok((row.get(0)?, token))
            });
            let Some((version, token)) = row.optional()? else { return Ok(None) };
            check_version(version)?;
            Ok(Some(token))
        });
        read.await
    }

    async fn put_token(
        &self,
        platform: &PlatformId,
        bot: &BotId,
        slot: TokenSlot,
        token: SealedToken,
    ) -> Result<(), StoreError> {
        let (platform, bot) = (platform.clone(), bot.clone());
        let write = self.database.run(move |connection| {
            let mut statement = connection.prepare_cached(
                "INSERT OR REPLACE INTO tokens (platform, bot, slot, v, sealed, ends_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            let ends_at = token.ends_at.as_millis();
            let place = (platform.as_str(), bot.as_str(), slot.as_str());
            statement.execute(params![place.0, place.1, place.2, VERSION, token.sealed, ends_at])?;
            Ok(())
        });
        write.await
    }
}
