//! The queue's entrance.

use async_trait::async_trait;
use chat::Timestamp;
use store::{Enqueue, QueueItem, StoreError};

use crate::failure::unavailable;

/// An SQS FIFO queue. It keeps the order of each message group (a conversation), drops a deduplication id (a turn)
/// that it has seen within five minutes, and hands messages to Lambda by itself. Clones share the client.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: aws_sdk_sqs::Client,
    url: String,
}

impl SqsQueue {
    /// The queue at this URL, which must be of the FIFO sort.
    #[must_use]
    pub const fn new(client: aws_sdk_sqs::Client, url: String) -> Self {
        Self { client, url }
    }

    /// Sends an item under this deduplication id: up to 128 letters, digits and punctuation marks.
    pub(crate) async fn send(&self, item: QueueItem, id: String) -> Result<(), StoreError> {
        let send = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_group_id(item.group.as_str())
            .message_deduplication_id(id)
            .message_body(item.body);
        send.send().await.map_err(|error| unavailable(&error))?;
        Ok(())
    }
}

#[async_trait]
impl Enqueue for SqsQueue {
    /// SQS has its own clock for the five minutes, so `_now` is not used.
    async fn enqueue(&self, item: QueueItem, _now: Timestamp) -> Result<(), StoreError> {
        let id = item.dedup.as_str().to_owned();
        self.send(item, id).await
    }
}
