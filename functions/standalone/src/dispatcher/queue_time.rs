//! The time by which items come due.

use chat::Timestamp;
use tokio::time::Instant;

/// Begins with the clock's time and then goes on by itself, so that a clock that is set back or forth while the process
/// runs neither holds an item up nor hands it out twice.
#[derive(Debug, Clone)]
pub(crate) struct QueueTime {
    wall: Timestamp,
    began: Instant,
}

impl QueueTime {
    pub(crate) fn starting_at(wall: Timestamp) -> Self {
        Self { wall, began: Instant::now() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.wall.plus(self.began.elapsed())
    }

    /// When a timer is to fire for this; `None` where no timer reaches.
    pub(crate) fn instant_of(&self, due: Timestamp) -> Option<Instant> {
        self.began.checked_add(due.since(self.wall))
    }
}
