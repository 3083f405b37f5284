//! Magpie's standalone.
//!
//! A route is a process of its own here, because one route has one order of endpoints: sixteen small processes for the
//! sixteen scenarios.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    Door, Doors, Programs, Stand, TOKEN, Track, budget,
    process::{Process, bound_to_us},
};
use crate::{
    client::Address,
    mock::{Mock, measured},
    scale::Scale,
    scenarios::Scenario,
};
use anyhow::Context as _;

/// What a client names to be answered by whoever the route picks.
const ROUTE: &str = "auto";

/// The environment variable with the token, and its value.
const TOKEN_SET: (&str, &str) = ("MAGPIE_GATEWAY_TOKEN", TOKEN);

pub(super) async fn stand(
    programs: &Programs,
    scenarios: &[&'static Scenario],
    mock: &Mock,
    scale: Scale,
) -> anyhow::Result<Stand> {
    let program = programs.of(super::Product::Magpie)?;
    let starting = scenarios.iter().map(|scenario| async move {
        let name = format!("magpie-{}", scenario.id.to_lowercase());
        let process =
            start(&name, program, &programs.logs, &route(scenario, &mock.base(), scale), &[TOKEN_SET])
                .await?;
        let address = Address::with_token(process.socket, TOKEN)?;
        let both = Door { address: address.clone(), model: ROUTE.to_owned() };
        let healthy = Door { address, model: scenario.fallback_model() };
        anyhow::Ok((scenario.id, Doors { both, healthy }, process))
    });
    let (mut doors, mut processes) = (HashMap::new(), Vec::new());
    for (id, doors_of, process) in futures_util::future::try_join_all(starting).await? {
        doors.insert(id, doors_of);
        processes.push(process);
    }
    Ok(Stand { doors, client_timeout: None, _processes: processes })
}

pub(super) async fn track(programs: &Programs, base: &str) -> anyhow::Result<Track> {
    let program = programs.of(super::Product::Magpie)?;
    let endpoints: String = [("now", measured::NOW), ("paced", measured::PACED)]
        .into_iter()
        // In one piece where the client wants it so, as all others pass it on: the same work for the mock.
        .map(|(name, model)| {
            endpoint(name, "local", &format!("{base}/v1"), model) + "stream = \"when_heard\"\n\n"
        })
        .collect();
    let attempts = budget::MEASURED_RETRIES + 1;
    let config = format!("{GATEWAY}{endpoints}[routing]\nattempts = {attempts}\n");
    Track::of(start("magpie", program, &programs.logs, &config, &[TOKEN_SET]).await?)
}

const GATEWAY: &str = "[gateway]\ntoken = \"env:MAGPIE_GATEWAY_TOKEN\"\n\n[standalone]\ndata = \"data\"\nplayground = false\n\n";

fn endpoint(name: &str, place: &str, base: &str, model: &str) -> String {
    format!(
        "[endpoints.{name}]\nplace = \"{place}\"\nurl = \"{base}/chat/completions\"\nmodel = \"{model}\"\n\n"
    )
}

/// A scenario's route: the first model at the company's own, the second in the cloud.
fn route(scenario: &Scenario, base: &str, scale: Scale) -> String {
    let primary = endpoint("primary", "local", base, &scenario.primary_model());
    let fallback = endpoint("fallback", "cloud", base, &scenario.fallback_model());
    let attempt = budget::seconds(scale.of(budget::TIMEOUT));
    let turn = budget::seconds(scale.of(budget::WHOLE));
    let first = budget::seconds(scale.of(budget::FIRST_WORD));
    let idle = budget::seconds(scale.of(budget::SILENCE));
    // The first question, as many retries as everybody has, and the other model.
    let attempts = 1 + budget::RETRIES + 1;
    format!(
        "{GATEWAY}{primary}{fallback}[routing]\nstrategy = \"local_first\"\nattempts = {attempts}\n\
         first_token_timeout_seconds = {first}\nidle_timeout_seconds = {idle}\n\
         attempt_timeout_seconds = {attempt}\nturn_timeout_seconds = {turn}\n"
    )
}

/// Starts one with this configuration and these environment variables, in a folder of its own below the logs, which
/// begins empty.
///
/// # Errors
///
/// When it does not come up; the error holds the end of its output.
pub async fn start(
    name: &str,
    program: &Path,
    logs: &Path,
    config: &str,
    environment: &[(&str, &str)],
) -> anyhow::Result<Process> {
    let folder = logs.join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("magpie.toml"), config)?;
    let program: PathBuf = program.canonicalize().with_context(|| program.display().to_string())?;
    Process::start(name, logs, "/healthz", |port| {
        let mut command = bound_to_us(&program);
        // As little is written down as by the others.
        command.current_dir(&folder).envs(environment.iter().copied()).env("MAGPIE_LOG", "error");
        command.args(["serve", "--config", "magpie.toml", "--listen", &format!("127.0.0.1:{port}")]);
        command
    })
    .await
}
