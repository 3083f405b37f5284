//! Those that one question found not to be there, and waiting for them when nobody else is left to ask.

use chat::{Clock, Pause, Timestamp};

use crate::health::{Health, Verdict};

/// The endpoints that were not there, first choice first.
#[derive(Debug, Default)]
pub(crate) struct Absent {
    indices: Vec<usize>,
    /// Who is tried again because it was waited for.
    awaited: Option<usize>,
}

impl Absent {
    pub(crate) fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// Whether this one is asked only because it was waited for.
    pub(crate) fn is_awaited(&self, index: usize) -> bool {
        self.awaited == Some(index)
    }

    /// Somebody else is asked.
    pub(crate) const fn go_on(&mut self) {
        self.awaited = None;
    }

    /// Learns from an attempt whether its endpoint is there. Returns whether it was waited for in vain.
    pub(crate) fn learn(&mut self, index: usize, verdict: Verdict, now: Timestamp) -> bool {
        let (absent, known) = (verdict.shows_absence(now), self.indices.contains(&index));
        if absent && !known {
            self.indices.push(index);
        } else if !absent && !verdict.was_silent() {
            self.indices.retain(|&other| other != index);
        }
        absent && known && self.is_awaited(index)
    }

    /// Waits until it is time to try one of them: soon and then more and more seldom, or at once when another question
    /// finds it back. Nothing when that would be after the deadline, or when there is none.
    pub(crate) async fn returned(
        &mut self,
        health: &Health,
        clock: &dyn Clock,
        pause: &dyn Pause,
        deadline: Timestamp,
    ) -> Option<usize> {
        loop {
            let back = health.back();
            tokio::pin!(back);
            // From here on, so that none is missed while we look.
            back.as_mut().enable();
            let now = clock.now();
            self.awaited = self.indices.iter().copied().find(|&index| health.try_now(index, now));
            if self.awaited.is_some() {
                return self.awaited;
            }
            let next = self.indices.iter().filter_map(|&index| health.next_try(index)).min()?;
            if next >= deadline {
                return None;
            }
            tokio::select! {
                biased;
                () = back => {}
                () = pause.pause(next.since(now)) => {}
            }
        }
    }
}
