//! The gateways that are compared, each started as its makers say, all with the same budgets.
//!
//! # Layout
//!
//! - this file: which there are, and where each is asked
//! - [`budget`]: what all of them are given
//! - [`magpie`], `litellm`, `portkey`, `routers`: how each is configured
//! - [`process`]: starting and ending

pub mod budget;
mod litellm;
pub mod magpie;
mod portkey;
pub mod process;
mod routers;

use std::{collections::HashMap, fmt, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::ValueEnum;

use crate::{
    client::Address,
    mock::Mock,
    scale::Scale,
    scenarios::{SCENARIOS, Scenario},
};
use process::Process;

/// The token with which every gateway is asked, and asks the mock. It opens nothing else.
pub const TOKEN: &str = "sk-benchmark-0123456789";

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum Product {
    /// No gateway: the client asks the first model itself
    Direct,
    /// This project's standalone
    Magpie,
    /// vllm-router
    VllmRouter,
    /// sglang-router
    SglangRouter,
    /// Portkey's gateway
    Portkey,
    /// LiteLLM's proxy
    Litellm,
}

impl Product {
    /// All, in the order of the tables.
    pub const ALL: [Self; 6] =
        [Self::Direct, Self::Magpie, Self::VllmRouter, Self::SglangRouter, Self::Portkey, Self::Litellm];

    /// Those that have a fallback between models, and `direct` beside them.
    pub const WITH_FALLBACK: [Self; 4] = [Self::Magpie, Self::Portkey, Self::Litellm, Self::Direct];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Magpie => "magpie",
            Self::VllmRouter => "vllm-router",
            Self::SglangRouter => "sglang-router",
            Self::Portkey => "portkey",
            Self::Litellm => "litellm",
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where the gateways' programs are. What is not there cannot be measured.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Programs {
    /// `magpie`
    #[arg(long)]
    pub magpie: Option<PathBuf>,
    /// `litellm`
    #[arg(long)]
    pub litellm: Option<PathBuf>,
    /// Portkey's `start-server.js`
    #[arg(long)]
    pub portkey: Option<PathBuf>,
    /// `vllm-router`
    #[arg(long)]
    pub vllm_router: Option<PathBuf>,
    /// `sglang-router`
    #[arg(long)]
    pub sglang_router: Option<PathBuf>,
    /// The folder for what they say
    #[arg(long, default_value = "target/bench-logs")]
    pub logs: PathBuf,
}

impl Programs {
    fn of(&self, product: Product) -> anyhow::Result<&PathBuf> {
        let program = match product {
            Product::Direct => None,
            Product::Magpie => self.magpie.as_ref(),
            Product::Litellm => self.litellm.as_ref(),
            Product::Portkey => self.portkey.as_ref(),
            Product::VllmRouter => self.vllm_router.as_ref(),
            Product::SglangRouter => self.sglang_router.as_ref(),
        };
        program.with_context(|| format!("no program for {product} was named"))
    }
}

/// Where a question goes, and which model it names.
#[derive(Debug, Clone)]
pub struct Door {
    /// Where.
    pub address: Address,
    /// Which.
    pub model: String,
}

/// The doors of a scenario.
#[derive(Debug, Clone)]
pub struct Doors {
    /// The way over both models.
    pub both: Door,
    /// The healthy model alone, through the same gateway.
    pub healthy: Door,
}

/// A gateway that stands ready for the scenarios.
#[derive(Debug)]
pub struct Stand {
    doors: HashMap<&'static str, Doors>,
    /// How long the client itself waits, where no gateway does it for it.
    pub client_timeout: Option<Duration>,
    _processes: Vec<Process>,
}

/// A gateway that stands ready for measuring.
#[derive(Debug)]
pub struct Track {
    /// Where it is asked.
    pub address: Address,
    /// Its process; `direct` has none.
    pub process: Option<Process>,
}

impl Stand {
    /// Starts what a product needs for these scenarios.
    ///
    /// # Errors
    ///
    /// When a process does not come up, or the product has no fallback between models.
    pub async fn start(
        product: Product,
        scenarios: &[&'static Scenario],
        programs: &Programs,
        mock: &Mock,
        scale: Scale,
    ) -> anyhow::Result<Self> {
        match product {
            Product::Direct => {
                let mut stand = Self::at(mock.address, scenarios, Vec::new())?;
                stand.client_timeout = Some(scale.of(budget::TIMEOUT));
                Ok(stand)
            }
            Product::Magpie => magpie::stand(programs, scenarios, mock, scale).await,
            Product::Litellm => litellm::stand(programs, mock, scale).await,
            Product::Portkey => portkey::stand(programs, mock, scale).await,
            Product::VllmRouter | Product::SglangRouter => {
                anyhow::bail!("{product} spreads questions over equal servers; it has no second model to ask")
            }
        }
    }

    /// One that is asked at one socket, where a model's name opens its scenario.
    ///
    /// # Errors
    ///
    /// When the address is not one.
    pub fn at(
        socket: SocketAddr,
        scenarios: &[&'static Scenario],
        processes: Vec<Process>,
    ) -> anyhow::Result<Self> {
        let address = Address::with_token(socket, TOKEN)?;
        let door = |model| Door { address: address.clone(), model };
        let doors = |scenario: &Scenario| Doors {
            both: door(scenario.primary_model()),
            healthy: door(scenario.fallback_model()),
        };
        let doors = scenarios.iter().map(|scenario| (scenario.id, doors(scenario))).collect();
        Ok(Self { doors, client_timeout: None, _processes: processes })
    }

    /// A scenario's doors.
    ///
    /// # Errors
    ///
    /// When it was not started for this scenario.
    pub fn doors(&self, scenario: &Scenario) -> anyhow::Result<&Doors> {
        self.doors.get(scenario.id).with_context(|| format!("not started for {}", scenario.id))
    }
}

impl Track {
    /// Starts a product in front of the mock's models for measuring.
    ///
    /// # Errors
    ///
    /// When it does not come up.
    pub async fn start(product: Product, programs: &Programs, mock: SocketAddr) -> anyhow::Result<Self> {
        let base = format!("http://{mock}");
        match product {
            Product::Direct => Ok(Self { address: Address::with_token(mock, TOKEN)?, process: None }),
            Product::Magpie => magpie::track(programs, &base).await,
            Product::Litellm => litellm::track(programs, &base).await,
            Product::Portkey => portkey::track(programs, &base).await,
            Product::VllmRouter | Product::SglangRouter => routers::track(product, programs, &base).await,
        }
    }

    fn of(process: Process) -> anyhow::Result<Self> {
        Ok(Self { address: Address::with_token(process.socket, TOKEN)?, process: Some(process) })
    }
}

/// All scenarios, as a start wants them.
#[must_use]
pub fn every_scenario() -> Vec<&'static Scenario> {
    SCENARIOS.iter().collect()
}
