//! Choices: one item for each conversation that has one, `CHOICE#{conversation}` / `CHOICE`.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use chat::{ConversationKey, Timestamp};
use store::{Choices, StoreError};

use crate::{
    DynamoStore,
    failure::unavailable,
    item::{Reader, VERSION, moment, number, text, ttl},
};

fn key(conversation: &ConversationKey) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), text(format!("CHOICE#{}", conversation.as_str()))),
        ("sk".to_owned(), text("CHOICE")),
    ])
}

#[async_trait]
impl Choices for DynamoStore {
    async fn choice(
        &self,
        conversation: &ConversationKey,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(conversation)))
            .consistent_read(true);
        let answer = get.send().await.map_err(|error| unavailable(&error))?;
        let Some(item) = answer.item else { return Ok(None) };
        let reader = Reader::new(item)?;
        let model = reader.text("model")?;
        Ok((reader.moment("keep_until")? > now && !model.is_empty()).then(|| model.to_owned()))
    }

    /// A choice that is taken back is written as an empty text: workers may not delete.
    async fn choose(
        &self,
        conversation: &ConversationKey,
        model: Option<&str>,
        keep_until: Timestamp,
    ) -> Result<(), StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(key(conversation)))
            .item("v", number(VERSION))
            .item("model", text(model.unwrap_or_default()))
            .item("keep_until", moment(keep_until))
            .item("ttl", ttl(keep_until));
        put.send().await.map_err(|error| unavailable(&error))?;
        Ok(())
    }
}
