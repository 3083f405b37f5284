//! The queue's consumers.

use std::{sync::Arc, time::Duration};

use chat::Clock;
use store::{Delivery, Dequeue};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};
use turn::{GivenUp, Handled, Worker};

/// How often a message is tried before it goes to the dead letters. The same as `maxReceiveCount` in the template.
const TRIES_MAX: u32 = 5;

/// How often an idle consumer looks for items that have become due. New ones wake it at once.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What giving up may take: an apology on its way to a slow platform.
const GIVE_UP: Duration = Duration::from_secs(20);

/// How much longer than a turn an item stays out of sight: giving up falls into it.
const VISIBILITY_MARGIN: Duration = Duration::from_secs(60);

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

    /// Tells the user and parks the turn. What panics here too is a dead letter all the same.
    async fn give_up(&self, body: Arc<str>) -> GivenUp {
        let worker = Arc::clone(&self.worker);
        let given_up = tokio::spawn(async move { worker.give_up(&body, GIVE_UP).await });
        given_up.await.unwrap_or(GivenUp::DeadLetter)
    }

    async fn handle(&self, delivery: Delivery) {
        let (worker, budget) = (Arc::clone(&self.worker), self.budget);
        let (body, receipt, tries) = (Arc::<str>::from(delivery.body), delivery.receipt, delivery.tries);
        let tried = Arc::clone(&body);
        // In a task of its own, so that a panic costs this one try and not the consumer.
        let handled = tokio::spawn(async move { worker.answer(&tried, budget).await })
            .await
            .unwrap_or(Handled::Again { after: Duration::from_secs(1) });
        let recorded = match handled {
            Handled::Done => self.queue.done(&receipt).await,
            Handled::Again { .. } if tries >= TRIES_MAX => match self.give_up(body).await {
                GivenUp::Over => self.queue.done(&receipt).await,
                GivenUp::DeadLetter => {
                    tracing::error!(tries, "a message goes to the dead letters");
                    self.queue.bury(&receipt, self.clock.now()).await
                }
            },
            Handled::Again { after } => self.queue.again(&receipt, self.clock.now().plus(after)).await,
        };
        if let Err(error) = recorded {
            // The item comes again when its time out of sight is over; the turn's record keeps the answer single.
            tracing::error!(%error, "the queue could not be told what became of a message");
        }
        // The next item of the same conversation may have waited for this one.
        self.bell.notify_waiters();
    }
}
