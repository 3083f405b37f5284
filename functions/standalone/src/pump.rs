//! The queue's consumers.

use std::{sync::Arc, time::Duration};

use chat::Clock;
use store::{Delivery, Dequeue};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};
use turn::{Handled, Worker};

/// How often a message is tried before it goes to the dead letters. The same as `maxReceiveCount` in the template.
const TRIES_MAX: u32 = 5;

/// How often an idle consumer looks for items that have become due. New ones wake it at once.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// How much longer than a turn an item stays out of sight.
const VISIBILITY_MARGIN: Duration = Duration::from_secs(30);

/// Takes items off the queue and has them answered.
#[derive(Clone)]
pub(crate) struct Pump {
    pub(crate) queue: Arc<dyn Dequeue>,
    /// Rings when an item comes in.
    pub(crate) bell: Arc<Notify>,
    pub(crate) worker: Arc<Worker>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The longest that one turn may run.
    pub(crate) budget: Duration,
}

impl Pump {
    /// Runs `consumers` of them until `stop` turns true. Each then finishes the turn that it has; what still waits in
    /// the queue is there at the next start.
    pub(crate) async fn run(self, consumers: usize, stop: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        for _ in 0..consumers {
            tasks.spawn(self.clone().consume(stop.clone()));
        }
        tasks.join_all().await;
    }

    async fn consume(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            match self.queue.next(self.clock.now(), self.budget + VISIBILITY_MARGIN).await {
                Ok(Some(delivery)) => self.handle(delivery).await,
                Ok(None) => self.wait(&mut stop).await,
                Err(error) => {
                    tracing::error!(%error, "the queue cannot be read");
                    self.wait(&mut stop).await;
                }
            }
        }
    }

    async fn wait(&self, stop: &mut watch::Receiver<bool>) {
        tokio::select! {
            () = self.bell.notified() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            _ = stop.changed() => {}
        }
    }

    async fn handle(&self, delivery: Delivery) {
        let (worker, budget) = (Arc::clone(&self.worker), self.budget);
        let (body, receipt, tries) = (delivery.body, delivery.receipt, delivery.tries);
        // In a task of its own, so that a panic costs this one try and not the consumer.
        let handled = tokio::spawn(async move { worker.answer(&body, budget).await })
            .await
            .unwrap_or(Handled::Again { after: Duration::from_secs(1) });
        let now = self.clock.now();
        let recorded = match handled {
            Handled::Done => self.queue.done(&receipt).await,
            Handled::Again { .. } if tries >= TRIES_MAX => {
                tracing::error!(tries, "a message goes to the dead letters");
                self.queue.bury(&receipt, now).await
            }
            Handled::Again { after } => self.queue.again(&receipt, now.plus(after)).await,
        };
        if let Err(error) = recorded {
            // The item comes again when its time out of sight is over; the turn's record keeps the answer single.
            tracing::error!(%error, "the queue could not be told what became of a message");
        }
        // The next item of the same conversation may have waited for this one.
        self.bell.notify_waiters();
    }
}
