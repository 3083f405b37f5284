//! From the configuration to a running server, and its orderly end.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use chat::Clock as _;
use host::{SystemClock, SystemEntropy, SystemPause};
use receive::Receiver;
use routing::{Endpoint, LiveRouter, Router, RoutingError};
use settings::{Bots, KeySource, LocalSecrets, LogFormat, ProcessEnvironment, Secrets, Settings};
use simulator::Simulator;
use store_sqlite::SqliteStore;
use telemetry::Observer;
use tokio::{net::TcpListener, sync::watch};
use transport::Transport;
use turn::{Policy, Ports, Worker};
use url::Url;
use vault::Vault;

use crate::{
    configuration, connections,
    data::DataFolder,
    discover::{Finder, Found, Watch, report},
    dispatcher::Dispatcher,
    dot_env::DotEnv,
    gateway::{Gateway, purse::Purse, tokens::Tokens},
    log,
    platforms::KINDS,
    playground::{
        Feed, Playground,
        demo::{DemoBots, WithDemo},
    },
    startup,
    web::Web,
    write_probe::WriteProbe,
};

/// What a turn may take beyond the time for the models: to recall, to keep, and to send.
const BESIDES_MODELS: Duration = Duration::from_secs(30);

/// How long an orderly end waits for turns in work. What is not done by then stays in the queue.
const STOP_GRACE: Duration = Duration::from_secs(25);

/// How often what is past its time is removed from the database.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// What `magpie serve` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// The configuration; otherwise MAGPIE_CONFIG, ./magpie.toml, then /opt/magpie.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen; otherwise the configuration's, which is 127.0.0.1:18789 unless it says something else
    ///
    /// An IP address or `localhost` and a port; a port alone is on this machine only
    #[arg(long, value_name = "ADDR", value_parser = settings::listen_address)]
    listen: Option<SocketAddr>,
}

/// Everything that is built before the first request.
struct Magpie {
    settings: Settings,
    bots: Arc<Bots>,
    demo: DemoBots,
    simulator: Simulator,
    store: SqliteStore,
    vault: Arc<Vault>,
    transport: Arc<dyn Transport>,
    router: Arc<LiveRouter>,
    finder: Finder,
    found: Found,
    gateway: Option<Gateway>,
    operators: Arc<Tokens>,
    feed: Feed,
    base: Url,
    /// Keeps the folder locked.
    _data: DataFolder,
}

/// Serves until the process is told to stop.
pub(crate) async fn serve(args: ServeArgs, dot_env: DotEnv) -> anyhow::Result<()> {
    let settings = configuration::checked(args.config.as_deref(), dot_env).await;
    let settings = log::begin(settings, &ProcessEnvironment)?;
    let address = args.listen.unwrap_or(settings.standalone.listen);
    let listener = listen(address).await?;
    let address = listener.local_addr()?;
    let magpie = Magpie::build(settings, address).await?;
    magpie.greet(address);
    magpie.run(listener).await
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: stop what is using the port, or choose another with --listen 127.0.0.1:PORT")
    })
}

impl Magpie {
    async fn build(mut settings: Settings, address: SocketAddr) -> anyhow::Result<Self> {
        let data = DataFolder::open(&settings.standalone.data)?;
        let base = connections::own_url(address)?;
        let simulator = Simulator::new(Arc::new(SystemClock), Arc::new(SystemEntropy));
        let demo = DemoBots::prepare(&mut settings.bots, &data, &SystemEntropy, &simulator, &base)?;
        let secrets: Arc<dyn Secrets> = Arc::new(WithDemo {
            demo: demo.clone(),
            others: LocalSecrets::new(Arc::new(ProcessEnvironment)),
        });
        let bots =
            Bots::connect(settings.bots.clone(), &KINDS, Arc::clone(&secrets), SystemClock.now()).await?;
        let vault = open_vault(&settings, secrets.as_ref(), &data).await?;
        let network = network::connect(&settings, secrets.as_ref(), SystemClock.now()).await?;
        network.log(&settings, &ProcessEnvironment);
        let transport: Arc<dyn Transport> = Arc::new(network.egress);
        let finder = Finder {
            demo: demo.names(),
            own_port: address.port(),
            ..finder(&settings, secrets.as_ref(), &transport).await?
        };
        let found = finder.find(&[]).await;
        let router = router(&settings, &transport, finder.in_service(&found.endpoints))?;
        let router = Arc::new(LiveRouter::new(router));
        let store = SqliteStore::open(&data.database())?;
        // The folder's lock says that no other process lives: what looks in work was left behind by one that died.
        store.reclaim().await?;
        let operators = operators(&settings, secrets.as_ref()).await?;
        let gateway = gateway(&settings, secrets.as_ref(), Arc::clone(&router), &store).await?;
        Ok(Self {
            settings,
            bots: Arc::new(bots),
            demo,
            simulator,
            store,
            vault: Arc::new(vault),
            transport,
            router,
            finder,
            found,
            gateway,
            operators: Arc::new(operators),
            feed: Feed::new(),
            base,
            _data: data,
        })
    }

