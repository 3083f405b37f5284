//! Both results as pages.

pub mod failures;
pub mod router;

use std::{fs, io, path::Path};

use serde_json::Value;

use crate::{
    gateway::Product,
    router::{
        machine::{Machine, QUIET},
        stats::Range,
    },
};

/// The versions that are measured; `cargo xtask bench` installs them from the same file.
const PEERS: &str = include_str!("../../peers.json");

/// Makes the folder that a page goes to. Before anything is measured: it would be a pity afterwards.
///
/// # Errors
///
/// When it cannot be made.
pub fn make_room(page: &Path) -> io::Result<()> {
    page.parent().map_or(Ok(()), fs::create_dir_all)
}

/// A product with its version.
fn version(product: Product) -> String {
    let peers: Value = serde_json::from_str(PEERS).unwrap_or_default();
    let ours = (product == Product::Magpie).then_some(env!("CARGO_PKG_VERSION"));
    let version = ours.or_else(|| peers[product.name()]["version"].as_str());
    version.map_or_else(|| product.to_string(), |version| format!("{product} {version}"))
}

/// The date, as pages write it.
#[must_use]
pub fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

/// What a run took place on, as pages write it: the processors, the memory, the kernel, and whether it was quiet.
#[must_use]
pub fn place(machine: &Machine) -> String {
    let Machine { processors, model, kernel, memory, load } = machine;
    let quiet = if *load > QUIET {
        format!("**the machine was not quiet: load {load} at the start**")
    } else {
        format!("load {load} at the start")
    };
    format!("{processors} processors ({model}), {memory} GB, Linux {kernel}; {quiet}")
}

/// The middle of several runs, with the least and the most; a dash where there is none.
#[must_use]
pub fn middle(figures: impl Iterator<Item = f64>, digits: usize) -> String {
    Range::of(figures).map_or_else(|| "–".to_owned(), |range| format!("{range:.digits$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_a_version() {
        for product in Product::ALL {
            let shown = version(product);
            assert_eq!(product == Product::Direct, !shown.contains(' '), "{shown}");
        }
    }
}
