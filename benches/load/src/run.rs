//! All of it, several times.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use gateways::{
    client::{Address, Connection},
    gateway::process::{Process, bound_to_us},
    router::cost::Cost,
};
use tokio::process::Command;

use crate::{
    arrivals::Arrivals,
    clock,
    closed::{self, Counted},
    genuine,
    judge::{Judged, Limits, judge},
    mock::{ANSWERED_PATH, RECORD_PATH, record::Report},
    open,
    plan::Plan,
    report::line,
    server::{
        Product, Programs, Running, Server, Setup,
        memory::{Memory, during},
    },
    webhook::{Maker, Webhook},
};

/// How long to wait for answers after the last message, beyond the model's time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at how many are answered.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// How long the model takes where only acknowledging is measured: longer than that lasts.
const NEVER: Duration = Duration::from_secs(600);

/// What a server acknowledged.
#[derive(Debug, Clone)]
pub struct Acknowledging {
    /// Which server.
    pub server: Server,
    /// How much, and for how much processor time.
    pub counted: Counted,
    /// Its memory meanwhile.
    pub memory: Memory,
}

/// How messages arrive whose answers are awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// At the plan's rate
    Steady,
    /// One for each conversation, all at once
    Burst,
}

/// What Magpie answered.
#[derive(Debug, Clone)]
pub struct Answering {
    /// How the messages arrived.
    pub shape: Shape,
    /// What became of them.
    pub judged: Judged,
    /// Magpie's processor time for everything, in milliseconds.
    pub server_ms: f64,
    /// The processor time of the load generator and of the mock, in milliseconds.
    pub others_ms: (f64, f64),
    /// How long it took from the first message to the last answer.
    pub lasted: Duration,
    /// Magpie's memory meanwhile.
    pub memory: Memory,
}

/// What one run found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Acknowledging alone.
    pub acknowledging: Vec<Acknowledging>,
    /// Answering.
    pub answering: Vec<Answering>,
}

/// Does what the plan says, and tells what it does and finds.
///
/// # Errors
///
/// When a server does not start, does not verify what it acknowledges, or the mock fails.
pub async fn run(plan: &Plan, programs: &Programs, tell: impl Fn(String)) -> anyhow::Result<Vec<Found>> {
    tell("encrypting and signing the messages".to_owned());
    let stock = Stock::of(plan);
    let mut found = Vec::new();
    for number in 1..=plan.runs {
        tell(format!("run {number} of {}", plan.runs));
        let mut one = Found::default();
        for server in &plan.servers {
            tell(format!("{server}: as many acknowledgements as it can give"));
            let acknowledging = acknowledge(plan, *server, programs, &stock).await?;
            tell(line::acknowledging(&acknowledging));
            one.acknowledging.push(acknowledging);
        }
        if plan.servers.iter().any(|server| server.product == Product::Magpie) {
            for shape in [Shape::Steady, Shape::Burst] {
                tell(line::announce(plan, shape));
                let answering = answer(plan, shape, programs, &stock, number).await?;
                tell(line::answering(&answering));
                one.answering.push(answering);
            }
        }
        found.push(one);
    }
    Ok(found)
}

/// The webhooks, made once: every server starts with nothing stored, and knows none of them.
struct Stock {
    maker: Maker,
    webhooks: Vec<Webhook>,
}

impl Stock {
    fn of(plan: &Plan) -> Self {
        let maker = Maker::new(plan.conversations, clock::micros() / 1000);
        let webhooks = maker.make_all(plan.most_messages());
        Self { maker, webhooks }
    }
}

async fn acknowledge(
    plan: &Plan,
    server: Server,
    programs: &Programs,
    stock: &Stock,
) -> anyhow::Result<Acknowledging> {
    let Stock { maker, webhooks } = stock;
    let count = webhooks.len();
    let mock = Mock::start(programs, NEVER, count + 2).await?;
    // One turn, which waits for the model: nothing else is done meanwhile.
    let setup = Setup { mock: mock.socket(), turns: Some(1) };
    let running = Running::start(server, programs, setup).await?;
    let address = maker.address(running.socket)?;
    genuine::check(&address, maker, count).await.with_context(|| server.to_string())?;
    let work = closed::run(&address, webhooks, plan.span, &running.ids);
    let (counted, memory) = during(&running.ids, work).await;
    Ok(Acknowledging { server, counted, memory })
}

async fn answer(
    plan: &Plan,
    shape: Shape,
    programs: &Programs,
    stock: &Stock,
    run: usize,
) -> anyhow::Result<Answering> {
    let arrivals = match shape {
        Shape::Steady => Arrivals::at_rate(plan.rate, plan.messages(), run as u64),
        Shape::Burst => Arrivals::at_once(plan.conversations),
    };
    let count = arrivals.moments().len();
    let webhooks = stock.webhooks.iter().take(count).cloned().collect();
    let mock = Mock::start(programs, plan.model_time, count).await?;
    let server = Server { product: Product::Magpie, processes: 1 };
    let running = Running::start(server, programs, Setup { mock: mock.socket(), turns: None }).await?;
    let address = stock.maker.address(running.socket)?;
    let cost =
        || [running.cost(), Cost::sum(&[std::process::id()]), mock.cost()].map(|cost| cost.processor_ms);
    let before = cost();
    let (start, started) = (Instant::now(), clock::micros());
    let work = async {
        let deliveries = open::run(address, webhooks, arrivals, start).await;
        mock.wait_for(count, plan.model_time + PATIENCE).await?;
        anyhow::Ok(deliveries)
    };
    let (deliveries, memory) = during(&running.ids, work).await;
    let (lasted, after) = (start.elapsed(), cost());
    let judged = judge(&deliveries?, &mock.report().await?, started, Limits::for_model(plan.model_time));
    let [server_ms, generator_ms, mock_ms] = std::array::from_fn(|index| after[index] - before[index]);
    Ok(Answering { shape, judged, server_ms, others_ms: (generator_ms, mock_ms), lasted, memory })
}

/// The mock's process. Ended when dropped.
struct Mock(Process);

impl Mock {
    async fn start(programs: &Programs, model_time: Duration, questions: usize) -> anyhow::Result<Self> {
        let program: PathBuf = std::env::current_exe()?;
        let arguments = |port: u16, command: &mut Command| {
            command.args(["mock", "--port", &port.to_string(), "--questions", &questions.to_string()]);
            command.args(["--model-time", &model_time.as_secs_f64().to_string()]);
        };
        let process = Process::start("load-mock", &programs.logs, ANSWERED_PATH, |port| {
            let mut command = bound_to_us(&program);
            arguments(port, &mut command);
            command
        });
        Ok(Self(process.await?))
    }

    fn socket(&self) -> std::net::SocketAddr {
        self.0.socket
    }

    fn cost(&self) -> Cost {
        Cost::sum(&[self.0.id])
    }

    /// Waits until so many questions are answered, or the time is over: what is missing then is the judge's business.
    async fn wait_for(&self, count: usize, patience: Duration) -> anyhow::Result<()> {
        let began = Instant::now();
        while began.elapsed() < patience && self.get::<usize>(ANSWERED_PATH).await? < count {
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Ok(())
    }

    async fn report(&self) -> anyhow::Result<Report> {
        self.get(RECORD_PATH).await
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let mut address = Address::with_token(self.socket(), "none")?;
        path.clone_into(&mut address.path);
        let heard = Connection::to(self.socket()).ask(&address, bytes::Bytes::new()).await?;
        Ok(serde_json::from_slice(&heard.body)?)
    }
}
