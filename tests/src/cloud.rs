//! Tables, queues and secrets in the emulators.

use std::sync::Arc;

use anyhow::Context as _;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::{SdkConfig, region::Region};
use chat::Entropy as _;
use egress::{Egress, EgressOptions};
use host::SystemEntropy;
use lambda::http_client::SharedClient;
use serde_json::{Value, json};
use store::{DeadLetter, DeadLetters as _};
use store_dynamodb::{DynamoDeadLetters, DynamoStore, SqsQueue};
use transport::Transport;

/// The region that the emulators are told.
pub const REGION: &str = "eu-west-1";

/// A queue, a table and some secrets of one test's own, in the emulators.
pub struct Cloud {
    /// The FIFO queue.
    pub queue_url: String,
    /// The table.
    pub table: String,
    /// Where SQS and Secrets Manager are.
    pub aws: String,
    /// Where DynamoDB is.
    pub dynamodb: String,
    sqs: aws_sdk_sqs::Client,
    tables: aws_sdk_dynamodb::Client,
    secrets: aws_sdk_secretsmanager::Client,
}

impl Cloud {
    /// Makes a queue and a table under a fresh name.
    ///
    /// # Errors
    ///
    /// When an emulator refuses.
    pub async fn new(aws: String, dynamodb: String) -> anyhow::Result<Self> {
        let config = config(Arc::new(Egress::new(EgressOptions::default())?));
        let mut queue = aws_sdk_sqs::config::Builder::from(&config);
        queue.set_endpoint_url(Some(aws.clone()));
        let sqs = aws_sdk_sqs::Client::from_conf(queue.build());
        let mut vault = aws_sdk_secretsmanager::config::Builder::from(&config);
        vault.set_endpoint_url(Some(aws.clone()));
        let secrets = aws_sdk_secretsmanager::Client::from_conf(vault.build());
        let name = fresh_name();
        let table = format!("magpie-{name}");
        let tables = client(&config, &dynamodb);
        create_table(&tables, &table).await?;
        let queue_url = sqs
            .create_queue()
            .queue_name(format!("magpie-{name}.fifo"))
            .attributes(QueueAttributeName::FifoQueue, "true")
            .attributes(QueueAttributeName::VisibilityTimeout, "60")
            .send()
            .await?
            .queue_url
            .context("a new queue has a URL")?;
        Ok(Self { queue_url, table, aws, dynamodb, sqs, tables, secrets })
    }

    /// Makes a secret under this test's own name and returns that.
    ///
    /// # Errors
    ///
    /// When the emulator refuses.
    pub async fn secret(&self, name: &str, value: &str) -> anyhow::Result<String> {
        let name = format!("{}/{name}", self.table);
        self.secrets.create_secret().name(&name).secret_string(value).send().await?;
        Ok(name)
    }

    /// Gives a secret another value; the one before stays as the previous version.
    ///
    /// # Errors
    ///
    /// When the emulator refuses.
    pub async fn rotate(&self, name: &str, value: &str) -> anyhow::Result<()> {
        self.secrets.put_secret_value().secret_id(name).secret_string(value).send().await?;
        Ok(())
    }

