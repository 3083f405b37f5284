//! What an answer costs while it comes, for whoever may end its question before it is whole.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use crate::{Attempt, Endpoint, Listener, Micros, Price, Prompt, estimate::prompt_tokens, estimate_tokens};

/// Hears an answer, counts what it costs by estimate, and lets another hear it.
///
/// A question that is dropped takes its books along: its attempts are told only when it is over. An endpoint that has begun
/// to answer has read the prompt, and charges for that and for what it said.
pub struct Meter<'a, L> {
    listener: L,
    prompt: &'a Prompt,
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

impl<'a, L: Listener> Meter<'a, L> {
    /// A meter for this question.
    pub fn new(prompt: &'a Prompt, listener: L) -> Self {
        Self { listener, prompt, price: Mutex::new(None), count: Count::default() }
    }

    /// What is counted.
    #[must_use]
    pub fn count(&self) -> Count {
        self.count.clone()
    }

    fn charge(&self, cost: Micros) {
        self.count.0.fetch_add(cost, Ordering::Relaxed);
    }
}

/// Tokens are counted only where they cost something: a prompt may be long.
impl<L: Listener> Listener for Meter<'_, L> {
    fn begins(&self, endpoint: &Endpoint) {
        *self.price.lock().unwrap_or_else(PoisonError::into_inner) = endpoint.price;
        if let Some(price) = endpoint.price {
            self.charge(price.of(prompt_tokens(self.prompt), 0));
        }
        self.listener.begins(endpoint);
    }

    fn words(&self, more: &str) {
        let price = *self.price.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(price) = price {
            self.charge(price.of(0, estimate_tokens(more)));
        }
        self.listener.words(more);
    }

    fn hears(&self) -> bool {
        self.listener.hears()
    }

    fn takes_back(&self) -> bool {
        self.listener.takes_back()
    }

    fn is_final(&self) -> bool {
        self.listener.is_final()
    }

    fn restarted(&self) {
        self.listener.restarted();
    }

    fn attempted(&self, attempt: &Attempt) {
        self.listener.attempted(attempt);
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
        let asked = u64::from(prompt_tokens(&prompt));
        assert_eq!(meter.count().cost(), asked);
        meter.words("four");
        meter.words("鹊桥");
        assert_eq!(meter.count().cost(), asked + 10 + 20);
    }
}
