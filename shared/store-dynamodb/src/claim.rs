//! The two requests that a claim is made of.

use aws_sdk_dynamodb::{
    operation::put_item::PutItemError,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use chat::{Timestamp, TurnKey};
use store::{Claim, ClaimRequest, Fence, StoreError, TurnRecord, words};

use crate::{
    DynamoStore,
    failure::unavailable,
    item::{Item, Reader, VERSION, moment, number, text, ttl},
    turns::{FREE, HELD, key, refused},
};

/// Free for the taking: absent, or present and either given back or past its lease. A record past its time fails this
/// and is replaced by [`DynamoStore::replace`], because an update cannot forget how far the old one came.
const CLAIMABLE: &str = "attribute_not_exists(pk) OR (v = :v AND keep_until > :now \
                         AND (#state = :free OR (#state = :held AND lease_until <= :now)))";

const TAKE: &str = "SET v = :v, #state = :held, lease_until = :until, keep_until = :keep, #ttl = :ttl, \
                    fence = if_not_exists(fence, :zero) + :one, \
                    accepted_at = if_not_exists(accepted_at, :accepted), \
                    segments_sent = if_not_exists(segments_sent, :zero)";

/// A record as it was read.
pub(crate) struct Found {
    pub(crate) record: TurnRecord,
    state: String,
    lease_until: Timestamp,
    pub(crate) keep_until: Timestamp,
}

impl Found {
    pub(crate) fn read(item: Item) -> Result<Self, StoreError> {
        let item = Reader::new(item)?;
        Ok(Self {
            record: TurnRecord {
                fence: Fence(item.number("fence")?),
                accepted_at: item.moment("accepted_at")?,
                segments_sent: item.number("segments_sent")?,
                sending: item.optional_number("sending")?,
                // Absent until a turn is reopened, as most never are.
                redrive: item.optional_number("redrive")?.unwrap_or(0),
            },
            state: item.text("state")?.to_owned(),
            lease_until: item.moment("lease_until")?,
            keep_until: item.moment("keep_until")?,
        })
    }

    /// When the lease ends, if a worker has it.
    pub(crate) fn held(&self) -> Option<Timestamp> {
        (self.state == HELD).then_some(self.lease_until)
    }

    /// What stands in the way of a claim, if anything still does.
    pub(crate) fn in_the_way(&self, now: Timestamp) -> Result<Option<Claim>, StoreError> {
        match self.state.as_str() {
            HELD if self.lease_until > now => Ok(Some(Claim::Held { until: self.lease_until })),
            HELD | FREE => Ok(None),
            word => Ok(Some(Claim::Ended(words::ending(word)?))),
        }
    }
}

/// What an attempt at a claim came to.
pub(crate) enum Attempt {
    Granted(TurnRecord),
    /// The condition failed on this record, or on one that has gone since.
    Refused(Option<Item>),
}

impl DynamoStore {
    /// One conditional update: the whole claim of a turn that is new, given back, or past its lease.
    pub(crate) async fn take(&self, turn: &TurnKey, request: &ClaimRequest) -> Result<Attempt, StoreError> {
        let update = self
            .update(turn)
            .update_expression(TAKE)
            .condition_expression(CLAIMABLE)
            .expression_attribute_names("#ttl", "ttl")
            .set_expression_attribute_values(Some(values(request)))
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

    /// Puts a new record in the place of one that is past its time; nothing when somebody was faster. The fence goes
    /// on, so that a worker from before can still write nothing.
    pub(crate) async fn replace(
        &self,
        turn: &TurnKey,
        old: Fence,
        request: &ClaimRequest,
    ) -> Result<Option<TurnRecord>, StoreError> {
        let fence = Fence(old.0 + 1);
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(key(turn)))
            .item("v", number(VERSION))
            .item("state", text(HELD))
            .item("fence", number(fence.0))
            .item("lease_until", moment(request.now.plus(request.lease)))
            .item("accepted_at", moment(request.accepted_at))
            .item("segments_sent", number(0))
            .item("keep_until", moment(request.keep_until))
            .item("ttl", ttl(request.keep_until))
            .condition_expression("fence = :old AND keep_until <= :now")
            .expression_attribute_values(":old", number(old.0))
            .expression_attribute_values(":now", moment(request.now));
        match put.send().await {
            Ok(_) => {
                let accepted_at = request.accepted_at;
                Ok(Some(TurnRecord { fence, accepted_at, segments_sent: 0, sending: None, redrive: 0 }))
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(unavailable(&error)),
        }
    }
}

/// The values of [`TAKE`] and [`CLAIMABLE`].
fn values(request: &ClaimRequest) -> Item {
    let values = [
        (":v", number(VERSION)),
        (":now", moment(request.now)),
        (":held", text(HELD)),
        (":free", text(FREE)),
        (":until", moment(request.now.plus(request.lease))),
        (":keep", moment(request.keep_until)),
        (":ttl", ttl(request.keep_until)),
        (":accepted", moment(request.accepted_at)),
        (":zero", number(0)),
        (":one", number(1)),
    ];
    values.map(|(name, value)| (name.to_owned(), value)).into()
}
