//! `cargo xtask chaos`: a real `magpie`, or the built functions, under load and struck at random moments.

use std::process::Command;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::{
    commands,
    components::{self, Components},
    steps::Steps,
    tools::{Part, Shelf},
    workspace::Workspace,
};

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
    /// The functions of AWS Lambda in place of `magpie`, with an emulated queue and table, and what happens to them.
    #[arg(long, value_enum, conflicts_with = "release")]
    functions: Option<Strike>,
    /// Builds `magpie` as it is released; functions always are.
    #[arg(long)]
    release: bool,
}

/// What happens to functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Strike {
    /// A worker is killed, as often as `--kills` says
    Kill,
    /// The table is cut off for a while, as often as `--kills` says
    CutOff,
    /// One call to a model in six hangs, and one send in six is answered with 200 and an error inside
    Answers,
}

/// What functions do not need.
const BESIDES_FUNCTIONS: [Part; 3] = [Part::Browser, Part::Sam, Part::Model];

impl Chaos {
    /// The program's arguments.
    fn arguments(&self) -> Vec<String> {
        // The program has the same names.
        let strike = self.functions.and_then(|strike| strike.to_possible_value());
        let mut arguments = Vec::new();
        for (name, value) in [
            ("--messages", Some(self.messages.to_string())),
            ("--conversations", Some(self.conversations.to_string())),
            ("--kills", Some(self.kills.to_string())),
            ("--seed", self.seed.map(|seed| seed.to_string())),
            ("--functions", strike.map(|strike| strike.get_name().to_owned())),
        ] {
            arguments.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
        }
        arguments
    }
}

/// Builds what is struck and the program that strikes, and runs them.
///
/// # Errors
///
/// When something cannot be had or built, or a promise was broken; the output names the messages.
pub(crate) fn run(workspace: &Workspace, shelf: &Shelf, steps: &mut Steps, chaos: &Chaos) -> Result<()> {
    let mut program = Command::new(workspace.target.join("debug").join("chaos"));
    program.current_dir(&workspace.root).args(chaos.arguments());
    let components = if chaos.functions.is_some() {
        components::fetch(shelf, steps, &BESIDES_FUNCTIONS)?;
        let components = Components::set_up(workspace, shelf, steps, &BESIDES_FUNCTIONS)?;
        program.envs(components.variables());
        Some(components)
    } else {
        let (profile, folder) = if chaos.release { ("release", "release") } else { ("dev", "debug") };
        steps.run("build magpie", || {
            commands::run(workspace.cargo().args(["build", "--package", "standalone", "--profile", profile]))
        })?;
        program.arg("--magpie").arg(workspace.target.join(folder).join("magpie"));
        None
    };
    steps.run("build the chaos", || {
        commands::run(workspace.cargo().args(["build", "--package", "magpie-tests", "--bin", "chaos"]))
    })?;
    // Not a step: its last line is the result, and nothing is to follow it.
    let result = commands::run(&mut program);
    drop(components);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_is_handed_on() {
        let mut chaos =
            Chaos { messages: 3, conversations: 2, kills: 1, seed: None, functions: None, release: false };
        assert_eq!(chaos.arguments(), ["--messages", "3", "--conversations", "2", "--kills", "1"]);
        chaos.seed = Some(9);
        assert_eq!(chaos.arguments()[6..], ["--seed", "9"]);
        let strikes = [(Strike::Kill, "kill"), (Strike::CutOff, "cut-off"), (Strike::Answers, "answers")];
        for (strike, name) in strikes {
            chaos.functions = Some(strike);
            assert_eq!(chaos.arguments()[8..], ["--functions", name]);
        }
    }
}
