//! An operation of a store or of the queue, behind a network that fails.

use std::future::Future;

use store::StoreError;

use crate::sim::{Sim, State};

/// What stands between the caller and the operation.
pub(crate) struct Trouble {
    /// It does not get there.
    pub(crate) down: bool,
    /// It gets there, and its answer does not come back.
    pub(crate) lost: bool,
    /// It happens before the wait, and not after it.
    pub(crate) early: bool,
    /// How long it takes, in milliseconds.
    pub(crate) wait: i64,
}

impl Sim {
    /// One operation: it yields once, acts before or after that, and may fail on either side. `seen` is told what
    /// happened, whether or not the caller gets to know.
    pub(crate) async fn operate<T>(
        &self,
        trouble: Trouble,
        act: impl Future<Output = Result<T, StoreError>> + Send,
        seen: impl FnOnce(&mut State, &T) + Send,
    ) -> Result<T, StoreError> {
        let unavailable = || Err(StoreError::Unavailable("simulated".to_owned()));
        if trouble.down {
            self.rest(trouble.wait).await;
            return unavailable();
        }
        if !trouble.early {
            self.rest(trouble.wait).await;
        }
        // The store in memory never waits, so this is the one moment at which the operation happens.
        let done = act.await;
        if let Ok(done) = &done {
            self.with(|state| seen(state, done));
        }
        if trouble.early {
            self.rest(trouble.wait).await;
        }
        if trouble.lost { unavailable() } else { done }
    }
}
