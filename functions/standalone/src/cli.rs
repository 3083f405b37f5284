//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{
    dead_letters::{self, DeadLettersArgs},
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
        read_dot_env()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            match self.command.unwrap_or(Command::Serve(self.serve)) {
                Command::Serve(args) => serve::serve(args).await,
                Command::Notify(args) => notify::notify(args).await,
                Command::Route(args) => route::route(args).await,
                Command::DeadLetters(args) => dead_letters::dead_letters(args).await,
            }
        })
    }
}

/// Puts what `.env` in the working directory says into the environment; what stands there already stays. Read before
/// the runtime starts, while there is one thread.
fn read_dot_env() -> anyhow::Result<()> {
    match dotenvy::from_path(".env") {
        Ok(()) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        // The error would quote the line, and the line may hold a secret.
        Err(_) => anyhow::bail!(
            ".env cannot be read: every line must be NAME=value, with the value in single quotes when it holds spaces or quotation marks"
        ),
    }
}

/// Says at the terminal what went wrong, in one paragraph, and gives the exit status for it: 2, as for a wrong
/// argument, because nothing was started.
#[expect(clippy::print_stderr, reason = "a person at a terminal reads why nothing was started")]
pub(crate) fn explain(error: &anyhow::Error) -> ExitCode {
    eprintln!("magpie: {error:#}");
    ExitCode::from(2)
}
