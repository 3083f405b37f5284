//! Magpie in one process: every function, with an embedded store and queue.
//!
//! ```text
//! magpie                      the same as `magpie serve`
//! magpie serve [--config FILE] [--listen ADDR]
//! magpie notify CHANNEL TEXT  send a notification through a configured channel
//! magpie route QUESTION [--bot NAME] [--user ID] [--group] [--model NAME] [--explain] [--config FILE]
//! magpie dead-letters list|show ID|redrive ID|redrive --all [--config FILE]
//! ```
//!
//! # Layout
//!
//! - [`cli`]: the command line
//! - [`serve`]: from the configuration to a running server, and its orderly end
//! - [`configuration`]: the configuration of a command, with all that is wrong in one run; [`dot_env`]: `.env`
//! - [`connections`]: incoming connections, their limits, and their orderly end
//! - [`data`]: the data folder: its lock, the vault's keys, the demo bots' keys
//! - [`discover`]: which model servers there are, and which of their models answers
//! - [`startup`]: what is looked at once this process serves: endpoints, models, credentials
//! - [`gateway`]: `/v1/chat/completions` for other programs
//! - [`log`]: the log of this process
//! - [`health`]: how the endpoints fare
//! - [`unread`]: bodies that are refused, or cannot be read to their end
//! - [`web`]: the routes, among them `/webhook/{platform}/{bot}` and `/healthz`
//! - [`write_probe`]: whether the store takes writes
//! - [`platforms`]: the platforms that this process speaks
//! - [`dispatcher`]: from the queue to turns
//! - [`playground`]: the page at `/`, and the simulated platforms behind its demo bots
//! - [`notify`]: outgoing notifications
//! - [`dead_letters`]: what ended without an answer, and how to bring it back
//! - [`running`]: what a Magpie that runs knows of its endpoints
//! - [`route`]: which endpoints a question would go to, and what became of each; `table` is columns for a terminal

mod cli;
mod configuration;
mod connections;
mod data;
mod dead_letters;
mod discover;
mod dispatcher;
mod dot_env;
mod gateway;
mod health;
mod log;
mod notify;
mod platforms;
mod playground;
mod route;
mod running;
mod serve;
mod startup;
mod table;
mod unread;
mod web;
mod write_probe;

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;

/// A question allocates often and frees it all again, which takes a seventh of the time that it needs through the gateway
/// with the system's allocator. Without huge pages, which would hold ten megabytes for nothing; the second version,
/// because it gives memory back within 10 ms where the third waits for a second.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::explain(&error),
    }
}
