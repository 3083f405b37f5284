//! Chaos among the built functions: worker bootstraps are killed, their table is cut off, models hang and platforms answer
//! 200 with an error inside.
//!
//! Webhooks go to receiving bootstraps by way of a gateway, and from the queue to worker bootstraps as the event source
//! mapping hands them out: each worker gets some records, and what it leaves or reports as failed goes back. On Lambda that
//! takes minutes, while records are hidden and claims are leased. Here no clock is moved; instead, what was left goes back at
//! once and the lease of the dead is put into the past, as it would be by then.

use std::{
    collections::HashMap,
    convert::Infallible,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use aws_sdk_sqs::types::Message;
use chat::Pause as _;
use clap::ValueEnum;
use host::SystemPause;
use serde_json::json;
use simulator::Fault;
use tempfile::TempDir;
use tokio::{
    sync::Notify,
    time::{Instant, interval, timeout},
};

use super::{
    Plan, deliveries::Deliveries, keeper::reached, ledger::Ledger, stage::Stage, verdict::Verdict, watch,
};
use crate::{
    cloud::{Cloud, sqs_event},
    component::Component,
    gate::Gate,
    gateway,
    platforms::{DINGTALK_KEYS, FEISHU_KEYS, Pretend, configuration},
    runtime::Bootstrap,
};

/// Workers at a time.
const WORKERS: usize = 3;

/// Records of one invocation at most.
const BATCH: i32 = 3;

/// How long a worker waits before it looks into an empty queue again.
const IDLE: Duration = Duration::from_millis(20);

/// The longest that a strike waits after its moment, in milliseconds: about what a turn takes.
const WAIT_MAX: u64 = 150;

/// How long the table stays cut off.
const CUT_OFF: Duration = Duration::from_millis(700);

/// How much longer a run may take than one of `magpie`: queue and table are emulators, and there are few workers.
const PATIENCE: u32 = 4;

/// The vault's key.
const VAULT: &str = r#"{"2026-11": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}"#;

/// What happens besides the ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Strike {
    /// A worker is killed, as often as the plan says.
    Kill,
    /// The table is cut off for a while, as often as the plan has kills.
    CutOff,
    /// One call to a model in six hangs, and one send in six is answered with 200 and an error inside.
    Answers,
}

/// Carries the plan out on the built functions; nothing when a component was left out.
///
/// # Errors
///
/// When a function does not start, refuses a delivery, or leaves work undone for too long. A promise that was broken is no
/// error but a [`Verdict`].
pub async fn run(plan: Plan, strike: Strike, say: impl Fn(&str)) -> anyhow::Result<Option<Verdict>> {
    let (Some(aws), Some(dynamodb)) = (Component::Aws.find(), Component::DynamoDb.find()) else {
        return Ok(None);
    };
    let Some(program) = Bootstrap::find("worker") else { return Ok(None) };
    let stage = Arc::new(if strike == Strike::Answers {
        let stage = Stage::quiet().await?;
        stage.answer_badly(&plan);
        stage
    } else {
        Stage::set(&plan).await?
    });
    let gate = Gate::before(&dynamodb).await?;
    let cloud = Cloud::new(aws, dynamodb).await?;
    let far = Pretend::start().await?;
    let here = &stage.pretend;
    let settings = configuration(here, here, &far, ("file:feishu.json", "file:dingtalk.json"));
    let yard = Yard::new(program, cloud, gate, &settings)?;
    let gateway = gateway::serve(yard.receivers().await?).await?;
    let ledger = Arc::new(Ledger::open(stage.pretend.simulator.watch()));
    let deliveries = Arc::new(Deliveries::new(Arc::clone(&stage), Arc::clone(&ledger), gateway.url.clone()));
    let began = Instant::now();
    let work = async {
        let (talks, ()) = tokio::try_join!(deliveries.run(plan), yard.strike(&plan, strike, &ledger))?;
        yard.drained().await?;
        anyhow::Ok(talks)
    };
    let workers = futures_util::future::try_join_all((0..WORKERS).map(|number| yard.work(number)));
    let finished = tokio::select! {
        finished = timeout(plan.patience() * PATIENCE, work) => {
            finished.context(ledger.line(&plan, began.elapsed()))
        }
        stopped = workers => return Err(stopped.err().context("no workers")?),
        never = watch(&ledger, &plan, began, &say) => match never {},
    };
    let (talks, took) = (finished??, began.elapsed());
    say(&ledger.line(&plan, took));
    let letters = yard.cloud.dead_letters(plan.messages).await?;
    let mut verdict = Verdict::reach(&plan, &talks, &ledger.close(), &letters, took);
    if strike == Strike::Answers && !stage.asked_again(&plan, &far) {
        verdict.strange.push("nothing hung and nothing was refused, or nothing was asked again".to_owned());
    }
    Ok(Some(verdict))
}

/// Where the functions run.
struct Yard {
    program: PathBuf,
    cloud: Cloud,
    gate: Gate,
    folder: TempDir,
    /// One for each worker.
    kill: [Notify; WORKERS],
}

impl Yard {
    fn new(program: PathBuf, cloud: Cloud, gate: Gate, configuration: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let quick = configuration.replace("attempt_timeout_seconds = 20", "attempt_timeout_seconds = 1");
        let configuration = format!("{quick}\n[vault]\nkeys = \"file:vault.json\"\n");
        for (name, content) in [
            ("feishu.json", FEISHU_KEYS),
            ("dingtalk.json", DINGTALK_KEYS),
            ("vault.json", VAULT),
            ("magpie.toml", &configuration),
        ] {
            std::fs::write(folder.path().join(name), content)?;
        }
        Ok(Self { program, cloud, gate, folder, kill: Default::default() })
    }

