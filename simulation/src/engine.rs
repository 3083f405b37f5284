//! The real engine at the simulated ports.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chat::{BotId, Clock, PlatformId};
use receive::Receiver;
use routing::{Clocks, Endpoint, LiveRouter, Place, Protocol, Route, Router};
use settings::{BotSettings, Bots, BudgetSettings, KeySource, MemorySettings, MergeSettings};
use store::{DeadLetters as _, Dequeue as _, MemoryStore};
use turn::{GivenUp, Handled, Policy, Worker};
use url::Url;
use vault::{DataKey, Vault};

use crate::{
    desk::Desk,
    form::Form,
    ports::Ports,
    queue::Queue,
    sim::{START, Sim},
    stores::Stores,
    upkeep::{Build, Keys, Version, Visit},
    webhooks,
    wire::Wire,
};

/// What giving up may take, as in standalone.
const GIVE_UP: Duration = Duration::from_secs(20);

/// What a run does not restart: configuration, and what is durable.
pub(crate) struct Engine {
    sim: Arc<Sim>,
    bots: Arc<Bots>,
    /// For each stage of a rotation.
    vaults: [Arc<Vault>; 3],
    pub(crate) queue: Queue,
    memory: MemoryStore,
}

impl Engine {
    pub(crate) fn new(sim: Arc<Sim>) -> anyhow::Result<Self> {
        let (ports, memory) = (Arc::new(Ports(sim.clone())), MemoryStore::default());
        let merge = sim
            .with(|state| state.plan.merges)
            .then(|| MergeSettings { most: 3, ..MergeSettings::default() });
        let bots = vec![bot("feishu", "FEISHU", merge)?, bot("dingtalk", "DINGTALK", merge)?];
        let kinds = [feishu::KIND, dingtalk::KIND];
        let bots = Arc::new(ready(Bots::connect(bots, &kinds, ports.clone(), ports.now()))??);
        let vault = |keys: &[&str]| anyhow::Ok(Arc::new(Vault::new(data_keys(keys)?, ports.clone())?));
        let vaults = [vault(&["old"])?, vault(&["old", "new"])?, vault(&["new", "old"])?];
        let form = Form { version: Version::Current, vault: vaults[0].clone() };
        let queue = Queue::new(sim.clone(), memory.clone(), form);
        Ok(Self { sim, bots, vaults, queue, memory })
    }

    fn vault(&self, keys: Keys) -> Arc<Vault> {
        let [old, both, new] = &self.vaults;
        match keys {
            Keys::Old => old.clone(),
            Keys::Both => both.clone(),
            Keys::New => new.clone(),
        }
    }

    fn form(&self, build: Build) -> Form {
        Form { version: build.version, vault: self.vault(build.keys) }
    }

    fn stores(&self, build: Build) -> Stores {
        Stores { sim: self.sim.clone(), memory: self.memory.clone(), form: self.form(build) }
    }

    fn receiver(&self, build: Build) -> Receiver {
        let ports = Arc::new(Ports(self.sim.clone()));
        Receiver {
            bots: self.bots.clone(),
            queue: Arc::new(Queue { form: self.form(build), ..self.queue.clone() }),
            signals: Arc::new(self.stores(build)),
            vault: self.vault(build.keys),
            clock: ports.clone(),
            entropy: ports.clone(),
            observer: ports,
            unknown: receive::UnknownBots::default(),
        }
    }

    /// A worker that has just started and remembers nothing.
    pub(crate) fn worker(&self, build: Build) -> anyhow::Result<Worker> {
        let (ports, stores) = (Arc::new(Ports(self.sim.clone())), Arc::new(self.stores(build)));
        let wire = Arc::new(Wire(self.sim.clone()));
        let endpoints = vec![
            endpoint("local", Place::Local, "chat/completions", Protocol::ChatCompletions)?,
            endpoint("cloud", Place::Cloud, "completions", Protocol::Completions)?,
        ];
        let clocks = Clocks { attempt: Duration::from_secs(30), ..Clocks::default() };
        let routing = routing::Ports {
            transport: wire.clone(),
            clock: ports.clone(),
            pause: ports.clone(),
            entropy: ports.clone(),
            board: None,
        };
        let router = Router::new(endpoints, Route::default(), clocks, routing)?;
        let budget = self.sim.with(|state| state.plan.budget);
        Ok(Worker::new(turn::Ports {
            bots: self.bots.clone(),
            turns: stores.clone(),
            conversations: stores.clone(),
            signals: stores.clone(),
            // No bot here has a budget or lets people choose, so that neither is ever asked.
            budgets: Arc::new(MemoryStore::default()),
            choices: Arc::new(MemoryStore::default()),
            parked: stores.clone(),
            tokens: stores,
            router: Arc::new(LiveRouter::new(router)),
            transport: wire,
            vault: self.vault(build.keys),
            clock: ports.clone(),
            pause: ports.clone(),
            observer: ports,
            policy: Policy {
                memory: MemorySettings::default(),
                budgets: BudgetSettings::default(),
                turn_timeout: millis(budget - 15_000),
            },
        }))
    }

