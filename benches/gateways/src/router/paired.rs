//! One connection: every round asks everybody once, in random order.

use std::collections::HashMap;

use anyhow::Context as _;
use bytes::Bytes;

use super::{Failures, PATIENCE, Paired, Shape, stats::Times, stillness::settle};
use crate::{
    client::{Address, Connection},
    gateway::Product,
};

/// Somebody who is asked.
struct Runner<'a> {
    product: Product,
    address: &'a Address,
    connection: Connection,
    total: Vec<f64>,
    first: Vec<f64>,
    failures: Failures,
}

/// The times of a question, in milliseconds: to the end, and to the first byte.
type Lap = (f64, f64);

/// Runs the rounds of one kind of question. `direct` must be among them.
///
/// # Errors
///
/// When `direct` itself fails: then nothing can be paired.
pub(super) async fn run(
    shape: Shape,
    (rounds, warm_up): (usize, usize),
    addresses: &[(Product, &Address)],
) -> anyhow::Result<Vec<Paired>> {
    let mut runners: Vec<_> =
        addresses.iter().map(|(product, address)| Runner::new(*product, address)).collect();
    let question = shape.question();
    for round in 0..warm_up + rounds {
        fastrand::shuffle(&mut runners);
        let mut laps = HashMap::new();
        for runner in &mut runners {
            if let Some(lap) = runner.ask(shape, question.clone()).await {
                laps.insert(runner.product, lap);
            }
            settle();
        }
        let direct = laps.get(&Product::Direct).copied().context("the mock itself did not answer")?;
        if round >= warm_up {
            for runner in &mut runners {
                runner.count(laps.get(&runner.product), direct);
            }
        }
    }
    let mut found: Vec<_> = runners.into_iter().map(|runner| runner.found(shape)).collect();
    found.sort_by_key(|paired| Product::ALL.iter().position(|product| *product == paired.product));
    Ok(found)
}

impl<'a> Runner<'a> {
    fn new(product: Product, address: &'a Address) -> Self {
        let connection = Connection::to(address.socket);
        Self {
            product,
            address,
            connection,
            total: Vec::new(),
            first: Vec::new(),
            failures: Failures::default(),
        }
    }

    async fn ask(&mut self, shape: Shape, question: Bytes) -> Option<Lap> {
        let heard = match self.connection.ask_within(PATIENCE, self.address, question).await {
            Ok(heard) => heard,
            Err(error) => {
                self.failures.add(format!("{error:#}"));
                return None;
            }
        };
        match shape.check(&heard) {
            Ok(()) => Some((heard.total.as_secs_f64() * 1e3, heard.first.as_secs_f64() * 1e3)),
            Err(why) => {
                self.failures.add(why);
                None
            }
        }
    }

    /// Takes down what was added to the direct call of the same round; of the direct call, what it took.
    fn count(&mut self, lap: Option<&Lap>, direct: Lap) {
        let Some(lap) = lap else { return };
        let base = if self.product == Product::Direct { (0.0, 0.0) } else { direct };
        self.total.push(lap.0 - base.0);
        self.first.push(lap.1 - base.1);
    }

    fn found(self, shape: Shape) -> Paired {
        Paired {
            product: self.product,
            shape,
            total: Times::new(self.total),
            first: Times::new(self.first),
            failures: self.failures,
        }
    }
}
