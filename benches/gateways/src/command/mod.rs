//! The command line.

mod failures;

use clap::Parser;

/// Model gateways side by side.
#[derive(Debug, Parser)]
#[command(name = "gateways")]
pub(crate) enum Command {
    /// The sixteen failure scenarios
    Failures(failures::Arguments),
}

impl Command {
    /// Does it. Says whether all went as it should.
    pub(crate) fn perform(self) -> anyhow::Result<bool> {
        match self {
            Self::Failures(arguments) => runtime()?.block_on(failures::perform(&arguments)),
        }
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
