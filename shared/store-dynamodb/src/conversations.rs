//! Exchanges.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    error::SdkError,
    operation::put_item::PutItemError,
    types::{ReturnValuesOnConditionCheckFailure, error::ConditionalCheckFailedException},
};
use chat::{ConversationKey, Timestamp, TurnKey};
use store::{Conversations, Exchange, ExchangeKind, Kept, ReadFrom, StoreError, words};

use crate::{
    DynamoStore,
    failure::unavailable,
    item::{Item, Reader, VERSION, bytes, moment, number, text, ttl, unreadable},
};

/// The most items in one page: reading stops at a reset, and what was read behind it is paid for.
const PAGE: usize = 100;

fn partition(conversation: &ConversationKey) -> String {
    format!("CONV#{}", conversation.as_str())
}

/// The order of these texts is the order of acceptance: every moment has all its digits. Nothing was accepted before
/// 1970, so such a moment counts as 1970.
fn sort(at: Timestamp, turn: &TurnKey) -> String {
    format!("MSG#{:019}#{}", at.as_millis().max(0), turn.as_str())
}

fn key(conversation: &ConversationKey, at: Timestamp, turn: &TurnKey) -> Item {
    let (pk, sk) = (text(partition(conversation)), text(sort(at, turn)));
    HashMap::from([("pk".to_owned(), pk), ("sk".to_owned(), sk)])
}

/// Moment and turn stand in the key only, to keep the item small.
fn read(item: Item) -> Result<Exchange, StoreError> {
    let mut item = Reader::new(item)?;
    let place = item.text("sk")?.strip_prefix("MSG#").and_then(|place| place.split_once('#'));
    let (at, turn) = place.ok_or_else(|| unreadable("sk"))?;
    Ok(Exchange {
        turn: words::turn_key(turn)?,
        at: Timestamp::from_millis(at.parse().map_err(|_| unreadable("sk"))?),
        kind: words::kind(item.text("kind")?)?,
        keep_until: item.moment("keep_until")?,
        sealed: item.bytes("sealed")?,
    })
}

/// The failed condition, if that is what the error says.
fn refused<R>(error: &SdkError<PutItemError, R>) -> Option<&ConditionalCheckFailedException> {
    if let PutItemError::ConditionalCheckFailedException(refused) = error.as_service_error()? {
        return Some(refused);
    }
    None
}

impl DynamoStore {
    /// One page, newest first, and where the next one begins.
    async fn page(
        &self,
        conversation: &ConversationKey,
        size: usize,
        consistent: bool,
        from: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :messages)")
            .expression_attribute_values(":pk", text(partition(conversation)))
            .expression_attribute_values(":messages", text("MSG#"))
            .scan_index_forward(false)
            .consistent_read(consistent)
            .limit(i32::try_from(size).unwrap_or(i32::MAX))
            .set_exclusive_start_key(from);
        let answer = query.send().await.map_err(|error| unavailable(&error))?;
        let next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        Ok((answer.items.unwrap_or_default(), next))
    }
}

#[async_trait]
impl Conversations for DynamoStore {
    async fn keep(&self, conversation: &ConversationKey, exchange: &Exchange) -> Result<Kept, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(key(conversation, exchange.at, &exchange.turn)))
            .item("v", number(VERSION))
            .item("kind", text(words::of_kind(exchange.kind)))
            .item("sealed", bytes(exchange.sealed.clone()))
            .item("keep_until", moment(exchange.keep_until))
            .item("ttl", ttl(exchange.keep_until))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(Kept::New) };
        match refused(&error) {
            Some(ConditionalCheckFailedException { item: Some(standing), .. }) => {
                Ok(Kept::Already(read(standing.clone())?))
            }
            _ => Err(unavailable(&error)),
        }
    }

    async fn find(
        &self,
        conversation: &ConversationKey,
        at: Timestamp,
        turn: &TurnKey,
    ) -> Result<Option<Exchange>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.set_key(Some(key(conversation, at, turn)));
        get.send().await.map_err(|error| unavailable(&error))?.item.map(read).transpose()
    }

    async fn recent(
        &self,
        conversation: &ConversationKey,
        now: Timestamp,
        from: ReadFrom<'_>,
        limit: usize,
    ) -> Result<Vec<Exchange>, StoreError> {
        let consistent = !matches!(from, ReadFrom::SettledBehind(_));
        let mut next = from.behind().map(|exchange| key(conversation, exchange.at, &exchange.turn));
        let (mut found, mut read_items) = (Vec::new(), 0);
        while found.len() < limit {
            // No more than is wanted, since what is read is paid for; but after many notices, not one by one.
            let size = (limit - found.len()).max(read_items).min(PAGE);
            let items;
            (items, next) = self.page(conversation, size, consistent, next).await?;
            read_items += items.len();
            for item in items {
                let exchange = read(item)?;
                match exchange.kind {
                    _ if exchange.keep_until <= now => {}
                    ExchangeKind::Notice => {}
                    ExchangeKind::Reset => return Ok(found),
                    ExchangeKind::Answer | ExchangeKind::Merged if found.len() < limit => {
                        found.push(exchange);
                    }
                    ExchangeKind::Answer | ExchangeKind::Merged => return Ok(found),
                }
            }
            if next.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(digit: char) -> TurnKey {
        words::turn_key(&digit.to_string().repeat(64)).unwrap()
    }

    #[test]
    fn keys_sort_by_acceptance_then_by_turn() {
        let places =
            [(-5, '0'), (1, '0'), (9, 'f'), (10, '0'), (10, 'a'), (1_790_000_000_000, '0'), (i64::MAX, '0')];
        let keys = places.map(|(at, digit)| sort(Timestamp::from_millis(at), &turn(digit)));
        assert!(keys.is_sorted(), "{keys:?}");
    }

    #[test]
    fn only_keys_of_exchanges_are_read() {
        let good = sort(Timestamp::from_millis(7), &turn('a'));
        for (sk, readable) in [(good.as_str(), true), ("META", false), ("MSG#7", false), ("MSG#x#y", false)] {
            let item = HashMap::from([
                ("v".to_owned(), number(VERSION)),
                ("sk".to_owned(), text(sk)),
                ("kind".to_owned(), text("answer")),
                ("sealed".to_owned(), bytes(vec![1])),
                ("keep_until".to_owned(), number(9)),
            ]);
            assert_eq!(read(item).is_ok(), readable, "{sk}");
        }
    }
}
