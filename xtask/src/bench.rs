//! `cargo xtask bench`: Magpie beside other gateways, and beside handlers of the platforms' SDKs.
//!
//! # Layout
//!
//! - this file: what is built, and what the benchmark is told
//! - [`load`]: what may be said to the load test
//! - [`peers`]: what Magpie is compared with, at the versions of each benchmark's `peers.json`

mod load;
mod peers;

use std::{path::PathBuf, process::Command};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

use crate::{commands, steps::Steps, tools::Shelf, workspace::Workspace};

/// Which benchmark.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Sixteen ways in which model servers fail, and what each gateway makes of them.
    Failures(Failures),
    /// What each gateway adds to a call: time, processor, memory.
    Router(Router),
    /// How many messages one process acknowledges and answers, beside handlers of Feishu's SDKs.
    Load(load::Load),
}

/// What of the failures is run.
#[derive(Args)]
pub(crate) struct Failures {
    /// Only these, of `magpie`, `portkey`, `litellm` and `direct`. Without it, all, and the page is written anew.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    only: Vec<String>,
    /// Multiplies every time of every scenario: 0.1 for a quick look at Magpie, whose own clocks shrink with it.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// The client asks for a stream in every scenario.
    #[arg(long)]
    streamed: bool,
}

/// What of the router is run.
#[derive(Args)]
pub(crate) struct Router {
    /// Only these, of `magpie`, `vllm-router`, `sglang-router`, `portkey` and `litellm`. Without it, all, and the page is
    /// written anew.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    only: Vec<String>,
    /// About a minute, to see that everything runs. Writes no page.
    #[arg(long)]
    quick: bool,
    /// Measures on a busy machine all the same.
    #[arg(long)]
    busy: bool,
}

/// Those that have a second model to ask, and no gateway at all.
const WITH_FALLBACK: &[&str] = &["magpie", "portkey", "litellm", "direct"];

/// Those that stand between a client and a model.
const BETWEEN: &[&str] = &["magpie", "vllm-router", "sglang-router", "portkey", "litellm"];

impl Bench {
    /// The package, and the program, that measures.
    fn package(&self) -> &'static str {
        match self {
            Self::Failures(_) | Self::Router(_) => "gateways",
            Self::Load(_) => "load",
        }
    }

    /// What is wanted, checked against what there is.
    fn wanted(&self) -> Result<Vec<&str>> {
        let (only, there) = match self {
            Self::Failures(failures) => (&failures.only, WITH_FALLBACK),
            Self::Router(router) => (&router.only, BETWEEN),
            Self::Load(load) => (&load.only, load::SERVERS),
        };
        if let Some(unknown) = only.iter().find(|name| !there.contains(&name.as_str())) {
            bail!("`{unknown}` is not measured here; there are {}", there.join(", "));
        }
        Ok(if only.is_empty() { there.to_vec() } else { only.iter().map(String::as_str).collect() })
    }

    /// What the benchmark is told, apart from where the programs are.
    fn arguments(&self, wanted: &[&str]) -> Vec<String> {
        let (name, only, page, mut arguments) = match self {
            Self::Failures(failures) => {
                let page = failures.only.is_empty() && failures.scale >= 1.0 && !failures.streamed;
                let scale = vec!["--scale".to_owned(), failures.scale.to_string()];
                ("failures", &failures.only, page, flag(scale, "--streamed", failures.streamed))
            }
            Self::Router(router) => {
                let flags = flag(flag(Vec::new(), "--quick", router.quick), "--busy", router.busy);
                ("router", &router.only, router.only.is_empty() && !router.quick, flags)
            }
            Self::Load(load) => ("load", &load.only, load.is_whole(), load.arguments()),
        };
        arguments.insert(0, if name == "load" { "run" } else { name }.to_owned());
        if !only.is_empty() {
            arguments.extend(["--only".to_owned(), wanted.join(",")]);
        }
        if page {
            arguments.extend(["--page".to_owned(), format!("docs/benchmarks/{name}.md")]);
        }
        arguments
    }
}

