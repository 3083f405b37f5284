//! The real components that tests and the chaos need: fetched, started, and told by environment variables.

use anyhow::Result;

use crate::{
    lambda, servers,
    servers::Server,
    steps::Steps,
    tools::{Part, Shelf, system},
    workspace::Workspace,
};

/// Gets every tool of the parts that are not left out, before anything is built: a registry that cannot be reached shows
/// at once.
///
/// # Errors
///
/// When one cannot be had; says what and how.
pub(crate) fn fetch(shelf: &Shelf, steps: &mut Steps, without: &[Part]) -> Result<()> {
    system::ensure(steps, without)?;
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

/// Where the components are, and those of them that run. They end with it.
#[derive(Default)]
pub(crate) struct Components {
    variables: Vec<(&'static str, String)>,
    servers: Vec<Server>,
}

impl Components {
    /// Builds the functions and starts the emulators, but for what is left out.
    ///
    /// # Errors
    ///
    /// When something does not build or does not start.
    pub(crate) fn set_up(
        workspace: &Workspace,
        shelf: &Shelf,
        steps: &mut Steps,
        without: &[Part],
    ) -> Result<Self> {
        let wanted = |part| !without.contains(&part);
        let mut components = Self::default();
        components.tell("MAGPIE_TEST_WITHOUT", names(without));
        if wanted(Part::Browser) {
            components.tell("MAGPIE_TEST_CHROMIUM", system::browser()?.to_string_lossy());
            components.tell("MAGPIE_TEST_NODE_MODULES", shelf.node_modules(steps)?.to_string_lossy());
        }
        if wanted(Part::Lambda) {
            components.tell("MAGPIE_TEST_RIE", shelf.runtime_emulator(steps)?.to_string_lossy());
            let bootstraps = lambda::build(workspace, shelf, steps, false)?;
            components.tell("MAGPIE_TEST_BOOTSTRAPS", bootstraps.to_string_lossy());
        }
        components.start(workspace, shelf, steps, without)?;
        Ok(components)
    }

    /// The environment of a program that is to find them.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str()))
    }

    fn tell(&mut self, name: &'static str, value: impl Into<String>) {
        self.variables.push((name, value.into()));
    }

    /// Starts the emulators that are not left out and tells where they are.
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
}

/// Parts as `--without` takes them.
pub(crate) fn names(parts: &[Part]) -> String {
    parts.iter().map(|part| part.name()).collect::<Vec<_>>().join(",")
}
