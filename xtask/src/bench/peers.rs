//! The other gateways, installed at pinned versions into `target/tools`, their installation scripts never run.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::{commands, steps::Steps, tools::Shelf, workspace::Workspace};

/// Which versions: the benchmark prints them from the same file.
const PEERS: &str = "benches/gateways/peers.json";

/// Portkey's server within its package.
const PORTKEY_SERVER: &str = "node_modules/@portkey-ai/gateway/build/start-server.js";

/// Makes sure that a peer is there and gives its program.
///
/// # Errors
///
/// When it cannot be had.
pub(crate) fn fetch(workspace: &Workspace, shelf: &Shelf, steps: &mut Steps, name: &str) -> Result<PathBuf> {
    let text = fs::read_to_string(workspace.root.join(PEERS)).with_context(|| PEERS.to_owned())?;
    let peers: Value = serde_json::from_str(&text).with_context(|| PEERS.to_owned())?;
    let peer = &peers[name];
    if let Some(packages) = peer["pip"].as_array() {
        let packages: Vec<_> = packages.iter().filter_map(Value::as_str).collect();
        return Ok(shelf.python(steps, name, &packages)?.join(name));
    }
    let packages = peer.get("npm").with_context(|| format!("{PEERS} does not say how to get {name}"))?;
    let folder = shelf.fetch(steps, name, &packages.to_string(), |folder| {
        let mut manifest = packages.clone();
        manifest["private"] = json!(true);
        fs::write(folder.join("package.json"), manifest.to_string())?;
        let mut npm = Command::new("npm");
        npm.current_dir(folder).args(["install", "--ignore-scripts", "--no-audit", "--no-fund"]);
        commands::read(npm.arg("--loglevel=error")).map(drop)
    })?;
    Ok(folder.join(PORTKEY_SERVER))
}
