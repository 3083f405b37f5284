//! The turn engine under faults: one seed decides every delay, failure and crash.
//!
//! [`run`] drives the real receiver and the real worker, with the real platforms' crates, through one history: people
//! write in several conversations, webhooks come again, stores refuse or lose their answers, platforms ask to wait,
//! models fail, processes die between any two steps or stand still until their leases are over, operators bring dead
//! letters back, rotate keys, and roll out another version that shares the tables with this one. Then the faults stop,
//! and everything must come to its end within a bounded number of steps. An oracle that knows nothing of how the engine works
//! says which promises were broken.
//!
//! There is no runtime, no socket and no real time. Each operation of a port yields exactly once; futures are polled
//! by hand in the order of simulated time; a crash is a future that is dropped, or one that is kept and never polled
//! again, which is what a killed process is: nothing of it runs any more, its destructors neither. The same seed
//! gives the same history, to the byte: [`Outcome::trace`] is a hash of all of it.
//!
//! # Layout
//!
//! - `plan`, `faults`, `upkeep`: what a seed decides before the run
//! - `world`: the executor; `engine`: the real engine at the simulated ports
//! - `sim`: what all ports share; `trouble`: an operation behind a network that fails
//! - `ports`, `stores`, `queue`, `wire`: the ports; `form`: what another version writes there; `desk`: operators
//! - `platforms`, `webhooks`, `model`: the outside
//! - `oracle`, `judge`: the promises, watched and judged; `reading`: which answer a text holds
//!
//! # Example
//!
//! ```
//! use simulation::{Options, run};
//!
//! let outcome = run(7, &Options::default())?;
//! assert!(outcome.violations.is_empty(), "{:?}", outcome.violations);
//! assert_eq!(outcome.trace, run(7, &Options::default())?.trace, "the same seed, the same history");
//! # Ok::<(), anyhow::Error>(())
//! ```

mod desk;
mod engine;
mod faults;
mod form;
mod judge;
mod model;
mod oracle;
mod plan;
mod platforms;
mod ports;
mod queue;
mod reading;
mod sim;
mod stores;
mod trouble;
mod upkeep;
mod webhooks;
mod wire;
mod world;

use std::{collections::BTreeMap, sync::Arc};

use fastrand::Rng;

use crate::{plan::Plan, sim::Sim, world::World};

/// How a history is made from its seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// How much goes on.
    pub size: Size,
    /// Who dies when.
    pub crash: Crash,
    /// What operators do meanwhile.
    pub upkeep: Upkeep,
    /// Whether [`Outcome::story`] is wanted.
    pub story: bool,
}

/// How much goes on in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Size {
    /// Two to four conversations of one to five messages.
    #[default]
    Usual,
    /// One or two of each, so that every point of it can be tried.
    Small,
}

/// Who dies when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Crash {
    /// As the seed has it: up to three crashes, and up to two processes that stand still for a while.
    #[default]
    Drawn,
    /// One process, after this step.
    At {
        /// Counted from 0 over the whole history: the polls of tasks that have something to do.
        step: u64,
        /// Whether it dies without running its destructors.
        forget: bool,
    },
}

/// What operators do meanwhile: whether they redrive dead letters, rotate the vault's keys, roll out another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Upkeep {
    /// As the seed has it. Platforms deliver some messages late then, too, and do not insist on others.
    #[default]
    Drawn,
    /// Nothing of it: what a history was before there was upkeep.
    None,
}

/// Which promise was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// An accepted message got no answer, no apology, and was not parked; or it was parked, and operators cannot bring it
    /// back.
    Lost,
    /// People saw an answer, or a part of it, twice; or two answers to one message.
    Duplicated,
    /// Answers of one conversation came in another order than its messages.
    Disordered,
    /// An answer went to another message.
    Misdirected,
    /// Two workers held a turn, or a worker that had lost it could write.
    Fence,
    /// A model was asked for an answer that was kept already, or an answer was kept over another.
    AskedAgain,
    /// A model was shown another conversation.
    Memory,
    /// A turn was parked and nothing had happened that would explain it.
    Unexcused,
    /// Without faults, and within the steps that are enough, not everything ended.
    Stuck,
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub broken: Broken,
    /// Where and how. `q1.2` is the third message of the second conversation.
    pub what: String,
}

/// What one history came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The broken promises, in the order of their discovery.
    pub violations: Vec<Violation>,
    /// A hash of everything that happened.
    pub trace: u64,
    /// How many polls the history took.
    pub polls: u64,
    /// How many of them were of tasks that had something to do.
    pub steps: u64,
    /// How many polls were followed by a crash.
    pub crashes: u64,
    /// How the turns ended, and how many in each way.
    pub endings: BTreeMap<&'static str, u64>,
    /// What happened, a line each: for whoever looks into one seed.
    pub story: Vec<String>,
}

/// Runs the history of one seed to its end.
///
/// # Errors
///
/// When the engine cannot be set up, which is not a matter of the seed.
pub fn run(seed: u64, options: &Options) -> anyhow::Result<Outcome> {
    let mut chance = Rng::with_seed(seed);
    let plan = Plan::draw(seed, &mut chance, options);
    let sim = Arc::new(Sim::new(plan, chance, options.story));
    let mut world = World::new(sim.clone(), options.crash)?;
    world.run()?;
    let (polls, steps, crashes) = (world.polls, world.steps, world.crashes);
    Ok(sim.with(|state| Outcome {
        violations: std::mem::take(&mut state.oracle.violations),
        trace: state.trace(),
        polls,
        steps,
        crashes,
        endings: state.oracle.endings(),
        story: state.take_story(),
    }))
}
