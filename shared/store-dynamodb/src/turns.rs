//! Turns.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    error::SdkError,
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{
        AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure,
        error::ConditionalCheckFailedException,
    },
};
use chat::{Timestamp, TurnKey};
use store::{Claim, ClaimRequest, Ending, Fence, Reopening, StoreError, Turns, words};

use crate::{
    DynamoStore,
    claim::{Attempt, Found},
    failure::unavailable,
    item::{Item, VERSION, moment, number, text},
};

/// The states beside the endings' words.
pub(crate) const HELD: &str = "held";
pub(crate) const FREE: &str = "free";

/// How often a claim is decided anew because the record changed between two requests. Each round that is lost was won
/// by another worker, so more than a few mean that something is wrong.
const ROUNDS: u32 = 4;

/// From parked to free.
const REOPEN: &str = "SET #state = :free, redrive = if_not_exists(redrive, :zero) + :one REMOVE sending";

pub(crate) fn key(turn: &TurnKey) -> Item {
    let pk = format!("TURN#{}", turn.as_str());
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text("TURN"))])
}

/// The failed condition, if that is what the error says.
pub(crate) fn refused<R>(error: &SdkError<UpdateItemError, R>) -> Option<&ConditionalCheckFailedException> {
    if let UpdateItemError::ConditionalCheckFailedException(refused) = error.as_service_error()? {
        return Some(refused);
    }
    None
}

impl DynamoStore {
    pub(crate) fn update(&self, turn: &TurnKey) -> UpdateItemFluentBuilder {
        let update = self.client.update_item().table_name(&self.table).set_key(Some(key(turn)));
        update.expression_attribute_names("#state", "state")
    }

    /// Runs an update that is to hit the one turn that is held under the caller's fence.
    async fn write(
        &self,
        turn: &TurnKey,
        fence: Fence,
        change: &str,
        value: AttributeValue,
    ) -> Result<(), StoreError> {
        let update = self
            .update(turn)
            .update_expression(change)
            .condition_expression("fence = :fence AND #state = :held")
            .expression_attribute_values(":fence", number(fence.0))
            .expression_attribute_values(":held", text(HELD))
            .expression_attribute_values(":value", value);
        match update.send().await {
            Ok(_) => Ok(()),
            Err(error) if refused(&error).is_some() => Err(StoreError::FenceLost),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

impl DynamoStore {
    /// From parked to free, or the record that stands in the way.
    async fn open_parked(&self, key: &TurnKey, now: Timestamp) -> Result<Attempt, StoreError> {
        let update = self
            .update(key)
            .update_expression(REOPEN)
            .condition_expression("v = :v AND keep_until > :now AND begins_with(#state, :parked)")
            .expression_attribute_values(":v", number(VERSION))
            .expression_attribute_values(":now", moment(now))
            .expression_attribute_values(":parked", text(words::PARKED))
            .expression_attribute_values(":free", text(FREE))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(answer) => Ok(Attempt::Granted(Found::read(answer.attributes.unwrap_or_default())?.record)),
            Err(error) => match refused(&error) {
                Some(refused) => Ok(Attempt::Refused(refused.item.clone())),
                None => Err(unavailable(&error)),
            },
        }
    }

    /// Ends a lease that is over, and the fence with it. Says whether it was still the same one.
    async fn take_away(&self, key: &TurnKey, fence: Fence, now: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .update(key)
            .update_expression("SET #state = :free, fence = fence + :one")
            .condition_expression("fence = :fence AND #state = :held AND lease_until <= :now")
            .expression_attribute_values(":fence", number(fence.0))
            .expression_attribute_values(":held", text(HELD))
            .expression_attribute_values(":free", text(FREE))
            .expression_attribute_values(":now", moment(now))
            .expression_attribute_values(":one", number(1));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) if refused(&error).is_some() => Ok(false),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

#[async_trait]
impl Turns for DynamoStore {
    async fn claim(&self, key: &TurnKey, request: ClaimRequest) -> Result<Claim, StoreError> {
        for _ in 0..ROUNDS {
            let old = match self.take(key, &request).await? {
                Attempt::Granted(record) => return Ok(Claim::Granted(record)),
                Attempt::Refused(None) => continue,
                Attempt::Refused(Some(item)) => Found::read(item)?,
            };
            if old.keep_until <= request.now {
                if let Some(record) = self.replace(key, old.record.fence, &request).await? {
                    return Ok(Claim::Granted(record));
                }
            } else if let Some(claim) = old.in_the_way(request.now)? {
                return Ok(claim);
            }
        }
        Err(StoreError::Unavailable("the turn changed with every try to claim it".to_owned()))
    }

    async fn sending(&self, key: &TurnKey, fence: Fence, segment: u32) -> Result<(), StoreError> {
        self.write(key, fence, "SET sending = :value", number(segment)).await
    }

    async fn sent(&self, key: &TurnKey, fence: Fence, count: u32) -> Result<(), StoreError> {
        self.write(key, fence, "SET segments_sent = :value REMOVE sending", number(count)).await
    }

    async fn end(&self, key: &TurnKey, fence: Fence, ending: Ending) -> Result<(), StoreError> {
        self.write(key, fence, "SET #state = :value", text(words::of_ending(&ending))).await
    }

    async fn release(&self, key: &TurnKey, fence: Fence) -> Result<(), StoreError> {
        self.write(key, fence, "SET #state = :value", text(FREE)).await
    }

    async fn begun(&self, turn: &TurnKey) -> Result<bool, StoreError> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = get.set_key(Some(key(turn))).send().await.map_err(|error| unavailable(&error))?;
        Ok(answer.item.is_some())
    }

    async fn reopen(&self, key: &TurnKey, now: Timestamp) -> Result<Reopening, StoreError> {
        for _ in 0..ROUNDS {
            let standing = match self.open_parked(key, now).await? {
                Attempt::Granted(_) => return Ok(Reopening::Opened),
                Attempt::Refused(None) => return Ok(Reopening::NotParked),
                Attempt::Refused(Some(item)) => Found::read(item)?,
            };
            match standing.held() {
                Some(until) if standing.keep_until > now && until > now => {
                    return Ok(Reopening::Held { until });
                }
                Some(_) if standing.keep_until > now => {
                    if self.take_away(key, standing.record.fence, now).await? {
                        return Ok(Reopening::NotParked);
                    }
                }
                Some(_) | None => return Ok(Reopening::NotParked),
            }
        }
        Err(StoreError::Unavailable("the turn changed with every try to reopen it".to_owned()))
    }
}
