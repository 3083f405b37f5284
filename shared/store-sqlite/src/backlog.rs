//! The jobs that wait for the writer: bounded, in two lanes.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use store::StoreError;

use crate::job::Job;

/// The most jobs in one transaction. It bounds how long an acknowledgement waits for the transaction before its own.
const GROUP_MAX: usize = 256;

/// How many places of a group are kept for ordinary jobs while acknowledgements alone would fill it: turns must go on
/// under a flood of webhooks, or the queue only grows.
const ORDINARY_SHARE: usize = GROUP_MAX / 4;

/// How long the writer waits for company after a group of several jobs. Each group costs one fsync, so under load a turn's
/// writes and those of its neighbours are worth gathering. After a group of one nobody else is there, and nothing is waited
/// for. The figures are chosen, not tuned.
const GATHER: Duration = Duration::from_millis(4);

/// So many acknowledgements, or ordinary jobs, end the wait.
const GATHER_ENOUGH: (usize, usize) = (16, GROUP_MAX / 4);

/// The most jobs that wait in each lane. An acknowledgement that finds its lane full is refused, and the platform sends
/// its event again. Turns wait for one write at a time, so their lane holds as many turns as a process can have.
const WAITING_MAX: [(Lane, usize); 2] = [(Lane::Acknowledgement, 4_096), (Lane::Ordinary, 16_384)];

/// Which jobs go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Somebody waits for the answer to a webhook.
    Acknowledgement,
    /// Everything else.
    Ordinary,
}

/// What the writer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// It is at work.
    Nothing,
    /// Many jobs.
    Many,
    /// Any job.
    Any,
}

struct State {
    acknowledgements: VecDeque<Box<dyn Job>>,
    ordinary: VecDeque<Box<dyn Job>>,
    wanted: Wanted,
    /// How many jobs the last group had.
    last: usize,
    closed: bool,
}

impl State {
    fn lane(&mut self, lane: Lane) -> &mut VecDeque<Box<dyn Job>> {
        match lane {
            Lane::Acknowledgement => &mut self.acknowledgements,
            Lane::Ordinary => &mut self.ordinary,
        }
    }

    fn is_empty(&self) -> bool {
        self.acknowledgements.is_empty() && self.ordinary.is_empty()
    }

    /// Whether the writer waits for what is here now.
    fn is_wanted(&self) -> bool {
        match self.wanted {
            Wanted::Nothing => false,
            Wanted::Many => {
                self.acknowledgements.len() >= GATHER_ENOUGH.0 || self.ordinary.len() >= GATHER_ENOUGH.1
            }
            Wanted::Any => !self.is_empty(),
        }
    }

    fn next_group(&mut self) -> Vec<Box<dyn Job>> {
        let kept = self.ordinary.len().min(ORDINARY_SHARE);
        let first = self.acknowledgements.len().min(GROUP_MAX - kept);
        let rest = self.ordinary.len().min(GROUP_MAX - first);
        self.acknowledgements.drain(..first).chain(self.ordinary.drain(..rest)).collect()
    }
}

/// The writer takes groups out; everybody else puts jobs in.
pub(crate) struct Backlog {
    state: Mutex<State>,
    wake: Condvar,
}

impl Backlog {
    pub(crate) fn new() -> Self {
        let (acknowledgements, ordinary) = (VecDeque::new(), VecDeque::new());
        let state = State { acknowledgements, ordinary, wanted: Wanted::Nothing, last: 0, closed: false };
        Self { state: Mutex::new(state), wake: Condvar::new() }
    }

    /// Puts a job in.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the lane is full or the writer is gone. The job is dropped then, undone.
    pub(crate) fn push(&self, lane: Lane, job: Box<dyn Job>) -> Result<(), StoreError> {
        let mut state = self.lock();
        if state.closed {
            return Err(StoreError::Unavailable("the database is closed".to_owned()));
        }
        let full = WAITING_MAX.iter().any(|(of, most)| *of == lane && state.lane(lane).len() >= *most);
        if full {
            return Err(StoreError::Unavailable("too many writes wait for the database".to_owned()));
        }
        state.lane(lane).push_back(job);
        let wake = state.is_wanted();
        if wake {
            state.wanted = Wanted::Nothing;
        }
        drop(state);
        if wake {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Waits for jobs, and takes those that go into one transaction. Empty once the backlog is closed and everything in it
    /// was taken.
    pub(crate) fn next_group(&self) -> Vec<Box<dyn Job>> {
        let mut state = self.lock();
        if state.last > 1 {
            state.wanted = Wanted::Many;
            let wait = self.wake.wait_timeout_while(state, GATHER, |state| {
                state.wanted != Wanted::Nothing && !state.is_wanted() && !state.closed
            });
            state = wait.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        }
        if state.is_empty() {
            state.wanted = Wanted::Any;
            let wait = self.wake.wait_while(state, |state| state.is_empty() && !state.closed);
            state = wait.unwrap_or_else(PoisonError::into_inner);
        }
        state.wanted = Wanted::Nothing;
        let group = state.next_group();
        state.last = group.len();
        group
    }

    /// Takes every acknowledgement that waits.
    pub(crate) fn acknowledgements(&self) -> VecDeque<Box<dyn Job>> {
        std::mem::take(&mut self.lock().acknowledgements)
    }

    /// Takes no further job. Those that are in it are still taken out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    /// Drops what still waits. Whoever waits for it gets an error.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.acknowledgements.clear();
        state.ordinary.clear();
    }

    /// No code that can panic runs under this lock, so a poisoned one is sound.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
