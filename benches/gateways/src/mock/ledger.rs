//! Who was asked when, and what came of it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet.
    Open,
    /// An error of this status.
    Refused(u16),
    /// The complaint that the conversation ends with the assistant's words.
    PrefillRefused,
    /// The mock reset, hung up or fell silent for good, as the scenario says.
    Broken,
    /// The whole answer was fetched.
    Whole,
    /// Whoever asked hung up first.
    Left,
}

/// A question.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The model that was asked.
    pub model: String,
    /// When.
    pub at: Instant,
    /// Whether for a stream.
    pub streamed: bool,
    /// What came of it.
    pub outcome: Outcome,
}

/// All questions, in the order in which they came.
#[derive(Debug, Default)]
pub struct Ledger {
    asks: Mutex<Vec<Ask>>,
}

impl Ledger {
    /// What this model was asked from this moment on.
    pub fn since(&self, moment: Instant, model: &str) -> Vec<Ask> {
        self.lock().iter().filter(|ask| ask.model == model && ask.at >= moment).cloned().collect()
    }

    /// Writes a question down. Gives its line, how many came before it for this model, and when the first of them did.
    pub(super) fn open(self: &Arc<Self>, model: &str, streamed: bool) -> (Entry, usize, Instant) {
        let now = Instant::now();
        let mut asks = self.lock();
        let earlier: Vec<_> = asks.iter().filter(|ask| ask.model == model).map(|ask| ask.at).collect();
        asks.push(Ask { model: model.to_owned(), at: now, streamed, outcome: Outcome::Open });
        let entry = Entry { ledger: Arc::clone(self), index: asks.len() - 1 };
        (entry, earlier.len(), earlier.first().copied().unwrap_or(now))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Ask>> {
        self.asks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line of the ledger. Dropped without an outcome, it says that whoever asked has left.
#[derive(Debug)]
pub(super) struct Entry {
    ledger: Arc<Ledger>,
    index: usize,
}

impl Entry {
    /// Writes what came of it. The first outcome stands.
    pub(super) fn close(&self, outcome: Outcome) {
        if let Some(ask) = self.ledger.lock().get_mut(self.index)
            && ask.outcome == Outcome::Open
        {
            ask.outcome = outcome;
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.close(Outcome::Left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_outcome_stands_and_who_leaves_is_seen() {
        let (ledger, begin) = (Arc::new(Ledger::default()), Instant::now());
        let (entry, earlier, first) = ledger.open("a", false);
        assert_eq!((earlier, ledger.since(begin, "a")[0].outcome), (0, Outcome::Open));
        entry.close(Outcome::Whole);
        drop(entry);
        let (entry, earlier, first_again) = ledger.open("a", true);
        assert_eq!((earlier, first_again), (1, first));
        drop(entry);
        let outcomes: Vec<_> = ledger.since(begin, "a").iter().map(|ask| ask.outcome).collect();
        assert_eq!(outcomes, [Outcome::Whole, Outcome::Left]);
        assert!(ledger.since(begin, "b").is_empty() && ledger.since(Instant::now(), "a").is_empty());
    }
}
