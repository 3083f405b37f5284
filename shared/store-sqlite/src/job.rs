//! A piece of work that waits for the writer.

use rusqlite::Connection;
use store::StoreError;
use tokio::sync::oneshot;

use crate::database::Failure;

/// What the writer does with every job, whatever it returns.
pub(crate) trait Job: Send {
    /// Does the work, inside a transaction that others share. Runs again when that transaction was rolled back for another
    /// job's sake.
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError>;

    /// Tells whoever waits what became of it: with success after the commit only.
    fn settle(self: Box<Self>, outcome: Result<(), StoreError>);
}

/// A job with its answer.
pub(crate) struct Write<T, W, A> {
    work: W,
    after: A,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W, A> Write<T, W, A>
where
    T: Send + 'static,
    W: FnMut(&Connection) -> Result<T, Failure> + Send + 'static,
    A: FnOnce(&T) + Send + 'static,
{
    /// `work` in a transaction; `after` hears of what was committed, also when nobody waits for the answer any more.
    pub(crate) fn new(work: W, after: A) -> (Box<Self>, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Box::new(Self { work, after, value: None, reply }), answer)
    }
}

impl<T, W, A> Job for Write<T, W, A>
where
    T: Send + 'static,
    W: FnMut(&Connection) -> Result<T, Failure> + Send + 'static,
    A: FnOnce(&T) + Send + 'static,
{
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.value = None;
        self.value = Some((self.work)(connection)?);
        Ok(())
    }

    fn settle(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { after, value, reply, .. } = *self;
        let result = outcome.and_then(|()| value.ok_or_else(unfinished));
        if let Ok(value) = &result {
            after(value);
        }
        // Who stopped waiting needs no answer.
        drop(reply.send(result));
    }
}

/// For a job that ended without an outcome: it panicked, or its thread is gone.
pub(crate) fn unfinished() -> StoreError {
    StoreError::Unavailable("the database task did not finish".to_owned())
}
