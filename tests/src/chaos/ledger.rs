//! What was acknowledged and what people saw.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use simulator::Sent;
use tokio::sync::broadcast::{Receiver, error::TryRecvError};

use super::Plan;

/// The ledger of a run.
pub struct Ledger {
    pages: Mutex<Pages>,
}

/// What stands in it.
#[derive(Debug)]
pub struct Pages {
    seen: Receiver<Sent>,
    /// Answers by the message that they answer: each at which place among all answers it came.
    pub answers: HashMap<String, Vec<usize>>,
    /// Answers in all.
    pub answered: usize,
    /// Answers to no message at all.
    pub stray: usize,
    /// Answers that came too fast to be read. Nothing can be said after one.
    pub unread: u64,
    /// How long each acknowledged delivery took to be acknowledged.
    pub latencies: Vec<Duration>,
    /// Messages acknowledged for the first time.
    pub accepted: usize,
    /// Deliveries without a `200`, each of which was made again.
    pub unanswered: usize,
    /// Kills.
    pub killed: usize,
}

impl Ledger {
    /// An empty one, which reads here what people see.
    #[must_use]
    pub fn open(seen: Receiver<Sent>) -> Self {
        let pages = Pages {
            seen,
            answers: HashMap::new(),
            answered: 0,
            stray: 0,
            unread: 0,
            latencies: Vec::new(),
            accepted: 0,
            unanswered: 0,
            killed: 0,
        };
        Self { pages: Mutex::new(pages) }
    }

    /// Reads people's screens.
    pub fn look(&self) {
        self.pages().read();
    }

    /// Reads the rest, and gives what stands in it.
    pub fn close(&self) -> MutexGuard<'_, Pages> {
        let mut pages = self.pages();
        pages.read();
        pages
    }

    /// Notes a `200`, and whether it was the message's first.
    pub fn acknowledged(&self, first: bool, took: Duration) {
        let mut pages = self.pages();
        pages.latencies.push(took);
        pages.accepted += usize::from(first);
    }

    /// Notes a delivery without a `200`.
    pub fn unanswered(&self) {
        self.pages().unanswered += 1;
    }

    /// Notes a kill.
    pub fn killed(&self) {
        self.pages().killed += 1;
    }

    /// How much is done: messages acknowledged, and answers seen.
    #[must_use]
    pub fn done(&self) -> usize {
        let mut pages = self.pages();
        pages.read();
        pages.accepted + pages.answered
    }

    /// How far things are after this time, in a line.
    #[must_use]
    pub fn line(&self, plan: &Plan, after: Duration) -> String {
        let pages = self.pages();
        let (accepted, answered, killed) = (pages.accepted, pages.answered, pages.killed);
        let (deliveries, unanswered) = (pages.latencies.len(), pages.unanswered);
        let seconds = after.as_secs_f64();
        format!(
            "{seconds:6.1} s: {accepted} of {} accepted, {answered} answered, {killed} of {} kills, \
             {deliveries} deliveries acknowledged, {unanswered} not",
            plan.messages, plan.kills
        )
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn read(&mut self) {
        loop {
            match self.seen.try_recv() {
                Ok(sent) => self.note(sent),
                Err(TryRecvError::Lagged(missed)) => self.unread += missed,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn note(&mut self, sent: Sent) {
        let place = self.answered;
        self.answered += 1;
        match sent.in_reply_to {
            Some(message) => self.answers.entry(message).or_default().push(place),
            None => self.stray += 1,
        }
    }

    /// The latency that this share of the acknowledged deliveries did not exceed, in thousandths.
    #[must_use]
    pub fn latency(&self, thousandth: usize) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        sorted.get((sorted.len() * thousandth / 1000).min(last)).copied().unwrap_or_default()
    }
}
