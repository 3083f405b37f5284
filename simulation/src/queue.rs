//! The queue: the reference in memory, at least once, behind a network that fails.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chat::{Timestamp, TurnKey};
use store::{Dequeue, Enqueue, MemoryStore, QueueItem, Receipt, Received, StoreError};

use crate::{
    faults::Fault,
    form::Form,
    sim::{Pace, Sim, State},
    trouble::Trouble,
};

/// Both ends.
#[derive(Clone)]
pub(crate) struct Queue {
    pub(crate) sim: Arc<Sim>,
    pub(crate) memory: MemoryStore,
    /// Which version puts items in here.
    pub(crate) form: Form,
    /// Which turn a body, and a receipt, is about.
    pub(crate) known: Arc<Mutex<BTreeMap<String, TurnKey>>>,
}

impl Queue {
    pub(crate) fn new(sim: Arc<Sim>, memory: MemoryStore, form: Form) -> Self {
        Self { sim, memory, form, known: Arc::default() }
    }

    pub(crate) fn turn(&self, name: &str) -> Option<TurnKey> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn know(&self, name: &str, turn: TurnKey) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), turn);
    }

    pub(crate) async fn operate<T>(
        &self,
        act: impl Future<Output = Result<T, StoreError>> + Send,
        seen: impl FnOnce(&mut State, &T) + Send,
    ) -> Result<T, StoreError> {
        let trouble = self.sim.with(|state| {
            let (down, lost) = (state.fails(Fault::QueueDown), state.fails(Fault::QueueLost));
            Trouble { down, lost, early: state.chance.bool(), wait: state.pace(Pace::Store) }
        });
        self.sim.operate(trouble, act, seen).await
    }
}

#[async_trait]
impl Enqueue for Queue {
    async fn enqueue(&self, item: QueueItem, now: Timestamp) -> Result<(), StoreError> {
        let turn = item.dedup.clone();
        let item = QueueItem { body: self.form.queued(item.body), ..item };
        self.know(&item.body, turn.clone());
        self.operate(self.memory.enqueue(item, now), |state, ()| {
            state.oracle.accepted(&turn);
            state.ring(state.now);
        })
        .await
    }
}

#[async_trait]
impl Dequeue for Queue {
    /// A consumer of the simulation has one turn at a time, and takes one item.
    async fn receive(
        &self,
        now: Timestamp,
        visibility: Duration,
        max: usize,
    ) -> Result<Received, StoreError> {
        let act = self.memory.receive(now, visibility, max.min(1));
        self.operate(act, |state, received| {
            for delivery in &received.deliveries {
                let Some(turn) = self.turn(&delivery.body) else { continue };
                self.know(&delivery.receipt.0, turn.clone());
                state.working.insert(state.current, turn);
            }
        })
        .await
    }

    async fn done(&self, receipt: &Receipt) -> Result<bool, StoreError> {
        self.operate(self.memory.done(receipt), |state, _| state.ring(state.now)).await
    }

    async fn again(&self, receipt: &Receipt, due: Timestamp) -> Result<(), StoreError> {
        self.operate(self.memory.again(receipt, due), |state, ()| state.ring(due.as_millis())).await
    }

    async fn bury(&self, receipt: &Receipt, now: Timestamp) -> Result<bool, StoreError> {
        let turn = self.turn(&receipt.0);
        let memory = &self.memory;
        // A receipt that is no longer valid buries nothing.
        let act = async {
            let before = memory.depth().await?;
            let more = memory.bury(receipt, now).await?;
            Ok((memory.depth().await? < before, more))
        };
        let done = self.operate(act, |state, (buried, _)| {
            if let Some(turn) = turn.filter(|_| *buried) {
                state.oracle.buried(&turn);
            }
            state.ring(state.now);
        });
        Ok(done.await?.1)
    }

    async fn depth(&self) -> Result<u64, StoreError> {
        self.memory.depth().await
    }
}
