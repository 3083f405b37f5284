//! `cargo xtask simulate`: many histories of the turn engine, and the bugs that they must find.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{commands, steps::Steps, workspace::Workspace};

/// How many histories a planted bug may hide in.
const PATIENCE: u64 = 50_000;

/// Runs this many histories from this seed on, over all processors.
///
/// # Errors
///
/// When a promise is broken; the output names the seeds.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps, runs: u64, seed: u64) -> Result<()> {
    let program = steps.run("build the simulation", || build(workspace, None))?;
    let (runs, seed) = (runs.to_string(), seed.to_string());
    commands::run(Command::new(program).args(["--runs", &runs, "--seed", &seed]))
}

/// Builds each planted bug in turn, or those named, and says after how many histories it was found.
///
/// # Errors
///
/// When one is not found, or there is none of a name.
pub(crate) fn planted(workspace: &Workspace, steps: &mut Steps, seed: u64, only: &[String]) -> Result<()> {
    let mut bugs = bugs(&workspace.root)?;
    if let Some(unknown) = only.iter().find(|name| !bugs.contains(name)) {
        bail!("there is no planted bug `{unknown}`; there are {}", bugs.join(", "));
    }
    bugs.retain(|bug| only.is_empty() || only.contains(bug));
    let mut missed = Vec::new();
    let mut lines = Vec::new();
    for bug in bugs {
        let found = steps.run(&bug, || seek(workspace, &bug, seed))?;
        lines.push(format!("{bug:<24}{}", found.as_deref().unwrap_or("NOT FOUND")));
        if found.is_none() {
            missed.push(bug);
        }
    }
    println!("{}", lines.join("\n"));
    if !missed.is_empty() {
        bail!("{PATIENCE} histories did not find {}", missed.join(", "));
    }
    println!("{} planted bugs, all found", lines.len());
    Ok(())
}

/// How a bug was found, if it was.
fn seek(workspace: &Workspace, bug: &str, seed: u64) -> Result<Option<String>> {
    let program = build(workspace, Some(bug))?;
    let (runs, seed) = (PATIENCE.to_string(), seed.to_string());
    let mut command = Command::new(program);
    command.args(["--first", "--quiet", "--runs", &runs, "--seed", &seed]);
    let output = command.output().context("the simulation cannot be started")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |start: &str| text.lines().find(|line| line.starts_with(start));
    let runs = text.lines().last().and_then(|line| line.split_once(' ')).map_or("?", |(runs, _)| runs);
    Ok(line("seed ").filter(|_| !output.status.success()).map(|why| format!("after {runs:>6} runs, {why}")))
}

/// Builds the simulation, quicker to link than what is deployed, and gives the program.
///
/// A planted bug is a `cfg` of our own crates only. A wrapper around their compiler sets it: flags for all crates would
/// build every dependency again for each bug.
fn build(workspace: &Workspace, bug: Option<&str>) -> Result<PathBuf> {
    let target = workspace.target.join("simulation");
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--quiet", "--release", "--package", "simulation", "--bin", "simulate"]);
    cargo.args(["--config", "profile.release.lto=false", "--config", "profile.release.codegen-units=16"]);
    cargo.arg("--target-dir").arg(&target);
    if let Some(bug) = bug {
        // Our own crates are built again for each bug, and then mostly run for a second.
        cargo.args(["--config", "profile.release.opt-level=1"]);
        cargo.args(["--config", "profile.release.package.'*'.opt-level=3"]);
        cargo.env("RUSTC_WORKSPACE_WRAPPER", wrapper(&target.join("planted"), bug)?);
    }
    commands::run(&mut cargo)?;
    Ok(target.join("release/simulate"))
}

/// A program of the bug's name that calls the compiler with the bug set. Cargo tells builds apart by its path.
fn wrapper(folder: &Path, bug: &str) -> Result<PathBuf> {
    let path = folder.join(bug);
    let script =
        format!("#!/bin/sh\ncompiler=$1\nshift\nexec \"$compiler\" \"$@\" --cfg 'planted=\"{bug}\"'\n");
    if fs::read_to_string(&path).is_ok_and(|standing| standing == script) {
        return Ok(path);
    }
    fs::create_dir_all(folder)?;
    fs::write(&path, script)?;
    commands::run(Command::new("chmod").arg("+x").arg(&path))?;
    Ok(path)
}

/// The bugs that the workspace's manifest declares.
fn bugs(root: &Path) -> Result<Vec<String>> {
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let bugs = declared(&manifest);
    if bugs.is_empty() {
        bail!("Cargo.toml declares no values of the cfg `planted`");
    }
    Ok(bugs)
}

fn declared(manifest: &str) -> Vec<String> {
    let values = manifest.split("'cfg(planted, values(\"").skip(1);
    values.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_bugs_are_read() {
        let manifest = "[\n 'cfg(planted, values(\"one\"))',\n 'cfg(planted, values(\"two\"))',\n]";
        assert_eq!(declared(manifest), ["one", "two"]);
        assert!(declared("nothing").is_empty());
    }
}
