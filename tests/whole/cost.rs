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
use routing::{Clocks, Endpoint, LiveRouter, Place, Protocol, Route, Router};
use secrecy::SecretString;
use settings::{
    BotSettings, Bots, BudgetSettings, KeySource, MemorySettings, MergeSettings, SecretError, SecretVersions,
    Secrets,
};
use simulator::{Fault, FeishuApp, Say, Served, Simulator, Target};
use store::{Dequeue as _, MemoryStore};
use store_dynamodb::DynamoStore;
use telemetry::{Note, Observer};
use turn::{Handled, Policy, Ports, Worker};
use url::Url;
use vault::{DataKey, Vault};

/// An ordinary question.
const QUESTION: &str = "请问我们公司的差旅报销流程是什么样的？需要准备哪些材料，多久能到账？";

/// What answers are made of. All different, as in an answer that a model gives: what is stored is deflated, and words that
/// repeat themselves would show a turn as cheaper than it is.
const SENTENCES: [&str; 24] = [
    "如果您是第一次使用这套系统，请先用工号登录员工门户，在个人中心里核对部门和成本中心是否正确。",
    "出差前需要填写出行申请，写清楚目的地、起止日期和预计费用，审批通过之后才能预订机票和酒店。",
    "国内航班原则上选择经济舱，连续飞行超过六小时的可以申请公务舱，但要由分管副总裁单独批准。",
    "酒店标准按城市分为三档，北京、上海、深圳每晚不超过六百元，其他省会城市四百五十元封顶。",
    "回来以后十五天内提交报销单，逾期未交的会被系统自动退回，需要写一份说明再重新走流程。",
    "发票抬头必须是公司全称，税号不能写错，电子发票请上传原始文件，不要用手机截图代替。",
    "打车费用请附上行程单，单次超过二百元的要注明事由，夜间加班的车费走另外一个费用科目。",
    "直属主管一般在两个工作日内审批，如果主管休假，系统会转给他事先指定的代理人处理。",
    "财务复核时主要看三点：票据是否真实、金额是否超标、预算是否还有余额，任何一项不符都会打回。",
    "复核通过后款项随下一批付款打到您的工资卡，通常是每周三和周五，遇到节假日顺延。",
    "外币支出按照刷卡当天的中间价折算，请同时提供信用卡账单，上面的姓名要能看清楚。",
    "和客户一起用餐的，请列出参加人员的姓名和公司，人均标准超过三百元的需要总经理签字。",
    "住在亲友家里的同事可以领取每天一百元的补贴，不需要提供住宿发票，但要在申请里勾选对应选项。",
    "常见的退单原因是附件模糊或者缺页，提交之前最好自己放大看一遍，能省下不少来回的时间。",
    "想知道进度的话，打开报销单右上角的时间线，每一步是谁在处理、停留了多久都写在那里。",
    "假如对退回的理由有疑问，可以在单据下面留言，也可以直接拨打财务共享中心的分机八八零六。",
    "实习生和外包人员目前不能自己提单，由所在项目的负责人代为提交，款项仍然打给本人。",
    "培训产生的费用请选择人力资源部的预算，不要占用部门自己的差旅额度，否则月底会对不上账。",
    "另外提醒一下，今年起纸质单据不再邮寄，贴好之后放进每层楼前台的蓝色箱子里就可以了。",
    "高铁一等座只对经理以上级别开放，其他同事请购买二等座，学生票和优惠票也按实际金额报销。",
    "自驾出行按每公里一块二毛计算，过路费和停车费另外凭票，出发和到达时的里程表都要拍照。",
    "会议取消导致的退票手续费可以报，但请附上主办方的通知邮件，个人原因改签的部分自行承担。",
    "借款未还清之前不能再次预支，系统会先从这次的报销款里扣除，余下的才会打到卡上。",
    "以上规定以制度平台最新发布的版本为准，如有调整会提前一周通过邮件和群公告通知大家。",
];

