//! Which endpoints are to be left alone, shared by all instances through the store.

use std::sync::Arc;

use async_trait::async_trait;
use chat::Timestamp;
use routing::{Board, Opening};
use store::Openings;

/// A router's board on a store. A store that fails costs the others a call to an endpoint that is down, and is told in
/// the log.
pub struct SharedBoard {
    openings: Arc<dyn Openings>,
}

impl SharedBoard {
    /// The board on this store.
    #[must_use]
    pub fn new(openings: Arc<dyn Openings>) -> Self {
        Self { openings }
    }
}

#[async_trait]
impl Board for SharedBoard {
    async fn openings(&self, now: Timestamp) -> Vec<Opening> {
        match self.openings.openings(now).await {
            Ok(stored) => stored.into_iter().map(heard).collect(),
            Err(error) => {
                tracing::warn!(%error, "what other instances know of the endpoints could not be read");
                Vec::new()
            }
        }
    }

    async fn tell(&self, opening: &Opening) {
        if let Err(error) = self.openings.tell(&told(opening)).await {
            tracing::warn!(%error, "other instances could not be told that an endpoint is down");
        }
    }
}

fn heard(stored: store::Opening) -> Opening {
    let store::Opening { endpoint, since, until, step } = stored;
    Opening { endpoint, since, until, step }
}

fn told(opening: &Opening) -> store::Opening {
    let Opening { endpoint, since, until, step } = opening.clone();
    store::Opening { endpoint, since, until, step }
}

#[cfg(test)]
mod tests {
    use store::{MemoryStore, StoreError};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn opening() -> Opening {
        Opening { endpoint: "office".into(), since: NOW, until: Timestamp::from_millis(9_000), step: 2 }
    }

    #[tokio::test]
    async fn what_one_instance_tells_another_hears() {
        let store = Arc::new(MemoryStore::default());
        let (here, there) = (SharedBoard::new(store.clone()), SharedBoard::new(store));
        assert_eq!(there.openings(NOW).await, []);
        here.tell(&opening()).await;
        assert_eq!(there.openings(NOW).await, [opening()]);
        assert_eq!(there.openings(opening().until).await, []);
    }

    struct Down;

    #[async_trait]
    impl Openings for Down {
        async fn tell(&self, _: &store::Opening) -> Result<(), StoreError> {
            Err(StoreError::Unavailable("timeout".into()))
        }

        async fn openings(&self, _: Timestamp) -> Result<Vec<store::Opening>, StoreError> {
            Err(StoreError::Unavailable("timeout".into()))
        }
    }

    #[tokio::test]
    async fn a_store_that_is_down_costs_no_answer() {
        let board = SharedBoard::new(Arc::new(Down));
        board.tell(&opening()).await;
        assert_eq!(board.openings(NOW).await, []);
    }
}