    fn receiver(&self) -> Arc<Receiver> {
        Arc::new(Receiver {
            bots: Arc::clone(&self.bots),
            queue: Arc::new(self.store.clone()),
            signals: Arc::new(self.store.clone()),
            vault: Arc::clone(&self.vault),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            observer: self.observer(),
            unknown: receive::UnknownBots::default(),
        })
    }

    fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(self.feed.clone())
    }

    fn dispatcher(&self) -> Dispatcher {
        let store = Arc::new(self.store.clone());
        let turn_timeout = self.settings.routing.turn_timeout;
        let worker = Worker::new(Ports {
            bots: Arc::clone(&self.bots),
            turns: store.clone(),
            conversations: store.clone(),
            signals: store.clone(),
            budgets: store.clone(),
            choices: store.clone(),
            parked: store.clone(),
            tokens: store.clone(),
            router: Arc::clone(&self.router),
            transport: Arc::clone(&self.transport),
            vault: Arc::clone(&self.vault),
            clock: Arc::new(SystemClock),
            pause: Arc::new(SystemPause),
            observer: self.observer(),
            policy: Policy {
                memory: self.settings.memory.clone(),
                budgets: self.settings.budgets,
                turn_timeout,
            },
        });
        Dispatcher {
            queue: store,
            enqueued: self.store.enqueued(),
            turns: Arc::new(worker),
            clock: Arc::new(SystemClock),
            budget: turn_timeout + BESIDES_MODELS,
            max_turns_in_flight: self.settings.standalone.max_turns_in_flight,
        }
    }

    fn routes(&self, stop: watch::Receiver<bool>) -> axum::Router {
        let web = Web {
            receiver: self.receiver(),
            queue: Arc::new(self.store.clone()),
            probe: Arc::new(WriteProbe::new(Arc::new(self.store.clone()), Arc::new(SystemClock))),
            operators: Arc::clone(&self.operators),
            router: Arc::clone(&self.router),
            clock: Arc::new(SystemClock),
        };
        let routes = web.routes();
        let routes = match &self.gateway {
            Some(gateway) => routes.merge(gateway.clone().routes()),
            None => routes,
        };
        if !self.settings.standalone.playground {
            return routes;
        }
        let playground = Playground {
            bots: Arc::clone(&self.bots),
            demo: self.demo.clone(),
            simulator: self.simulator.clone(),
            feed: self.feed.clone(),
            router: Arc::clone(&self.router),
            strategy: self.settings.routing.route.strategy,
            transport: Arc::clone(&self.transport),
            base: self.base.clone(),
            stop,
        };
        routes.merge(playground.routes())
    }

    async fn run(self, listener: TcpListener) -> anyhow::Result<()> {
        let (stop, stopping) = watch::channel(false);
        let dispatcher = tokio::spawn(self.dispatcher().run(stopping.clone()));
        let sweeper = tokio::spawn(sweep(self.store.clone()));
        let watch = tokio::spawn(self.watch().run(self.found.clone()));
        let look = tokio::spawn(self.look());
        let routes = self.routes(stopping.clone());
        let server = tokio::spawn(connections::serve(listener, routes, stopping));
        told_to_stop().await?;
        tracing::info!("stopping: no new webhooks, turns in work are finished");
        stop.send_replace(true);
        sweeper.abort();
        watch.abort();
        look.abort();
        let finished = tokio::time::timeout(STOP_GRACE, async { (server.await, dispatcher.await) }).await;
        if finished.is_err() {
            tracing::warn!("some turns are still in work; they are in the queue and go on at the next start");
        }
        Ok(())
    }

    /// Says where everything is, once everything is there: on standard output for a person, in the log for a collector.
    #[expect(clippy::print_stdout, reason = "a person at a terminal reads what was started")]
    fn greet(&self, address: SocketAddr) {
        for line in self.greeting(address) {
            match self.settings.standalone.log_format {
                LogFormat::Text => println!("{line}"),
                LogFormat::Json => tracing::info!("{}", line.trim()),
            }
        }
        if self.found.endpoints.is_empty() {
            report::none(&self.found);
        }
    }

    fn greeting(&self, address: SocketAddr) -> Vec<String> {
        let mut lines = vec![format!("Magpie {} listens on http://{address}", env!("CARGO_PKG_VERSION"))];
        if self.settings.standalone.playground {
            lines.push(format!("  try it      http://{address}/"));
        }
        for (platform, bot) in self.bots.list() {
            lines.push(format!("  webhook     http://{address}/webhook/{platform}/{bot}"));
        }
        if self.gateway.is_some() {
            lines.push(format!("  gateway     http://{address}/v1"));
        }
        for endpoint in self.router.current().usual() {
            let (place, model) = (endpoint.place.as_str(), &endpoint.model);
            lines.push(format!("  endpoint    {} ({place}, {model})", endpoint.name));
        }
        lines.extend(report::others(&self.found).into_iter().map(|line| format!("  {line}")));
        lines
    }

    /// Looks whether endpoints and platforms respond and accept what is configured.
    fn look(&self) -> impl Future<Output = ()> + use<> {
        let demo = self.demo.clone();
        startup::look(
            self.router.current(),
            Arc::clone(&self.bots),
            move |bot| demo.has(bot),
            Arc::clone(&self.transport),
            Arc::new(SystemClock),
        )
    }

    /// Looks for models for as long as the process lives.
    fn watch(&self) -> Watch<impl Fn(Vec<Endpoint>) -> Result<Router, RoutingError> + use<>> {
        let (settings, transport) = (self.settings.clone(), Arc::clone(&self.transport));
        let build = move |endpoints| router(&settings, &transport, endpoints);
        Watch { finder: self.finder.clone(), router: Arc::clone(&self.router), build }
    }
}

