//! An answer's bytes, waits and breaks, as a body.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::Sleep;

use super::{
    Broken,
    ledger::{Entry, Outcome},
};

/// What a body does next.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Sends these bytes.
    Send(Bytes),
    /// Does nothing for so long.
    Wait(Duration),
    /// Hangs up.
    Break,
}

/// A body that does its steps in order, and writes into the ledger how it ended.
#[derive(Debug)]
pub(super) struct Script {
    steps: Arc<[Step]>,
    next: usize,
    waiting: Option<Pin<Box<Sleep>>>,
    entry: Option<Entry>,
}

impl Script {
    /// A body of these steps.
    pub(super) fn new(steps: impl Into<Arc<[Step]>>, entry: Option<Entry>) -> Self {
        Self { steps: steps.into(), next: 0, waiting: None, entry }
    }

    fn close(&self, outcome: Outcome) {
        if let Some(entry) = &self.entry {
            entry.close(outcome);
        }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                ready!(waiting.as_mut().poll(context));
                self.waiting = None;
            }
            let step = self.steps.get(self.next).cloned();
            self.next += 1;
            match step {
                Some(Step::Send(bytes)) => {
                    // A body of known length is not asked for more when it is complete.
                    if self.next == self.steps.len() {
                        self.close(Outcome::Whole);
                    }
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Step::Wait(how_long)) => self.waiting = Some(Box::pin(tokio::time::sleep(how_long))),
                Some(Step::Break) => {
                    self.close(Outcome::Broken);
                    return Poll::Ready(Some(Err(Broken)));
                }
                None => return Poll::Ready(None),
            }
        }
    }
}
