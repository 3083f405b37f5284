//! Sending the next webhook as soon as the one before it is acknowledged, over several connections (a closed loop): the
//! most that a server acknowledges.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use gateways::{
    client::{Address, Connection},
    router::{cost::Cost, stats::Times},
};
use http::StatusCode;

use crate::{open::post, webhook::Webhook};

/// After a fault a connection waits so long, so that a server that refuses everything does not look quick.
const AFTER_FAULT: Duration = Duration::from_millis(20);

/// For how long, and over how many connections.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// What is not counted, at the beginning.
    pub warm_up: Duration,
    /// What is.
    pub counted: Duration,
    /// How many connections.
    pub connections: usize,
}

/// What was counted.
#[derive(Debug, Clone)]
pub struct Counted {
    /// How many were acknowledged.
    pub acknowledged: usize,
    /// For how long was counted.
    pub lasted: Duration,
    /// How long each took, in milliseconds.
    pub times: Times,
    /// Processor time of the server, in milliseconds.
    pub server_ms: f64,
    /// Processor time of the load generator, in milliseconds.
    pub generator_ms: f64,
    /// Why some were not acknowledged, warm-up included.
    pub faults: Vec<String>,
}

#[derive(Default)]
struct Tally {
    next: usize,
    times: Vec<f64>,
    faults: Vec<String>,
}

/// Sends the webhooks, each once, until the span is over or none is left.
pub async fn run(address: &Address, webhooks: &[Webhook], span: Span, server: &[u32]) -> Counted {
    let tally = RefCell::new(Tally::default());
    let began = Instant::now();
    let (from, until) = (began + span.warm_up, began + span.warm_up + span.counted);
    let next = || {
        let mut tally = tally.borrow_mut();
        let webhook = webhooks.get(tally.next).filter(|_| Instant::now() < until);
        tally.next += 1;
        webhook
    };
    let connections = (0..span.connections).map(|_| async {
        let mut connection = Connection::to(address.socket);
        while let Some(webhook) = next() {
            let sent = Instant::now();
            let fault = match post(&mut connection, address, webhook).await {
                Ok(StatusCode::OK) => {
                    if Instant::now() >= from {
                        tally.borrow_mut().times.push(sent.elapsed().as_secs_f64() * 1e3);
                    }
                    continue;
                }
                Ok(status) => format!("status {status}"),
                Err(error) => format!("{error:#}"),
            };
            tally.borrow_mut().faults.push(fault);
            tokio::time::sleep(AFTER_FAULT).await;
        }
    });
    let ours = [std::process::id()];
    let cost = || (Cost::sum(server).processor_ms, Cost::sum(&ours).processor_ms);
    let before = async {
        tokio::time::sleep_until(from.into()).await;
        cost()
    };
    let (_, before) = tokio::join!(futures_util::future::join_all(connections), before);
    let (lasted, after) = (from.elapsed(), cost());
    let tally = tally.into_inner();
    Counted {
        acknowledged: tally.times.len(),
        lasted,
        times: Times::new(tally.times),
        server_ms: after.0 - before.0,
        generator_ms: after.1 - before.1,
        faults: tally.faults,
    }
}
