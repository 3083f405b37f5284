//! Dead letters.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, btree_map::Entry},
};

use async_trait::async_trait;
use chat::{Timestamp, TurnKey};

use super::{MemoryStore, lock};
use crate::{
    DeadLetter, DeadLetters, Park, ParkedTurn, QueueItem, RedriveParts, Redriven, Reopening, StoreError,
    Turns as _, redrive,
};

/// Each with the sealed message.
#[derive(Debug, Default)]
pub(super) struct Table(BTreeMap<TurnKey, (DeadLetter, String)>);

impl Table {
    /// A message that used up its tries. What a worker said of its turn stays known.
    pub(super) fn bury(&mut self, item: QueueItem, tries: u32, at: Timestamp) {
        let QueueItem { group: conversation, dedup: turn, body } = item;
        match self.0.entry(turn.clone()) {
            Entry::Occupied(mut parked) => {
                let (letter, _) = parked.get_mut();
                letter.tries = tries;
                letter.at = at;
            }
            Entry::Vacant(place) => {
                place.insert((DeadLetter { turn, conversation, reason: None, cause: None, tries, at }, body));
            }
        }
    }
}

#[async_trait]
impl Park for MemoryStore {
    async fn park(&self, parked: ParkedTurn) -> Result<(), StoreError> {
        let ParkedTurn { turn, conversation, reason, cause, body, tries, at } = parked;
        let letter = DeadLetter { turn: turn.clone(), conversation, reason: Some(reason), cause, tries, at };
        lock(&self.inner.dead_letters).0.insert(turn, (letter, body));
        Ok(())
    }
}

#[async_trait]
impl DeadLetters for MemoryStore {
    async fn list(&self, limit: usize) -> Result<Vec<DeadLetter>, StoreError> {
        let mut letters: Vec<_> =
            lock(&self.inner.dead_letters).0.values().map(|(letter, _)| letter.clone()).collect();
        letters.sort_by_key(|letter| Reverse(letter.at));
        letters.truncate(limit);
        Ok(letters)
    }

    async fn show(&self, turn: &TurnKey) -> Result<Option<DeadLetter>, StoreError> {
        Ok(lock(&self.inner.dead_letters).0.get(turn).map(|(letter, _)| letter.clone()))
    }

    async fn redrive(&self, turn: &TurnKey, now: Timestamp) -> Result<Redriven, StoreError> {
        redrive(self, turn, now).await
    }
}

#[async_trait]
impl RedriveParts for MemoryStore {
    async fn letter(&self, turn: &TurnKey) -> Result<Option<(DeadLetter, String)>, StoreError> {
        Ok(lock(&self.inner.dead_letters).0.get(turn).cloned())
    }

    async fn open(&self, turn: &TurnKey, now: Timestamp) -> Result<Reopening, StoreError> {
        self.reopen(turn, now).await
    }

    async fn requeue(&self, item: QueueItem, _: String) -> Result<(), StoreError> {
        lock(&self.inner.queue).append(item);
        Ok(())
    }

    async fn remove(&self, turn: &TurnKey, at: Timestamp) -> Result<(), StoreError> {
        let mut letters = lock(&self.inner.dead_letters);
        if letters.0.get(turn).is_some_and(|(letter, _)| letter.at == at) {
            letters.0.remove(turn);
        }
        Ok(())
    }
}
