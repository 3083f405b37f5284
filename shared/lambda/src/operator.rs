//! What operators do to a deployment from their own machine, in their own name.

use std::sync::Arc;

use anyhow::Context as _;
use egress::{Egress, EgressOptions};
use settings::{Environment, ProcessEnvironment};
use store::DeadLetters;
use store_dynamodb::{DynamoDeadLetters, DynamoStore, SqsQueue};

use crate::start::{QUEUE_URL, TABLE, aws_config, dynamodb, sqs};

/// The dead letters of the deployment that the environment names: [`TABLE`] and [`QUEUE_URL`], the region and the
/// credentials. They take `dynamodb:Query`, `GetItem`, `UpdateItem` and `DeleteItem` on the table and
/// `sqs:SendMessage` on the queue, which no function has together.
///
/// # Errors
///
/// Says which variable is missing.
pub fn dead_letters() -> anyhow::Result<Arc<dyn DeadLetters>> {
    let environment = ProcessEnvironment;
    let (table, queue) = (require(&environment, TABLE)?, require(&environment, QUEUE_URL)?);
    for name in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        require(&environment, name)?;
    }
    let aws = aws_config(&environment, Arc::new(Egress::new(EgressOptions::default())?));
    let store = DynamoStore::new(dynamodb(&aws, &environment), table);
    Ok(Arc::new(DynamoDeadLetters::new(store, SqsQueue::new(sqs(&aws, &environment), queue))))
}

fn require(environment: &dyn Environment, name: &str) -> anyhow::Result<String> {
    environment.get(name).filter(|value| !value.is_empty()).with_context(|| {
        format!(
            "the environment has no {name}: table and queue are among the outputs of the stack, \
             and `aws configure export-credentials --format env` prints credentials"
        )
    })
}
