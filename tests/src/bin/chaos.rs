//! `cargo xtask chaos`: a real `magpie` under load, killed at random moments. The logic is in `magpie_tests::chaos`.

use std::process::ExitCode;

use chat::Clock as _;
use clap::Parser;
use host::SystemClock;
use magpie_tests::{
    chaos::{
        Plan,
        functions::{self, Strike},
        run,
    },
    component::Component,
};

/// Kills a real `magpie` at random moments while people talk to it, and checks what they saw.
#[derive(Parser)]
struct Arguments {
    /// Messages in all
    #[arg(long, default_value_t = 10_000)]
    messages: usize,
    /// Conversations, half of them on Feishu and half on DingTalk
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    conversations: u64,
    /// How often the process is killed
    #[arg(long, default_value_t = 200)]
    kills: usize,
    /// Decides when; otherwise the time does
    #[arg(long)]
    seed: Option<u64>,
    /// The built functions in place of `magpie`, and what happens to them; the components are in the environment, as for
    /// tests
    #[arg(long, value_enum)]
    functions: Option<Strike>,
    /// The built `magpie`; otherwise `MAGPIE_TEST_MAGPIE`
    #[arg(long, value_name = "PATH")]
    magpie: Option<String>,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a person at a terminal reads how it goes")]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let plan = Plan {
        messages: arguments.messages,
        conversations: usize::try_from(arguments.conversations)?,
        // Bad answers are scripted before anything is said, and nothing else happens.
        kills: if arguments.functions == Some(Strike::Answers) { 0 } else { arguments.kills },
        seed: arguments.seed.unwrap_or_else(|| SystemClock.now().as_millis().unsigned_abs()),
    };
    println!("seed {}", plan.seed);
    let say = |line: &str| println!("{line}");
    let verdict = match arguments.functions {
        Some(strike) => functions::run(plan, strike, say).await?,
        None => match arguments.magpie.or_else(|| Component::Magpie.find()) {
            Some(magpie) => Some(run(&magpie, plan, say).await?),
            None => None,
        },
    };
    let Some(verdict) = verdict else { return Ok(ExitCode::FAILURE) };
    println!("{verdict}");
    Ok(if verdict.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
