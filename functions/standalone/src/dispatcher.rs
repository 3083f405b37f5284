//! The queue's one consumer: takes out what is due, as far as there is capacity, and spawns a turn for each item.
//!
//! It looks into the queue when an item comes in, when the next one that was put off comes due, and when a turn ends that
//! others wait for: never once per idle worker.

mod queue_time;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_trait::async_trait;
use chat::{Clock, Timestamp};
use futures_util::FutureExt as _;
use store::{Delivery, Dequeue, StoreError};
use tokio::{
    sync::{Notify, watch},
    task::{JoinError, JoinSet},
    time::Instant,
};
use turn::{GivenUp, Handled, Worker};

use queue_time::QueueTime;

/// How often a message is tried before it goes to the dead letters. The same as `maxReceiveCount` in the template.
const TRIES_MAX: u32 = 5;

/// How often the queue is looked into when nothing is announced: another process (`magpie dead-letters redrive`) may have
/// put an item in.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The most items that are taken out in one transaction, which acknowledgements may have to wait for.
const RECEIVE_MAX: usize = 64;

/// The first wait after the store failed; each further one is twice as long, up to the longest.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_LONGEST: Duration = Duration::from_secs(5);

/// How often the queue is told what became of a message. After that the item comes again at the end of its time out of
/// sight, and holds its conversation up until then.
const TELL_TRIES: u32 = 6;

/// What giving up may take: an apology on its way to a slow platform.
const GIVE_UP: Duration = Duration::from_secs(20);

/// How much longer than a turn an item stays out of sight: giving up falls into it.
const VISIBILITY_MARGIN: Duration = Duration::from_secs(60);

/// What answers messages.
#[async_trait]
pub(crate) trait Turns: Send + Sync {
    /// As [`Worker::answer`].
    async fn answer(&self, body: &str, budget: Duration) -> Handled;

    /// As [`Worker::give_up`].
    async fn give_up(&self, body: &str, budget: Duration) -> GivenUp;
}

#[async_trait]
impl Turns for Worker {
    async fn answer(&self, body: &str, budget: Duration) -> Handled {
        Worker::answer(self, body, budget).await
    }

    async fn give_up(&self, body: &str, budget: Duration) -> GivenUp {
        Worker::give_up(self, body, budget).await
    }
}

/// Takes items off the queue and has them answered.
pub(crate) struct Dispatcher {
    pub(crate) queue: Arc<dyn Dequeue>,
    /// Is notified when an item comes in that can be handed out.
    pub(crate) enqueued: Arc<Notify>,
    pub(crate) turns: Arc<dyn Turns>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The longest that one turn may run.
    pub(crate) budget: Duration,
    /// The most turns at the same time.
    pub(crate) max_turns_in_flight: usize,
}

impl Dispatcher {
    /// Runs until `stop` turns true, and then until the turns in flight have ended. What still waits in the queue is there
    /// at the next start.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let time = QueueTime::starting_at(self.clock.now());
        let mut running = Running::new(self.budget + VISIBILITY_MARGIN);
        while !*stop.borrow() {
            let free = self.max_turns_in_flight.saturating_sub(running.turns.len()).min(RECEIVE_MAX);
            let (may_look, has_room) = (!running.backs_off, free > 0);
            if running.look && may_look && has_room {
                self.receive(&mut running, &time, free).await;
                continue;
            }
            tokio::select! {
                _ = stop.changed() => {}
                Some(ended) = running.turns.join_next() => running.ended(ended),
                () = self.enqueued.notified(), if may_look && has_room => running.look = true,
                () = tokio::time::sleep_until(running.look_at), if has_room => running.look_now(),
            }
        }
        while running.turns.join_next().await.is_some() {}
    }

    /// Takes out what is due, and begins its turns.
    async fn receive(&self, running: &mut Running, time: &QueueTime, max: usize) {
        match self.queue.receive(time.now(), running.visibility, max).await {
            Ok(received) => {
                running.backoff = BACKOFF_FIRST;
                // Where as many came as could, there may be more.
                running.look = received.deliveries.len() == max;
                running.look_at = Instant::now() + LOOK_AGAIN;
                if let Some(due) = received.next_due.and_then(|due| time.instant_of(due)) {
                    running.look_no_later_than(due);
                }
                for delivery in received.deliveries {
                    running.turns.spawn(self.turn(time.clone(), delivery).run());
                }
            }
            Err(error) => {
                tracing::error!(%error, "the queue cannot be read");
                running.back_off();
            }
        }
    }

    fn turn(&self, time: QueueTime, delivery: Delivery) -> Turn {
        let (queue, turns) = (Arc::clone(&self.queue), Arc::clone(&self.turns));
        Turn { queue, turns, clock: Arc::clone(&self.clock), budget: self.budget, time, delivery }
    }
}

