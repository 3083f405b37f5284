//! Signals.

use std::collections::HashMap;

use async_trait::async_trait;
use chat::{ConversationKey, Timestamp};
use store::{SIGNALS_MAX, Signal, Signals, StoreError, words};

use crate::{
    DynamoStore,
    failure::unavailable,
    item::{Item, Reader, VERSION, moment, number, text, ttl, unreadable},
};

/// A partition of their own: receiving functions may write here and nowhere else in the table.
fn partition(conversation: &ConversationKey) -> String {
    format!("SIGNAL#{}", conversation.as_str())
}

/// The order of these texts is the order of the messages. None was sent before 1970.
fn place(at: Timestamp) -> String {
    format!("{:019}#", at.as_millis().max(0))
}

/// Moment and turn stand in the key only, to keep the item small.
fn read(item: Item) -> Result<(Signal, Timestamp), StoreError> {
    let item = Reader::new(item)?;
    let (at, turn) = item.text("sk")?.split_once('#').ok_or_else(|| unreadable("sk"))?;
    let signal = Signal {
        turn: words::turn_key(turn)?,
        at: Timestamp::from_millis(at.parse().map_err(|_| unreadable("sk"))?),
        kind: words::signal(item.text("kind")?)?,
        mentions: item.texts("mentions")?,
    };
    Ok((signal, item.moment("keep_until")?))
}

#[async_trait]
impl Signals for DynamoStore {
    /// Written again it is the same item, so no condition is needed.
    async fn signal(
        &self,
        conversation: &ConversationKey,
        signal: &Signal,
        keep_until: Timestamp,
    ) -> Result<(), StoreError> {
        let sk = place(signal.at) + signal.turn.as_str();
        let key =
            HashMap::from([("pk".to_owned(), text(partition(conversation))), ("sk".to_owned(), text(sk))]);
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(key))
            .item("v", number(VERSION))
            .item("kind", text(words::of_signal(signal.kind)))
            .item("mentions", crate::item::texts(&signal.mentions))
            .item("keep_until", moment(keep_until))
            .item("ttl", ttl(keep_until));
        put.send().await.map_err(|error| unavailable(&error))?;
        Ok(())
    }

    async fn signals(
        &self,
        conversation: &ConversationKey,
        after: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Signal>, StoreError> {
        // Every key of that very moment is below its end: `#` is followed by hexadecimal digits.
        let begin = place(after) + "g";
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk > :begin")
            .expression_attribute_values(":pk", text(partition(conversation)))
            .expression_attribute_values(":begin", text(begin))
            .limit(i32::try_from(SIGNALS_MAX).unwrap_or(i32::MAX));
        let answer = query.send().await.map_err(|error| unavailable(&error))?;
        let items = answer.items.unwrap_or_default().into_iter().map(read);
        let signals = items.collect::<Result<Vec<_>, _>>()?.into_iter();
        Ok(signals.filter(|(_, keep_until)| *keep_until > now).map(|(signal, _)| signal).collect())
    }
}
