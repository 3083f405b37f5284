//! A model server on one of the usual ports of this machine.

use std::{sync::Arc, time::Duration};

use chat::Pause;
use routing::{Endpoint, Place, Protocol};
use serde_json::{Value, json};
use transport::{OutRequest, Transport};
use url::Url;

use super::{
    kind::{self, ModelKind},
    listing::{self, Listed, Listing},
};

/// Where the usual servers listen, in the order of preference.
pub(crate) const USUAL: [(&str, u16); 4] =
    [("vllm", 8000), ("ollama", 11434), ("llama-cpp", 8080), ("lm-studio", 1234)];

/// What one call to a server on this machine may take. It answers in milliseconds or is not there.
const CALL: Duration = Duration::from_millis(800);

/// What all calls to one server may take.
const ALL_CALLS: Duration = Duration::from_millis(2_000);

/// How many of its models Ollama is asked about, one after the other, until one answers questions.
const ASKED_ABOUT: usize = 4;

/// A model server that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// What it is, as far as its list tells; else what usually listens on its port.
    pub(crate) name: &'static str,
    /// Where it listens, up to `/v1/`.
    pub(crate) base: Url,
    /// Its models, the one that is asked first.
    pub(crate) models: Vec<Listed>,
}

impl Server {
    /// Its models that answer questions, best first.
    pub(crate) fn chat_models(&self) -> impl Iterator<Item = &Listed> {
        self.models.iter().filter(|model| model.kind == ModelKind::Chat)
    }

    /// The endpoint that asks this model of it.
    pub(crate) fn endpoint(&self, model: &str) -> Option<Endpoint> {
        endpoint(self.name, &self.base, model)
    }
}

fn endpoint(name: &str, base: &Url, model: &str) -> Option<Endpoint> {
    let url = base.join("chat/completions").ok()?;
    Some(Endpoint::new(name, Place::Local, url, Protocol::ChatCompletions, model))
}

/// Looks whether a model server listens on this port. Whatever else listens there is passed over.
pub(crate) async fn look(
    transport: &dyn Transport,
    pause: &Arc<dyn Pause>,
    name: &'static str,
    port: u16,
) -> Option<Server> {
    tokio::select! {
        server = ask(transport, name, port) => server,
        () = pause.pause(ALL_CALLS) => None,
    }
}

async fn ask(transport: &dyn Transport, name: &'static str, port: u16) -> Option<Server> {
    let base = Url::parse(&format!("http://127.0.0.1:{port}/v1/")).ok()?;
    let listing = listing::list(transport, &endpoint(name, &base, "")?, CALL).await.ok()?;
    if !listing.is_marked {
        return None;
    }
    let name = software(&listing).unwrap_or(name);
    let mut models = listing.models;
    match name {
        "ollama" => {
            let (all, running) =
                tokio::join!(further(transport, &base, "/api/tags"), further(transport, &base, "/api/ps"),);
            listing::merge(&mut models, &all);
            let running: Vec<_> = running.into_iter().map(|model| Listed { loaded: true, ..model }).collect();
            listing::merge(&mut models, &running);
            order(&mut models);
            confirm(transport, &base, &mut models).await;
        }
        "lm-studio" => listing::merge(&mut models, &further(transport, &base, "/api/v0/models").await),
        _ => {}
    }
    order(&mut models);
    Some(Server { name, base, models })
}

/// What software a list comes from.
fn software(listing: &Listing) -> Option<&'static str> {
    match listing.owner.as_deref()? {
        "library" => Some("ollama"),
        "vllm" => Some("vllm"),
        "llamacpp" => Some("llama-cpp"),
        "sglang" => Some("sglang"),
        "organization_owner" => Some("lm-studio"),
        _ => None,
    }
}

/// What a server says of its models in a list of its own.
async fn further(transport: &dyn Transport, base: &Url, path: &str) -> Vec<Listed> {
    let Ok(url) = base.join(path) else { return Vec::new() };
    let value = listing::get(transport, OutRequest::get(url), CALL).await.ok();
    value.as_ref().and_then(listing::read).map(|listing| listing.models).unwrap_or_default()
}

/// Puts the model first that is asked first: one that answers, is in memory already, and is tuned to answer; else the
/// server's order.
pub(crate) fn order(models: &mut [Listed]) {
    models.sort_by_key(|model| (model.kind != ModelKind::Chat, !model.loaded, kind::is_base(&model.id)));
}

/// Asks Ollama what its best models can do, until one answers questions: an embedding model may have any name.
async fn confirm(transport: &dyn Transport, base: &Url, models: &mut [Listed]) {
    let Ok(url) = base.join("/api/show") else { return };
    for model in models.iter_mut().filter(|model| model.kind == ModelKind::Chat).take(ASKED_ABOUT) {
        let question = json!({ "model": model.id }).to_string();
        let said = listing::get(transport, OutRequest::post_json(url.clone(), question), CALL).await;
        let kind = said.ok().as_ref().and_then(capabilities);
        match kind {
            Some(kind) => model.kind = kind,
            // It does not say, as older versions do not: the name decides.
            None => return,
        }
        if model.kind == ModelKind::Chat {
            return;
        }
    }
}

/// What the answer about one model says that it is for.
fn capabilities(said: &Value) -> Option<ModelKind> {
    let listed = said.get("capabilities").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    listed.then(|| kind::of_words(listing::words(said).iter().copied()).unwrap_or(ModelKind::Other))
}
