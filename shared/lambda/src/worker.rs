//! Queue records to turns, with partial batch failures that respect the groups.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use anyhow::Context as _;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use chat::{Clock as _, Timestamp};
use host::{SystemClock, SystemEntropy, SystemPause};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use platform::Kind;
use routing::{LiveRouter, Router};
use settings::{Environment as _, NetworkSettings, ProcessEnvironment};
use store_dynamodb::DynamoStore;
use telemetry::LogObserver;
use transport::Transport;
use turn::{GivenUp, Handled, Policy, Ports, SharedBoard, Worker};

use crate::{
    sign::RoleSigner,
    start::{QUEUE_URL, Start, TABLE},
};

/// What is kept of the function's time to give the record back in an orderly way.
const MARGIN: Duration = Duration::from_secs(3);

/// How often the queue hands a record out. Set by `infra/template.yaml`, from the value that its queue has.
pub const TRIES_MAX: &str = "MAGPIE_TRIES_MAX";

/// The queue's number of tries where the environment says nothing.
const TRIES_MAX_DEFAULT: u32 = 5;

/// What is kept of the last try's time for giving up: an apology on its way to a slow platform.
const GIVE_UP: Duration = Duration::from_secs(15);

/// Answers the turns of the queue until Lambda ends the process.
///
/// # Errors
///
/// What kept the function from starting; Lambda logs it and the queue keeps its records.
pub fn run_worker(service: &'static str, kinds: &[Kind]) -> anyhow::Result<()> {
    telemetry::log::init_function(service, ProcessEnvironment.get("MAGPIE_LOG").as_deref());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let consumer = Arc::new(Consumer::new(kinds).await?);
        lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
            let consumer = Arc::clone(&consumer);
            // On the heap: what a turn holds is too much for the stack of whoever polls it.
            async move { Ok::<_, Error>(Box::pin(consumer.consume(event)).await) }
        }))
        .await
        .map_err(|error| anyhow::anyhow!(error))
    })
}

/// The client for platforms and models. AWS is called with the one that is there already, which knows no proxy; and
/// where nothing is configured about the network, this is the same.
async fn outgoing(start: &Start) -> anyhow::Result<Arc<dyn Transport>> {
    if start.settings.network == NetworkSettings::default() {
        return Ok(Arc::clone(&start.transport));
    }
    let network = network::connect(&start.settings, start.secrets.as_ref(), SystemClock.now()).await?;
    network.log(&start.settings, start.environment.as_ref());
    Ok(Arc::new(network.egress))
}

struct Consumer {
    worker: Worker,
    queue: aws_sdk_sqs::Client,
    queue_url: String,
    tries_max: u32,
}

impl Consumer {
    async fn new(kinds: &[Kind]) -> anyhow::Result<Self> {
        let start = Start::new(kinds).await?;
        let store = Arc::new(DynamoStore::new(start.dynamodb(), start.require(TABLE)?));
        let clock = Arc::new(SystemClock);
        let transport = outgoing(&start).await?;
        let endpoints = settings::endpoints(&start.settings.endpoints, start.secrets.as_ref()).await?;
        let router = Router::new(
            endpoints,
            start.settings.routing.route.clone(),
            start.settings.routing.clocks,
            routing::Ports {
                transport: Arc::clone(&transport),
                clock: clock.clone(),
                pause: Arc::new(SystemPause),
                entropy: Arc::new(SystemEntropy),
                board: Some(Arc::new(SharedBoard::new(store.clone()))),
            },
        )?
        .signed(Arc::new(RoleSigner::new(start.aws.clone(), clock.clone())));
        let worker = Worker::new(Ports {
            bots: Arc::clone(&start.bots),
            turns: store.clone(),
            conversations: store.clone(),
            signals: store.clone(),
            budgets: store.clone(),
            choices: store.clone(),
            parked: store.clone(),
            tokens: store,
            router: Arc::new(LiveRouter::new(router)),
            transport,
            vault: Arc::clone(&start.vault),
            clock,
            pause: Arc::new(SystemPause),
            observer: Arc::new(LogObserver),
            policy: Policy {
                memory: start.settings.memory.clone(),
                budgets: start.settings.budgets,
                turn_timeout: start.settings.routing.turn_timeout,
            },
        });
        let tries_max = tries_max(start.environment.get(TRIES_MAX).as_deref())?;
        Ok(Self { worker, queue: start.sqs(), queue_url: start.require(QUEUE_URL)?, tries_max })
    }

