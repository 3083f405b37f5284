//! Whether the store takes writes, found out no more often than every few seconds.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chat::{Clock, Timestamp};
use store::StoreError;
use store_sqlite::SqliteStore;
use tokio::sync::Mutex;

/// How long a result stands. Load balancers ask every few seconds, several of them, and anybody may ask at any rate.
const STANDS: Duration = Duration::from_secs(5);

/// What can be asked whether it takes writes.
#[async_trait]
pub(crate) trait Writable: Send + Sync {
    /// Writes something, and fails when that fails.
    async fn probe(&self) -> Result<(), StoreError>;
}

#[async_trait]
impl Writable for SqliteStore {
    async fn probe(&self) -> Result<(), StoreError> {
        self.probe_write().await
    }
}

/// Asks a store whether it takes writes, and remembers the answer for a while.
pub(crate) struct WriteProbe {
    store: Arc<dyn Writable>,
    clock: Arc<dyn Clock>,
    /// Held during a probe, so that those who ask meanwhile wait for its result and start none of their own.
    last: Mutex<Option<(Timestamp, Result<(), StoreError>)>>,
}

impl WriteProbe {
    pub(crate) fn new(store: Arc<dyn Writable>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, last: Mutex::new(None) }
    }

    /// Whether the store took a write within the last seconds.
    pub(crate) async fn check(&self) -> Result<(), StoreError> {
        let mut last = self.last.lock().await;
        // The distance, so that a clock that was set back does not keep a result for as long.
        if let Some((at, result)) = &*last
            && self.clock.now().distance(*at) < STANDS
        {
            return result.clone();
        }
        let result = self.store.probe().await;
        log_change(last.as_ref().is_none_or(|(_, before)| before.is_ok()), &result);
        *last = Some((self.clock.now(), result.clone()));
        result
    }
}

fn log_change(was_writable: bool, result: &Result<(), StoreError>) {
    match result {
        Err(error) if was_writable => {
            tracing::error!(action = "store.unwritable", %error, "nothing can be written: new messages are refused");
        }
        Ok(()) if !was_writable => {
            tracing::info!(action = "store.writable", "the store can be written again");
        }
        Ok(()) | Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

    use super::*;

    #[derive(Default)]
    struct Disk {
        full: AtomicBool,
        probes: AtomicU32,
    }

    #[async_trait]
    impl Writable for Disk {
        async fn probe(&self) -> Result<(), StoreError> {
            self.probes.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            let full = self.full.load(Ordering::Relaxed);
            if full { Err(StoreError::Unavailable("full".to_owned())) } else { Ok(()) }
        }
    }

    #[derive(Default)]
    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::Relaxed))
        }
    }

    #[tokio::test]
    async fn any_number_of_checks_probe_once_in_five_seconds() {
        let (disk, clock) = (Arc::new(Disk::default()), Arc::new(Hand::default()));
        let probe = WriteProbe::new(disk.clone(), clock.clone());
        let checks = futures_util::future::join_all((0..100).map(|_| probe.check())).await;
        assert!(checks.iter().all(Result::is_ok));
        assert_eq!(disk.probes.load(Ordering::Relaxed), 1);
        disk.full.store(true, Ordering::Relaxed);
        clock.0.store(4_999, Ordering::Relaxed);
        assert!(probe.check().await.is_ok());
        clock.0.store(5_000, Ordering::Relaxed);
        assert!(probe.check().await.is_err() && probe.check().await.is_err());
        assert_eq!(disk.probes.load(Ordering::Relaxed), 2);
        disk.full.store(false, Ordering::Relaxed);
        // Set back by an hour: what was found out before does not stand for an hour.
        clock.0.store(-3_600_000, Ordering::Relaxed);
        assert!(probe.check().await.is_ok());
    }
}
