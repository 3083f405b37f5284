//! Portkey's open-source gateway. Everything is said with each question, in a header.
//!
//! It listens on all interfaces and has no option against that; `cargo xtask bench` gives it a network of its own where
//! the machine allows that.

use std::{collections::HashMap, path::Path};

use super::{
    Door, Doors, Programs, Stand, TOKEN, Track, budget, every_scenario,
    process::{Process, bound_to_us},
};
use crate::{client::Address, mock::Mock, scale::Scale};
use http::HeaderValue;
use serde_json::{Value, json};

pub(super) async fn stand(programs: &Programs, mock: &Mock, scale: Scale) -> anyhow::Result<Stand> {
    let process = start(programs, "portkey-failures").await?;
    let base = mock.base();
    let timeout = scale.of(budget::TIMEOUT).as_millis();
    let mut doors = HashMap::new();
    for scenario in every_scenario() {
        let (primary, fallback) = (scenario.primary_model(), scenario.fallback_model());
        let mut first = target(&base, Some(&primary));
        first["retry"] = json!({
            "attempts": budget::RETRIES, "on_status_codes": [429, 500, 502, 503, 504], "use_retry_after_header": true,
        });
        let both = json!({
            "strategy": {"mode": "fallback"}, "request_timeout": timeout,
            "targets": [first, target(&base, Some(&fallback))],
        });
        let doors_of = Doors {
            both: Door { address: address(&process, &both)?, model: primary },
            healthy: Door { address: address(&process, &target(&base, None))?, model: fallback },
        };
        doors.insert(scenario.id, doors_of);
    }
    Ok(Stand { doors, client_timeout: None, _processes: vec![process] })
}

pub(super) async fn track(programs: &Programs, base: &str) -> anyhow::Result<Track> {
    let process = start(programs, "portkey").await?;
    let mut config = target(&format!("{base}/v1"), None);
    config["retry"] = json!({"attempts": budget::MEASURED_RETRIES});
    Ok(Track { address: address(&process, &config)?, process: Some(process) })
}

fn target(base: &str, model: Option<&str>) -> Value {
    let mut target = json!({"provider": "openai", "api_key": TOKEN, "custom_host": base});
    if let Some(model) = model {
        target["override_params"] = json!({"model": model});
    }
    target
}

fn address(process: &Process, config: &Value) -> anyhow::Result<Address> {
    let mut address = Address::with_token(process.socket, TOKEN)?;
    address.headers.insert("x-portkey-config", HeaderValue::from_str(&config.to_string())?);
    Ok(address)
}

async fn start(programs: &Programs, name: &str) -> anyhow::Result<Process> {
    let script = programs.of(super::Product::Portkey)?;
    Process::start(name, &programs.logs, "/", |port| {
        let mut command = bound_to_us(Path::new("node"));
        command.arg(script).arg(format!("--port={port}")).arg("--headless").env("NODE_ENV", "production");
        command
    })
    .await
}
