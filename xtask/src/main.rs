//! What is done to the workspace: tests with their real components, checks of its shape.
//!
//! # Layout
//!
//! - [`mod@test`]: `cargo xtask test`, every test with the components it needs
//! - [`tidy`]: `cargo xtask tidy`, the shape of the workspace, read from its manifests and files
//! - [`lambda`]: `cargo xtask package`, the functions as AWS Lambda runs them
//! - [`sam`]: `cargo xtask sam`, the template looked at by two linters
//! - [`fuzz`]: `cargo xtask fuzz`, every fuzz target for a while
//! - [`simulate`]: `cargo xtask simulate`, many histories of the turn engine, and bugs that they must find
//! - [`chaos`]: `cargo xtask chaos`, a real process under load, killed at random moments, or the built functions
//! - [`mod@bench`]: `cargo xtask bench`, gateways side by side
//! - [`components`]: what tests and the chaos need, fetched, started, and where it is
//! - [`tools`]: the components, pinned, and how each is fetched into `target/tools`
//! - [`servers`]: the emulators, started on a free port and stopped by process id
//! - [`steps`], [`commands`], [`workspace`], [`tally`]: timing, child processes, `cargo metadata`, counting tests
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks to whoever started it"
)]

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

mod bench;
mod chaos;
mod commands;
mod components;
mod fuzz;
mod lambda;
mod sam;
mod servers;
mod simulate;
mod steps;
mod tally;
mod test;
mod tidy;
mod tools;
mod workspace;

use steps::Steps;
use tools::{Part, Shelf};
use workspace::Workspace;

/// What is done to the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Fetches the real components, starts them, runs every test, stops them.
    Test {
        /// Parts to leave out, for a machine that cannot have them. Their tests do not run, and the output says so.
        #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_enum)]
        without: Vec<Part>,
        /// For `cargo test`, in place of `--workspace`: `cargo xtask test -- -p store-dynamodb`.
        #[arg(last = true, value_name = "ARGUMENTS")]
        only: Vec<String>,
    },
    /// Checks the shape of the workspace: who depends on whom, what a file may be called and how long it may be.
    Tidy,
    /// Builds the functions as AWS Lambda runs them and says how large each is.
    Package {
        /// Link with zig against an old C library, on a machine whose own is newer than AWS Lambda's.
        #[arg(long)]
        zig: bool,
    },
    /// Checks the deployment template with SAM's validator and cfn-lint.
    Sam,
    /// Kills a real `magpie`, or strikes functions, at random moments while people talk to it, and checks what they saw.
    Chaos(chaos::Chaos),
    /// Compares gateways: how they handle failing models, and what they add to a call.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Runs every fuzz target for a while. Needs nightly Rust and cargo-fuzz, and says how to get them.
    Fuzz {
        /// How many seconds each target runs.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// How many inputs each target gets, however long that takes.
        #[arg(long, conflicts_with = "seconds")]
        inputs: Option<u32>,
        /// Without the address sanitizer: many more inputs in the same time.
        #[arg(long)]
        no_sanitizer: bool,
        /// Only these targets.
        #[arg(value_name = "TARGET")]
        only: Vec<String>,
    },
    /// Runs many histories of the turn engine under faults, each decided by its seed.
    Simulate {
        /// How many.
        #[arg(long, default_value_t = 100_000)]
        runs: u64,
        /// The first one's seed; the others follow.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Instead: build each planted bug in turn, or those named, and see that the histories find it.
        #[arg(long, conflicts_with = "runs", num_args = 0.., value_name = "BUG")]
        planted: Option<Vec<String>>,
    },
}

fn main() -> ExitCode {
    match perform(Task::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<()> {
    let workspace = Workspace::read()?;
    let shelf = Shelf::in_target(&workspace.target);
    let mut steps = Steps::begin();
    match task {
        Task::Test { without, only } => test::run(&workspace, &shelf, &mut steps, &without, &only),
        Task::Tidy => tidy::run(&workspace),
        Task::Package { zig } => lambda::package(&workspace, &shelf, &mut steps, zig),
        Task::Sam => sam::check(&workspace, &shelf, &mut steps),
        Task::Chaos(chaos) => chaos::run(&workspace, &shelf, &mut steps, &chaos),
        Task::Bench(bench) => bench::run(&workspace, &shelf, &mut steps, &bench),
        Task::Fuzz { seconds, inputs, no_sanitizer, only } => {
            let length = inputs.map_or(fuzz::Length::Seconds(seconds), fuzz::Length::Inputs);
            fuzz::run(&workspace, &mut steps, length, !no_sanitizer, &only)
        }
        Task::Simulate { planted: Some(only), seed, .. } => {
            simulate::planted(&workspace, &mut steps, seed, &only)
        }
        Task::Simulate { runs, seed, .. } => simulate::run(&workspace, &mut steps, runs, seed),
    }
}
