//! DynamoDB passes the suite that every store must pass; what else the table and the queue promise stands beside it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![expect(clippy::panic, reason = "helpers of tests")]

mod bench;
mod golden;
mod items;
mod queue;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType},
};
use chat::{ConversationKey, Timestamp};
use store::{
    Enqueue as _, QueueItem,
    conformance::{self, Line, Parking},
};
use store_dynamodb::{DynamoDeadLetters, DynamoStore, SqsQueue};

/// A new table and the store on it; nothing when DynamoDB was left out. The template makes it in production.
async fn table(name: &str) -> Option<(Client, String, DynamoStore)> {
    let client = bench::dynamodb(&bench::component("MAGPIE_TEST_DYNAMODB", "dynamodb")?);
    let name = bench::unique(name);
    let mut create = client.create_table().table_name(&name).billing_mode(BillingMode::PayPerRequest);
    for (key, role) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let attribute =
            AttributeDefinition::builder().attribute_name(key).attribute_type(ScalarAttributeType::S);
        create = create
            .attribute_definitions(attribute.build().unwrap())
            .key_schema(KeySchemaElement::builder().attribute_name(key).key_type(role).build().unwrap());
    }
    create.send().await.unwrap();
    let store = DynamoStore::new(client.clone(), name.clone());
    Some((client, name, store))
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_conform() {
    let Some((_, _, store)) = table("turns").await else { return };
    conformance::turns(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_conform() {
    let Some((_, _, store)) = table("conversations").await else { return };
    conformance::conversations(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_conform() {
    let Some((_, _, store)) = table("tokens").await else { return };
    conformance::tokens(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn budgets_conform() {
    let Some((_, _, store)) = table("budgets").await else { return };
    conformance::budgets(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn choices_conform() {
    let Some((_, _, store)) = table("choices").await else { return };
    conformance::choices(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_conform() {
    let Some((_, _, store)) = table("signals").await else { return };
    conformance::signals(|| Arc::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openings_conform() {
    let Some((_, _, store)) = table("openings").await else { return };
    conformance::openings(|| Arc::new(store.clone())).await;
}

/// SQS from both ends, where Lambda has the other one in production.
struct BothEnds {
    client: aws_sdk_sqs::Client,
    url: String,
    entrance: SqsQueue,
}

#[async_trait]
impl Line for BothEnds {
    async fn put(&self, item: QueueItem, now: Timestamp) {
        self.entrance.enqueue(item, now).await.unwrap();
    }

    async fn take_all(&self, _now: Timestamp) -> Vec<(ConversationKey, String)> {
        let mut taken = Vec::new();
        while let Some((group, _, body)) = queue::take(&self.client, &self.url).await {
            taken.push((store::words::conversation_key(&group).unwrap(), body));
        }
        taken
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_conform() {
    let Some((_, _, store)) = table("letters").await else { return };
    let Some((client, url, entrance)) = queue::queue("letters").await else { return };
    let letters = Arc::new(DynamoDeadLetters::new(store.clone(), entrance.clone()));
    let (turns, queue) = (Arc::new(store), Arc::new(BothEnds { client, url, entrance }));
    let parking = || Parking { letters: letters.clone(), turns: turns.clone(), queue: queue.clone() };
    conformance::dead_letters(parking).await;
}
