//! The deployment template, looked at by SAM's validator and by cfn-lint.

use std::process::Command;

use anyhow::Result;

use crate::{
    commands,
    steps::Steps,
    tools::{Part, Shelf, system},
    workspace::Workspace,
};

/// The template, below the root.
const TEMPLATE: &str = "infra/template.yaml";

/// `cargo xtask sam`: what both linters say, which must be nothing.
///
/// # Errors
///
/// When either finds something; carries its words.
pub(crate) fn check(workspace: &Workspace, shelf: &Shelf, steps: &mut Steps) -> Result<()> {
    system::ensure(steps, &[Part::Dynamodb, Part::Aws, Part::Lambda, Part::Browser])?;
    let programs = shelf.sam(steps)?;
    steps.run("sam validate --lint", || {
        let mut sam = Command::new(programs.join("sam"));
        sam.current_dir(&workspace.root).args(["validate", "--lint", "--template", TEMPLATE]);
        // Its own rules need a region to look things up for; nothing is asked of AWS.
        sam.env("SAM_CLI_TELEMETRY", "0").env("AWS_DEFAULT_REGION", "us-east-1");
        commands::read(&mut sam).map(drop)
    })?;
    steps.run("cfn-lint", || {
        let mut lint = Command::new(programs.join("cfn-lint"));
        commands::read(lint.current_dir(&workspace.root).args(["--include-checks", "W", "--", TEMPLATE]))
            .map(drop)
    })
}
