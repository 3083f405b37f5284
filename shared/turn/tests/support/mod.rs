//! A whole Magpie in one test: webhooks in, simulated platforms and models out, no socket and no real time.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use chat::{BotId, Clock, Entropy, Pause, PlatformId, Timestamp};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use platform::RawRequest;
use receive::Receiver;
use routing::{Clocks, Endpoint, LiveRouter, Place, Price, Protocol, Route, Router};
use secrecy::SecretString;
use settings::{
    BotSettings, Bots, BudgetSettings, KeySource, MemorySettings, MergeSettings, SecretError, SecretVersions,
    Secrets,
};
use simulator::{DingTalkApp, FeishuApp, Simulator, Webhook};
use store::{Delivery, Dequeue as _, Enqueue, MemoryStore, QueueItem, StoreError};
use telemetry::{Note, Observer, Step};
use tokio::time::Instant;
use tower::ServiceExt as _;
use transport::{Limits, NetError, OutRequest, OutResponse, OutStream, Pieces, Transport};
use turn::{Handled, Policy, Ports, Worker};
use url::Url;
use vault::{DataKey, Vault};

/// 2026-11-22, roughly. What matters is that it stands still unless somebody waits.
const START: i64 = 1_795_000_000_000;

/// What everything is sealed with.
pub(crate) const VAULT_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// How long a run may take.
pub(crate) const BUDGET: Duration = Duration::from_secs(150);

/// A clock that follows the runtime's, which is paused and moves when everybody waits; or when a test says so.
pub(crate) struct TestClock {
    began: tokio::time::Instant,
    ahead: AtomicI64,
}

impl Default for TestClock {
    fn default() -> Self {
        Self { began: tokio::time::Instant::now(), ahead: AtomicI64::new(0) }
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.began.elapsed().as_millis()).unwrap();
        Timestamp::from_millis(START + elapsed + self.ahead.load(Ordering::SeqCst))
    }
}

