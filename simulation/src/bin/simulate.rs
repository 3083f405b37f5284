//! Runs many histories over all processors. The last line says how many were lost and duplicated.
#![expect(clippy::print_stdout, reason = "a command-line tool talks to whoever started it")]

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use clap::Parser;
use simulation::{Broken, Options, Outcome, Upkeep, run};

/// Runs many histories of the turn engine, each from its own seed.
#[derive(Parser)]
struct Arguments {
    /// How many.
    #[arg(long, default_value_t = 10_000)]
    runs: u64,
    /// The first one's seed; the others follow.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Without redrives, rotations and other versions.
    #[arg(long)]
    plain: bool,
    /// Stop at the first broken promise.
    #[arg(long)]
    first: bool,
    /// Tell the whole story of each run.
    #[arg(long)]
    story: bool,
    /// Say nothing between the first and the last line.
    #[arg(long)]
    quiet: bool,
}

/// How many failing seeds are named.
const NAMED: usize = 10;

#[derive(Default)]
struct Tally {
    runs: u64,
    polls: u64,
    crashes: u64,
    endings: BTreeMap<&'static str, u64>,
    broken: BTreeMap<Broken, u64>,
    failing: BTreeMap<u64, String>,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let (next, tally) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(&arguments, &next, &tally))).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| anyhow::anyhow!("a run panicked"))?)
    })?;
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(report(&arguments, &tally))
}

fn work(arguments: &Arguments, next: &AtomicU64, tally: &Mutex<Tally>) -> anyhow::Result<()> {
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        if index >= arguments.runs {
            return Ok(());
        }
        let seed = arguments.seed.wrapping_add(index);
        let upkeep = if arguments.plain { Upkeep::None } else { Upkeep::Drawn };
        let outcome = run(seed, &Options { story: arguments.story, upkeep, ..Options::default() })?;
        for line in &outcome.story {
            println!("{line}");
        }
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.add(seed, &outcome);
        if arguments.first && !tally.failing.is_empty() {
            next.store(arguments.runs, Ordering::Relaxed);
        }
        if !arguments.quiet && tally.runs.is_multiple_of(arguments.runs.div_ceil(20)) {
            println!("{} of {} runs, {} failing", tally.runs, arguments.runs, tally.failing.len());
        }
    }
}

impl Tally {
    fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.runs += 1;
        self.polls += outcome.polls;
        self.crashes += outcome.crashes;
        for (ending, count) in &outcome.endings {
            *self.endings.entry(ending).or_default() += count;
        }
        for violation in &outcome.violations {
            *self.broken.entry(violation.broken).or_default() += 1;
        }
        if let Some(first) = outcome.violations.first() {
            self.failing.insert(seed, format!("{:?}: {}", first.broken, first.what));
        }
    }

    fn count(&self, broken: &[Broken]) -> u64 {
        broken.iter().filter_map(|broken| self.broken.get(broken)).sum()
    }
}

fn report(arguments: &Arguments, tally: &Tally) -> ExitCode {
    for (seed, why) in tally.failing.iter().take(NAMED) {
        println!("seed {seed}: {why}");
    }
    if !arguments.quiet {
        println!("{} polls, {} crashes, turns: {:?}", tally.polls, tally.crashes, tally.endings);
    }
    if !tally.broken.is_empty() {
        println!("broken promises: {:?}", tally.broken);
    }
    let (lost, duplicated) =
        (tally.count(&[Broken::Lost, Broken::Stuck]), tally.count(&[Broken::Duplicated]));
    println!("{} runs, {lost} lost, {duplicated} duplicated", tally.runs);
    if tally.failing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
