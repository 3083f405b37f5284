//! What goes into SQS comes out in its group and order, once.

use aws_sdk_sqs::{
    Client,
    types::{MessageSystemAttributeName as System, QueueAttributeName},
};
use chat::{BotId, ChatId, Conversation, EventId, PlatformId, Timestamp, TurnKey};
use store::{Enqueue as _, QueueItem, StoreError};
use store_dynamodb::SqsQueue;

use crate::bench;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn item(chat: &str, event: &str) -> QueueItem {
    let conversation = Conversation {
        platform: PlatformId::parse("feishu").unwrap(),
        bot: BotId::parse("bot").unwrap(),
        chat: ChatId::parse(chat).unwrap(),
        thread: None,
        user: None,
    };
    let dedup = TurnKey::new(&conversation, &EventId::parse(event).unwrap());
    QueueItem { group: conversation.key(), dedup, body: format!("sealed {event}") }
}

pub(crate) async fn queue(name: &str) -> Option<(Client, String, SqsQueue)> {
    let client = bench::sqs(&bench::component("MAGPIE_TEST_AWS", "aws")?);
    let create = client.create_queue().queue_name(format!("{}.fifo", bench::unique(name)));
    let url =
        create.attributes(QueueAttributeName::FifoQueue, "true").send().await.unwrap().queue_url.unwrap();
    let queue = SqsQueue::new(client.clone(), url.clone());
    Some((client, url, queue))
}

/// Group, deduplication id, and body of the next message, which is then deleted.
pub(crate) async fn take(client: &Client, url: &str) -> Option<(String, String, String)> {
    let receive = client.receive_message().queue_url(url).message_system_attribute_names(System::All);
    let message = receive.send().await.unwrap().messages.unwrap_or_default().pop()?;
    let attributes = message.attributes.unwrap();
    let receipt = message.receipt_handle.unwrap();
    client.delete_message().queue_url(url).receipt_handle(receipt).send().await.unwrap();
    let attribute = |name| attributes[&name].clone();
    Some((
        attribute(System::MessageGroupId),
        attribute(System::MessageDeduplicationId),
        message.body.unwrap(),
    ))
}

#[tokio::test]
async fn a_message_carries_its_group_and_its_id() {
    let Some((client, url, queue)) = queue("carries").await else { return };
    let item = item("chat", "a");
    queue.enqueue(item.clone(), NOW).await.unwrap();
    let expected = (item.group.as_str().to_owned(), item.dedup.as_str().to_owned(), item.body);
    assert_eq!(take(&client, &url).await, Some(expected));
}

#[tokio::test]
async fn a_message_sent_again_is_dropped_also_after_it_was_handled() {
    let Some((client, url, queue)) = queue("again").await else { return };
    for _ in 0..2 {
        queue.enqueue(item("chat", "a"), NOW).await.unwrap();
    }
    assert!(take(&client, &url).await.is_some());
    assert_eq!(take(&client, &url).await, None);
    queue.enqueue(item("chat", "a"), NOW).await.unwrap();
    assert_eq!(take(&client, &url).await, None);
}

#[tokio::test]
async fn a_group_keeps_its_order_and_equal_events_of_two_chats_are_two() {
    let Some((client, url, queue)) = queue("order").await else { return };
    for event in ["c", "a", "b"] {
        queue.enqueue(item("here", event), NOW).await.unwrap();
    }
    queue.enqueue(item("there", "a"), NOW).await.unwrap();
    let mut here = Vec::new();
    let mut there = Vec::new();
    while let Some((group, _, body)) = take(&client, &url).await {
        let bodies = if group == item("here", "a").group.as_str() { &mut here } else { &mut there };
        bodies.push(body);
    }
    assert_eq!(here, ["sealed c", "sealed a", "sealed b"]);
    assert_eq!(there, ["sealed a"]);
}

#[tokio::test]
async fn an_error_holds_a_code_and_nothing_else() {
    let Some((client, url, _)) = queue("errors").await else { return };
    let queue = SqsQueue::new(client, url.replace(".fifo", "-gone.fifo"));
    let Err(StoreError::Unavailable(code)) = queue.enqueue(item("chat", "a"), NOW).await else {
        panic!("there is no such queue")
    };
    assert!(code.contains("NonExistentQueue") || code == "QueueDoesNotExist", "{code}");
    assert!(!code.contains("gone") && !code.contains("sealed"), "{code}");
}
