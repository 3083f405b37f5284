//! `cargo xtask chaos`: a real `magpie` under load, killed at random moments.

use anyhow::Result;
use clap::Args;

use crate::{commands, steps::Steps, workspace::Workspace};

/// What a run is made of.
#[derive(Args)]
pub(crate) struct Chaos {
    /// Messages in all. Each is delivered three times.
    #[arg(long, default_value_t = 10_000)]
    messages: usize,
    /// Conversations, half of them on Feishu and half on DingTalk.
    #[arg(long, default_value_t = 200)]
    conversations: usize,
    /// How often the process is killed.
    #[arg(long, default_value_t = 200)]
    kills: usize,
    /// Decides when it is killed; otherwise the time does. A run says which it had.
    #[arg(long)]
    seed: Option<u64>,
    /// Builds it as it is released.
    #[arg(long)]
    release: bool,
}

impl Chaos {
    /// The program's arguments.
    fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        for (name, value) in [
            ("--messages", Some(self.messages.to_string())),
            ("--conversations", Some(self.conversations.to_string())),
            ("--kills", Some(self.kills.to_string())),
            ("--seed", self.seed.map(|seed| seed.to_string())),
        ] {
            arguments.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
        }
        arguments
    }
}

/// Builds both programs and runs them.
///
/// # Errors
///
/// When one cannot be built, or a promise was broken; the output names the messages.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps, chaos: &Chaos) -> Result<()> {
    let (profile, folder) = if chaos.release { ("release", "release") } else { ("dev", "debug") };
    steps.run("build magpie", || {
        commands::run(workspace.cargo().args(["build", "--package", "standalone", "--profile", profile]))
    })?;
    steps.run("build the chaos", || {
        commands::run(workspace.cargo().args(["build", "--package", "magpie-tests", "--bin", "chaos"]))
    })?;
    // Not a step: its last line is the result, and nothing is to follow it.
    let magpie = workspace.target.join(folder).join("magpie");
    let mut program = std::process::Command::new(workspace.target.join("debug").join("chaos"));
    commands::run(program.current_dir(&workspace.root).arg("--magpie").arg(magpie).args(chaos.arguments()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_handed_on_when_there_is_one() {
        let mut chaos = Chaos { messages: 3, conversations: 2, kills: 1, seed: None, release: false };
        assert_eq!(chaos.arguments(), ["--messages", "3", "--conversations", "2", "--kills", "1"]);
        chaos.seed = Some(9);
        assert_eq!(chaos.arguments()[6..], ["--seed", "9"]);
    }
}