    /// What a function finds in its environment.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_ENDPOINT_URL", self.aws.clone()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamodb.clone()),
            ("MAGPIE_QUEUE_URL", self.queue_url.clone()),
            ("MAGPIE_TABLE", self.table.clone()),
        ]
    }

    /// Takes what waits in the queue.
    ///
    /// # Errors
    ///
    /// When the emulator refuses.
    pub async fn receive(&self) -> anyhow::Result<Vec<Message>> {
        self.receive_some(10).await
    }

    /// Takes up to `most` of what waits in the queue.
    ///
    /// # Errors
    ///
    /// When the emulator refuses.
    pub async fn receive_some(&self, most: i32) -> anyhow::Result<Vec<Message>> {
        let answer = self
            .sqs
            .receive_message()
            .queue_url(&self.queue_url)
            .max_number_of_messages(most)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// Takes a message off the queue, as the event source mapping does with those that did not fail.
    ///
    /// # Errors
    ///
    /// When the emulator refuses.
    pub async fn delete(&self, message: &Message) -> anyhow::Result<()> {
        let delete = self.sqs.delete_message().queue_url(&self.queue_url);
        delete.set_receipt_handle(message.receipt_handle.clone()).send().await?;
        Ok(())
    }

    /// Lets a message that was taken be taken again at once.
    ///
    /// # Errors
    ///
    /// When the emulator refuses.
    pub async fn give_back(&self, message: &Message) -> anyhow::Result<()> {
        let change = self.sqs.change_message_visibility().queue_url(&self.queue_url).visibility_timeout(0);
        change.set_receipt_handle(message.receipt_handle.clone()).send().await?;
        Ok(())
    }

    /// How many messages are in the queue, those that were taken included.
    ///
    /// # Errors
    ///
    /// When the emulator refuses.
    pub async fn queued(&self) -> anyhow::Result<usize> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let ask = self.sqs.get_queue_attributes().queue_url(&self.queue_url);
        let answer = ask.set_attribute_names(Some(names.to_vec())).send().await?;
        let counts = answer.attributes.context("the queue knows its size")?;
        counts.values().map(|count| Ok(count.parse::<usize>()?)).sum()
    }

    /// Puts the end of every lease into the past, as waiting for it would. For workers that are known to be dead.
    ///
    /// # Errors
    ///
    /// When the emulator refuses.
    pub async fn end_leases(&self) -> anyhow::Result<()> {
        let held = self.tables.scan().table_name(&self.table).expression_attribute_names("#state", "state");
        let held = held.filter_expression("#state = :held");
        let held = held.expression_attribute_values(":held", AttributeValue::S("held".to_owned()));
        for mut item in held.send().await?.items.unwrap_or_default() {
            let key = ["pk", "sk"].into_iter().filter_map(|name| Some((name.to_owned(), item.remove(name)?)));
            let end = self
                .tables
                .update_item()
                .table_name(&self.table)
                .set_key(Some(key.collect()))
                .update_expression("SET lease_until = :past")
                .expression_attribute_values(":past", AttributeValue::N("0".to_owned()));
            end.send().await?;
        }
        Ok(())
    }

    /// The turns that are parked, `most` at most.
    ///
    /// # Errors
    ///
    /// When the emulator refuses.
    pub async fn dead_letters(&self, most: usize) -> anyhow::Result<Vec<DeadLetter>> {
        let store = DynamoStore::new(self.tables.clone(), self.table.clone());
        let queue = SqsQueue::new(self.sqs.clone(), self.queue_url.clone());
        Ok(DynamoDeadLetters::new(store, queue).list(most).await?)
    }
}

/// The event in which Lambda hands these messages to a function.
#[must_use]
pub fn sqs_event(messages: &[Message]) -> Value {
    let records = messages.iter().map(|message| {
        let attributes: serde_json::Map<String, Value> = message
            .attributes
            .iter()
            .flatten()
            .map(|(name, value)| (name.as_str().to_owned(), json!(value)))
            .collect();
        json!({
            "messageId": message.message_id, "receiptHandle": message.receipt_handle, "body": message.body,
            "attributes": attributes, "messageAttributes": {}, "md5OfBody": message.md5_of_body,
            "eventSource": "aws:sqs", "awsRegion": REGION,
            "eventSourceARN": format!("arn:aws:sqs:{REGION}:000000000000:magpie.fifo"),
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

fn config(transport: Arc<dyn Transport>) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(SharedClient::new(transport))
        .sleep_impl(TokioSleep::new())
        .region(Region::new(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// A fresh table in DynamoDB at `endpoint`, reached through `transport`: its client and its name.
///
/// # Errors
///
/// When the emulator refuses.
pub async fn table(
    transport: Arc<dyn Transport>,
    endpoint: &str,
) -> anyhow::Result<(aws_sdk_dynamodb::Client, String)> {
    let client = client(&config(transport), endpoint);
    let name = format!("magpie-{}", fresh_name());
    create_table(&client, &name).await?;
    Ok((client, name))
}

fn client(config: &SdkConfig, endpoint: &str) -> aws_sdk_dynamodb::Client {
    let mut tables = aws_sdk_dynamodb::config::Builder::from(config);
    tables.set_endpoint_url(Some(endpoint.to_owned()));
    aws_sdk_dynamodb::Client::from_conf(tables.build())
}

fn fresh_name() -> String {
    let mut bytes = [0; 6];
    SystemEntropy.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn create_table(client: &aws_sdk_dynamodb::Client, name: &str) -> anyhow::Result<()> {
    let mut create = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (attribute, key) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let kind = ScalarAttributeType::S;
        create = create
            .attribute_definitions(
                AttributeDefinition::builder().attribute_name(attribute).attribute_type(kind).build()?,
            )
            .key_schema(KeySchemaElement::builder().attribute_name(attribute).key_type(key).build()?);
    }
    create.send().await?;
    Ok(())
}
