//! The stores: the reference in memory behind a network that fails.

use std::{future::Future, sync::Arc};

use async_trait::async_trait;
use chat::{BotId, ConversationKey, PlatformId, Timestamp, TurnKey};
use store::{
    Claim, ClaimRequest, Conversations, Ending, Exchange, Fence, Kept, MemoryStore, Park, ParkedTurn,
    ReadFrom, Reopening, SealedToken, Signal, Signals, StoreError, TokenSlot, Tokens, Turns,
};
use turn::content::Content;

use crate::{
    faults::Fault,
    form::Form,
    sim::{Pace, Sim, State},
    trouble::Trouble,
    upkeep::Version,
};

/// How much longer a slow answer takes, in milliseconds.
const SLOW: i64 = 4_000;

/// All stores.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) sim: Arc<Sim>,
    pub(crate) memory: MemoryStore,
    /// Which version writes here.
    pub(crate) form: Form,
}

/// Whether a failure here leaves the turn's record behind the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// It records what was done: with it lost, nobody knows.
    Record,
    /// With its answer lost, nobody knows; when it is refused, everybody does.
    Mark,
    Read,
}

impl Stores {
    /// One operation: it yields once, acts before or after that, and may fail on either side.
    async fn operate<T>(
        &self,
        weight: Weight,
        act: impl Future<Output = Result<T, StoreError>> + Send,
        seen: impl FnOnce(&mut State, &T) + Send,
    ) -> Result<T, StoreError> {
        let trouble = self.sim.with(|state| {
            let (down, lost) = (state.fails(Fault::StoreDown), state.fails(Fault::StoreLost));
            let slow = if state.fails(Fault::StoreSlow) { SLOW } else { 0 };
            let troubling = (lost && weight != Weight::Read) || (down && weight == Weight::Record);
            if let Some(turn) = state.turn().filter(|_| troubling) {
                state.oracle.troubled(&turn);
            }
            Trouble { down, lost, early: state.chance.bool(), wait: state.pace(Pace::Store) + slow }
        });
        self.sim.operate(trouble, act, seen).await
    }

    /// An operation after whose loss no turn's record is behind the facts.
    pub(crate) async fn look<T>(
        &self,
        act: impl Future<Output = Result<T, StoreError>> + Send,
        seen: impl FnOnce(&mut State, &T) + Send,
    ) -> Result<T, StoreError> {
        self.operate(Weight::Read, act, seen).await
    }

    async fn write(
        &self,
        weight: Weight,
        (name, key, fence): (&str, &TurnKey, Fence),
        act: impl Future<Output = Result<(), StoreError>> + Send,
        seen: impl FnOnce(&mut State) + Send,
    ) -> Result<(), StoreError> {
        let watched = |state: &mut State, (): &()| {
            state.tell(|| format!("{name} under {fence:?}"));
            state.oracle.written(key, fence);
            seen(state);
        };
        self.operate(weight, act, watched).await
    }
}

#[async_trait]
impl Turns for Stores {
    async fn claim(&self, key: &TurnKey, request: ClaimRequest) -> Result<Claim, StoreError> {
        let task = self.sim.with(|state| state.current);
        let act = self.memory.claim(key, request);
        self.operate(Weight::Read, act, |state, claim| {
            state.note(&[3]);
            state.oracle.claimed(task, key, &request, claim);
        })
        .await
    }

    async fn sending(&self, key: &TurnKey, fence: Fence, segment: u32) -> Result<(), StoreError> {
        self.write(Weight::Mark, ("sending", key, fence), self.memory.sending(key, fence, segment), |_| ())
            .await
    }

    async fn sent(&self, key: &TurnKey, fence: Fence, count: u32) -> Result<(), StoreError> {
        self.write(Weight::Record, ("sent", key, fence), self.memory.sent(key, fence, count), |_| ()).await
    }

    async fn end(&self, key: &TurnKey, fence: Fence, ending: Ending) -> Result<(), StoreError> {
        let act = self.memory.end(key, fence, ending.clone());
        let seen = |state: &mut State| {
            let now = state.now;
            state.oracle.ended(key, ending, now);
        };
        self.write(Weight::Record, ("end", key, fence), act, seen).await
    }

