//! Queued messages of every version open for ever.
//!
//! `golden/queued.txt` was made by another program than ours. Its lines are never edited, and each version that was ever
//! written adds its own; so does what a later version may add to a form that we know, because during an upgrade both share
//! a queue.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chat::{
    Attachment, AttachmentKind, Audience, BotId, ChatId, ChatKind, Conversation, Entropy, EventId, Language,
    Mention, MentionSpan, Message, PlatformId, Quoted, ReplyTo, Sender, ThreadId, Timestamp, UserId,
};
use receive::QueuedMessage;
use vault::{DataKey, Vault};

const GOLDEN: &str = include_str!("golden/queued.txt");

struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, _: &mut [u8]) {}
}

fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

fn direct() -> Message {
    Message {
        event: EventId::parse("om_1").unwrap(),
        conversation: Conversation {
            platform: PlatformId::parse("feishu").unwrap(),
            bot: BotId::parse("helpdesk").unwrap(),
            chat: ChatId::parse("oc_1").unwrap(),
            thread: None,
            user: Some(user("ou_ann")),
        },
        chat_kind: ChatKind::Direct,
        sender: Sender { id: user("ou_ann"), name: Some("Ann".to_owned()) },
        audience: Audience::Bot,
        text: "打印机坏了".to_owned(),
        mentioned: Vec::new(),
        quoted: None,
        client_language: None,
        attachments: vec![Attachment {
            kind: AttachmentKind::Picture,
            handle: "img_1".to_owned(),
            name: None,
        }],
        sent_at: Timestamp::from_millis(1_795_000_000_000),
        reply_to: ReplyTo(r#"{"message":"om_1"}"#.to_owned()),
    }
}

fn group() -> Message {
    let conversation =
        Conversation { thread: Some(ThreadId::parse("omt_1").unwrap()), user: None, ..direct().conversation };
    let mention = Mention { id: user("ou_bot"), shown: "@Magpie".to_owned() };
    Message {
        event: EventId::parse("om_2").unwrap(),
        conversation,
        chat_kind: ChatKind::Group,
        sender: Sender { id: user("ou_bob"), name: None },
        audience: Audience::Mentions(vec![mention]),
        text: "@Magpie and now?".to_owned(),
        mentioned: Vec::new(),
        quoted: None,
        client_language: None,
        attachments: Vec::new(),
        sent_at: Timestamp::from_millis(1_795_000_001_000),
        reply_to: ReplyTo(String::new()),
    }
}

/// With the places of its mentions, what it quotes and the client's language.
fn placed() -> Message {
    let mention = |id: &str, shown: &str| Mention { id: user(id), shown: shown.to_owned() };
    let span = |id: &str, start, end| MentionSpan { id: user(id), start, end };
    let file = Attachment {
        kind: AttachmentKind::File,
        handle: "file_1".to_owned(),
        name: Some("plan.pdf".to_owned()),
    };
    Message {
        audience: Audience::Mentions(vec![mention("ou_ops", "@Magpie Ops"), mention("ou_bot", "@Magpie")]),
        text: "@Magpie Ops @Magpie and now?".to_owned(),
        mentioned: vec![span("ou_ops", 0, 11), span("ou_bot", 12, 19)],
        quoted: Some(Quoted { text: "the printer is on fire".to_owned(), attachments: vec![file] }),
        client_language: Some(Language::En),
        ..group()
    }
}

#[test]
fn queued_messages_of_every_version_open_for_ever() {
    let key = DataKey::from_base64("2026-11", &STANDARD.encode([7; 32])).unwrap();
    let vault = Vault::new(vec![key], Arc::new(NoEntropy)).unwrap();
    let mut opened = 0;
    for line in GOLDEN.lines() {
        let (what, body) = line.split_once(' ').unwrap();
        let message = match what {
            "v1-group" => group(),
            "v1-with-mentions-by-place" => placed(),
            _ => direct(),
        };
        let expected = QueuedMessage { message, accepted_at: Timestamp::from_millis(1_795_000_000_250) };
        assert_eq!(QueuedMessage::open(body, &vault), Ok(expected), "{what}");
        opened += 1;
    }
    assert_eq!(opened, 4);
}
