//! Openings.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use chat::Timestamp;
use store::{OPENINGS_MAX, Opening, Openings, StoreError};

use crate::{
    DynamoStore,
    failure::unavailable,
    item::{Item, Reader, VERSION, moment, number, text, ttl},
};

/// One partition for all endpoints, so that one query reads them. There are few, and they are written only when one goes
/// down.
const PARTITION: &str = "OPENINGS";

fn read(item: Item) -> Result<Opening, StoreError> {
    let item = Reader::new(item)?;
    Ok(Opening {
        endpoint: item.text("sk")?.to_owned(),
        since: item.moment("since")?,
        until: item.moment("ends_at")?,
        step: item.number("step")?,
    })
}

#[async_trait]
impl Openings for DynamoStore {
    async fn tell(&self, opening: &Opening) -> Result<(), StoreError> {
        let (pk, sk) = (text(PARTITION), text(&opening.endpoint));
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(HashMap::from([("pk".to_owned(), pk), ("sk".to_owned(), sk)])))
            .item("v", number(VERSION))
            .item("since", moment(opening.since))
            .item("ends_at", moment(opening.until))
            .item("step", number(opening.step))
            .item("ttl", ttl(opening.until))
            .condition_expression("attribute_not_exists(pk) OR ends_at < :ends_at")
            .expression_attribute_values(":ends_at", moment(opening.until));
        let Err(error) = put.send().await else { return Ok(()) };
        let stands =
            error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception);
        if stands { Ok(()) } else { Err(unavailable(&error)) }
    }

    /// Those that are over are read too until DynamoDB removes them: one for each endpoint, so they do not pile up, and a
    /// filter would not make the read cheaper.
    async fn openings(&self, now: Timestamp) -> Result<Vec<Opening>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(PARTITION))
            .limit(i32::try_from(OPENINGS_MAX).unwrap_or(i32::MAX));
        let answer = query.send().await.map_err(|error| unavailable(&error))?;
        let mut openings = Vec::new();
        for item in answer.items.unwrap_or_default() {
            let opening = read(item)?;
            if opening.until > now {
                openings.push(opening);
            }
        }
        Ok(openings)
    }
}
