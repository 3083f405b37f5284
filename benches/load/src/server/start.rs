//! How each server is started, and ended.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use gateways::{
    gateway::{
        magpie,
        process::{Process, bound_to_us},
    },
    router::cost::{Cost, family},
};

use super::{Product, Programs, Server};
use crate::{
    mock::MODEL,
    webhook::{CREDENTIALS_VARIABLE, credentials},
};

/// How long a server that has started may take until it is idle: until all its processes have loaded their packages.
const PATIENCE: Duration = Duration::from_secs(20);

/// It is idle when it needs no more than [`IDLE_MS`] of processor time for so long.
const IDLE_FOR: Duration = Duration::from_millis(400);

/// Processor time in milliseconds.
const IDLE_MS: f64 = 20.0;

/// What a server is started with.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// The model server and the platform's API.
    pub mock: SocketAddr,
    /// How many turns Magpie has in flight at most; by default its own limit.
    pub turns: Option<usize>,
}

/// A running server. Ended when dropped, with what it stored.
#[derive(Debug)]
pub struct Running {
    process: Option<Process>,
    /// Where it listens.
    pub socket: SocketAddr,
    /// Its processes.
    pub ids: Vec<u32>,
    stored: Option<PathBuf>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // First the process: what it still writes must not come after the removal.
        drop(self.process.take());
        if let Some(stored) = &self.stored {
            // What cannot be removed now is removed at the next start.
            let _ = fs::remove_dir_all(stored);
        }
    }
}

impl Running {
    /// Starts a server and waits until it is idle.
    ///
    /// # Errors
    ///
    /// When its program was not given, or it does not come up.
    pub async fn start(server: Server, programs: &Programs, setup: Setup) -> anyhow::Result<Self> {
        let (logs, name) = (&programs.logs, server.file_name());
        let missing = || format!("no program for {server} was given");
        let (process, stored) = match server.product {
            Product::Magpie => {
                let program = programs.magpie.as_ref().with_context(missing)?;
                let keys = credentials().to_string();
                let environment = [(CREDENTIALS_VARIABLE, keys.as_str())];
                let process =
                    magpie::start(&name, program, logs, &configuration(setup), &environment).await?;
                (process, Some(logs.join(&name).join("data")))
            }
            Product::PythonSdk => {
                let python = programs.python_sdk.as_ref().with_context(missing)?;
                let script = script(logs, "handler.py", include_str!("../../peers/handler.py"))?;
                (handler(server, logs, python, &script, None).await?, None)
            }
            Product::NodeSdk => {
                let modules = programs.node_sdk.as_ref().with_context(missing)?;
                let script = script(logs, "handler.cjs", include_str!("../../peers/handler.cjs"))?;
                (handler(server, logs, Path::new("node"), &script, Some(modules)).await?, None)
            }
        };
        let socket = process.socket;
        let mut running = Self { ids: vec![process.id], process: Some(process), socket, stored };
        running.settle().await;
        Ok(running)
    }

    /// Waits until all its processes are there and idle.
    async fn settle(&mut self) {
        let Some(first) = self.process.as_ref().map(|process| process.id) else { return };
        let idle = async {
            let mut before = Cost::of(first).processor_ms;
            loop {
                tokio::time::sleep(IDLE_FOR).await;
                let now = Cost::of(first).processor_ms;
                if now - before <= IDLE_MS {
                    return;
                }
                before = now;
            }
        };
        // One that is never idle is measured all the same, and what it does unasked is its own cost.
        let _ = tokio::time::timeout(PATIENCE, idle).await;
        self.ids = family(first);
    }

    /// What it has used so far.
    #[must_use]
    pub fn cost(&self) -> Cost {
        Cost::sum(&self.ids)
    }
}

/// The smallest configuration of a bot that answers with the mock's model.
fn configuration(setup: Setup) -> String {
    let mock = setup.mock;
    let turns = setup.turns.map(|turns| format!("max_turns_in_flight = {turns}\n")).unwrap_or_default();
    format!(
        "[bots.load]\nplatform = \"feishu\"\nkeys = \"env:{CREDENTIALS_VARIABLE}\"\nbase_url = \"http://{mock}\"\n\n\
         [endpoints.model]\nplace = \"local\"\nurl = \"http://{mock}/v1/chat/completions\"\nmodel = \"{MODEL}\"\n\n\
         [standalone]\ndata = \"data\"\nplayground = false\n{turns}"
    )
}

/// Puts a handler's script beside its log.
fn script(logs: &Path, name: &str, text: &str) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(logs)?;
    let path = logs.join(format!("load-{name}"));
    fs::write(&path, text)?;
    Ok(path)
}

async fn handler(
    server: Server,
    logs: &Path,
    program: &Path,
    script: &Path,
    modules: Option<&PathBuf>,
) -> anyhow::Result<Process> {
    Process::start(&server.file_name(), logs, "/", |port| {
        let mut command = bound_to_us(program);
        command.arg(script).args(["--port", &port.to_string(), "--processes", &server.processes.to_string()]);
        command.env(CREDENTIALS_VARIABLE, credentials().to_string()).env("NODE_ENV", "production");
        if let Some(modules) = modules {
            command.env("NODE_PATH", modules);
        }
        command
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_configuration_is_one_that_magpie_takes() {
        for turns in [None, Some(1)] {
            let text = configuration(Setup { mock: ([127, 0, 0, 1], 1).into(), turns });
            let settings = settings::parse(&text, None, &BTreeMap::new(), &["feishu"]);
            let limit = settings.map(|settings| settings.standalone.max_turns_in_flight);
            assert!(limit.as_ref().is_ok_and(|limit| (*limit == 1) == turns.is_some()), "{limit:?}\n{text}");
        }
    }
}
