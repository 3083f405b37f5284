//! Read-only connections, each with its thread. Reads wait neither for the writer nor for its fsyncs.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use rusqlite::Connection;
use store::StoreError;

/// How many. One slow read (an operator's list) must not hold up those of turns; more than two would only compete for
/// processors.
const READERS: usize = 2;

/// The most reads that wait. A turn reads one thing at a time.
const WAITING_MAX: usize = 16_384;

/// A read that waits.
pub(crate) type Read = Box<dyn FnOnce(&Connection) + Send>;

struct State {
    reads: VecDeque<Read>,
    idle: usize,
    closed: bool,
}

struct Waiting {
    state: Mutex<State>,
    wake: Condvar,
}

/// The readers. They end with this.
pub(crate) struct Readers {
    waiting: Arc<Waiting>,
    threads: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}

impl Readers {
    /// Starts the threads on a file that is in WAL mode already.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the file cannot be opened once more, or there can be no further thread.
    pub(crate) fn start(
        path: &Path,
        open: impl Fn(&Path) -> Result<Connection, StoreError>,
    ) -> Result<Self, StoreError> {
        let state = State { reads: VecDeque::new(), idle: 0, closed: false };
        let waiting = Arc::new(Waiting { state: Mutex::new(state), wake: Condvar::new() });
        let mut readers = Self { waiting: Arc::clone(&waiting), threads: Vec::new() };
        for _ in 0..READERS {
            let (connection, waiting) = (open(path)?, Arc::clone(&waiting));
            let thread = std::thread::Builder::new().name("store-reader".to_owned());
            let thread = thread.spawn(move || waiting.work(&connection));
            readers.threads.push(thread.map_err(|error| StoreError::Unavailable(error.to_string()))?);
        }
        Ok(readers)
    }

    /// Hands a read over. It sees all that was committed before this call.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when too many wait already.
    pub(crate) fn submit(&self, read: Read) -> Result<(), StoreError> {
        let mut state = self.waiting.lock();
        if state.reads.len() >= WAITING_MAX {
            return Err(StoreError::Unavailable("too many reads wait for the database".to_owned()));
        }
        state.reads.push_back(read);
        let wake = state.idle > 0;
        drop(state);
        if wake {
            self.waiting.wake.notify_one();
        }
        Ok(())
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.waiting.lock().closed = true;
        self.waiting.wake.notify_all();
        for thread in self.threads.drain(..) {
            // A read's last act may be to drop the store; its thread cannot wait for itself.
            if thread.thread().id() != std::thread::current().id() {
                drop(thread.join());
            }
        }
    }
}

impl Waiting {
    fn work(&self, connection: &Connection) {
        while let Some(read) = self.next() {
            // A panic is that read's failure: it ends without an answer.
            drop(catch_unwind(AssertUnwindSafe(|| read(connection))));
        }
    }

    /// Nothing once there is none and none will come.
    fn next(&self) -> Option<Read> {
        let mut state = self.lock();
        if state.reads.is_empty() {
            state.idle += 1;
            let wait = self.wake.wait_while(state, |state| state.reads.is_empty() && !state.closed);
            state = wait.unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
        state.reads.pop_front()
    }

    /// No code that can panic runs under this lock, so a poisoned one is sound.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
