//! What operators are told of the models that were found.

use routing::Endpoint;

use super::{
    Found, described,
    listing::Listed,
    server::{Server, USUAL},
};

/// How many names of models a line holds.
const NAMES_MAX: usize = 8;

/// What to do where no model is connected.
pub(crate) fn how_to_connect() -> String {
    let ports: Vec<_> = USUAL.iter().map(|(name, port)| format!("{port} ({name})")).collect();
    format!(
        "start a model server on port {} of this machine, which is found within seconds, or configure [endpoints.NAME] in \
         magpie.toml or LOCAL_ENDPOINT in the environment",
        ports.join(", ")
    )
}

/// Says in the log that no model is connected, and what was found instead.
pub(crate) fn none(found: &Found) {
    tracing::warn!(
        "no model is connected: bots answer that there is none. To connect one, {}",
        how_to_connect()
    );
    for server in &found.servers {
        let models = names(&described(&server.models));
        tracing::warn!(server = server.name, url = %server.base, models, "this model server has no model that answers questions");
    }
}

/// Says in the log which model answers from now on.
pub(crate) fn connected(found: &Found) {
    for endpoint in &found.endpoints {
        tracing::info!(endpoint = endpoint.name, model = endpoint.model, url = %endpoint.url, "a model is connected");
    }
    for line in others(found) {
        tracing::info!("{line}");
    }
}

/// Says in the log which of its models a configured server was found to have.
pub(crate) fn model_of(endpoint: &Endpoint, chosen: Option<&Listed>, models: &[Listed]) {
    let models = names(&described(models));
    match chosen {
        Some(model) => {
            tracing::info!(
                endpoint = endpoint.name,
                model = model.id,
                models,
                "the endpoint names no model; this one of its server's is asked"
            );
        }
        // Looked for every few seconds: the warning of the start is enough.
        None => tracing::debug!(
            endpoint = endpoint.name,
            models,
            "the endpoint names no model, and its server has none that answers questions"
        ),
    }
}

/// What else was found, one line for each server: its other models, and servers that are not asked.
pub(crate) fn others(found: &Found) -> Vec<String> {
    let line = |server: &Server| {
        let is_asked = |endpoint: &&Endpoint| {
            endpoint.url.port_or_known_default() == server.base.port_or_known_default()
        };
        let asked = found.endpoints.iter().find(is_asked).map(|endpoint| endpoint.model.as_str());
        let rest: Vec<_> =
            server.models.iter().filter(|model| Some(model.id.as_str()) != asked).cloned().collect();
        if rest.is_empty() && asked.is_some() {
            return None;
        }
        let models = if rest.is_empty() { "no models".to_owned() } else { names(&described(&rest)) };
        Some(format!("also found {} at {}: {models}", server.name, server.base))
    };
    found.servers.iter().filter_map(line).collect()
}

/// The first of these names, and how many more there are.
pub(crate) fn names(names: &[String]) -> String {
    let clean = |name: &String| name.chars().filter(|c| !c.is_control()).take(80).collect::<String>();
    let shown: Vec<_> = names.iter().take(NAMES_MAX).map(clean).collect();
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
