//! LiteLLM's proxy: one worker, nothing cached, nothing sent home.

use std::{fmt::Write as _, fs, path::Path};

use tokio::process::Command;

use super::{
    Programs, Stand, TOKEN, Track, budget, every_scenario,
    process::{Process, bound_to_us},
};
use crate::{
    mock::{Mock, measured},
    scale::Scale,
};

pub(super) async fn stand(programs: &Programs, mock: &Mock, scale: Scale) -> anyhow::Result<Stand> {
    let scenarios = every_scenario();
    let (mut models, mut fallbacks) = (String::new(), String::new());
    for scenario in &scenarios {
        let (primary, fallback) = (scenario.primary_model(), scenario.fallback_model());
        models.push_str(&model(&primary, &mock.base()));
        models.push_str(&model(&fallback, &mock.base()));
        let _ = writeln!(fallbacks, "  - {primary}: [{fallback}]");
    }
    let timeout = budget::seconds(scale.of(budget::TIMEOUT));
    // Its clock for streams is the one that notices a late first word.
    let stream = budget::seconds(scale.of(budget::FIRST_WORD));
    let retries = budget::RETRIES;
    let settings = format!(
        "router_settings:\n  num_retries: {retries}\n  timeout: {timeout}\n  stream_timeout: {stream}\n  fallbacks:\n{fallbacks}\
         \x20 context_window_fallbacks:\n{fallbacks}"
    );
    let process = start(programs, "litellm-failures", &models, &settings).await?;
    Stand::at(process.socket, &scenarios, vec![process])
}

pub(super) async fn track(programs: &Programs, base: &str) -> anyhow::Result<Track> {
    let base = format!("{base}/v1");
    let models: String = [measured::NOW, measured::PACED].iter().map(|name| model(name, &base)).collect();
    let settings = format!("router_settings:\n  num_retries: {}\n", budget::MEASURED_RETRIES);
    Track::of(start(programs, "litellm", &models, &settings).await?)
}

fn model(name: &str, base: &str) -> String {
    format!(
        "- model_name: {name}\n  litellm_params:\n    model: openai/{name}\n    api_base: {base}\n    api_key: {TOKEN}\n"
    )
}

async fn start(programs: &Programs, name: &str, models: &str, settings: &str) -> anyhow::Result<Process> {
    let config = format!(
        "model_list:\n{models}{settings}litellm_settings:\n  drop_params: true\n  telemetry: false\n\
         general_settings:\n  master_key: {TOKEN}\n"
    );
    fs::create_dir_all(&programs.logs)?;
    let file = programs.logs.join(format!("{name}.yaml"));
    fs::write(&file, config)?;
    let program = programs.of(super::Product::Litellm)?;
    Process::start(name, &programs.logs, "/health/liveliness", |port| command(program, &file, port)).await
}

fn command(program: &Path, file: &Path, port: u16) -> Command {
    let mut command = bound_to_us(program);
    command.arg("--config").arg(file).args(["--host", "127.0.0.1", "--num_workers", "1", "--port"]);
    command.arg(port.to_string());
    // The table of prices in the package, not one from the network; errors only.
    command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True").env("LITELLM_LOG", "ERROR");
    command.env("DISABLE_ADMIN_UI", "True").env("NO_DOCS", "True");
    command
}
