//! Turns.

use std::collections::{BTreeMap, btree_map::Entry};

use async_trait::async_trait;
use chat::{Timestamp, TurnKey};

use super::{MemoryStore, lock};
use crate::{Claim, ClaimRequest, Ending, Fence, Reopening, StoreError, TurnRecord, Turns};

pub(super) type Table = BTreeMap<TurnKey, Turn>;

#[derive(Debug)]
pub(super) struct Turn {
    record: TurnRecord,
    state: State,
    keep_until: Timestamp,
}

#[derive(Debug)]
enum State {
    Held { until: Timestamp },
    Free,
    Ended(Ending),
}

impl Turn {
    fn new(fence: Fence, request: &ClaimRequest) -> Self {
        Self {
            record: TurnRecord {
                fence,
                accepted_at: request.accepted_at,
                segments_sent: 0,
                sending: None,
                redrive: 0,
            },
            state: State::Held { until: request.now.plus(request.lease) },
            keep_until: request.keep_until,
        }
    }

    fn claim(&mut self, request: &ClaimRequest) -> Claim {
        let next = Fence(self.record.fence.0 + 1);
        if self.keep_until <= request.now {
            // The fence goes on, so that a worker from before can still write nothing.
            *self = Self::new(next, request);
            return Claim::Granted(self.record.clone());
        }
        match &self.state {
            // Planted: what has ended can be claimed again.
            State::Ended(ending) if !cfg!(planted = "ended_claimed") => Claim::Ended(ending.clone()),
            // Planted: a claim is granted beside another.
            State::Held { until } if *until > request.now && !cfg!(planted = "lease_forgotten") => {
                Claim::Held { until: *until }
            }
            State::Held { .. } | State::Free | State::Ended(_) => {
                self.record.fence = next;
                self.state = State::Held { until: request.now.plus(request.lease) };
                self.keep_until = request.keep_until;
                Claim::Granted(self.record.clone())
            }
        }
    }
}

impl Turn {
    fn reopen(&mut self, now: Timestamp) -> Reopening {
        if self.keep_until <= now {
            return Reopening::NotParked;
        }
        match &self.state {
            State::Held { until } if *until > now => return Reopening::Held { until: *until },
            State::Held { .. } => {
                self.state = State::Free;
                self.record.fence.0 += 1;
            }
            State::Ended(Ending::Parked(_)) => {
                self.state = State::Free;
                self.record.sending = None;
                self.record.redrive += 1;
                return Reopening::Opened;
            }
            State::Ended(Ending::Done) | State::Free => {}
        }
        Reopening::NotParked
    }
}

impl MemoryStore {
    /// Writes to a turn that is held under this fence, and to no other.
    fn write(&self, key: &TurnKey, fence: Fence, change: impl FnOnce(&mut Turn)) -> Result<(), StoreError> {
        let mut turns = lock(&self.inner.turns);
        let turn = turns
            .get_mut(key)
            // Planted: any fence will do.
            .filter(|turn| turn.record.fence == fence || cfg!(planted = "fence_forgotten"))
            .filter(|turn| matches!(turn.state, State::Held { .. }))
            .ok_or(StoreError::FenceLost)?;
        change(turn);
        Ok(())
    }
}

#[async_trait]
impl Turns for MemoryStore {
    async fn claim(&self, key: &TurnKey, request: ClaimRequest) -> Result<Claim, StoreError> {
        Ok(match lock(&self.inner.turns).entry(key.clone()) {
            Entry::Occupied(mut turn) => turn.get_mut().claim(&request),
            Entry::Vacant(place) => {
                Claim::Granted(place.insert(Turn::new(Fence(1), &request)).record.clone())
            }
        })
    }

    async fn sending(&self, key: &TurnKey, fence: Fence, segment: u32) -> Result<(), StoreError> {
        self.write(key, fence, |turn| turn.record.sending = Some(segment))
    }

    async fn sent(&self, key: &TurnKey, fence: Fence, count: u32) -> Result<(), StoreError> {
        self.write(key, fence, |turn| {
            turn.record.segments_sent = count;
            turn.record.sending = None;
        })
    }

    async fn end(&self, key: &TurnKey, fence: Fence, ending: Ending) -> Result<(), StoreError> {
        self.write(key, fence, |turn| turn.state = State::Ended(ending))
    }

    async fn release(&self, key: &TurnKey, fence: Fence) -> Result<(), StoreError> {
        self.write(key, fence, |turn| {
            turn.state = State::Free;
            // Planted: a turn that is given back begins from its first segment.
            if cfg!(planted = "progress_forgotten") {
                (turn.record.segments_sent, turn.record.sending) = (0, None);
            }
        })
    }

    async fn begun(&self, key: &TurnKey) -> Result<bool, StoreError> {
        Ok(lock(&self.inner.turns).contains_key(key))
    }

    async fn reopen(&self, key: &TurnKey, now: Timestamp) -> Result<Reopening, StoreError> {
        Ok(lock(&self.inner.turns).get_mut(key).map_or(Reopening::NotParked, |turn| turn.reopen(now)))
    }
}