    async fn start(&self, program: &Path) -> anyhow::Result<Bootstrap> {
        let mut environment = self.cloud.environment();
        environment.retain(|(name, _)| *name != "AWS_ENDPOINT_URL_DYNAMODB");
        environment.extend([
            ("AWS_ENDPOINT_URL_DYNAMODB", self.gate.url.to_string()),
            ("MAGPIE_CONFIG", self.folder.path().join("magpie.toml").to_string_lossy().into_owned()),
            ("MAGPIE_LOG", "warn".to_owned()),
            // A record is killed more often here than anywhere.
            ("MAGPIE_TRIES_MAX", "1000".to_owned()),
        ]);
        Bootstrap::start(program, &environment, self.folder.path()).await
    }

    async fn receivers(&self) -> anyhow::Result<HashMap<String, Bootstrap>> {
        let mut receivers = HashMap::new();
        for name in ["feishu", "dingtalk"] {
            let program = Bootstrap::find(name).context("all functions are built together")?;
            receivers.insert(name.to_owned(), self.start(&program).await?);
        }
        Ok(receivers)
    }

    /// Strikes as often as planned, at moments that are spread over the work to do.
    async fn strike(&self, plan: &Plan, strike: Strike, ledger: &Ledger) -> anyhow::Result<()> {
        let mut chance = fastrand::Rng::with_seed(plan.seed ^ 0xdead);
        let most = (plan.messages + plan.messages / 4 * 3).max(1);
        let mut moments: Vec<usize> = (0..plan.kills).map(|_| chance.usize(0..most)).collect();
        moments.sort_unstable();
        for moment in moments {
            reached(ledger, moment).await;
            SystemPause.pause(Duration::from_millis(chance.u64(0..=WAIT_MAX))).await;
            match strike {
                Strike::Kill => self.kill[chance.usize(0..WORKERS)].notify_one(),
                Strike::CutOff => {
                    self.gate.shut();
                    SystemPause.pause(CUT_OFF).await;
                    self.gate.open();
                }
                Strike::Answers => bail!("answers are scripted and do not strike"),
            }
            ledger.killed();
        }
        Ok(())
    }

    /// One worker after the other, each with what the queue has, until it is killed.
    async fn work(&self, number: usize) -> anyhow::Result<Infallible> {
        let mut worker = self.start(&self.program).await?;
        loop {
            // Not interrupted: what the queue handed out must not be forgotten.
            let messages = self.cloud.receive_some(BATCH).await?;
            let event = sqs_event(&messages);
            let answer = async {
                if messages.is_empty() {
                    SystemPause.pause(IDLE).await;
                    return Ok(json!({ "batchItemFailures": [] }));
                }
                worker.invoke(&event).await
            };
            let answer = tokio::select! {
                answer = answer => Some(answer?),
                () = self.kill[number].notified() => None,
            };
            if let Some(answer) = &answer {
                self.settle(&messages, answer).await?;
            } else {
                worker.process.crash().await?;
                worker = self.start(&self.program).await?;
                self.again(&messages).await?;
            }
        }
    }

    /// Deletes what was done, as the event source mapping does, and gives back what was not.
    async fn settle(&self, messages: &[Message], answer: &serde_json::Value) -> anyhow::Result<()> {
        let failures = answer["batchItemFailures"].as_array().context("an answer names its failures")?;
        let (failed, done): (Vec<_>, Vec<_>) = messages.iter().cloned().partition(|message| {
            failures.iter().any(|failure| failure["itemIdentifier"] == json!(message.message_id))
        });
        for message in &done {
            // One that was hidden for too short a time has come again, and will be found done.
            let _ = self.cloud.delete(message).await;
        }
        self.again(&failed).await
    }

    async fn again(&self, messages: &[Message]) -> anyhow::Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        self.cloud.end_leases().await?;
        // In their order, so that the first of a group is the first again.
        for message in messages {
            // The worker itself may have brought it forward, and another one have it by now.
            let _ = self.cloud.give_back(message).await;
        }
        Ok(())
    }

    /// Waits until nothing is in the queue, neither waiting nor in work.
    async fn drained(&self) -> anyhow::Result<()> {
        let mut looks = interval(IDLE);
        while self.cloud.queued().await? > 0 {
            looks.tick().await;
        }
        Ok(())
    }
}

impl Stage {
    /// Lets some models hang for longer than anybody waits, and has some sends answered with 200 and an error that asks to
    /// come again.
    fn answer_badly(&self, plan: &Plan) {
        use simulator::Target::{DingTalkSessionWebhook, FeishuSend, Model};
        let busy = |body: &str| Fault::Raw { status: 200, body: body.to_owned() };
        for (target, bad) in [
            (Model, Fault::Hang(Duration::from_secs(600))),
            (FeishuSend, busy(r#"{"code":230020,"msg":"This operation triggers the frequency limit."}"#)),
            (DingTalkSessionWebhook, busy(r#"{"errcode":-1,"errmsg":"system busy"}"#)),
        ] {
            let answers = (0..plan.messages)
                .map(|number| if number % 6 == 2 { bad.clone() } else { Fault::Hang(Duration::ZERO) });
            self.pretend.simulator.script(target, answers);
        }
    }

    /// Whether the far model had to answer, and the platforms were called more often than there are messages.
    fn asked_again(&self, plan: &Plan, far: &Pretend) -> bool {
        use simulator::Target::{DingTalkSessionWebhook, FeishuSend};
        let calls = self.pretend.simulator.calls();
        let sends = calls.iter().filter(|call| matches!(call.target, FeishuSend | DingTalkSessionWebhook));
        sends.count() > plan.messages && !far.simulator.model_requests().is_empty()
    }
}
