//! What every port shares: the time, chance, the trace, and the oracle.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use chat::{Timestamp, TurnKey};
use fastrand::Rng;

use crate::{faults::Fault, oracle::Oracle, plan::Plan, platforms::Platforms};

/// Some day in 2026. What matters is that every run begins then.
pub(crate) const START: i64 = 1_795_000_000_000;

/// How long things take when nothing is wrong, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    Store,
    Call,
    Model,
}

/// The shared state behind one lock, which is held for a step and never across a wait.
pub(crate) struct Sim {
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) now: i64,
    pub(crate) chance: Rng,
    pub(crate) plan: Plan,
    /// Whether faults still happen.
    pub(crate) faulty: bool,
    /// How many more may.
    pub(crate) faults_left: u32,
    /// The task that is being polled.
    pub(crate) current: usize,
    /// Which turn each task works on.
    pub(crate) working: BTreeMap<usize, TurnKey>,
    pub(crate) oracle: Oracle,
    pub(crate) platforms: Platforms,
    /// Set by what the task waits for: when the first of it is due, and whether the task only looks for work.
    yielded: Option<(i64, bool)>,
    /// Rung when an item comes in: from when on it can be had.
    bell: Option<i64>,
    trace: u64,
    /// What happened, for people; only if somebody wants it.
    story: Option<Vec<String>>,
}

impl Sim {
    pub(crate) fn new(plan: Plan, chance: Rng, story: bool) -> Self {
        let state = State {
            now: START,
            faulty: true,
            faults_left: plan.faults,
            current: 0,
            working: BTreeMap::new(),
            oracle: Oracle::new(&plan),
            platforms: Platforms::default(),
            yielded: None,
            bell: None,
            trace: 0xcbf2_9ce4_8422_2325,
            story: story.then(Vec::new),
            chance,
            plan,
        };
        Self { state: Mutex::new(state) }
    }

    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.with(|state| state.now))
    }

    /// Goes on after this many milliseconds.
    pub(crate) fn rest(&self, millis: i64) -> Yield<'_> {
        Yield { sim: self, millis, idle: false, due: None }
    }

    /// The same, and sooner when the bell rings.
    pub(crate) fn idle(&self, millis: i64) -> Yield<'_> {
        Yield { sim: self, millis, idle: true, due: None }
    }
}

impl State {
    pub(crate) fn pace(&mut self, pace: Pace) -> i64 {
        match pace {
            Pace::Store => self.chance.i64(1..15),
            Pace::Call => self.chance.i64(20..300),
            Pace::Model => self.chance.i64(300..15_000),
        }
    }

    /// Whether this goes wrong now.
    pub(crate) fn fails(&mut self, fault: Fault) -> bool {
        if !self.faulty || self.faults_left == 0 {
            return false;
        }
        let happens = self.chance.u16(0..1000) < self.plan.rates.of(fault);
        if happens {
            self.faults_left -= 1;
            self.note(&[100 + fault as u64]);
            self.tell(|| format!("fault {fault:?}"));
        }
        happens
    }

    /// The turn that the current task works on.
    pub(crate) fn turn(&self) -> Option<TurnKey> {
        self.working.get(&self.current).cloned()
    }

    /// Adds to the trace whatever one run must have in common with its repetition.
    pub(crate) fn note(&mut self, words: &[u64]) {
        for word in words {
            for byte in word.to_le_bytes() {
                self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }

    pub(crate) fn note_text(&mut self, text: &str) {
        for byte in text.bytes() {
            self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Adds a line to the story: when, which task, which turn, and what.
    pub(crate) fn tell(&mut self, what: impl FnOnce() -> String) {
        if self.story.is_none() {
            return;
        }
        let turn = self.turn().map(|turn| self.name(&turn));
        if let Some(story) = &mut self.story {
            let millis = self.now - START;
            story.push(format!(
                "{millis:>9} ms  task {:<3} {:<5} {}",
                self.current,
                turn.unwrap_or_default(),
                what()
            ));
        }
    }

    /// A turn's name in stories: `q1.2` is the third message of the second conversation.
    pub(crate) fn name(&self, turn: &TurnKey) -> String {
        let saying = self.plan.sayings.iter().find(|saying| saying.turn == *turn);
        saying.map(|saying| format!("q{}.{}", saying.room, saying.number)).unwrap_or_default()
    }

    pub(crate) fn take_story(&mut self) -> Vec<String> {
        self.story.take().unwrap_or_default()
    }

    pub(crate) const fn trace(&self) -> u64 {
        self.trace
    }

    pub(crate) fn ring(&mut self, due: i64) {
        self.bell = Some(self.bell.map_or(due, |bell| bell.min(due)));
    }

    pub(crate) const fn take_bell(&mut self) -> Option<i64> {
        self.bell.take()
    }

    pub(crate) const fn take_yield(&mut self) -> Option<(i64, bool)> {
        self.yielded.take()
    }
}

/// Pending until it is due, with that time told to the executor; nobody is ever woken. A task may wait for several at
/// once and goes on with the first.
pub(crate) struct Yield<'a> {
    sim: &'a Sim,
    millis: i64,
    idle: bool,
    due: Option<i64>,
}

impl Future for Yield<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let (millis, idle, begun) = (self.millis, self.idle, self.due);
        let due = self.sim.with(|state| {
            let due = begun.unwrap_or(state.now + millis);
            // Whoever looks for work goes on whenever the executor comes by: the bell was rung.
            if begun.is_some() && (idle || state.now >= due) {
                return None;
            }
            let first = state.yielded.map_or(due, |(other, _)| other.min(due));
            state.yielded = Some((first, idle));
            Some(due)
        });
        self.due = due;
        if due.is_some() { Poll::Pending } else { Poll::Ready(()) }
    }
}
