//! `gateways router`.

use std::{path::PathBuf, time::Instant};

use anyhow::Context as _;
use clap::Args;
use gateways::{
    gateway::{Product, Programs},
    report,
    router::{
        machine::{self, Machine},
        plan::Plan,
        run,
    },
};

/// What is run.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only these, and `direct`, with which all are compared
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Product>,
    /// About a minute, to see that everything runs; its figures say little
    #[arg(long)]
    quick: bool,
    /// Measure on a busy machine all the same; the page says so
    #[arg(long)]
    busy: bool,
    /// Writes the results to this page
    #[arg(long)]
    page: Option<PathBuf>,
    #[command(flatten)]
    programs: Programs,
}

pub(crate) async fn perform(arguments: &Arguments) -> anyhow::Result<bool> {
    let wanted = |product: &Product| {
        *product == Product::Direct || arguments.only.is_empty() || arguments.only.contains(product)
    };
    let products: Vec<_> = Product::ALL.into_iter().filter(wanted).collect();
    if let Some(page) = &arguments.page {
        report::make_room(page).with_context(|| page.display().to_string())?;
    }
    if !arguments.busy {
        machine::wait_until_quiet(|load| println!("waiting for a quiet machine: load {load}")).await?;
    }
    let machine = Machine::here();
    let plan = if arguments.quick { Plan::quick(products) } else { Plan::whole(products) };
    let began = Instant::now();
    let tell = |what: String| println!("{:>5} s  {what}", began.elapsed().as_secs());
    let found = run::run(&plan, &arguments.programs, tell).await?;
    let page = report::router::page(&plan, &machine, &found);
    println!("\n{page}");
    if let Some(path) = &arguments.page {
        std::fs::write(path, page)?;
        println!("written to {}", path.display());
    }
    Ok(report::router::failures(&found) == 0)
}