    /// Answers a batch in its order. After the first record of a group that has to come again, all later records of
    /// that group come again too, untouched: answering them first would turn the conversation round.
    async fn consume(&self, event: LambdaEvent<SqsEvent>) -> SqsBatchResponse {
        let deadline = deadline(event.context.deadline);
        let mut stopped = BTreeSet::new();
        let mut response = SqsBatchResponse::default();
        for record in event.payload.records {
            let group = record.attributes.get("MessageGroupId").cloned().unwrap_or_default();
            let again = stopped.contains(&group) || !self.answer(&record, deadline).await;
            if again {
                stopped.insert(group);
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = record.message_id.unwrap_or_default();
                response.batch_item_failures.push(failure);
            }
        }
        response
    }

    /// Answers one record; false when it has to come again.
    async fn answer(&self, record: &SqsMessage, deadline: Timestamp) -> bool {
        let last = tries(record) >= self.tries_max;
        let reserve = if last { MARGIN + GIVE_UP } else { MARGIN };
        let budget = deadline.minus(reserve).since(SystemClock.now());
        let body = record.body.as_deref().unwrap_or_default();
        match self.worker.answer(body, budget).await {
            Handled::Done => true,
            Handled::Again { .. } if last => self.give_up(record, deadline).await,
            Handled::Again { after } => {
                self.bring_forward(record, after).await;
                false
            }
        }
    }

    /// Tells the user and parks the turn. A dead letter is reported as failed and shown at once: SQS then moves it to
    /// the dead-letter queue, whose alarm calls somebody.
    async fn give_up(&self, record: &SqsMessage, deadline: Timestamp) -> bool {
        let budget = deadline.minus(MARGIN).since(SystemClock.now());
        match self.worker.give_up(record.body.as_deref().unwrap_or_default(), budget).await {
            GivenUp::Over => true,
            GivenUp::DeadLetter => {
                tracing::error!(tries = tries(record), "a message goes to the dead letters");
                self.bring_forward(record, Duration::from_secs(1)).await;
                false
            }
        }
    }

    /// Lets the record come again after `after` and not only when its visibility timeout, six times the function's
    /// own, has passed. If this fails the record comes again later, which is slower and harmless.
    async fn bring_forward(&self, record: &SqsMessage, after: Duration) {
        let seconds = i32::try_from(after.as_secs()).unwrap_or(i32::MAX).clamp(1, 43_200);
        let call = self
            .queue
            .change_message_visibility()
            .queue_url(&self.queue_url)
            .set_receipt_handle(record.receipt_handle.clone())
            .visibility_timeout(seconds);
        if call.send().await.is_err() {
            tracing::warn!("a record's visibility could not be changed; it comes again later");
        }
    }
}

/// How often SQS has handed the record out, this time included. A record that does not say is on its first try.
fn tries(record: &SqsMessage) -> u32 {
    let count = record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
    count.unwrap_or(1)
}

fn tries_max(value: Option<&str>) -> anyhow::Result<u32> {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(TRIES_MAX_DEFAULT) };
    let tries = value.parse().ok().filter(|tries| *tries > 0);
    tries.with_context(|| {
        format!("{TRIES_MAX} is `{value}`; it must be the queue's maxReceiveCount, a number from 1")
    })
}

/// When the function will be ended. A deadline that cannot be read counts as passed, never as far away.
fn deadline(millis: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_try_is_known_by_its_number() {
        let mut record = SqsMessage::default();
        assert_eq!(tries(&record), 1);
        for (count, expected) in [("1", 1), ("5", 5), ("x", 1)] {
            record.attributes.insert("ApproximateReceiveCount".to_owned(), count.to_owned());
            assert_eq!(tries(&record), expected);
        }
        assert_eq!((tries_max(None).unwrap(), tries_max(Some("")).unwrap()), (5, 5));
        assert_eq!(tries_max(Some("7")).unwrap(), 7);
        for bad in ["0", "-1", "five"] {
            assert!(tries_max(Some(bad)).unwrap_err().to_string().contains("maxReceiveCount"));
        }
    }
}
