//! The machine: its clock, its randomness, its timers.
//!
//! The only crate that reads them. Everything else takes a [`chat::Clock`], a [`chat::Entropy`] or a [`chat::Pause`],
//! so that a test, or a seed, decides what time it is and what chance brings.
//!
//! ```
//! use chat::{Clock, Entropy};
//!
//! let mut nonce = [0_u8; 12];
//! host::SystemEntropy.fill(&mut nonce);
//! assert!(host::SystemClock.now().as_millis() > 0);
//! ```

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use chat::{Clock, Entropy, Pause, Timestamp};

/// The machine's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine for the time")]
    fn now(&self) -> Timestamp {
        let epoch = Timestamp::from_millis(0);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => epoch.plus(since),
            Err(before) => epoch.minus(before.duration()),
        }
    }
}

/// The operating system's random number generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the machine for randomness"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            // A predictable nonce would break AES-GCM for every message under the same key.
            std::process::abort();
        }
    }
}

/// The runtime's timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemPause;

#[async_trait]
impl Pause for SystemPause {
    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
