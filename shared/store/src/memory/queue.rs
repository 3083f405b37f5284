//! The queue.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use async_trait::async_trait;
use chat::{ConversationKey, Timestamp, TurnKey};

use super::{MemoryStore, lock};
use crate::{Delivery, Dequeue, Enqueue, QueueItem, Receipt, Received, StoreError};

/// For how long an id is remembered, counted from its first item: what SQS does in a FIFO queue.
const DEDUP_WINDOW: Duration = Duration::from_secs(5 * 60);

#[derive(Debug, Default)]
pub(super) struct Queue {
    /// By number, which is the order of arrival.
    items: BTreeMap<u64, Waiting>,
    last_number: u64,
    seen: BTreeMap<TurnKey, Timestamp>,
    seen_in_order: VecDeque<(Timestamp, TurnKey)>,
}

#[derive(Debug)]
struct Waiting {
    item: QueueItem,
    tries: u32,
    /// Not handed out before this: the end of an `again`, or of the visibility while in work.
    due: Timestamp,
    in_work: bool,
}

/// A delivery's name: which item, and which handing out of it.
fn receipt(number: u64, tries: u32) -> Receipt {
    Receipt(format!("{number}.{tries}"))
}

impl Waiting {
    fn hand_out(&mut self, number: u64, until: Timestamp) -> Delivery {
        self.tries += 1;
        self.in_work = true;
        self.due = until;
        Delivery {
            receipt: receipt(number, self.tries),
            body: self.item.body.clone(),
            group: self.item.group.clone(),
            tries: self.tries,
        }
    }
}

impl Queue {
    fn enqueue(&mut self, item: QueueItem, now: Timestamp) {
        self.forget(now);
        if self.seen.contains_key(&item.dedup) {
            return;
        }
        self.seen.insert(item.dedup.clone(), now);
        self.seen_in_order.push_back((now, item.dedup.clone()));
        self.append(item);
    }

    /// Puts an item in, seen or not.
    pub(super) fn append(&mut self, item: QueueItem) {
        self.last_number += 1;
        // Due at once, also when the clock is set back after this.
        let due = Timestamp::from_millis(i64::MIN);
        self.items.insert(self.last_number, Waiting { item, tries: 0, due, in_work: false });
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some((at, _)) = self.seen_in_order.front()
            && now.since(*at) >= DEDUP_WINDOW
        {
            if let Some((_, id)) = self.seen_in_order.pop_front() {
                self.seen.remove(&id);
            }
        }
    }

    fn receive(&mut self, now: Timestamp, visibility: Duration, max: usize) -> Received {
        let mut groups = BTreeSet::new();
        let mut received = Received::default();
        for (number, waiting) in &mut self.items {
            // Only the oldest of a group can go, whether it waits, is in work, or is put off.
            // Planted: any item that is due can.
            let first = groups.insert(waiting.item.group.clone()) || cfg!(planted = "order_forgotten");
            if !first {
                continue;
            }
            if waiting.due <= now && received.deliveries.len() < max {
                received.deliveries.push(waiting.hand_out(*number, now.plus(visibility)));
            }
            if waiting.due > now {
                received.next_due =
                    Some(received.next_due.map_or(waiting.due, |due: Timestamp| due.min(waiting.due)));
            }
        }
        received
    }

    /// The number of the item that this receipt still names.
    fn valid(&self, used: &Receipt) -> Option<u64> {
        let number = used.0.split_once('.')?.0.parse().ok()?;
        let waiting = self.items.get(&number)?;
        (waiting.in_work && receipt(number, waiting.tries) == *used).then_some(number)
    }

    fn done(&mut self, used: &Receipt) -> Option<Waiting> {
        let number = self.valid(used)?;
        self.items.remove(&number)
    }

    /// Whether any item of this group is left.
    fn has(&self, group: &ConversationKey) -> bool {
        self.items.values().any(|waiting| waiting.item.group == *group)
    }

    fn again(&mut self, used: &Receipt, due: Timestamp) {
        if let Some(waiting) = self.valid(used).and_then(|number| self.items.get_mut(&number)) {
            waiting.in_work = false;
            waiting.due = due;
        }
    }
}

#[async_trait]
impl Enqueue for MemoryStore {
    async fn enqueue(&self, item: QueueItem, now: Timestamp) -> Result<(), StoreError> {
        lock(&self.inner.queue).enqueue(item, now);
        Ok(())
    }
}

#[async_trait]
impl Dequeue for MemoryStore {
    async fn receive(
        &self,
        now: Timestamp,
        visibility: Duration,
        max: usize,
    ) -> Result<Received, StoreError> {
        Ok(lock(&self.inner.queue).receive(now, visibility, max))
    }

    async fn done(&self, receipt: &Receipt) -> Result<bool, StoreError> {
        let mut queue = lock(&self.inner.queue);
        let done = queue.done(receipt);
        Ok(done.is_some_and(|done| queue.has(&done.item.group)))
    }

    async fn again(&self, receipt: &Receipt, due: Timestamp) -> Result<(), StoreError> {
        lock(&self.inner.queue).again(receipt, due);
        Ok(())
    }

    async fn bury(&self, receipt: &Receipt, now: Timestamp) -> Result<bool, StoreError> {
        let mut queue = lock(&self.inner.queue);
        let Some(Waiting { item, tries, .. }) = queue.done(receipt) else { return Ok(false) };
        let more = queue.has(&item.group);
        drop(queue);
        lock(&self.inner.dead_letters).bury(item, tries, now);
        Ok(more)
    }

    async fn depth(&self) -> Result<u64, StoreError> {
        Ok(lock(&self.inner.queue).items.len() as u64)
    }
}