    async fn release(&self, key: &TurnKey, fence: Fence) -> Result<(), StoreError> {
        let act = self.memory.release(key, fence);
        self.write(Weight::Read, ("release", key, fence), act, |state| state.oracle.released(key)).await
    }

    async fn begun(&self, key: &TurnKey) -> Result<bool, StoreError> {
        self.operate(Weight::Read, self.memory.begun(key), |_, _| ()).await
    }

    async fn reopen(&self, key: &TurnKey, now: Timestamp) -> Result<Reopening, StoreError> {
        self.operate(Weight::Read, self.memory.reopen(key, now), |_, _| ()).await
    }
}

#[async_trait]
impl Conversations for Stores {
    async fn keep(&self, conversation: &ConversationKey, exchange: &Exchange) -> Result<Kept, StoreError> {
        let exchange = &self.form.exchange(conversation, exchange);
        let content = Content::open(exchange, &self.form.vault, conversation);
        let apology = content.is_ok_and(|content| content.parked.is_some());
        let act = self.memory.keep(conversation, exchange);
        self.operate(Weight::Read, act, |state, kept| {
            if *kept == Kept::New {
                let by_earlier = self.form.version == Version::Earlier;
                state.oracle.kept(&exchange.turn, exchange.kind, apology, by_earlier);
            }
        })
        .await
    }

    async fn find(
        &self,
        conversation: &ConversationKey,
        at: Timestamp,
        turn: &TurnKey,
    ) -> Result<Option<Exchange>, StoreError> {
        self.operate(Weight::Read, self.memory.find(conversation, at, turn), |_, _| ()).await
    }

    /// May miss what was written a moment ago where the trait promises no more.
    async fn recent(
        &self,
        conversation: &ConversationKey,
        now: Timestamp,
        from: ReadFrom<'_>,
        limit: usize,
    ) -> Result<Vec<Exchange>, StoreError> {
        let settled = matches!(from, ReadFrom::SettledBehind(_));
        let stale = settled && self.sim.with(|state| state.fails(Fault::SignalLate));
        let act = self.memory.recent(conversation, now, from, limit);
        let mut recent = self.operate(Weight::Read, act, |_, _| ()).await?;
        if stale && !recent.is_empty() {
            recent.remove(0);
        }
        Ok(recent)
    }
}

#[async_trait]
impl Signals for Stores {
    async fn signal(
        &self,
        conversation: &ConversationKey,
        signal: &Signal,
        keep_until: Timestamp,
    ) -> Result<(), StoreError> {
        self.operate(Weight::Read, self.memory.signal(conversation, signal, keep_until), |_, ()| ()).await
    }

    /// May miss what was left a moment ago: the trait promises no more.
    async fn signals(
        &self,
        conversation: &ConversationKey,
        after: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Signal>, StoreError> {
        let stale = self.sim.with(|state| state.fails(Fault::SignalLate));
        let mut signals =
            self.operate(Weight::Read, self.memory.signals(conversation, after, now), |_, _| ()).await?;
        if stale {
            signals.pop();
        }
        Ok(signals)
    }
}

#[async_trait]
impl Park for Stores {
    async fn park(&self, parked: ParkedTurn) -> Result<(), StoreError> {
        let turn = parked.turn.clone();
        self.operate(Weight::Record, self.memory.park(parked), |state, ()| state.oracle.parked(&turn)).await
    }
}

#[async_trait]
impl Tokens for Stores {
    /// May give what was there before the last write: the trait promises no more.
    async fn token(
        &self,
        platform: &PlatformId,
        bot: &BotId,
        slot: TokenSlot,
    ) -> Result<Option<SealedToken>, StoreError> {
        let stale = self.sim.with(|state| state.fails(Fault::TokenStale));
        let token = self.operate(Weight::Read, self.memory.token(platform, bot, slot), |_, _| ()).await?;
        Ok(token.filter(|_| !stale))
    }

    async fn put_token(
        &self,
        platform: &PlatformId,
        bot: &BotId,
        slot: TokenSlot,
        token: SealedToken,
    ) -> Result<(), StoreError> {
        self.operate(Weight::Read, self.memory.put_token(platform, bot, slot, token), |_, _| ()).await
    }
}
