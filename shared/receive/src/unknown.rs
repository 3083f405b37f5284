//! Webhooks for bots that are not configured: told to operators, and not as often as anybody can send them.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chat::Timestamp;

/// How long one window is.
const WINDOW: Duration = Duration::from_secs(60);

/// How many are noted within one window: enough to see a wrong address in a console, whatever a scanner sends beside it
/// in most cases, and few enough that nobody can fill a disk.
const NOTED_MOST: u32 = 10;

/// Decides which webhooks for unknown bots are noted.
#[derive(Debug, Default)]
pub struct UnknownBots(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    /// When it began; absent before the first webhook.
    since: Option<Timestamp>,
    noted: u32,
    unreported: u64,
}

impl UnknownBots {
    /// Whether this one is to be noted, and then how many were not since the last one that was.
    pub(crate) fn admit(&self, now: Timestamp) -> Option<u64> {
        // Also after a panic elsewhere: no step leaves the window half changed.
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if window.since.is_none_or(|since| now.since(since) >= WINDOW) {
            window.since = Some(now);
            window.noted = 0;
        }
        if window.noted == NOTED_MOST {
            window.unreported += 1;
            return None;
        }
        window.noted += 1;
        Some(std::mem::take(&mut window.unreported))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_noted_ten_times_a_minute_and_counted() {
        let (bots, start) = (UnknownBots::default(), Timestamp::from_millis(1_000));
        let noted = |after: u64, count: usize| -> Vec<u64> {
            let now = start.plus(Duration::from_secs(after));
            (0..count).filter_map(|_| bots.admit(now)).collect()
        };
        assert_eq!(noted(0, 1), [0]);
        assert_eq!(noted(1, 1_000), [0; 9]);
        assert_eq!(noted(59, 1_000), Vec::<u64>::new());
        // 1,000 + 1,000 + 1 came, and 10 were noted.
        assert_eq!(noted(60, 1), [1_991]);
        assert_eq!(noted(61, 1), [0]);
    }
}