/// What the dispatcher knows of its turns and of the queue.
struct Running {
    turns: JoinSet<Ended>,
    /// Whether to look into the queue as soon as there is capacity.
    look: bool,
    /// When to look into it in any case.
    look_at: Instant,
    /// Whether the store failed: then nothing but time makes the next look worth while.
    backs_off: bool,
    backoff: Duration,
    visibility: Duration,
}

impl Running {
    fn new(visibility: Duration) -> Self {
        let (turns, look_at) = (JoinSet::new(), Instant::now());
        Self { turns, look: true, look_at, backs_off: false, backoff: BACKOFF_FIRST, visibility }
    }

    /// Takes note of a turn that ended, and of all others that have.
    fn ended(&mut self, ended: Result<Ended, JoinError>) {
        let mut next = Some(ended);
        while let Some(ended) = next {
            // A turn catches its own panics and is never cancelled, so an error is the runtime's end.
            if let Ok(Ended { more, due }) = ended {
                self.look |= more;
                if let Some(due) = due {
                    self.look_no_later_than(due);
                }
            }
            next = self.turns.try_join_next();
        }
    }

    fn look_no_later_than(&mut self, at: Instant) {
        if !self.backs_off {
            self.look_at = self.look_at.min(at);
        }
    }

    const fn look_now(&mut self) {
        (self.look, self.backs_off) = (true, false);
    }

    fn back_off(&mut self) {
        (self.look, self.backs_off) = (true, true);
        self.look_at = Instant::now() + self.backoff;
        self.backoff = (self.backoff * 2).min(BACKOFF_LONGEST);
    }
}

/// What the end of a turn means for the queue.
#[derive(Default)]
struct Ended {
    /// Whether another item of its conversation can be handed out now.
    more: bool,
    /// When its own can be handed out again.
    due: Option<Instant>,
}

/// One item on its way.
struct Turn {
    queue: Arc<dyn Dequeue>,
    turns: Arc<dyn Turns>,
    clock: Arc<dyn Clock>,
    budget: Duration,
    time: QueueTime,
    delivery: Delivery,
}

/// What the queue is told.
enum Outcome {
    Done,
    Again { due: Timestamp },
    DeadLetter,
}

impl Turn {
    async fn run(self) -> Ended {
        let outcome = match self.answer().await {
            Handled::Done => Outcome::Done,
            Handled::Again { .. } if self.delivery.tries >= TRIES_MAX => self.give_up().await,
            Handled::Again { after } => Outcome::Again { due: self.time.now().plus(after) },
        };
        self.tell(outcome).await
    }

    /// A panic costs this one try.
    async fn answer(&self) -> Handled {
        let answer = AssertUnwindSafe(self.turns.answer(&self.delivery.body, self.budget)).catch_unwind();
        answer.await.unwrap_or(Handled::Again { after: Duration::from_secs(1) })
    }

    /// Tells the user and parks the turn. What panics here too is a dead letter all the same.
    async fn give_up(&self) -> Outcome {
        let give_up = AssertUnwindSafe(self.turns.give_up(&self.delivery.body, GIVE_UP)).catch_unwind();
        match give_up.await.unwrap_or(GivenUp::DeadLetter) {
            GivenUp::Over => Outcome::Done,
            GivenUp::DeadLetter => {
                tracing::error!(tries = self.delivery.tries, "a message goes to the dead letters");
                Outcome::DeadLetter
            }
        }
    }

    async fn tell(&self, outcome: Outcome) -> Ended {
        let mut backoff = BACKOFF_FIRST;
        for tries in 1..=TELL_TRIES {
            match self.tell_once(&outcome).await {
                Ok(ended) => return ended,
                Err(error) if tries == TELL_TRIES => {
                    // The turn's record keeps the answer single when the item comes again.
                    tracing::error!(%error, "the queue could not be told what became of a message");
                }
                Err(_) => {
                    tokio::time::sleep(backoff).await;
                    backoff *= 2;
                }
            }
        }
        Ended::default()
    }

    async fn tell_once(&self, outcome: &Outcome) -> Result<Ended, StoreError> {
        let receipt = &self.delivery.receipt;
        Ok(match outcome {
            Outcome::Done => Ended { more: self.queue.done(receipt).await?, due: None },
            Outcome::DeadLetter => {
                Ended { more: self.queue.bury(receipt, self.clock.now()).await?, due: None }
            }
            Outcome::Again { due } => {
                self.queue.again(receipt, *due).await?;
                Ended { more: false, due: self.time.instant_of(*due) }
            }
        })
    }
}

#[cfg(test)]
mod tests;
