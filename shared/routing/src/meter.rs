//! What an answer costs while it comes, for whoever may end its question before it is whole.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use crate::{Endpoint, Listener, Micros, Price, Prompt, estimate_tokens};

/// Hears an answer, counts what it costs by estimate, and lets another hear it.
///
/// A question that is dropped takes its books along: its attempts are told only when it is over. An endpoint that has begun
/// to answer has read the prompt, and charges for that and for what it said.
pub struct Meter<L> {
    listener: L,
    prompt_tokens: u32,
    /// The price of the endpoint that answers now.
    price: Mutex<Option<Price>>,
    count: Count,
}

/// What a [`Meter`] has counted. Clones show the same, also once the meter is gone.
#[derive(Debug, Clone, Default)]
pub struct Count(Arc<AtomicU64>);

impl Count {
    /// What all endpoints that began to answer cost so far, by estimate.
    #[must_use]
    pub fn cost(&self) -> Micros {
        self.0.load(Ordering::Relaxed)
    }
}

impl<L: Listener> Meter<L> {
    /// A meter for this question.
    pub fn new(prompt: &Prompt, listener: L) -> Self {
        let prompt_tokens = crate::estimate::prompt_tokens(prompt);
        Self { listener, prompt_tokens, price: Mutex::new(None), count: Count::default() }
    }

    /// What is counted.
    #[must_use]
    pub fn count(&self) -> Count {
        self.count.clone()
    }

    fn charge(&self, price: Option<Price>, prompt_tokens: u32, completion_tokens: u32) {
        let cost = price.map_or(0, |price| price.of(prompt_tokens, completion_tokens));
        self.count.0.fetch_add(cost, Ordering::Relaxed);
    }
}

impl<L: Listener> Listener for Meter<L> {
    fn begins(&self, endpoint: &Endpoint) {
        *self.price.lock().unwrap_or_else(PoisonError::into_inner) = endpoint.price;
        self.charge(endpoint.price, self.prompt_tokens, 0);
        self.listener.begins(endpoint);
    }

    fn words(&self, more: &str) {
        let price = *self.price.lock().unwrap_or_else(PoisonError::into_inner);
        self.charge(price, 0, estimate_tokens(more));
        self.listener.words(more);
    }

    fn takes_back(&self) -> bool {
        self.listener.takes_back()
    }

    fn restarted(&self) {
        self.listener.restarted();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::Nobody;

    #[test]
    fn whoever_began_is_counted_with_what_it_said() {
        let prompt = Prompt::question("hello there");
        let meter = Meter::new(&prompt, Nobody);
        meter.begins(&Endpoint::echo());
        meter.words("for nothing");
        assert_eq!(meter.count().cost(), 0);
        let price = Price { prompt: 1_000_000, completion: 10_000_000 };
        meter.begins(&Endpoint { price: Some(price), ..Endpoint::echo() });
        let asked = u64::from(crate::estimate::prompt_tokens(&prompt));
        assert_eq!(meter.count().cost(), asked);
        meter.words("four");
        meter.words("鹊桥");
        assert_eq!(meter.count().cost(), asked + 10 + 20);
    }
}
