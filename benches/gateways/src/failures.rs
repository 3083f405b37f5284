//! The sixteen scenarios, run against a gateway.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};

use crate::{
    answer::{ANSWER, QUESTION},
    client::{
        Connection, question,
        read::{Reading, read},
    },
    gateway::{Door, Doors, Product, Programs, Stand, every_scenario},
    judge::{Asked, Facts, Grade, Verdict, judge},
    mock::{Mock, ledger::Ledger},
    scale::Scale,
    scenarios::Scenario,
};

/// How a run goes.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// How fast the clocks go.
    pub scale: Scale,
    /// Whether the client asks for streams in every scenario, not only where the fault exists only in a stream.
    pub streamed: bool,
}

/// Starts a product and runs all scenarios against it, side by side: each has its own models, so that none sees
/// another's. Tells of each verdict as it comes, and gives all in order.
///
/// # Errors
///
/// When the product does not start.
pub async fn run(
    product: Product,
    programs: &Programs,
    manner: Manner,
    heard: impl Fn(&Verdict),
) -> anyhow::Result<Vec<Verdict>> {
    let mock = Mock::start(manner.scale).await?;
    let scenarios = every_scenario();
    let stand = Stand::start(product, &scenarios, programs, &mock, manner.scale).await?;
    against(&stand, product != Product::Direct, &mock, manner, heard).await
}

/// Runs all scenarios against a gateway that stands ready in front of the mock.
///
/// # Errors
///
/// When the gateway was not started for one of them.
pub async fn against(
    stand: &Stand,
    has_fallback: bool,
    mock: &Mock,
    manner: Manner,
    heard: impl Fn(&Verdict),
) -> anyhow::Result<Vec<Verdict>> {
    warm_up(stand, manner.scale).await?;
    let (mut running, began, timeout) = (FuturesUnordered::new(), Instant::now(), stand.client_timeout);
    for scenario in every_scenario() {
        let doors = stand.doors(scenario)?;
        let run = Run { scenario, doors, ledger: &mock.ledger, manner, has_fallback, timeout, began };
        running.push(async move { run.judged().await });
    }
    let mut verdicts = Vec::new();
    while let Some(verdict) = running.next().await {
        heard(&verdict);
        verdicts.push(verdict);
    }
    verdicts.sort_by_key(|verdict| verdict.scenario.id);
    Ok(verdicts)
}

/// Asks every healthy model once, streamed and not, so that what a gateway does only at its first question (some import
/// half of themselves then) is not held against it.
async fn warm_up(stand: &Stand, scale: Scale) -> anyhow::Result<()> {
    let mut asking = FuturesUnordered::new();
    for scenario in every_scenario() {
        let healthy = &stand.doors(scenario)?.healthy;
        for streamed in [false, true] {
            asking.push(ask(healthy, streamed, scale.patience(30.0), None));
        }
    }
    // Whether they are answered is for the scenarios to find out.
    while asking.next().await.is_some() {}
    Ok(())
}

/// How many passed.
#[must_use]
pub fn passed(verdicts: &[Verdict]) -> usize {
    verdicts.iter().filter(|verdict| verdict.grade == Grade::Pass).count()
}

/// A scenario on its way.
struct Run<'a> {
    scenario: &'static Scenario,
    doors: &'a Doors,
    ledger: &'a Arc<Ledger>,
    manner: Manner,
    has_fallback: bool,
    timeout: Option<Duration>,
    began: Instant,
}

impl Run<'_> {
    async fn judged(&self) -> Verdict {
        let scale = self.manner.scale;
        let asked = match self.scenario.series {
            None => vec![self.ask_once().await],
            Some(series) => self.ask_again_and_again(series.count, scale.of(series.every)).await,
        };
        let facts = Facts {
            asked,
            primary: self.ledger.since(self.began, &self.scenario.primary_model()),
            fallback: self.ledger.since(self.began, &self.scenario.fallback_model()),
            alive: self.alive().await,
            has_fallback: self.has_fallback,
            scale,
        };
        judge(self.scenario, &facts)
    }

    async fn ask_once(&self) -> Asked {
        let streamed = self.manner.streamed || self.scenario.streamed;
        let patience = self.manner.scale.patience(self.scenario.patience);
        ask(&self.doors.both, streamed, patience, self.timeout).await
    }

    /// Each question at its own time, whether the one before has been answered or not.
    async fn ask_again_and_again(&self, count: u32, every: Duration) -> Vec<Asked> {
        let began = tokio::time::Instant::now();
        let questions = (0..count).map(|number| async move {
            tokio::time::sleep_until(began + every * number).await;
            self.ask_once().await
        });
        futures_util::future::join_all(questions).await
    }

    /// Whether the gateway still takes a question to the healthy model.
    async fn alive(&self) -> Result<(), String> {
        let patience = self.manner.scale.patience(10.0);
        match ask(&self.doors.healthy, false, patience, None).await.reading {
            Some(Reading::Answer(answer)) if answer.text.trim() == ANSWER => Ok(()),
            Some(Reading::Answer(_)) => Err("a wrong answer".to_owned()),
            Some(Reading::Error { why, .. }) => Err(why.chars().take(90).collect()),
            None => Err("no answer".to_owned()),
        }
    }
}

/// Asks, and gives up after `patience`: that is a hang. After its own `timeout` a client ends the call by itself.
async fn ask(door: &Door, streamed: bool, patience: Duration, timeout: Option<Duration>) -> Asked {
    let at = Instant::now();
    let socket: SocketAddr = door.address.socket;
    let mut connection = Connection::to(socket);
    let question = question(&door.model, QUESTION, streamed);
    let wait = timeout.unwrap_or(patience).min(patience);
    let heard = tokio::time::timeout(wait, connection.ask(&door.address, question)).await;
    let reading = match heard {
        Err(_) if wait < patience => {
            Some(Reading::Error { status: None, why: "the client's own timeout".to_owned() })
        }
        Err(_) => None,
        Ok(Ok(heard)) => Some(read(&heard, streamed)),
        Ok(Err(error)) => Some(Reading::Error { status: None, why: format!("{error:#}") }),
    };
    Asked { at, took: at.elapsed(), reading }
}
