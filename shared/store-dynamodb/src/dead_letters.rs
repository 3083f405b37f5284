//! Dead letters.
//!
//! All lie in one partition, so that they can be listed without a scan, and each under its turn's key, so that a turn
//! has one and a heavy day's letters spread: DynamoDB splits a busy partition by its sort keys, and keys that grow with
//! time would all fall on one side. A list reads the partition whole and puts it in order; it holds no more than was
//! parked within fourteen days.

use std::{cmp::Reverse, collections::HashMap};

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use chat::{Timestamp, TurnKey};
use store::{
    DEAD_LETTERS_KEPT, DeadLetter, DeadLetters, Park, ParkedTurn, QueueItem, RedriveParts, Redriven,
    Reopening, StoreError, Turns as _, redrive, words,
};

use crate::{
    DynamoStore, SqsQueue,
    failure::unavailable,
    item::{Item, Reader, VERSION, moment, number, text, ttl},
};

const PARTITION: &str = "PARKED";

/// All that a list shows: the message stays where it is.
const SHOWN: &str = "v, sk, conversation, reason, cause, tries, parked_at";

fn key(turn: &TurnKey) -> Item {
    HashMap::from([("pk".to_owned(), text(PARTITION)), ("sk".to_owned(), text(turn.as_str()))])
}

fn letter(item: &Reader) -> Result<DeadLetter, StoreError> {
    Ok(DeadLetter {
        turn: words::turn_key(item.text("sk")?)?,
        conversation: words::conversation_key(item.text("conversation")?)?,
        reason: Some(words::reason(item.text("reason")?)?),
        cause: item.optional_text("cause")?.map(str::to_owned),
        tries: item.number("tries")?,
        at: item.moment("parked_at")?,
    })
}

#[async_trait]
impl Park for DynamoStore {
    /// A message of more than 390 KB would not fit; the platforms' own limits are below 200 KB.
    async fn park(&self, parked: ParkedTurn) -> Result<(), StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(key(&parked.turn)))
            .item("v", number(VERSION))
            .item("conversation", text(parked.conversation.as_str()))
            .item("reason", text(words::of_reason(parked.reason)))
            .item("body", text(parked.body))
            .item("tries", number(parked.tries))
            .item("parked_at", moment(parked.at))
            .item("ttl", ttl(parked.at.plus(DEAD_LETTERS_KEPT)));
        let put = match parked.cause {
            Some(cause) => put.item("cause", text(cause)),
            None => put,
        };
        put.send().await.map_err(|error| unavailable(&error))?;
        Ok(())
    }
}

/// The dead letters in the table, and the queue into which they go back. Takes rights that no function has: to read
/// the partition, to delete from it, and to send to the queue.
#[derive(Debug, Clone)]
pub struct DynamoDeadLetters {
    store: DynamoStore,
    queue: SqsQueue,
}

impl DynamoDeadLetters {
    /// The dead letters of this table, whose messages came through this queue.
    #[must_use]
    pub const fn new(store: DynamoStore, queue: SqsQueue) -> Self {
        Self { store, queue }
    }

    async fn get(&self, turn: &TurnKey) -> Result<Option<Reader>, StoreError> {
        let get = self.store.client.get_item().table_name(&self.store.table).consistent_read(true);
        let answer = get.set_key(Some(key(turn))).send().await;
        answer.map_err(|error| unavailable(&error))?.item.map(Reader::new).transpose()
    }

    async fn page(&self, from: Option<Item>) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let query = self
            .store
            .client
            .query()
            .table_name(&self.store.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(PARTITION))
            .projection_expression(SHOWN)
            .consistent_read(true)
            .set_exclusive_start_key(from);
        let answer = query.send().await.map_err(|error| unavailable(&error))?;
        let next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        Ok((answer.items.unwrap_or_default(), next))
    }
}

#[async_trait]
impl Park for DynamoDeadLetters {
    async fn park(&self, parked: ParkedTurn) -> Result<(), StoreError> {
        self.store.park(parked).await
    }
}

#[async_trait]
impl DeadLetters for DynamoDeadLetters {
    async fn list(&self, limit: usize) -> Result<Vec<DeadLetter>, StoreError> {
        let mut letters = Vec::new();
        let mut from = None;
        loop {
            let (items, next) = self.page(from).await?;
            for item in items {
                letters.push(letter(&Reader::new(item)?)?);
            }
            if next.is_none() {
                break;
            }
            from = next;
        }
        letters.sort_by_key(|letter| Reverse(letter.at));
        letters.truncate(limit);
        Ok(letters)
    }

    async fn show(&self, turn: &TurnKey) -> Result<Option<DeadLetter>, StoreError> {
        self.get(turn).await?.map(|item| letter(&item)).transpose()
    }

    async fn redrive(&self, turn: &TurnKey, now: Timestamp) -> Result<Redriven, StoreError> {
        redrive(self, turn, now).await
    }
}

#[async_trait]
impl RedriveParts for DynamoDeadLetters {
    async fn letter(&self, turn: &TurnKey) -> Result<Option<(DeadLetter, String)>, StoreError> {
        let Some(item) = self.get(turn).await? else { return Ok(None) };
        Ok(Some((letter(&item)?, item.text("body")?.to_owned())))
    }

    async fn open(&self, turn: &TurnKey, now: Timestamp) -> Result<Reopening, StoreError> {
        self.store.reopen(turn, now).await
    }

    /// The name is the deduplication id: no sending is taken for an earlier one within the five minutes.
    async fn requeue(&self, item: QueueItem, name: String) -> Result<(), StoreError> {
        self.queue.send(item, name).await
    }

    async fn remove(&self, turn: &TurnKey, at: Timestamp) -> Result<(), StoreError> {
        let delete = self
            .store
            .client
            .delete_item()
            .table_name(&self.store.table)
            .set_key(Some(key(turn)))
            .condition_expression("parked_at = :at")
            .expression_attribute_values(":at", moment(at));
        let Err(error) = delete.send().await else { return Ok(()) };
        let replaced =
            error.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception);
        if replaced { Ok(()) } else { Err(unavailable(&error)) }
    }
}
