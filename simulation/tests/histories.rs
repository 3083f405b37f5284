//! Many histories of the turn engine, and for some of them every point at which a process can die.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use simulation::{Crash, Options, Size, run};

/// Histories with the crashes, pauses and faults that their seeds have.
const SEEDS: u64 = 2_000;

/// Small histories in which a process dies at every point, each time in one history of its own.
const EXHAUSTED: u64 = 100;

/// Histories that are run twice.
const TWICE: u64 = 1_000;

/// Does this for every seed below `seeds`, on all processors, and fails with what all of them complain of.
fn all(seeds: u64, history: impl Fn(u64) -> Vec<String> + Sync) {
    let (next, complaints) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        break;
                    }
                    complaints.lock().unwrap().extend(history(seed));
                }
            });
        }
    });
    let complaints = complaints.into_inner().unwrap();
    assert!(complaints.is_empty(), "{} broken promises:\n{}", complaints.len(), complaints.join("\n"));
}

/// Runs one history and says what was wrong with it.
fn complaints(seed: u64, options: &Options) -> Vec<String> {
    let outcome = run(seed, options).unwrap();
    outcome.violations.iter().map(|violation| format!("seed {seed}, {options:?}: {violation:?}")).collect()
}

#[test]
fn no_drawn_history_breaks_a_promise() {
    all(SEEDS, |seed| complaints(seed, &Options::default()));
}

#[test]
fn no_crash_at_any_point_breaks_a_promise() {
    all(EXHAUSTED, |seed| {
        let mut found = Vec::new();
        let (mut step, mut steps) = (0, 1);
        // A crash changes what comes after it, so each history says how far its own points go.
        while step < steps {
            // The two ways to die take turns, and change places from seed to seed.
            let crash = Crash::At { step, forget: (step + seed).is_multiple_of(2) };
            let options = Options { size: Size::Small, crash, ..Options::default() };
            let outcome = run(seed, &options).unwrap();
            steps = outcome.steps;
            found.extend(outcome.violations.iter().map(|v| format!("seed {seed}, {options:?}: {v:?}")));
            step += 1;
        }
        found
    });
}

#[test]
fn the_same_seed_gives_the_same_history() {
    all(TWICE, |seed| {
        let traces = [0, 1].map(|_| run(seed, &Options::default()).unwrap().trace);
        if traces[0] == traces[1] { Vec::new() } else { vec![format!("seed {seed} gave {traces:x?}")] }
    });
    let other = |seed| run(seed, &Options::default()).unwrap().trace;
    assert_ne!(other(1), other(2), "the trace sees what happens");
}
