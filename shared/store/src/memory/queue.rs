//! The queue.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use async_trait::async_trait;
use chat::{Timestamp, TurnKey};

use super::{MemoryStore, lock};
use crate::{Delivery, Dequeue, Enqueue, QueueItem, Receipt, StoreError};

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

    fn next(&mut self, now: Timestamp, visibility: Duration) -> Option<Delivery> {
        let mut groups = BTreeSet::new();
        for (number, waiting) in &mut self.items {
            // Only the oldest of a group can go, whether it waits, is in work, or is put off.
            // Planted: any item that is due can.
            let first = groups.insert(waiting.item.group.clone()) || cfg!(planted = "order_forgotten");
            if first && waiting.due <= now {
                waiting.tries += 1;
                waiting.in_work = true;
                waiting.due = now.plus(visibility);
                return Some(Delivery {
                    receipt: receipt(*number, waiting.tries),
                    body: waiting.item.body.clone(),
                    group: waiting.item.group.clone(),
                    tries: waiting.tries,
                });
            }
        }
        None
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
    async fn next(&self, now: Timestamp, visibility: Duration) -> Result<Option<Delivery>, StoreError> {
        Ok(lock(&self.inner.queue).next(now, visibility))
    }

    async fn done(&self, receipt: &Receipt) -> Result<(), StoreError> {
        lock(&self.inner.queue).done(receipt);
        Ok(())
    }

    async fn again(&self, receipt: &Receipt, due: Timestamp) -> Result<(), StoreError> {
        lock(&self.inner.queue).again(receipt, due);
        Ok(())
    }

    async fn bury(&self, receipt: &Receipt, now: Timestamp) -> Result<(), StoreError> {
        if let Some(Waiting { item, tries, .. }) = lock(&self.inner.queue).done(receipt) {
            lock(&self.inner.dead_letters).bury(item, tries, now);
        }
        Ok(())
    }

    async fn depth(&self) -> Result<u64, StoreError> {
        Ok(lock(&self.inner.queue).items.len() as u64)
    }
}
