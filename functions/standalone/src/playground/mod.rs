//! The page at `/`, and the simulated platforms behind its demo bots.
//!
//! A message written on the page goes the real way: the simulator signs (and encrypts) the webhook that the platform
//! would send, it arrives over HTTP at `/webhook/{platform}/{bot}`, and the answer goes to the simulator's API over HTTP
//! too. The page only watches. It can speak to demo bots, whose keys are this process's own; of the other bots it shows
//! the webhook URL.
//!
//! # Layout
//!
//! - [`demo`]: demo bots' keys, and their apps in the simulator
//! - [`feed`]: notes and answers to the page, as server-sent events
//! - [`say`]: a message from the page
//! - [`page`]: the files, and who may load them

pub(crate) mod demo;
mod feed;
mod page;
mod say;

use std::sync::Arc;

use axum::{Json, Router, extract::State, middleware, routing::get, routing::post};
use serde::Serialize;
use settings::Bots;
use simulator::Simulator;
use tokio::sync::watch;
use transport::Transport;
use url::Url;

pub(crate) use feed::Feed;

/// What the page needs.
#[derive(Clone)]
pub(crate) struct Playground {
    pub(crate) bots: Arc<Bots>,
    pub(crate) demo: demo::DemoBots,
    pub(crate) simulator: Simulator,
    pub(crate) feed: Feed,
    pub(crate) router: Arc<routing::LiveRouter>,
    pub(crate) strategy: routing::Strategy,
    pub(crate) transport: Arc<dyn Transport>,
    /// Where this process listens.
    pub(crate) base: Url,
    /// Turns true when the process ends, which ends the streams.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Playground {
    /// The page's routes, and the simulated platforms' APIs.
    pub(crate) fn routes(self) -> Router {
        let simulated = self.simulator.router();
        let guard = middleware::from_fn_with_state(self.base.clone(), page::guard);
        // A route for each file, so that an unknown one is an unknown path.
        let files = page::NAMES.iter().fold(Router::new(), |routes, &name| {
            routes.route(&format!("/page/{name}"), get(move || async move { page::serve(name) }))
        });
        files
            .route("/", get(page::index))
            .route("/playground/state", get(state))
            .route("/playground/say", post(say::say))
            .route("/playground/events", get(feed::events))
            .with_state(self)
            .nest("/simulator", simulated)
            // On the routes and not on the fallback: an unknown path is 404 under every name.
            .route_layer(guard)
    }
}

#[derive(Serialize)]
struct PageState {
    version: &'static str,
    bots: Vec<BotLine>,
    endpoints: Vec<EndpointLine>,
    strategy: &'static str,
    echo: bool,
}

#[derive(Serialize)]
struct BotLine {
    platform: String,
    bot: String,
    demo: bool,
    webhook: String,
}

#[derive(Serialize)]
struct EndpointLine {
    name: String,
    place: &'static str,
    protocol: &'static str,
    model: String,
}

async fn state(State(playground): State<Playground>) -> Json<PageState> {
    let bots = playground.bots.list().into_iter().map(|(platform, bot)| BotLine {
        demo: playground.demo.has(bot.as_str()),
        webhook: format!("/webhook/{platform}/{bot}"),
        platform: platform.into(),
        bot: bot.into(),
    });
    let router = playground.router.current();
    let endpoints = router.usual();
    Json(PageState {
        version: env!("CARGO_PKG_VERSION"),
        bots: bots.collect(),
        echo: !router.has_model(),
        endpoints: endpoints
            .into_iter()
            .map(|endpoint| EndpointLine {
                name: endpoint.name.clone(),
                place: endpoint.place.as_str(),
                protocol: endpoint.protocol.as_str(),
                model: endpoint.model.clone(),
            })
            .collect(),
        strategy: playground.strategy.as_str(),
    })
}
