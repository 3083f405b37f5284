//! The command line.

mod failures;
mod router;

use anyhow::Context as _;
use clap::Parser;
use gateways::{mock::Mock, scale::Scale};

/// Model gateways side by side.
#[derive(Debug, Parser)]
#[command(name = "gateways")]
pub(crate) enum Command {
    /// The sixteen failure scenarios
    Failures(failures::Arguments),
    /// What each gateway adds to a call
    Router(router::Arguments),
    /// Only the model server that breaks on purpose, until it is ended: to look at a gateway by hand
    Mock {
        /// Every time of every scenario is multiplied by this
        #[arg(long, default_value_t = 1.0)]
        scale: f64,
    },
}

impl Command {
    /// Does it. Says whether all went as it should.
    pub(crate) fn perform(self) -> anyhow::Result<bool> {
        match self {
            Self::Failures(arguments) => {
                let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
                runtime.block_on(failures::perform(&arguments))
            }
            // One thread for the client: what is measured must not wait for a worker to wake up.
            Self::Router(arguments) => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(router::perform(&arguments))
            }
            Self::Mock { scale } => {
                let scale = Scale::new(scale).context("--scale is between 0.01 and 1")?;
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(async {
                    let mock = Mock::start(scale).await?;
                    println!("{}", mock.base());
                    std::future::pending().await
                })
            }
        }
    }
}
