//! How often and how long.

use std::time::Duration;

use super::{Manner, SHAPES, Shape};
use crate::gateway::Product;

/// What is done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Who is measured, `direct` among them.
    pub products: Vec<Product>,
    /// How often all of it is done.
    pub runs: usize,
    /// Rounds with one connection, when answers come at once.
    pub rounds: usize,
    /// Rounds with one connection, when they come in their own time.
    pub paced_rounds: usize,
    /// Rounds that are not counted.
    pub warm_up: usize,
    /// How many connections, where there are many.
    pub connections: Vec<usize>,
    /// How long a gateway is given questions over many connections.
    pub load: Duration,
    /// How long before that is counted.
    pub load_warm_up: Duration,
    /// The kinds of question over many connections.
    pub loaded: Vec<Shape>,
}

impl Plan {
    /// The published one: some 25 minutes for six.
    #[must_use]
    pub fn whole(products: Vec<Product>) -> Self {
        Self {
            products,
            runs: 3,
            rounds: 400,
            paced_rounds: 100,
            warm_up: 60,
            connections: vec![16, 64],
            load: Duration::from_secs(3),
            load_warm_up: Duration::from_millis(500),
            loaded: SHAPES.to_vec(),
        }
    }

    /// About a minute for six, to see that everything runs. Its figures say little.
    #[must_use]
    pub fn quick(products: Vec<Product>) -> Self {
        Self {
            runs: 1,
            rounds: 60,
            paced_rounds: 10,
            warm_up: 10,
            load: Duration::from_millis(500),
            load_warm_up: Duration::from_millis(150),
            loaded: SHAPES.into_iter().filter(|shape| shape.prompt == 0).collect(),
            ..Self::whole(products)
        }
    }

    /// How many rounds of this kind count, and how many come before them.
    pub(super) fn rounds_of(&self, shape: Shape) -> (usize, usize) {
        match shape.manner {
            Manner::Whole | Manner::Stream => (self.rounds, self.warm_up),
            Manner::Paced => (self.paced_rounds, self.warm_up.min(self.paced_rounds / 10)),
        }
    }
}
