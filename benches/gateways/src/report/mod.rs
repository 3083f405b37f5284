//! Both results as pages.

pub mod failures;
pub mod router;

use std::{fs, io, path::Path};

use serde_json::Value;

use crate::gateway::Product;

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
fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
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