/// Removes what is past its time, at the start and ever after.
async fn sweep(store: SqliteStore) {
    let mut every = tokio::time::interval(SWEEP_EVERY);
    loop {
        every.tick().await;
        match store.sweep(SystemClock.now()).await {
            Ok(removed) => tracing::debug!(removed, "swept"),
            Err(error) => tracing::warn!(%error, "the database could not be swept"),
        }
    }
}

/// What a router touches in this process, which is the only one: no board is needed to tell others.
pub(crate) fn routing_ports(transport: Arc<dyn Transport>) -> routing::Ports {
    routing::Ports {
        transport,
        clock: Arc::new(SystemClock),
        pause: Arc::new(SystemPause),
        entropy: Arc::new(SystemEntropy),
        board: None,
    }
}

/// What finds the endpoints: those that are configured, else a model server on this machine.
pub(crate) async fn finder(
    settings: &Settings,
    secrets: &dyn Secrets,
    transport: &Arc<dyn Transport>,
) -> anyhow::Result<Finder> {
    Ok(Finder {
        configured: settings::endpoints(&settings.endpoints, secrets).await?,
        demo: Vec::new(),
        own_port: settings.standalone.listen.port(),
        transport: Arc::clone(transport),
        pause: Arc::new(SystemPause),
    })
}

/// A router over these endpoints, along the configured route.
pub(crate) fn router(
    settings: &Settings,
    transport: &Arc<dyn Transport>,
    endpoints: Vec<Endpoint>,
) -> Result<Router, RoutingError> {
    let routing = &settings.routing;
    Router::new(endpoints, routing.route.clone(), routing.clocks, routing_ports(Arc::clone(transport)))
}

/// Who may see the details of the health check: nobody where no token is configured.
async fn operators(settings: &Settings, secrets: &dyn Secrets) -> anyhow::Result<Tokens> {
    let token = settings::operator_token(settings.standalone.operator_token.as_ref(), secrets).await?;
    let tokens: Vec<_> = token.map(|token| ("operator".to_owned(), token)).into_iter().collect();
    Ok(Tokens::new(&tokens))
}

/// The gateway, where programs have tokens for it.
async fn gateway(
    settings: &Settings,
    secrets: &dyn Secrets,
    router: Arc<LiveRouter>,
    store: &SqliteStore,
) -> anyhow::Result<Option<Gateway>> {
    let tokens = settings::gateway_tokens(&settings.gateway, secrets).await?;
    let (route, budget) = (&settings.routing.route, settings.routing.turn_timeout);
    let purse =
        Purse { budgets: Arc::new(store.clone()), limits: settings.budgets, clock: Arc::new(SystemClock) };
    let entropy = Arc::new(SystemEntropy);
    Ok((!tokens.is_empty()).then(|| Gateway::new(&tokens, router, route, purse, entropy, budget)))
}

/// The configured keys, or those that this data folder made for itself.
async fn open_vault(settings: &Settings, secrets: &dyn Secrets, data: &DataFolder) -> anyhow::Result<Vault> {
    let source = match &settings.vault {
        Some(source) => source.clone(),
        None => KeySource::File(data.vault_keys(&SystemEntropy)?),
    };
    let keys = settings::vault_keys(&source, secrets).await?;
    Ok(Vault::from_keys(&keys, Arc::new(SystemEntropy))?)
}

/// Returns at Ctrl-C or at a `SIGTERM`.
async fn told_to_stop() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}
