//! The command line.

use std::{path::Path, process::ExitCode};

use clap::{Parser, Subcommand};
use settings::Mistakes;

use crate::{
    dead_letters::{self, DeadLettersArgs},
    dot_env::DotEnv,
    notify::{self, NotifyArgs},
    route::{self, RouteArgs},
    serve::{self, ServeArgs},
};

/// Joins chat platforms to language models.
#[derive(Debug, Parser)]
#[command(name = "magpie", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve webhooks, answer turns, and show the page at `/` (the default)
    Serve(ServeArgs),
    /// Send a notification through a configured channel
    Notify(NotifyArgs),
    /// Show which endpoints a question goes to, ask it, and show what became of each
    Route(RouteArgs),
    /// List what ended without an answer, and bring it back
    DeadLetters(DeadLettersArgs),
}

impl Cli {
    /// Runs the command in a runtime of its own.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let dot_env = DotEnv::load(Path::new(".env"));
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            match self.command.unwrap_or(Command::Serve(self.serve)) {
                Command::Serve(args) => serve::serve(args, dot_env).await,
                Command::Notify(args) => notify::notify(args, dot_env).await,
                Command::Route(args) => route::route(args, dot_env).await,
                Command::DeadLetters(args) => dead_letters::dead_letters(args, dot_env).await,
            }
        })
    }
}

/// Says at the terminal what went wrong, one line for each configuration error, and gives the exit status for it: 2, as for a wrong
/// argument, because nothing was started.
#[expect(clippy::print_stderr, reason = "a person at a terminal reads why nothing was started")]
pub(crate) fn explain(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref::<Mistakes>() {
        Some(mistakes) => eprintln!("magpie: the configuration is refused\n{mistakes}"),
        None => eprintln!("magpie: {error:#}"),
    }
    ExitCode::from(2)
}
