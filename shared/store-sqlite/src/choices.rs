//! Choices.

use async_trait::async_trait;
use chat::{ConversationKey, Timestamp};
use rusqlite::{OptionalExtension as _, Row, params};
use store::{Choices, StoreError};

use crate::{
    SqliteStore,
    database::{VERSION, check_version},
};

#[async_trait]
impl Choices for SqliteStore {
    async fn choice(
        &self,
        conversation: &ConversationKey,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let conversation = conversation.clone();
        let select = self.database.read(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT v, model FROM choices WHERE conversation = ?1 AND keep_until > ?2")?;
            let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?));
            let found =
                statement.query_row(params![conversation.as_str(), now.as_millis()], read).optional()?;
            let Some((version, model)) = found else { return Ok(None) };
            check_version(version)?;
            Ok(model)
        });
        select.await
    }

    async fn choose(
        &self,
        conversation: &ConversationKey,
        model: Option<&str>,
        keep_until: Timestamp,
    ) -> Result<(), StoreError> {
        let (conversation, model) = (conversation.clone(), model.map(str::to_owned));
        let insert = self.database.run(move |connection| {
            let mut statement = connection.prepare_cached(
                "INSERT OR REPLACE INTO choices (conversation, v, model, keep_until) VALUES (?1, ?2, ?3, ?4)",
            )?;
            statement.execute(params![conversation.as_str(), VERSION, model, keep_until.as_millis()])?;
            Ok(())
        });
        insert.await
    }
}
