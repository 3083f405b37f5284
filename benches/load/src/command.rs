//! The command line.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::{Args, Parser};
use gateways::{
    report::make_room,
    router::machine::{self, Machine},
};
use load::{
    disk,
    mock::{self, Behaviour},
    plan::{Choice, Plan},
    report::{self, Place},
    run,
    server::{Product, Programs},
};

/// What one process acknowledges and answers.
#[derive(Debug, Parser)]
#[command(name = "load")]
pub(crate) enum Command {
    /// Measures
    Run(Box<Run>),
    /// The model server and the platform's API, until the process is ended
    Mock(Mock),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Only these
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Product>,
    #[command(flatten)]
    choice: Choice,
    /// Measure on a busy machine all the same; the page says so
    #[arg(long)]
    busy: bool,
    /// Writes the results to this page
    #[arg(long)]
    page: Option<PathBuf>,
    #[command(flatten)]
    programs: Programs,
}

#[derive(Debug, Args)]
pub(crate) struct Mock {
    /// Where it listens, on loopback
    #[arg(long)]
    port: u16,
    /// How long the model takes for an answer, in seconds
    #[arg(long)]
    model_time: f64,
    /// How many questions there will be
    #[arg(long)]
    questions: usize,
}

impl Command {
    /// Does it. Says whether every message was acknowledged and answered.
    pub(crate) fn perform(self) -> anyhow::Result<bool> {
        // One thread: what the generator or the mock needs is no more than a part of a processor.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            match self {
                Self::Run(arguments) => measure(*arguments).await,
                Self::Mock(Mock { port, model_time, questions }) => {
                    let model_time = Duration::try_from_secs_f64(model_time).context("--model-time")?;
                    mock::serve(mock::listen(port).await?, Behaviour { model_time, questions }).await?;
                    Ok(true)
                }
            }
        })
    }
}

async fn measure(arguments: Run) -> anyhow::Result<bool> {
    let products = if arguments.only.is_empty() { Product::ALL.to_vec() } else { arguments.only };
    if let Some(page) = &arguments.page {
        make_room(page).with_context(|| page.display().to_string())?;
    }
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let plan = Plan::of(&products, processors, &arguments.choice)?;
    if !arguments.busy {
        machine::wait_until_quiet(|load| println!("waiting for a quiet machine: load {load}")).await?;
    }
    let logs = &arguments.programs.logs;
    let sync_time = disk::sync_time(logs).with_context(|| logs.display().to_string())?;
    let place = Place { machine: Machine::here(), sync_time };
    let began = Instant::now();
    let tell = |what: String| println!("{:>5} s  {what}", began.elapsed().as_secs());
    let found = run::run(&plan, &arguments.programs, tell).await?;
    let page = report::page(&plan, &place, &found);
    println!("\n{page}");
    if let Some(path) = &arguments.page {
        std::fs::write(path, page)?;
        println!("written to {}", path.display());
    }
    Ok(report::faults(&found).is_empty())
}
