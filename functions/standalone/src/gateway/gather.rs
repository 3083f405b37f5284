//! Chunks that are there together leave together.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context as Waking, Wake, Waker},
};

use futures_util::task::AtomicWaker;
use tokio::task::yield_now;

/// The most that is gathered before it is sent, in bytes.
const GATHERED_MOST: usize = 4 << 10;

/// Lets words that are there together leave together: sending costs more than all else that is done for a chunk.
///
/// Each piece of an answer reaches us alone, by way of its connection's task. So once words have come, whatever else can go
/// on does, that task too, and we look again; when nothing came with them, they are sent, some microseconds later than they
/// might have been.
#[derive(Default)]
pub(super) struct Gathering {
    /// How much there was when the others went on.
    seen: usize,
    /// They still do.
    others: Option<Arc<Others>>,
}

impl Gathering {
    /// Whether to look again before so much is sent.
    pub(super) fn goes_on(&mut self, written: usize, waking: &Waking<'_>) -> bool {
        // A connection looks as often as it likes; that is no sign that the others went on.
        if self.others.as_ref().is_some_and(|others| !others.went_on(waking)) && written < GATHERED_MOST {
            return true;
        }
        let grew = written > self.seen && written < GATHERED_MOST;
        self.seen = if grew { written } else { 0 };
        self.others = grew.then(|| Others::let_on(waking));
        grew
    }
}

/// Tells when all who could go on have.
#[derive(Default)]
struct Others {
    went_on: AtomicBool,
    waiting: AtomicWaker,
}

impl Others {
    fn let_on(waking: &Waking<'_>) -> Arc<Self> {
        let others = Arc::new(Self::default());
        others.waiting.register(waking.waker());
        let told = Waker::from(Arc::clone(&others));
        // Not by waking ourselves: that would set another thread going to take us over.
        let _ = pin!(yield_now()).poll(&mut Waking::from_waker(&told));
        others
    }

    fn went_on(&self, waking: &Waking<'_>) -> bool {
        self.waiting.register(waking.waker());
        self.went_on.load(Ordering::Acquire)
    }
}

impl Wake for Others {
    fn wake(self: Arc<Self>) {
        self.went_on.store(true, Ordering::Release);
        self.waiting.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_leave_when_no_more_come_with_them() {
        let (mut gathering, waking) = (Gathering::default(), &Waking::from_waker(Waker::noop()));
        // Without a runtime, the others have gone on at once.
        let looks =
            [0, 10, 20, 20, 0, 5, 5, GATHERED_MOST, 1].map(|written| gathering.goes_on(written, waking));
        assert_eq!(looks, [false, true, true, false, false, true, false, false, true]);
    }

    #[test]
    fn words_wait_for_the_others_and_not_for_more_than_fits() {
        let waking = &Waking::from_waker(Waker::noop());
        let mut gathering = Gathering { seen: 10, others: Some(Arc::default()) };
        assert_eq!(
            [10, 20].map(|written| gathering.goes_on(written, waking)),
            [true, true],
            "they have not gone on"
        );
        gathering.others.as_ref().unwrap().clone().wake();
        assert!(gathering.goes_on(20, waking), "more came with them");
        assert!(!gathering.goes_on(20, waking));
        let mut gathering = Gathering { seen: 10, others: Some(Arc::default()) };
        assert!(!gathering.goes_on(GATHERED_MOST, waking));
    }
}
