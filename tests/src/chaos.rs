//! Chaos: a real `magpie` under load, killed at random moments.
//!
//! People on both simulated platforms talk to two bots. The platforms deliver each message three times, and again
//! whenever no `200` comes back, while the process is killed with `SIGKILL` and started again on the same folder and
//! the same port. At the end every message that was acknowledged must have been answered once and in order. DingTalk
//! takes no key with a send, so there a message may instead be missing, if its turn is parked as uncertain.
//!
//! # Layout
//!
//! - this file: [`Plan`] and [`run`], from the first message to the verdict
//! - [`stage`]: the simulated platforms and model server, and how slow they are
//! - [`deliveries`]: what the platforms deliver, how often, and in what order
//! - [`keeper`]: the process, its killing and its restarts
//! - [`ledger`]: what was acknowledged and what people saw
//! - [`verdict`]: the ledger against the promises
//! - [`functions`]: the same among the built functions, with other trouble besides
//!
//! # Example
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use magpie_tests::chaos::{Plan, run};
//!
//! let plan = Plan { messages: 100, conversations: 10, kills: 5, seed: 1 };
//! let verdict = run("target/debug/magpie", plan, |line| eprintln!("{line}")).await?;
//! assert!(verdict.is_good(), "{verdict}");
//! # Ok(())
//! # }
//! ```

pub mod deliveries;
pub mod functions;
pub mod keeper;
pub mod ledger;
pub mod stage;
pub mod verdict;

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use self::{deliveries::Deliveries, keeper::Keeper, ledger::Ledger, stage::Stage, verdict::Verdict};

/// How often people's screens are read. Well below the time in which as many answers come as the simulator holds for
/// a reader that lags behind.
const LOOK: Duration = Duration::from_millis(20);

/// After this many looks, a line says how far things are.
const LOOKS_TO_A_LINE: u32 = 50;

/// What a run is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Messages in all, half of the conversations' on each platform.
    pub messages: usize,
    /// Conversations: the even ones are on Feishu, the odd ones on DingTalk.
    pub conversations: usize,
    /// How often the process is killed.
    pub kills: usize,
    /// Decides when it is killed and how slow platforms and models are. What the machine makes of it differs from run
    /// to run.
    pub seed: u64,
}

impl Plan {
    /// How long a run may take on a slow machine. Past it, something waits for ever.
    fn patience(&self) -> Duration {
        let each = |count: usize, time: Duration| time * u32::try_from(count).unwrap_or(u32::MAX);
        Duration::from_secs(60)
            + each(self.messages, Duration::from_millis(60))
            + each(self.kills, Duration::from_secs(2))
    }
}

/// Carries the plan out on this `magpie`, and tells `say` how it goes, line by line.
///
/// # Errors
///
/// When the process does not come up again, refuses a delivery, or leaves work undone for too long. A promise that was
/// broken is no error but a [`Verdict`].
pub async fn run(magpie: &str, plan: Plan, say: impl Fn(&str)) -> anyhow::Result<Verdict> {
    let stage = Arc::new(Stage::set(&plan).await?);
    let ledger = Arc::new(Ledger::open(stage.pretend.simulator.watch()));
    let mut keeper = Keeper::start(magpie, &stage.configuration()).await?;
    let deliveries = Arc::new(Deliveries::new(Arc::clone(&stage), Arc::clone(&ledger), keeper.url.clone()));
    let began = Instant::now();
    let work = async {
        let (talks, ()) = tokio::try_join!(deliveries.run(plan), keeper.strike(&plan, &ledger))?;
        drained(&stage, &keeper).await?;
        anyhow::Ok(talks)
    };
    let finished = tokio::select! {
        finished = timeout(plan.patience(), work) => finished,
        never = watch(&ledger, &plan, began, &say) => match never {},
    };
    let talks = match finished {
        Ok(Ok(talks)) => talks,
        Ok(Err(error)) => return Err(error.context(keeper.complaints())),
        Err(_) => bail!(
            "not done after {:?}: {}\n{}",
            plan.patience(),
            ledger.line(&plan, began.elapsed()),
            keeper.complaints()
        ),
    };
    let took = began.elapsed();
    let letters = keeper.end(plan.messages).await.context("the dead letters")?;
    say(&ledger.line(&plan, took));
    Ok(Verdict::reach(&plan, &talks, &ledger.close(), &letters, took))
}

/// Reads people's screens, and says about once a second how far things are.
async fn watch(
    ledger: &Ledger,
    plan: &Plan,
    began: Instant,
    say: &impl Fn(&str),
) -> std::convert::Infallible {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        for _ in 0..LOOKS_TO_A_LINE {
            looks.tick().await;
            ledger.look();
        }
        say(&ledger.line(plan, began.elapsed()));
    }
}

/// Waits until nothing is in the queue, neither waiting nor in work.
async fn drained(stage: &Stage, keeper: &Keeper) -> anyhow::Result<()> {
    let health = keeper.url.join("healthz")?;
    let mut looks = interval(LOOK);
    loop {
        looks.tick().await;
        let answer = stage.pretend.get_as_operator(health.clone()).await.context("the health check")?;
        let body: serde_json::Value = serde_json::from_slice(&answer.body)?;
        if body["queue_depth"] == 0 {
            return Ok(());
        }
    }
}
