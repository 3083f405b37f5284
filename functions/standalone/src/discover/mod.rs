//! Which model servers there are, and which of their models answers.
//!
//! Where no endpoint is configured, one is looked for on this machine, on the usual ports, until it is found: at the
//! start, and then every few seconds. An endpoint from the environment without a model asks its server for one in the
//! same way. What was chosen stays for as long as its server lists it.
//!
//! # Layout
//!
//! - this file: what is chosen ([`Finder`]), and looking again ([`Watch`])
//! - [`server`]: a model server on one of the usual ports; [`listing`]: a server's list of its models
//! - [`kind`]: what a model is for
//! - [`report`]: what operators are told

pub(crate) mod kind;
pub(crate) mod listing;
pub(crate) mod report;
pub(crate) mod server;

use std::{sync::Arc, time::Duration};

use chat::{BotId, Pause};
use futures_util::future::join_all;
use routing::{Endpoint, LiveRouter, Place, Router, RoutingError};
use transport::Transport;

use self::{
    kind::ModelKind,
    listing::Listed,
    server::{Server, USUAL, look},
};

/// How often a model is looked for while none is connected. Four connections to this machine, which are refused at once
/// where nothing listens.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often the server of the model that was found is asked whether it still has it.
const CONFIRM_EVERY: Duration = Duration::from_secs(60);

/// What a configured server without a model may take for its list.
const LIST: Duration = Duration::from_secs(2);

/// Finds endpoints.
#[derive(Clone)]
pub(crate) struct Finder {
    /// What is configured. Nothing means that a server is looked for.
    pub(crate) configured: Vec<Endpoint>,
    /// The bots that may answer with an echo while there is no model.
    pub(crate) demo: Vec<BotId>,
    /// Where this process listens itself.
    pub(crate) own_port: u16,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) pause: Arc<dyn Pause>,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// The endpoints to ask; none while no model is connected.
    pub(crate) endpoints: Vec<Endpoint>,
    /// Every model server on this machine, where one was looked for.
    pub(crate) servers: Vec<Server>,
    /// Whether nothing is left to look for.
    pub(crate) is_complete: bool,
}

impl Finder {
    /// Whether endpoints, or their models, have to be looked for at all.
    pub(crate) fn looks(&self) -> bool {
        self.configured.is_empty() || self.configured.iter().any(lacks_model)
    }

    /// Looks once. `before` is what was found the last time: it is kept where it is still there.
    pub(crate) async fn find(&self, before: &[Endpoint]) -> Found {
        if self.configured.is_empty() {
            self.look_around(before).await
        } else {
            self.ask_for_models(before).await
        }
    }

    /// The endpoints for a router: what was found, and without any the echo, for demo bots only.
    pub(crate) fn in_service(&self, found: &[Endpoint]) -> Vec<Endpoint> {
        if found.is_empty() {
            return vec![Endpoint { bots: Some(self.demo.clone()), ..Endpoint::echo() }];
        }
        found.to_vec()
    }

    async fn look_around(&self, before: &[Endpoint]) -> Found {
        let ports = USUAL.iter().filter(|(_, port)| *port != self.own_port);
        let looks = ports.map(|&(name, port)| look(&*self.transport, &self.pause, name, port));
        let servers: Vec<_> = join_all(looks).await.into_iter().flatten().collect();
        let kept = servers.iter().find_map(|server| {
            let still = |endpoint: &&Endpoint| {
                server.base.join("chat/completions").is_ok_and(|url| url == endpoint.url)
                    && server.chat_models().any(|model| model.id == endpoint.model)
            };
            before.iter().find(still).cloned()
        });
        let first = || servers.iter().find_map(|server| server.endpoint(&server.chat_models().next()?.id));
        let endpoints: Vec<_> = kept.or_else(first).into_iter().collect();
        Found { is_complete: false, endpoints, servers }
    }

