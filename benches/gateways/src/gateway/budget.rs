//! What every gateway is given, so that their results can be compared: Failover Bench's budget.

use std::time::Duration;

/// How often a model is asked again at most.
pub const RETRIES: u32 = 2;

/// How long a question to a model, or a silence within its answer, may last, where a gateway has one clock for all.
/// In seconds.
pub const TIMEOUT: f64 = 30.0;

/// How long to wait for the first word, where a gateway has a clock of its own for that. In seconds; the answer is to be
/// whole within 15.
pub const FIRST_WORD: f64 = 10.0;

/// How long a stream may be silent, where a gateway has a clock of its own for that. In seconds.
pub const SILENCE: f64 = 10.0;

/// How long everything together may take, where a gateway has a clock for that. In seconds.
pub const WHOLE: f64 = 100.0;

/// When measuring: how often a model is asked again. It never happens, but what it takes to be ready for it is paid.
pub const MEASURED_RETRIES: u32 = 1;

/// A number of seconds as configuration files write it.
#[must_use]
pub fn seconds(duration: Duration) -> String {
    format!("{}", duration.as_secs_f64())
}
