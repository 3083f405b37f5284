//! What a turn costs on DynamoDB, in the units that DynamoDB itself counts.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chat::{BotId, Clock as _, PlatformId};
use egress::{Egress, EgressOptions};
use host::{SystemClock, SystemEntropy, SystemPause};
use magpie_tests::{
    cloud,
    component::Component,
    meter::{Meter, Units},
};
use platform::RawRequest;
use receive::Receiver;
use routing::{Clocks, Endpoint, Place, Protocol, Route, Router};
use secrecy::SecretString;
use settings::{
    BotSettings, Bots, KeySource, MemorySettings, MergeSettings, SecretError, SecretVersions, Secrets,
};
use simulator::{Fault, FeishuApp, Say, Served, Simulator, Target};
use store::{Dequeue as _, MemoryStore};
use store_dynamodb::DynamoStore;
use telemetry::{Note, Observer};
use turn::{Handled, Policy, Ports, Worker};
use url::Url;
use vault::{DataKey, Vault};

/// An ordinary question, and the sentence that answers are made of.
const QUESTION: &str = "请问我们公司的差旅报销流程是什么样的？需要准备哪些材料，多久能到账？";
const SENTENCE: &str =
    "首先在系统里填写报销申请，附上发票和行程单，然后由直属主管审批，最后由财务在三个工作日内付款。";

struct Keys;

#[async_trait]
impl Secrets for Keys {
    async fn fetch(&self, _: &KeySource) -> Result<SecretVersions, SecretError> {
        let keys = r#"{"app_id":"cli_a","app_secret":"s","verification_token":"v","encrypt_key":"e"}"#;
        Ok(SecretVersions { current: SecretString::from(keys), previous: None })
    }
}

struct Deaf;

impl Observer for Deaf {
    fn note(&self, _: &Note) {}
}

fn simulator() -> Simulator {
    let simulator = Simulator::new(Arc::new(SystemClock), Arc::new(SystemEntropy));
    simulator.add_feishu(FeishuApp {
        app_id: "cli_a".into(),
        app_secret: "s".into(),
        verification_token: "v".into(),
        encrypt_key: Some("e".into()),
        name: "Magpie".into(),
    });
    simulator
}

fn bot(simulated: &Url, merge: Option<MergeSettings>) -> BotSettings {
    BotSettings {
        platform: PlatformId::parse("feishu").unwrap(),
        bot: BotId::parse("bot").unwrap(),
        keys: KeySource::Env("KEYS".to_owned()),
        base_url: Some(simulated.join("feishu").unwrap()),
        persona: None,
        merge,
    }
}

fn model(simulated: &Url) -> Endpoint {
    let url = simulated.join("model/v1/chat/completions").unwrap();
    Endpoint::new("model", Place::Local, url, Protocol::ChatCompletions, "m")
}

/// The engine on DynamoDB, with the queue in memory.
struct Bench {
    meter: Arc<Meter>,
    simulator: Simulator,
    queue: MemoryStore,
    receiver: Receiver,
    worker: Worker,
    _served: Served,
}

