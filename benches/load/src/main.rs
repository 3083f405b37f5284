//! `load`: Magpie under load, beside handlers of Feishu's SDKs. Started by `cargo xtask bench load`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks to whoever started it"
)]

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

mod command;

/// glibc's allocator takes half of the time in which the messages are prepared, by `perf`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match command::Command::parse().perform() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
