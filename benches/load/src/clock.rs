//! The machine's clock, which the processes of a run share.

use std::time::SystemTime;

/// Microseconds since 1970.
#[must_use]
pub fn micros() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
