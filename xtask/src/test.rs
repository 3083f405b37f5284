//! `cargo xtask test`: every test, with the real components it needs.

use std::process::Command;

use anyhow::Result;

use crate::{
    commands, lambda, sam, servers,
    servers::Server,
    steps::Steps,
    tally::{self, Tally},
    tools::{Part, Shelf, system},
    workspace::Workspace,
};

/// What the tests are told, and the servers that must outlive them.
#[derive(Default)]
struct Bench {
    variables: Vec<(&'static str, String)>,
    servers: Vec<Server>,
}

/// Fetches and starts what is not left out, runs the tests, and stops it again.
///
/// # Errors
///
/// When something cannot be had, or a test fails.
pub(crate) fn run(
    workspace: &Workspace,
    shelf: &Shelf,
    steps: &mut Steps,
    without: &[Part],
    only: &[String],
) -> Result<()> {
    let left_out = without.iter().map(|part| part.name()).collect::<Vec<_>>().join(",");
    announce(&left_out);
    system::ensure(steps, without)?;
    fetch(shelf, steps, without)?;
    let wanted = |part| !without.contains(&part);
    if wanted(Part::Sam) {
        sam::check(workspace, shelf, steps)?;
    }
    let mut bench = Bench::default();
    bench.tell("MAGPIE_TEST_WITHOUT", left_out.as_str());
    if wanted(Part::Browser) {
        bench.tell("MAGPIE_TEST_CHROMIUM", system::browser()?.to_string_lossy().into_owned());
        bench.tell("MAGPIE_TEST_NODE_MODULES", shelf.node_modules(steps)?.to_string_lossy().into_owned());
    }
    if wanted(Part::Lambda) {
        bench.tell("MAGPIE_TEST_RIE", shelf.runtime_emulator(steps)?.to_string_lossy().into_owned());
        bench.tell(
            "MAGPIE_TEST_BOOTSTRAPS",
            lambda::build(workspace, shelf, steps, false)?.to_string_lossy().into_owned(),
        );
    }
    steps.run("build magpie", || {
        commands::run(workspace.cargo().args(["build", "--package", "standalone"]))
    })?;
    bench.tell("MAGPIE_TEST_MAGPIE", workspace.target.join("debug/magpie").to_string_lossy().into_owned());
    bench.start(workspace, shelf, steps, without)?;
    let mut tally = Tally::default();
    let result = steps.run("cargo test", || {
        tally = tally::run(&mut bench.tests(workspace, only), &mut std::io::stdout())?;
        tally.verdict()
    });
    steps.run("stop servers", || {
        drop(bench);
        Ok(())
    })?;
    announce(&left_out);
    println!("{tally}");
    result
}

/// Fetches every tool that will be used, before anything is built: a registry that cannot be reached shows at once.
fn fetch(shelf: &Shelf, steps: &mut Steps, without: &[Part]) -> Result<()> {
    for part in [Part::Dynamodb, Part::Aws, Part::Lambda, Part::Browser, Part::Sam, Part::Model] {
        if without.contains(&part) {
            continue;
        }
        match part {
            Part::Dynamodb => shelf.dynamodb(steps)?,
            Part::Aws => shelf.ministack(steps)?,
            Part::Lambda => shelf.cargo_lambda(steps).and_then(|_| shelf.runtime_emulator(steps))?,
            Part::Browser => shelf.node_modules(steps)?,
            Part::Sam => shelf.sam(steps)?,
            Part::Model => shelf.model(steps)?,
        };
    }
    Ok(())
}

/// Says loudly what is not tested.
fn announce(left_out: &str) {
    if !left_out.is_empty() {
        println!("!!! LEFT OUT: {left_out}. The tests that need it do not run; this is not a full test.");
    }
}

impl Bench {
    fn tell(&mut self, name: &'static str, value: impl Into<String>) {
        self.variables.push((name, value.into()));
    }

    /// Starts the emulators that are not left out and tells the tests where they are.
    fn start(
        &mut self,
        workspace: &Workspace,
        shelf: &Shelf,
        steps: &mut Steps,
        without: &[Part],
    ) -> Result<()> {
        let logs = workspace.target.join("xtask-logs");
        if !without.contains(&Part::Dynamodb) {
            let folder = shelf.dynamodb(steps)?;
            let server = steps.run("start DynamoDB Local", || servers::dynamodb(&folder, &logs))?;
            self.tell("MAGPIE_TEST_DYNAMODB", server.url());
            self.servers.push(server);
        }
        if !without.contains(&Part::Aws) {
            let programs = shelf.ministack(steps)?;
            let server = steps.run("start ministack", || servers::ministack(&programs, &logs))?;
            self.tell("MAGPIE_TEST_AWS", server.url());
            self.servers.push(server);
        }
        if !without.contains(&Part::Model) {
            let programs = shelf.model(steps)?;
            let server = steps.run("start llama.cpp", || servers::model(&programs, &logs))?;
            self.tell("MAGPIE_TEST_MODEL", server.url());
            self.servers.push(server);
        }
        Ok(())
    }

    /// `cargo test` over the whole workspace, documentation included, or over what `only` says; to the end even when
    /// one crate's tests fail.
    fn tests(&self, workspace: &Workspace, only: &[String]) -> Command {
        let mut cargo = workspace.cargo();
        cargo.args(["test", "--no-fail-fast"]);
        if only.is_empty() {
            cargo.arg("--workspace");
        }
        cargo.args(only);
        cargo.envs(self.variables.iter().map(|(name, value)| (name, value)));
        cargo
    }
}
