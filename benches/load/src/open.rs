//! Sending at given moments, whether or not what was sent before is acknowledged yet (an open loop).

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use gateways::client::{Address, Connection};
use http::StatusCode;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{arrivals::Arrivals, webhook::Webhook};

/// How many connections there are at most. A platform has many machines that deliver.
const CONNECTIONS: usize = 256;

/// After so long an acknowledgement is missing. Feishu itself waits 3 s: what takes longer is a fault as well, with its time.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came of one webhook. Both times count from the moment at which it was due, so that a delay of one message is
/// not hidden by sending the next ones later.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Which question it carried.
    pub question: usize,
    /// When it was due, after the start.
    pub due: Duration,
    /// How late the generator itself was.
    pub lateness: Duration,
    /// Until it was acknowledged, or was not.
    pub took: Duration,
    /// Why it was not acknowledged.
    pub fault: Option<String>,
}

struct Sender {
    address: Address,
    socket: SocketAddr,
    idle: Mutex<Vec<Connection>>,
    room: Semaphore,
}

/// Sends each webhook at its moment after the start.
pub async fn run(
    address: Address,
    webhooks: Vec<Webhook>,
    arrivals: Arrivals,
    start: Instant,
) -> Vec<Delivery> {
    let sender = Arc::new(Sender {
        socket: address.socket,
        address,
        idle: Mutex::default(),
        room: Semaphore::new(CONNECTIONS),
    });
    let mut told = arrivals.tell(start);
    let (mut sending, mut webhooks) = (JoinSet::new(), webhooks.into_iter());
    while let Some((_, due)) = told.recv().await {
        let Some(webhook) = webhooks.next() else { break };
        let sender = Arc::clone(&sender);
        sending.spawn(async move { sender.deliver(&webhook, start, due).await });
    }
    sending.join_all().await
}

impl Sender {
    async fn deliver(&self, webhook: &Webhook, start: Instant, due: Instant) -> Delivery {
        let lateness = due.elapsed();
        let fault = self.send(webhook).await.err().map(|error| format!("{error:#}"));
        Delivery { question: webhook.question, due: due - start, lateness, took: due.elapsed(), fault }
    }

    async fn send(&self, webhook: &Webhook) -> anyhow::Result<()> {
        let _room = self.room.acquire().await?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = idle.unwrap_or_else(|| Connection::to(self.socket));
        let status = post(&mut connection, &self.address, webhook).await?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        anyhow::ensure!(status == StatusCode::OK, "status {status}");
        Ok(())
    }
}

/// Sends one webhook on a connection and waits for what is said to it.
pub(crate) async fn post(
    connection: &mut Connection,
    address: &Address,
    webhook: &Webhook,
) -> anyhow::Result<StatusCode> {
    let heard = connection.ask_within(PATIENCE, &webhook.to(address), webhook.body.clone()).await?;
    anyhow::ensure!(heard.broken.is_none(), "the acknowledgement breaks off");
    Ok(heard.status)
}
