//! Where an operator redrives dead letters: in the parts that DynamoDB and SQS leave it in, or in one piece.

use async_trait::async_trait;
use chat::{Timestamp, TurnKey};
use store::{
    DeadLetter, DeadLetters as _, QueueItem, RedriveParts, Redriven, Reopening, StoreError, redrive,
};

use crate::{queue::Queue, sim::State, stores::Stores};

pub(crate) struct Desk {
    pub(crate) stores: Stores,
    pub(crate) queue: Queue,
    pub(crate) in_parts: bool,
}

impl Desk {
    /// All of them, oldest first.
    pub(crate) async fn redrive_all(&self) -> Result<(), StoreError> {
        let mut letters = self.stores.look(self.stores.memory.list(usize::MAX), |_, _| ()).await?;
        letters.reverse();
        for DeadLetter { turn, .. } in letters {
            let now = self.stores.sim.now();
            let redriven = if self.in_parts {
                redrive(self, &turn, now).await?
            } else {
                self.at_once(&turn, now).await?
            };
            self.stores.sim.with(|state| {
                state.note_text(&format!("{redriven:?}"));
                let name = state.name(&turn);
                state.tell(|| format!("redrive of {name}: {redriven:?}"));
            });
        }
        Ok(())
    }

    /// One transaction.
    async fn at_once(&self, turn: &TurnKey, now: Timestamp) -> Result<Redriven, StoreError> {
        let seen = |state: &mut State, redriven: &Redriven| {
            match redriven {
                Redriven::Reopened => state.oracle.reopened(turn),
                Redriven::Requeued => state.oracle.taken_away(turn, now),
                Redriven::Held { .. } | Redriven::NotFound => return,
            }
            state.oracle.requeued(turn);
            state.oracle.letter_gone(turn);
            state.ring(state.now);
        };
        self.stores.look(self.stores.memory.redrive(turn, now), seen).await
    }
}

#[async_trait]
impl RedriveParts for Desk {
    async fn letter(&self, turn: &TurnKey) -> Result<Option<(DeadLetter, String)>, StoreError> {
        self.stores.look(self.stores.memory.letter(turn), |_, _| ()).await
    }

    async fn open(&self, turn: &TurnKey, now: Timestamp) -> Result<Reopening, StoreError> {
        let seen = |state: &mut State, opened: &Reopening| match opened {
            Reopening::Opened => state.oracle.reopened(turn),
            Reopening::NotParked => state.oracle.taken_away(turn, now),
            Reopening::Held { .. } => {}
        };
        self.stores.look(self.stores.memory.open(turn, now), seen).await
    }

    async fn requeue(&self, item: QueueItem, name: String) -> Result<(), StoreError> {
        let turn = item.dedup.clone();
        let seen = |state: &mut State, (): &()| {
            state.oracle.requeued(&turn);
            state.ring(state.now);
        };
        self.queue.operate(self.queue.memory.requeue(item, name), seen).await
    }

    async fn remove(&self, turn: &TurnKey, at: Timestamp) -> Result<(), StoreError> {
        let memory = &self.stores.memory;
        let act = async {
            memory.remove(turn, at).await?;
            Ok(memory.show(turn).await?.is_none())
        };
        let seen = |state: &mut State, gone: &bool| {
            if *gone {
                state.oracle.letter_gone(turn);
            }
        };
        self.stores.look(act, seen).await.map(|_| ())
    }
}