/// An answer of so many characters or a few more, another for each number.
fn answer(number: usize, characters: usize) -> String {
    let mut answer = String::new();
    for sentence in SENTENCES.iter().cycle().skip(number * 5) {
        if answer.chars().count() >= characters {
            break;
        }
        answer.push_str(sentence);
    }
    answer
}

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
        models: Vec::new(),
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
            unknown: receive::UnknownBots::default(),
        };
        let worker = Worker::new(Ports {
            bots,
            turns: store.clone(),
            conversations: store.clone(),
            signals: store.clone(),
            budgets: store.clone(),
            choices: store.clone(),
            parked: store.clone(),
            tokens: store,
            router: Arc::new(LiveRouter::new(router.unwrap())),
            transport,
            vault,
            clock: Arc::new(SystemClock),
            pause: Arc::new(SystemPause),
            observer: Arc::new(Deaf),
            policy: Policy {
                memory: MemorySettings::default(),
                budgets: BudgetSettings::default(),
                turn_timeout: Duration::from_secs(120),
            },
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

    /// Answers the next message with this. What it consumed, together with what receiving did since the last.
    async fn answer(&self, with: String) -> Units {
        let hidden = Duration::from_secs(200);
        let delivery = self.queue.next(SystemClock.now(), hidden).await.unwrap().unwrap();
        self.simulator.script(Target::Model, [Fault::Answer(with)]);
        let handled = self.worker.answer(&delivery.body, Duration::from_secs(150)).await;
        assert_eq!(handled, Handled::Done);
        self.queue.done(&delivery.receipt).await.unwrap();
        self.meter.take()
    }
}

/// What a turn may cost: the target of the design.
const MOST: Units = Units { write: 6.0, read: 2.5 };

/// A turn after so many others, with answers of so many characters.
#[expect(clippy::print_stdout, reason = "the figures are what this is for")]
async fn after(others: usize, characters: usize) -> Option<Units> {
    let bench = Bench::new(None).await?;
    let mut units = Units::default();
    for number in 0..=others {
        bench.say(QUESTION).await;
        units = bench.answer(answer(number, characters)).await;
        // The first one keeps the platform's token beside.
        let write = units.write - f64::from(u8::from(number == 0));
        assert!(write <= MOST.write && units.read <= MOST.read, "turn {number}: {units:?}");
    }
    println!("a turn after {others} others, answers of some {characters} characters: {units:?}");
    assert!(units.write > 0.0 && units.read > 0.0, "nothing was metered");
    Some(units)
}

#[tokio::test]
async fn a_turn_with_short_answers_costs_four_write_and_two_read_units() {
    let Some(units) = after(10, 95).await else { return };
    assert!(units.write <= 4.0 && units.read <= 2.0, "{units:?}");
    // As much as is ever remembered.
    let Some(units) = after(25, 95).await else { return };
    assert!(units.write <= 4.0 && units.read <= 2.5, "{units:?}");
}

/// What was said before is read again for each turn, and four kilobytes of it are one unit. It is deflated, and all but the
/// newest is read for half the price.
#[tokio::test]
async fn a_turn_with_long_answers_costs_five_write_and_two_and_a_half_read_units_at_most() {
    for others in [10, 25] {
        let Some(units) = after(others, 570).await else { return };
        assert!(units.write <= 5.0 && units.read <= 2.5, "{units:?}");
    }
}

#[tokio::test]
async fn no_length_of_answers_costs_more_than_the_target() {
    for characters in [20, 200, 300, 400, 800] {
        if after(10, characters).await.is_none() {
            return;
        }
    }
}

#[tokio::test]
async fn a_bot_that_merges_costs_one_write_more() {
    let merge = MergeSettings { within: Duration::from_millis(100), most: 8 };
    let Some(merging) = Bench::new(Some(merge)).await else { return };
    let Some(plain) = Bench::new(None).await else { return };
    let mut second = vec![];
    for bench in [plain, merging] {
        for number in 0..2 {
            bench.say(QUESTION).await;
            second.push(bench.answer(answer(number, 95)).await);
        }
    }
    println!("the first and the second turn, without and with merging: {second:?}");
    assert!(second[3].write - second[1].write <= 1.0, "{second:?}");
}
