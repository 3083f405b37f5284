//! The servers that are measured, and what each costs.
//!
//! # Layout
//!
//! - this file: which there are
//! - `start`: how each is started and ended
//! - [`memory`]: memory over time

pub mod memory;
mod start;

use std::{fmt, path::PathBuf};

use clap::ValueEnum;
use serde_json::Value;

pub use start::{Running, Setup};

/// The versions that are measured; `cargo xtask bench load` installs them from the same file.
const PEERS: &str = include_str!("../../peers.json");

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Product {
    /// This project's standalone
    Magpie,
    /// A handler with Feishu's SDK for Python, behind FastAPI and uvicorn
    PythonSdk,
    /// A handler with Feishu's SDK for Node, behind express
    NodeSdk,
}

/// A server: a product and in how many processes it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// Which product.
    pub product: Product,
    /// In how many processes.
    pub processes: usize,
}

/// Where the programs are. What is not there cannot be measured.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Programs {
    /// `magpie`
    #[arg(long)]
    pub magpie: Option<PathBuf>,
    /// A `python3` that has the SDK
    #[arg(long)]
    pub python_sdk: Option<PathBuf>,
    /// A `node_modules` folder that has the SDK
    #[arg(long)]
    pub node_sdk: Option<PathBuf>,
    /// The folder for what the servers write
    #[arg(long, default_value = "target/bench-logs")]
    pub logs: PathBuf,
}

impl Server {
    /// Those of these products: Magpie in its one process; a handler in one, as its documentation starts it, and in as
    /// many as there are processors.
    #[must_use]
    pub fn of(products: &[Product], processors: usize) -> Vec<Self> {
        let all = |product: &Product| {
            let handler = *product != Product::Magpie && processors > 1;
            let counts = if handler { vec![1, processors] } else { vec![1] };
            counts.into_iter().map(|processes| Self { product: *product, processes }).collect::<Vec<_>>()
        };
        products.iter().flat_map(all).collect()
    }

    /// What its files are called.
    fn file_name(self) -> String {
        format!("load-{}-{}", self.product.name(), self.processes)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.processes {
            1 => write!(f, "{}", self.product.name()),
            processes => write!(f, "{}, {processes} processes", self.product.name()),
        }
    }
}

impl Product {
    /// All, in the order of the tables.
    pub const ALL: [Self; 3] = [Self::Magpie, Self::PythonSdk, Self::NodeSdk];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Magpie => "magpie",
            Self::PythonSdk => "python-sdk",
            Self::NodeSdk => "node-sdk",
        }
    }

    /// Its packages with their versions.
    #[must_use]
    pub fn packages(self) -> Vec<String> {
        if self == Self::Magpie {
            return vec![format!("magpie {}", env!("CARGO_PKG_VERSION"))];
        }
        let peers: Value = serde_json::from_str(PEERS).unwrap_or_default();
        let peer = &peers[self.name()];
        let pip = peer["pip"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let pip = pip.map(|package| package.replace("==", " "));
        let npm = peer["npm"]["dependencies"].as_object().into_iter().flatten();
        let npm = npm.map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or_default()));
        pip.chain(npm).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_has_versions() {
        for product in Product::ALL {
            let packages = product.packages();
            assert!(!packages.is_empty(), "{product:?}");
            for package in packages {
                assert!(package.contains(' ') && package.contains('.'), "{package}");
            }
        }
    }

    #[test]
    fn handlers_run_in_one_process_and_in_as_many_as_there_are_processors() {
        let shown = |processors| {
            Server::of(&Product::ALL, processors).iter().map(Server::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            shown(2),
            ["magpie", "python-sdk", "python-sdk, 2 processes", "node-sdk", "node-sdk, 2 processes"]
        );
        assert_eq!(shown(1), ["magpie", "python-sdk", "node-sdk"]);
    }
}
