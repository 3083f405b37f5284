//! `cargo xtask test`: every test, with the real components it needs.

use std::process::Command;

use anyhow::Result;

use crate::{
    commands,
    components::{self, Components},
    sam,
    steps::Steps,
    tally::{self, Tally},
    tools::{Part, Shelf},
    workspace::Workspace,
};

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
    let left_out = components::names(without);
    announce(&left_out);
    components::fetch(shelf, steps, without)?;
    if !without.contains(&Part::Sam) {
        sam::check(workspace, shelf, steps)?;
    }
    let components = Components::set_up(workspace, shelf, steps, without)?;
    steps.run("build magpie", || {
        commands::run(workspace.cargo().args(["build", "--package", "standalone"]))
    })?;
    let mut tally = Tally::default();
    let result = steps.run("cargo test", || {
        tally = tally::run(&mut tests(workspace, &components, only), &mut std::io::stdout())?;
        tally.verdict()
    });
    steps.run("stop servers", || {
        drop(components);
        Ok(())
    })?;
    announce(&left_out);
    println!("{tally}");
    result
}

/// Says loudly what is not tested.
fn announce(left_out: &str) {
    if !left_out.is_empty() {
        println!("!!! LEFT OUT: {left_out}. The tests that need it do not run; this is not a full test.");
    }
}

/// `cargo test` over the whole workspace, documentation included, or over what `only` says; to the end even when one
/// crate's tests fail.
fn tests(workspace: &Workspace, components: &Components, only: &[String]) -> Command {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--no-fail-fast"]);
    if only.is_empty() {
        cargo.arg("--workspace");
    }
    cargo.args(only);
    cargo.envs(components.variables());
    cargo.env("MAGPIE_TEST_MAGPIE", workspace.target.join("debug/magpie"));
    cargo
}
