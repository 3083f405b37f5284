//! `gateways failures`.

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use anyhow::Context as _;
use clap::Args;
use gateways::{
    failures::{self, Manner},
    gateway::{Product, Programs},
    judge::Verdict,
    report,
    scale::Scale,
    scenarios::SCENARIOS,
};

/// What is run.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only these
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Product>,
    /// Every time of every scenario is multiplied by this: a tenth for a quick look at Magpie. The others' own pauses do
    /// not shrink with it
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// The client asks for streams in every scenario, not only where the fault exists only in a stream
    #[arg(long)]
    streamed: bool,
    /// Writes the results of both manners to this page
    #[arg(long)]
    page: Option<PathBuf>,
    #[command(flatten)]
    programs: Programs,
}

pub(crate) async fn perform(arguments: &Arguments) -> anyhow::Result<bool> {
    let scale = Scale::new(arguments.scale).context("--scale is between 0.01 and 1")?;
    let products =
        if arguments.only.is_empty() { Product::WITH_FALLBACK.to_vec() } else { arguments.only.clone() };
    let manners = if arguments.page.is_some() { vec![false, true] } else { vec![arguments.streamed] };
    if let Some(page) = &arguments.page {
        report::make_room(page).with_context(|| page.display().to_string())?;
    }
    let mut results = Vec::new();
    for streamed in manners.iter().copied() {
        for product in &products {
            let verdicts = one(*product, &arguments.programs, Manner { scale, streamed }).await?;
            results.push(report::failures::Result { product: *product, streamed, verdicts });
        }
    }
    if products.len() > 1 {
        println!("\n{}", report::failures::tables(&results));
    }
    if let Some(page) = &arguments.page {
        std::fs::write(page, report::failures::page(&results, scale))?;
        println!("written to {}", page.display());
    }
    // What decides is Magpie where there is company, and what was asked for where there is none. On the page, the first
    // manner decides: in the other, nobody can take back what a client has been shown.
    let decides = |result: &&report::failures::Result| {
        (products.len() == 1 || result.product == Product::Magpie) && (manners.len() == 1 || !result.streamed)
    };
    Ok(results.iter().filter(decides).all(|result| failures::passed(&result.verdicts) == SCENARIOS.len()))
}

async fn one(product: Product, programs: &Programs, manner: Manner) -> anyhow::Result<Vec<Verdict>> {
    let how = if manner.streamed { "every client streaming" } else { "clients that want the whole answer" };
    println!("\n{product}: {} scenarios side by side, {how}", SCENARIOS.len());
    let (began, done) = (Instant::now(), AtomicUsize::new(0));
    let progress = |verdict: &Verdict| {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        let (id, grade, seconds) = (verdict.scenario.id, verdict.grade, began.elapsed().as_secs());
        // One line that changes for a person, a line each for a log.
        let (before, after) = if std::io::stdout().is_terminal() { ("\r", "    ") } else { ("", "\n") };
        print!("{before}  {done} of {} after {seconds} s, the last {id}: {grade}{after}", SCENARIOS.len());
        let _ = std::io::stdout().flush();
    };
    let verdicts = failures::run(product, programs, manner, progress).await?;
    println!();
    for verdict in &verdicts {
        println!("{}", line(verdict));
    }
    println!("{} of {}", failures::passed(&verdicts), verdicts.len());
    Ok(verdicts)
}

fn line(verdict: &Verdict) -> String {
    let (scenario, took) = (verdict.scenario, verdict.took.as_secs_f64());
    format!("{}  {:<8}{took:>7.1} s  {:<52}  {}", scenario.id, verdict.grade, scenario.title, verdict.why)
}