    /// One delivery of a webhook. Gives the status that the platform sees; 0 when there was nothing to send.
    pub(crate) fn deliver(&self, saying: usize, at: i64) -> impl Future<Output = u16> + Send + use<> {
        let build = self.sim.with(|state| state.plan.upkeep.receiving(at - START));
        let (sim, receiver) = (self.sim.clone(), self.receiver(build));
        async move {
            let webhook = sim.with(|state| {
                let saying = state.plan.sayings.get(saying)?;
                webhooks::of(&state.plan, saying, state.now)
            });
            let Some((side, request)) = webhook else { return 0 };
            receiver.receive(side.name(), "bot", request).await.status.as_u16()
        }
    }

    /// An operator at the dead letters. Gives 200, or 503 when not all could be done.
    pub(crate) fn operate(&self, visit: Visit) -> impl Future<Output = u16> + Send + use<> {
        let in_parts = self.sim.with(|state| state.plan.upkeep.in_parts);
        let desk = Desk { stores: self.stores(Build::PLAIN), queue: self.queue.clone(), in_parts };
        async move {
            for _ in 0..visit.times {
                if desk.redrive_all().await.is_err() {
                    return 503;
                }
                desk.stores.sim.rest(visit.gap).await;
            }
            200
        }
    }

    /// Whether nothing is among the dead letters.
    pub(crate) fn no_letters(&self) -> anyhow::Result<bool> {
        Ok(ready(self.memory.list(1))??.is_empty())
    }

    /// One consumer of the queue, as standalone's and Lambda's are. Never ends.
    pub(crate) fn consume(&self, worker: Arc<Worker>) -> impl Future<Output = u16> + Send + use<> {
        let (sim, queue) = (self.sim.clone(), self.queue.clone());
        async move {
            let (budget, visibility, tries) = sim
                .with(|state| (millis(state.plan.budget), millis(state.plan.visibility), state.plan.tries));
            let mut idle = 200;
            loop {
                let Ok(Some(delivery)) = queue.next(sim.now(), visibility).await else {
                    // What was taken and whose answer was lost is in nobody's hands.
                    sim.with(|state| state.working.remove(&state.current));
                    sim.idle(idle).await;
                    idle = (idle * 2).min(600_000);
                    continue;
                };
                idle = 200;
                let handled = worker.answer(&delivery.body, budget).await;
                let over = match handled {
                    Handled::Done => true,
                    Handled::Again { .. } if delivery.tries >= tries => {
                        sim.with(|state| state.turn().map(|turn| state.oracle.given_up(&turn)));
                        worker.give_up(&delivery.body, GIVE_UP).await == GivenUp::Over
                    }
                    Handled::Again { .. } => false,
                };
                // Whether the queue hears of it or not: the item comes again, and the turn's record is the truth.
                let _ = match handled {
                    Handled::Again { .. } if !over && delivery.tries >= tries => {
                        queue.bury(&delivery.receipt, sim.now()).await.map(drop)
                    }
                    Handled::Done | Handled::Again { .. } if over => {
                        queue.done(&delivery.receipt).await.map(drop)
                    }
                    Handled::Done => Ok(()),
                    Handled::Again { after } => queue.again(&delivery.receipt, sim.now().plus(after)).await,
                };
                sim.with(|state| state.working.remove(&state.current));
            }
        }
    }
}

/// Polls a future that has nothing to wait for.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => anyhow::bail!("something waited that has nothing to wait for"),
    }
}

/// Keys of these names, each of 32 equal bytes.
fn data_keys(names: &[&str]) -> anyhow::Result<Vec<DataKey>> {
    let key = |name: &&str| {
        let bytes = if *name == "old" { [0; 32] } else { [1; 32] };
        Ok(DataKey::from_base64(name, &STANDARD.encode(bytes))?)
    };
    names.iter().map(key).collect()
}

fn millis(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

fn bot(platform: &str, keys: &str, merge: Option<MergeSettings>) -> anyhow::Result<BotSettings> {
    Ok(BotSettings {
        platform: PlatformId::parse(platform)?,
        bot: BotId::parse("bot")?,
        keys: KeySource::Env(keys.to_owned()),
        base_url: Some(Url::parse(&format!("https://{platform}.test"))?),
        persona: Some("Be brief.".to_owned()),
        merge,
        models: Vec::new(),
    })
}

fn endpoint(name: &str, place: Place, path: &str, protocol: Protocol) -> anyhow::Result<Endpoint> {
    let url = Url::parse(&format!("https://{name}.model.test/v1/{path}"))?;
    Ok(Endpoint::new(name, place, url, protocol, format!("{name}-model")))
}