fn flag(mut arguments: Vec<String>, name: &str, is_set: bool) -> Vec<String> {
    if is_set {
        arguments.push(name.to_owned());
    }
    arguments
}

/// Fetches and builds what is wanted, and runs it.
///
/// # Errors
///
/// When something cannot be had, or the benchmark says that not all went as it should.
pub(crate) fn run(workspace: &Workspace, shelf: &Shelf, steps: &mut Steps, bench: &Bench) -> Result<()> {
    let wanted = bench.wanted()?;
    let mut programs = Vec::new();
    let package = bench.package();
    let list = format!("benches/{package}/peers.json");
    for name in wanted.iter().filter(|name| !["magpie", "direct"].contains(name)) {
        programs.push((*name, peers::fetch(workspace, shelf, steps, &list, name)?));
    }
    if wanted.contains(&"magpie") {
        programs.push(("magpie", build(workspace, steps, "standalone", "magpie")?));
    }
    let mut command = alone(&build(workspace, steps, package, package)?);
    command.current_dir(&workspace.root).args(bench.arguments(&wanted));
    command.arg("--logs").arg(workspace.target.join("bench-logs"));
    for (name, program) in programs {
        command.arg(format!("--{name}")).arg(program);
    }
    // Not a step: its last line is the result, and nothing is to follow it.
    commands::run(&mut command)
}

/// Builds a program as it is released.
fn build(workspace: &Workspace, steps: &mut Steps, package: &str, program: &str) -> Result<PathBuf> {
    steps.run(&format!("build {package}, released"), || {
        commands::run(workspace.cargo().args(["build", "--release", "--package", package]))
    })?;
    Ok(workspace.target.join("release").join(program))
}

/// The program in a network of its own, where the machine allows that: then nothing that is measured can be reached from
/// outside, and nothing of it can reach anything outside.
fn alone(program: &std::path::Path) -> Command {
    let bring_up = "ip link set lo up && exec \"$0\" \"$@\"";
    let prefix = ["--map-root-user", "--net", "--", "sh", "-c"];
    let works = Command::new("unshare").args(prefix).args([bring_up, "true"]).output();
    if works.is_ok_and(|output| output.status.success()) {
        let mut command = Command::new("unshare");
        command.args(prefix).arg(bring_up).arg(program);
        return command;
    }
    println!(
        "no network of its own here (`unshare --net` and `ip`): gateways that listen on all interfaces can be reached"
    );
    Command::new(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(only: &[&str], scale: f64) -> Bench {
        let only = only.iter().map(|name| (*name).to_owned()).collect();
        Bench::Failures(Failures { only, scale, streamed: false })
    }

    #[test]
    fn only_a_whole_run_writes_the_page() {
        for (bench, writes) in [
            (failures(&[], 1.0), true),
            (failures(&[], 0.1), false),
            (failures(&["magpie"], 1.0), false),
            (Bench::Router(Router { only: Vec::new(), quick: false, busy: true }), true),
            (Bench::Router(Router { only: Vec::new(), quick: true, busy: false }), false),
            (Bench::Load(load::Load::default()), true),
        ] {
            let arguments = bench.arguments(&bench.wanted().unwrap());
            assert_eq!(arguments.contains(&"--page".to_owned()), writes, "{arguments:?}");
        }
    }

    #[test]
    fn who_is_not_there_is_named() {
        let error = failures(&["magpie", "nobody"], 1.0).wanted().unwrap_err().to_string();
        assert!(error.contains("`nobody`") && error.contains("litellm"), "{error}");
        let bench = failures(&["magpie", "direct"], 1.0);
        assert!(bench.arguments(&bench.wanted().unwrap()).join(" ").ends_with("--only magpie,direct"));
    }
}
