//! Budgets: one item for each account and month, `ACCOUNT#{account}` / `MONTH#{month}`.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use chat::Timestamp;
use store::{Account, Budgets, Month, StoreError};

use crate::{
    DynamoStore,
    failure::unavailable,
    item::{Reader, VERSION, moment, number, text, ttl},
};

fn key(account: &Account, month: Month) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), text(format!("ACCOUNT#{}", account.as_str()))),
        ("sk".to_owned(), text(format!("MONTH#{month}"))),
    ])
}

#[async_trait]
impl Budgets for DynamoStore {
    /// A read that may lag costs half a unit.
    async fn spent(&self, account: &Account, month: Month) -> Result<u64, StoreError> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key(account, month)));
        let answer = get.send().await.map_err(|error| unavailable(&error))?;
        answer.item.map_or(Ok(0), |item| Reader::new(item)?.number("micros"))
    }

    /// An addition at the item, so that workers do not overwrite each other's.
    async fn spend(
        &self,
        account: &Account,
        month: Month,
        micros: u64,
        keep_until: Timestamp,
    ) -> Result<(), StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(account, month)))
            .update_expression("ADD #micros :micros SET #v = :v, #keep_until = :keep_until, #ttl = :ttl")
            .expression_attribute_names("#micros", "micros")
            .expression_attribute_names("#v", "v")
            .expression_attribute_names("#keep_until", "keep_until")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":micros", number(micros))
            .expression_attribute_values(":v", number(VERSION))
            .expression_attribute_values(":keep_until", moment(keep_until))
            .expression_attribute_values(":ttl", ttl(keep_until));
        update.send().await.map_err(|error| unavailable(&error))?;
        Ok(())
    }
}
