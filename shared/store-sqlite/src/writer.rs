//! The thread that owns the write connection: jobs that wait together share a transaction, and so an fsync.
//!
//! Each job has a savepoint, so that one that fails takes back its own writes only. Nobody hears of a success before the
//! `COMMIT`, and with it the fsync, has returned.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::JoinHandle,
};

use rusqlite::Connection;
use store::StoreError;

use crate::{
    backlog::{Backlog, Lane},
    checkpoint::Checkpoints,
    database::Failure,
    job::{Job, unfinished},
};

/// The write connection's thread. It ends with this, once everything that waits is done.
pub(crate) struct Writer {
    backlog: Arc<Backlog>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when there can be no further thread.
    pub(crate) fn start(mut connection: Connection) -> Result<Self, StoreError> {
        let checkpoints = Checkpoints::of(&mut connection).map_err(Failure::from)?;
        let backlog = Arc::new(Backlog::new());
        let jobs = Arc::clone(&backlog);
        let thread = std::thread::Builder::new().name("store-writer".to_owned());
        let thread = thread.spawn(move || work(&connection, &Abandon(jobs), checkpoints));
        let thread = thread.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self { backlog, thread: Some(thread) })
    }

    /// Hands a job over.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when too many wait already.
    pub(crate) fn submit(&self, lane: Lane, job: Box<dyn Job>) -> Result<(), StoreError> {
        self.backlog.push(lane, job)
    }
}

impl Drop for Writer {
    /// Waits for the thread, so that the file is closed when the store is gone.
    fn drop(&mut self) {
        self.backlog.close();
        if let Some(thread) = self.thread.take()
            // A job's last act may be to drop the store; the thread cannot wait for itself.
            && thread.thread().id() != std::thread::current().id()
        {
            drop(thread.join());
        }
    }
}

/// The thread's end of the backlog. However the thread ends, nobody waits for it in vain.
struct Abandon(Arc<Backlog>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

fn work(connection: &Connection, Abandon(backlog): &Abandon, mut checkpoints: Checkpoints) {
    loop {
        let group = backlog.next_group();
        if group.is_empty() {
            return;
        }
        let busy = commit_all(connection, group.into_iter().map(Entry::new).collect());
        if let Err(error) = busy {
            // They have waited while the file was locked, and the next group would make them wait as long again: longer
            // than a platform waits for its answer.
            for job in backlog.acknowledgements() {
                Entry::new(job).settle(Err(error.clone()));
            }
        }
        checkpoints.run_if_due(connection);
    }
}

/// A job and what came of it so far.
struct Entry {
    job: Box<dyn Job>,
    outcome: Result<(), StoreError>,
}

impl Entry {
    fn new(job: Box<dyn Job>) -> Self {
        Self { job, outcome: Err(unfinished()) }
    }

    fn run(&mut self, connection: &Connection) {
        let job = &mut self.job;
        // A panic in a job is that job's failure. Its statements were reset on the way out, so the connection is sound.
        let run = catch_unwind(AssertUnwindSafe(|| job.run(connection)));
        self.outcome = run.unwrap_or_else(|_| Err(unfinished()));
    }

    fn settle(self, outcome: Result<(), StoreError>) {
        let job = self.job;
        drop(catch_unwind(AssertUnwindSafe(|| job.settle(outcome))));
    }
}

/// How one transaction of a group ended.
enum Attempt {
    /// It is on the disk.
    Committed,
    /// It was rolled back because of the job at this place, and with it the work of all others.
    RolledBack(usize),
    /// It could not begin.
    NotBegun(StoreError),
    /// It could not be committed.
    NotCommitted(StoreError),
}

/// Has every job of a group committed or failed, and tells each. The error is why no transaction could begin.
fn commit_all(connection: &Connection, mut group: Vec<Entry>) -> Result<(), StoreError> {
    loop {
        match attempt(connection, &mut group) {
            Attempt::Committed => {
                for mut entry in group {
                    let outcome = std::mem::replace(&mut entry.outcome, Ok(()));
                    entry.settle(outcome);
                }
                return Ok(());
            }
            Attempt::RolledBack(place) => {
                let mut culprit = group.remove(place);
                let outcome = std::mem::replace(&mut culprit.outcome, Ok(()));
                // Also when it did not notice the failure itself: nothing of it has happened.
                culprit.settle(outcome.and(Err(unfinished())));
            }
            Attempt::NotBegun(error) => {
                settle_all(group, &error);
                return Err(error);
            }
            // What a job read may be a neighbour's work, which has not happened, so its own error means nothing either.
            Attempt::NotCommitted(error) => {
                settle_all(group, &error);
                return Ok(());
            }
        }
    }
}

fn settle_all(group: Vec<Entry>, error: &StoreError) {
    for entry in group {
        entry.settle(Err(error.clone()));
    }
}

fn attempt(connection: &Connection, group: &mut [Entry]) -> Attempt {
    // A rollback that failed would keep every later transaction from beginning.
    if !connection.is_autocommit()
        && let Err(error) = execute(connection, "ROLLBACK")
    {
        return Attempt::NotBegun(error);
    }
    // Immediate: a transaction that reads first and writes later would otherwise fail where it should wait.
    if let Err(error) = execute(connection, "BEGIN IMMEDIATE") {
        return Attempt::NotBegun(error);
    }
    for (place, entry) in group.iter_mut().enumerate() {
        if let Err(error) = run_in_savepoint(connection, entry) {
            return not_committed(connection, error);
        }
        // A full disk, an I/O error and want of memory roll the whole transaction back, savepoints and all.
        if connection.is_autocommit() {
            return Attempt::RolledBack(place);
        }
    }
    match execute(connection, "COMMIT") {
        Ok(()) => Attempt::Committed,
        Err(error) => not_committed(connection, error),
    }
}

/// The error is of the savepoint itself: the transaction cannot be relied upon after it.
fn run_in_savepoint(connection: &Connection, entry: &mut Entry) -> Result<(), StoreError> {
    execute(connection, "SAVEPOINT job")?;
    entry.run(connection);
    if connection.is_autocommit() {
        return Ok(());
    }
    if entry.outcome.is_err() {
        execute(connection, "ROLLBACK TO job")?;
    }
    execute(connection, "RELEASE job")
}

/// Ends a transaction that may still be open, so that the next one can begin.
fn not_committed(connection: &Connection, error: StoreError) -> Attempt {
    if !connection.is_autocommit()
        && let Err(error) = execute(connection, "ROLLBACK")
    {
        return Attempt::NotCommitted(error);
    }
    Attempt::NotCommitted(error)
}

fn execute(connection: &Connection, statement: &str) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(statement).map_err(Failure::from)?;
    statement.execute([]).map_err(Failure::from)?;
    Ok(())
}

#[cfg(test)]
mod tests;