    async fn ask_for_models(&self, before: &[Endpoint]) -> Found {
        let named = self.configured.iter().map(async |endpoint| {
            let known = before.iter().find(|known| known.name == endpoint.name && !known.model.is_empty());
            if let (true, Some(known)) = (lacks_model(endpoint), known) {
                return (known.clone(), true);
            }
            if !lacks_model(endpoint) {
                return (endpoint.clone(), true);
            }
            self.ask_for_model(endpoint).await
        });
        let (endpoints, known): (Vec<_>, Vec<_>) = join_all(named).await.into_iter().unzip();
        Found { endpoints, servers: Vec::new(), is_complete: known.into_iter().all(|known| known) }
    }

    /// The endpoint with the model that its server has, and whether there is nothing left to ask: a server without a list
    /// is asked without a model, which those of one model take.
    async fn ask_for_model(&self, endpoint: &Endpoint) -> (Endpoint, bool) {
        match listing::list(&*self.transport, endpoint, LIST).await {
            Ok(listing) => {
                let mut models = listing.models;
                server::order(&mut models);
                let chat = models.iter().find(|model| model.kind == ModelKind::Chat);
                report::model_of(endpoint, chat, &models);
                let model = chat.map(|model| model.id.clone());
                let known = model.is_some();
                (Endpoint { model: model.unwrap_or_default(), ..endpoint.clone() }, known)
            }
            Err(listing::NoListing::Net(_)) => (endpoint.clone(), false),
            Err(listing::NoListing::Status(status)) if status.is_server_error() => (endpoint.clone(), false),
            Err(_) => (endpoint.clone(), true),
        }
    }
}

/// Whether an endpoint's server is to be asked for its model. Not a cloud's: which of its models is wanted, and paid
/// for, is for the operator to say.
fn lacks_model(endpoint: &Endpoint) -> bool {
    endpoint.model.is_empty() && endpoint.place == Place::Local
}

/// Looks again, for as long as the process lives or there is something left to find.
pub(crate) struct Watch<B> {
    pub(crate) finder: Finder,
    pub(crate) router: Arc<LiveRouter>,
    /// Makes a router of endpoints.
    pub(crate) build: B,
}

impl<B: Fn(Vec<Endpoint>) -> Result<Router, RoutingError>> Watch<B> {
    /// Looks until nothing is left to find; `found` is what the start has found.
    pub(crate) async fn run(self, mut found: Found) {
        let mut is_there = !found.endpoints.is_empty();
        while self.finder.looks() && !found.is_complete {
            let every = if is_there && found_all(&found.endpoints) { CONFIRM_EVERY } else { LOOK_EVERY };
            self.finder.pause.pause(every).await;
            let now = self.finder.find(&found.endpoints).await;
            is_there = !now.endpoints.is_empty();
            if !is_there || same(&now.endpoints, &found.endpoints) {
                // A server that is away for a moment stays in service: questions wait for it or say that it is away.
                found.is_complete = now.is_complete;
                continue;
            }
            match (self.build)(self.finder.in_service(&now.endpoints)) {
                Ok(router) => {
                    self.router.replace(router);
                    report::connected(&now);
                    found = now;
                }
                Err(error) => tracing::warn!(%error, "the model server that was found cannot be used"),
            }
        }
    }
}

fn found_all(endpoints: &[Endpoint]) -> bool {
    !endpoints.iter().any(lacks_model)
}

fn same(a: &[Endpoint], b: &[Endpoint]) -> bool {
    let shown = |endpoints: &[Endpoint]| -> Vec<_> {
        endpoints.iter().map(|endpoint| (endpoint.url.clone(), endpoint.model.clone())).collect()
    };
    shown(a) == shown(b)
}

/// The names of models, with what those are for that do not answer.
fn described(models: &[Listed]) -> Vec<String> {
    let name = |model: &Listed| {
        if model.kind == ModelKind::Chat {
            return model.id.clone();
        }
        format!("{} ({})", model.id, model.kind.as_str())
    };
    models.iter().map(name).collect()
}

#[cfg(test)]
mod tests;
