//! What tokens cost.

use crate::Usage;

/// Millionths of the currency that prices are given in; whose currency is the operator's affair.
pub type Micros = u64;

/// What a million tokens cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// A million tokens of prompts.
    pub prompt: Micros,
    /// A million tokens of answers.
    pub completion: Micros,
}

/// Tokens that a price is for.
const TOKENS: u128 = 1_000_000;

impl Price {
    /// What so many tokens cost, rounded up: a budget must not be passed by what rounding hid.
    #[must_use]
    pub fn of(self, prompt_tokens: u32, completion_tokens: u32) -> Micros {
        let product = |tokens: u32, price: Micros| u128::from(tokens) * u128::from(price);
        let sum = product(prompt_tokens, self.prompt) + product(completion_tokens, self.completion);
        Micros::try_from(sum.div_ceil(TOKENS)).unwrap_or(Micros::MAX)
    }

    /// What this usage costs.
    #[must_use]
    pub fn of_usage(self, usage: Usage) -> Micros {
        self.of(usage.prompt, usage.completion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_for_a_million_tokens_and_rounds_up() {
        let price = Price { prompt: 2_000_000, completion: 8_000_000 };
        assert_eq!(price.of(1_000_000, 0), 2_000_000);
        assert_eq!(price.of(1000, 500), 6_000);
        assert_eq!(price.of(0, 0), 0);
        assert_eq!(Price { prompt: 1, completion: 0 }.of(1, 0), 1);
        let dear = Price { prompt: Micros::MAX, completion: Micros::MAX };
        assert_eq!(dear.of(u32::MAX, u32::MAX), Micros::MAX);
    }
}