#[async_trait]
impl Pause for TestClock {
    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl TestClock {
    pub(crate) fn advance(&self, duration: Duration) {
        self.ahead.fetch_add(i64::try_from(duration.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

/// Bytes that differ from call to call and from run to run not at all.
#[derive(Default)]
struct TestEntropy(AtomicU64);

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next =
                self.0.fetch_add(1, Ordering::SeqCst).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            chunk.copy_from_slice(&next.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Calls a simulator's router directly, by the host that the URL names.
struct Wire(BTreeMap<&'static str, axum::Router>);

impl Wire {
    /// Up to the head of the answer.
    async fn send(&self, request: OutRequest) -> Result<http::Response<Body>, NetError> {
        let router = self.0.get(request.url.host_str().unwrap_or_default()).ok_or(NetError::Unreachable)?;
        let uri = request.url[url::Position::BeforePath..].to_owned();
        let mut inner = http::Request::new(Body::from(request.body));
        *inner.method_mut() = request.method;
        *inner.uri_mut() = uri.parse().unwrap();
        *inner.headers_mut() = request.headers;
        router.clone().oneshot(inner).await.map_err(|never| match never {})
    }
}

#[async_trait]
impl Transport for Wire {
    async fn call(&self, request: OutRequest, limits: Limits) -> Result<OutResponse, NetError> {
        let call = async {
            let (parts, body) = self.send(request).await?.into_parts();
            let body = axum::body::to_bytes(body, limits.bytes).await.map_err(|_| NetError::Broken)?;
            Ok(OutResponse { status: parts.status, headers: parts.headers, body })
        };
        tokio::time::timeout(limits.total, call).await.unwrap_or(Err(NetError::Timeout))
    }

    async fn stream(&self, request: OutRequest, limits: Limits) -> Result<OutStream, NetError> {
        let end = Instant::now() + limits.total;
        let head = tokio::time::timeout_at(end, self.send(request)).await;
        let (parts, body) = head.unwrap_or(Err(NetError::Timeout))?.into_parts();
        let body = Box::new(Coming { body: body.into_data_stream(), end });
        Ok(OutStream { status: parts.status, headers: parts.headers, body })
    }
}

/// A body that comes piece by piece, and for no longer than its call may take.
struct Coming {
    body: BodyDataStream,
    end: Instant,
}

#[async_trait]
impl Pieces for Coming {
    async fn next(&mut self) -> Result<Option<Bytes>, NetError> {
        let piece =
            tokio::time::timeout_at(self.end, self.body.next()).await.map_err(|_| NetError::Timeout)?;
        piece.transpose().map_err(|_| NetError::Broken)
    }
}

struct TestSecrets;

#[async_trait]
impl Secrets for TestSecrets {
    async fn fetch(&self, source: &KeySource) -> Result<SecretVersions, SecretError> {
        let keys = match source.to_string().as_str() {
            "env:FEISHU" => {
                r#"{"app_id":"cli_a","app_secret":"s","verification_token":"v","encrypt_key":"e"}"#
            }
            _ => {
                r#"{"client_id":"dingapp","client_secret":"s","robot_code":"dingrobot","token":"tok","aes_key":"ahovCJQX4bipwDKRY5cjqxELSZ6dkryFMT07elszGNU"}"#
            }
        };
        Ok(SecretVersions { current: SecretString::from(keys), previous: None })
    }
}

/// Remembers the steps.
#[derive(Default)]
struct Notes(Mutex<VecDeque<Step>>);

impl Observer for Notes {
    fn note(&self, note: &Note) {
        self.0.lock().unwrap().push_back(note.step.clone());
    }
}

/// A queue that can be out of order.
struct Queue {
    store: MemoryStore,
    down: Arc<AtomicBool>,
}

#[async_trait]
impl Enqueue for Queue {
    async fn enqueue(&self, item: QueueItem, now: Timestamp) -> Result<(), StoreError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("switched off".into()));
        }
        self.store.enqueue(item, now).await
    }
}

/// What may differ from one Magpie to another.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) merge: Option<MergeSettings>,
    /// What people may choose among.
    pub(crate) models: &'static [&'static str],
    pub(crate) budgets: BudgetSettings,
    /// Of the cloud's model, which answers with a thousand tokens at most; the local one costs nothing.
    pub(crate) price: Option<Price>,
}

/// A whole Magpie.
pub(crate) struct World {
    pub(crate) clock: Arc<TestClock>,
    /// Both platforms.
    pub(crate) simulator: Simulator,
    /// The local and the cloud model server.
    pub(crate) local: Simulator,
    pub(crate) cloud: Simulator,
    pub(crate) store: MemoryStore,
    pub(crate) queue_down: Arc<AtomicBool>,
    pub(crate) receiver: Receiver,
    pub(crate) worker: Worker,
    notes: Arc<Notes>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    /// One whose bots answer short messages in a row together.
    pub(crate) async fn merging() -> Self {
        let merge = Some(MergeSettings { most: 3, ..MergeSettings::default() });
        Self::with(Setup { merge, ..Setup::default() }).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let clock = Arc::new(TestClock::default());
        let entropy: Arc<dyn Entropy> = Arc::new(TestEntropy::default());
        let simulated = || Simulator::new(clock.clone(), entropy.clone());
        let (simulator, local, cloud) = (simulated(), simulated(), simulated());
        register(&simulator);
        let wire = Wire(BTreeMap::from([
            ("platform.test", simulator.router()),
            ("local.test", local.router()),
            ("cloud.test", cloud.router()),
        ]));
        let transport: Arc<dyn Transport> = Arc::new(wire);
        let bots = Arc::new(connect(clock.now(), &setup).await);
        let keys = vec![DataKey::from_base64("k", VAULT_KEY).unwrap()];
        let vault = Arc::new(Vault::new(keys, entropy.clone()).unwrap());
        let (store, notes, queue_down) =
            (MemoryStore::default(), Arc::new(Notes::default()), Arc::new(AtomicBool::new(false)));
        let receiver = Receiver {
            bots: bots.clone(),
            queue: Arc::new(Queue { store: store.clone(), down: queue_down.clone() }),
            signals: Arc::new(store.clone()),
            vault: vault.clone(),
            clock: clock.clone(),
            entropy,
            observer: notes.clone(),
            unknown: receive::UnknownBots::default(),
        };
        let worker = Worker::new(Ports {
            bots,
            turns: Arc::new(store.clone()),
            conversations: Arc::new(store.clone()),
            signals: Arc::new(store.clone()),
            budgets: Arc::new(store.clone()),
            choices: Arc::new(store.clone()),
            parked: Arc::new(store.clone()),
            tokens: Arc::new(store.clone()),
            router: Arc::new(router(transport.clone(), clock.clone(), setup.price)),
            transport,
            vault,
            clock: clock.clone(),
            pause: clock.clone(),
            observer: notes.clone(),
            policy: Policy {
                memory: MemorySettings::default(),
                budgets: setup.budgets,
                turn_timeout: Duration::from_secs(120),
            },
        });
        Self { clock, simulator, local, cloud, store, queue_down, receiver, worker, notes }
    }

    /// Delivers a webhook and returns the status that the platform sees.
    pub(crate) async fn deliver(&self, platform: &str, webhook: &Webhook) -> u16 {
        self.receiver.receive(platform, "bot", raw(webhook)).await.status.as_u16()
    }

    /// Takes the next item off the queue and has it answered.
    pub(crate) async fn step(&self) -> Option<Handled> {
        let delivery = self.next().await?;
        let handled = self.worker.answer(&delivery.body, BUDGET).await;
        match handled {
            Handled::Done => {
                self.store.done(&delivery.receipt).await.unwrap();
            }
            Handled::Again { after } => {
                let due = self.clock.now().plus(after);
                self.store.again(&delivery.receipt, due).await.unwrap();
            }
        }
        Some(handled)
    }

    pub(crate) async fn next(&self) -> Option<Delivery> {
        self.store.next(self.clock.now(), BUDGET).await.unwrap()
    }

    /// Says something on Feishu and has everything answered.
    pub(crate) async fn feishu(&self, say: &simulator::Say) -> u16 {
        let webhook = self.simulator.feishu_message("cli_a", say).unwrap();
        let status = self.deliver("feishu", &webhook).await;
        while self.step().await.is_some() {}
        status
    }

    /// Says something on DingTalk and has everything answered.
    pub(crate) async fn dingtalk(&self, say: &simulator::Say) -> u16 {
        let status = self.deliver("dingtalk", &self.dingtalk_webhook(say)).await;
        while self.step().await.is_some() {}
        status
    }

    pub(crate) fn dingtalk_webhook(&self, say: &simulator::Say) -> Webhook {
        let base = Url::parse("https://platform.test/dingtalk").unwrap();
        self.simulator.dingtalk_message("dingapp", say, &base).unwrap()
    }

    /// What people see, in order.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.simulator.sent().into_iter().map(|sent| sent.text).collect()
    }

    /// The steps noted since the last call.
    pub(crate) fn notes(&self) -> Vec<Step> {
        self.notes.0.lock().unwrap().drain(..).collect()
    }

    pub(crate) fn ended(&self) -> Vec<(&'static str, Option<&'static str>)> {
        let mut ended = vec![];
        for step in self.notes() {
            if let Step::Ended { ending, reason, .. } = step {
                ended.push((ending, reason));
            }
        }
        ended
    }
}

fn register(simulator: &Simulator) {
    simulator.add_feishu(FeishuApp {
        app_id: "cli_a".into(),
        app_secret: "s".into(),
        verification_token: "v".into(),
        encrypt_key: Some("e".into()),
        name: "Magpie".into(),
    });
    simulator.add_dingtalk(DingTalkApp {
        client_id: "dingapp".into(),
        client_secret: "s".into(),
        robot_code: "dingrobot".into(),
        token: Some("tok".into()),
        aes_key: Some("ahovCJQX4bipwDKRY5cjqxELSZ6dkryFMT07elszGNU".into()),
        name: "Magpie".into(),
    });
}

async fn connect(now: Timestamp, setup: &Setup) -> Bots {
    let bot = |platform: &str, reference: &str| BotSettings {
        platform: PlatformId::parse(platform).unwrap(),
        bot: BotId::parse("bot").unwrap(),
        keys: KeySource::Env(reference.to_owned()),
        base_url: Some(Url::parse(&format!("https://platform.test/{platform}")).unwrap()),
        persona: Some("Be brief.".to_owned()),
        merge: setup.merge,
        models: setup.models.iter().map(|&name| name.to_owned()).collect(),
    };
    let bots = vec![bot("feishu", "FEISHU"), bot("dingtalk", "DINGTALK")];
    Bots::connect(bots, &[feishu::KIND, dingtalk::KIND], Arc::new(TestSecrets), now).await.unwrap()
}

fn router(transport: Arc<dyn Transport>, clock: Arc<TestClock>, price: Option<Price>) -> LiveRouter {
    let endpoint = |name: &str, place, path: &str, protocol| {
        let url = Url::parse(&format!("https://{name}.test/model/v1/{path}")).unwrap();
        Endpoint::new(name, place, url, protocol, format!("{name}-model"))
    };
    let endpoints = vec![
        endpoint("local", Place::Local, "chat/completions", Protocol::ChatCompletions),
        Endpoint {
            price,
            max_tokens: Some(1_000),
            ..endpoint("cloud", Place::Cloud, "completions", Protocol::Completions)
        },
    ];
    let clocks = Clocks { attempt: Duration::from_secs(30), ..Clocks::default() };
    let ports = routing::Ports {
        transport,
        clock: clock.clone(),
        pause: clock,
        entropy: Arc::new(TestEntropy::default()),
        board: None,
    };
    LiveRouter::new(Router::new(endpoints, Route::default(), clocks, ports).unwrap())
}

pub(crate) fn raw(webhook: &Webhook) -> RawRequest {
    let headers: HeaderMap = webhook
        .headers
        .iter()
        .map(|(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        })
        .collect();
    let query = url::form_urlencoded::parse(webhook.query.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    RawRequest { headers, query, body: Bytes::from(webhook.body.clone()) }
}