impl Bench {
    async fn new(merge: Option<MergeSettings>) -> Option<Self> {
        let endpoint = Component::DynamoDb.find()?;
        let egress = Egress::new(EgressOptions::default()).unwrap();
        let meter = Arc::new(Meter::new(egress.clone()));
        let (client, table) = cloud::table(meter.clone(), &endpoint).await.unwrap();
        let (store, queue) = (Arc::new(DynamoStore::new(client, table)), MemoryStore::default());
        let simulator = simulator();
        let served = simulator::serve(simulator.router()).await.unwrap();
        let bot = bot(&served.url, merge);
        let bots =
            Bots::connect(vec![bot], &[feishu::KIND], Arc::new(Keys), SystemClock.now()).await.unwrap();
        let (bots, transport) = (Arc::new(bots), Arc::new(egress));
        let key = DataKey::from_base64("k", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
        let vault = Arc::new(Vault::new(vec![key], Arc::new(SystemEntropy)).unwrap());
        let ports = routing::Ports {
            transport: transport.clone(),
            clock: Arc::new(SystemClock),
            pause: Arc::new(SystemPause),
            entropy: Arc::new(SystemEntropy),
            board: None,
        };
        let router = Router::new(vec![model(&served.url)], Route::default(), Clocks::default(), ports);
        let receiver = Receiver {
            bots: bots.clone(),
            queue: Arc::new(queue.clone()),
            signals: store.clone(),
            vault: vault.clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            observer: Arc::new(Deaf),
        };
        let worker = Worker::new(Ports {
            bots,
            turns: store.clone(),
            conversations: store.clone(),
            signals: store.clone(),
            parked: store.clone(),
            tokens: store,
            router: Arc::new(router.unwrap()),
            transport,
            vault,
            clock: Arc::new(SystemClock),
            pause: Arc::new(SystemPause),
            observer: Arc::new(Deaf),
            policy: Policy { memory: MemorySettings::default(), turn_timeout: Duration::from_secs(120) },
        });
        Some(Self { meter, simulator, queue, receiver, worker, _served: served })
    }

    async fn say(&self, text: &str) {
        let webhook = self.simulator.feishu_message("cli_a", &Say::direct("ann", text)).unwrap();
        let headers = webhook.headers.iter().map(|(name, value)| {
            (name.parse::<http::HeaderName>().unwrap(), value.parse::<http::HeaderValue>().unwrap())
        });
        let request =
            RawRequest { headers: headers.collect(), query: vec![], body: webhook.body.clone().into() };
        assert_eq!(self.receiver.receive("feishu", "bot", request).await.status, 200);
    }

    /// Answers the next message. What it consumed, together with what receiving did since the last.
    async fn answer(&self, sentences: usize) -> Units {
        let hidden = Duration::from_secs(200);
        let delivery = self.queue.next(SystemClock.now(), hidden).await.unwrap().unwrap();
        self.simulator.script(Target::Model, [Fault::Answer(SENTENCE.repeat(sentences))]);
        let handled = self.worker.answer(&delivery.body, Duration::from_secs(150)).await;
        assert_eq!(handled, Handled::Done);
        self.queue.done(&delivery.receipt).await.unwrap();
        self.meter.take()
    }
}

/// A turn after ten others, with answers of so many sentences.
#[expect(clippy::print_stdout, reason = "the figures are what this is for")]
async fn after_ten_others(sentences: usize) -> Option<Units> {
    let bench = Bench::new(None).await?;
    for _ in 0..10 {
        bench.say(QUESTION).await;
        bench.answer(sentences).await;
    }
    bench.say(QUESTION).await;
    let units = bench.answer(sentences).await;
    println!("a turn after ten others, answers of {sentences} sentences: {units:?}");
    assert!(units.write > 0.0 && units.read > 0.0, "nothing was metered");
    Some(units)
}

#[tokio::test]
async fn a_turn_with_short_answers_costs_four_write_and_two_and_a_half_read_units_at_most() {
    let Some(units) = after_ten_others(2).await else { return };
    assert!(units.write <= 4.0 && units.read <= 2.5, "{units:?}");
}

/// What was said before is read again for each turn: four kilobytes of it are one unit.
#[tokio::test]
async fn a_turn_with_long_answers_costs_six_write_units_and_reads_what_it_remembers() {
    let Some(units) = after_ten_others(12).await else { return };
    assert!(units.write <= 6.0 && units.read <= 6.0, "{units:?}");
}

#[tokio::test]
async fn a_bot_that_merges_costs_one_write_more() {
    let merge = MergeSettings { within: Duration::from_millis(100), most: 8 };
    let Some(merging) = Bench::new(Some(merge)).await else { return };
    let Some(plain) = Bench::new(None).await else { return };
    let mut second = vec![];
    for bench in [plain, merging] {
        for _ in 0..2 {
            bench.say(QUESTION).await;
            second.push(bench.answer(2).await);
        }
    }
    println!("the first and the second turn, without and with merging: {second:?}");
    assert!(second[3].write - second[1].write <= 1.0, "{second:?}");
}
