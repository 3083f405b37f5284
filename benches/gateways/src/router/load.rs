//! Many connections: each asks again as soon as it is answered.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use super::{Failures, Loaded, PATIENCE, Shape, cost::Cost, stats::Times};
use crate::{
    client::{Address, Connection},
    gateway::Product,
};

/// After a failure a connection waits so long, so that a gateway that refuses everything does not look quick.
const AFTER_FAILURE: Duration = Duration::from_millis(20);

/// For how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) warm_up: Duration,
    pub(super) counted: Duration,
}

#[derive(Default)]
struct Tally {
    total: Vec<f64>,
    first: Vec<f64>,
    failures: Failures,
}

/// Gives one gateway questions of one kind over so many connections. `process` is the gateway's, if it has one.
pub(super) async fn run(
    product: Product,
    address: &Address,
    process: Option<u32>,
    (shape, connections): (Shape, usize),
    span: Span,
) -> Loaded {
    let tally = RefCell::new(Tally::default());
    let began = Instant::now();
    let (from, until) = (began + span.warm_up, began + span.warm_up + span.counted);
    let question = shape.question();
    let workers = (0..connections).map(|_| async {
        let mut connection = Connection::to(address.socket);
        while Instant::now() < until {
            let asked = connection.ask_within(PATIENCE, address, question.clone()).await;
            let counts = (from..until).contains(&Instant::now());
            let checked = asked.map_err(|error| format!("{error:#}")).and_then(|heard| {
                shape.check(&heard)?;
                Ok(heard)
            });
            match checked {
                Ok(heard) if counts => {
                    let mut tally = tally.borrow_mut();
                    tally.total.push(heard.total.as_secs_f64() * 1e3);
                    tally.first.push(heard.first.as_secs_f64() * 1e3);
                }
                Ok(_) => {}
                Err(why) => {
                    tally.borrow_mut().failures.add(why);
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
    });
    let processor = async {
        tokio::time::sleep_until(from.into()).await;
        let before = process.map(Cost::of);
        tokio::time::sleep_until(until.into()).await;
        before.zip(process.map(Cost::of)).map(|(before, after)| after.processor_ms - before.processor_ms)
    };
    let (_, processor) = tokio::join!(futures_util::future::join_all(workers), processor);
    let tally = tally.into_inner();
    let answers = tally.total.len() as f64;
    Loaded {
        product,
        shape,
        connections,
        rate: answers / span.counted.as_secs_f64(),
        total: Times::new(tally.total),
        first: Times::new(tally.first),
        processor: processor.filter(|_| answers > 0.0).map(|spent| spent / answers),
        failures: tally.failures,
    }
}
