//! What Magpie is compared with, installed at pinned versions into `target/tools`, its installation scripts never run.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::{commands, steps::Steps, tools::Shelf, workspace::Workspace};

/// Makes sure that a peer is there and gives its program. The list says which versions and where the program is in what is
/// installed; the benchmark prints the versions from the same file.
///
/// # Errors
///
/// When it cannot be had.
pub(crate) fn fetch(
    workspace: &Workspace,
    shelf: &Shelf,
    steps: &mut Steps,
    list: &str,
    name: &str,
) -> Result<PathBuf> {
    let text = fs::read_to_string(workspace.root.join(list)).with_context(|| list.to_owned())?;
    let peers: Value = serde_json::from_str(&text).with_context(|| list.to_owned())?;
    let peer = &peers[name];
    let program =
        peer["program"].as_str().with_context(|| format!("{list} does not say what {name}'s program is"))?;
    if let Some(packages) = peer["pip"].as_array() {
        let packages: Vec<_> = packages.iter().filter_map(Value::as_str).collect();
        let programs = shelf.python(steps, name, &packages)?;
        return Ok(programs.with_file_name(program));
    }
    let packages = peer.get("npm").with_context(|| format!("{list} does not say how to get {name}"))?;
    let folder = shelf.fetch(steps, name, &packages.to_string(), |folder| {
        let mut manifest = packages.clone();
        manifest["private"] = json!(true);
        fs::write(folder.join("package.json"), manifest.to_string())?;
        let mut npm = Command::new("npm");
        npm.current_dir(folder).args(["install", "--ignore-scripts", "--no-audit", "--no-fund"]);
        commands::read(npm.arg("--loglevel=error")).map(drop)
    })?;
    Ok(folder.join(program))
}
