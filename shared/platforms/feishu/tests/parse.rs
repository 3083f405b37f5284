//! What is understood of a message.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

#[expect(dead_code, reason = "the other tests use the rest")]
mod support;

use chat::{Attachment, AttachmentKind, Audience, ChatKind, Mention, Message, Timestamp, UserId};
use platform::{Event, Heard, HookAnswer};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{KEY, TOKEN, feishu, hear, request, sealed, signed};

/// A group message that mentions the bot, changed by the test.
fn event(change: impl FnOnce(&mut Value)) -> Value {
    let mut event = json!({
        "schema": "2.0",
        "header": {"event_id": "ev1", "event_type": "im.message.receive_v1", "create_time": "1700000000123456",
            "token": TOKEN, "app_id": "cli_1", "tenant_key": "tk1"},
        "event": {
            "sender": {"sender_id": {"open_id": "ou_u", "union_id": "on_u", "user_id": ""}, "sender_type": "user"},
            "message": {"message_id": "om_m", "root_id": "om_r", "create_time": "1700000000000", "chat_id": "oc_c",
                "chat_type": "group", "message_type": "text", "content": "{\"text\":\"@_user_1 hello\"}",
                "mentions": [{"key": "@_user_1", "id": {"open_id": "ou_bot"}, "name": "Bot", "tenant_key": "tk1"}]},
        },
    });
    change(&mut event);
    event
}

fn heard(event: &Value) -> Heard {
    heard_bytes(&event.to_string())
}

fn heard_bytes(body: &str) -> Heard {
    let heard = hear(&*feishu(TOKEN, ""), &request(&[], body.to_owned())).unwrap();
    assert_eq!(heard.answer, HookAnswer::ok(r#"{"msg":"success"}"#), "or Feishu sends it again");
    heard
}

fn message(change: impl FnOnce(&mut Value)) -> Message {
    message_of(heard(&event(change)))
}

fn message_of(heard: Heard) -> Message {
    match heard.event {
        Event::Message(message) => *message,
        other @ (Event::Handshake | Event::Ignored(_)) => panic!("{other:?}"),
    }
}

#[test]
fn a_group_message_is_read_whole() {
    let message = message(|_| ());
    let mention = Mention { id: UserId::parse("ou_bot").unwrap(), shown: "@Bot".to_owned() };
    assert_eq!(message.event.as_str(), "om_m");
    assert_eq!(message.chat_kind, ChatKind::Group);
    assert_eq!(message.audience, Audience::Mentions(vec![mention]));
    assert_eq!(message.text, "@Bot hello");
    assert_eq!(message.sender.id.as_str(), "ou_u");
    assert_eq!(message.sender.name, None);
    assert_eq!(message.sent_at, Timestamp::from_millis(1_700_000_000_000));
    assert_eq!(message.reply_to.0, r#"{"v":1,"message_id":"om_m","in_thread":false}"#);
    assert_eq!(message.conversation.platform.as_str(), "feishu");
    assert_eq!(message.conversation.bot.as_str(), "helpdesk");
    assert_eq!(message.conversation.chat.as_str(), "oc_c");
    assert_eq!((message.conversation.thread, message.conversation.user), (None, None));
}

#[test]
fn a_direct_message_speaks_to_the_bot_and_remembers_the_person() {
    let message = message(|event| {
        event["event"]["message"]["chat_type"] = json!("p2p");
        event["event"]["message"]["mentions"] = Value::Null;
    });
    assert_eq!((message.chat_kind, message.audience), (ChatKind::Direct, Audience::Bot));
    assert_eq!(message.conversation.user.as_ref().map(UserId::as_str), Some("ou_u"));
    assert_eq!(message.text, "@_user_1 hello");
}

#[test]
fn a_thread_is_its_own_conversation_and_is_answered_inside() {
    let message = message(|event| event["event"]["message"]["thread_id"] = json!("omt_t"));
    assert_eq!(message.conversation.thread.as_ref().map(chat::ThreadId::as_str), Some("omt_t"));
    assert_eq!(message.reply_to.0, r#"{"v":1,"message_id":"om_m","in_thread":true}"#);
}

#[test]
fn optional_fields_may_be_empty_or_of_tomorrow() {
    let message = message(|event| {
        event["event"]["message"]["thread_id"] = json!("");
        event["event"]["message"]["chat_type"] = json!("topic_group");
        event["event"]["message"]["create_time"] = Value::Null;
        event["event"]["message"]["of_tomorrow"] = json!([[{}]]);
    });
    assert_eq!(message.conversation.thread, None);
    assert_eq!(message.chat_kind, ChatKind::Group);
    assert_eq!(message.sent_at, Timestamp::from_millis(1_700_000_000_123), "the header's, in microseconds");
}

#[test]
fn posts_and_files_are_read() {
    let post = message(|event| {
        event["event"]["message"]["message_type"] = json!("post");
        event["event"]["message"]["content"] = json!(
            r#"{"title":"","content":[[{"tag":"at","user_id":"@_user_1"},{"tag":"text","text":" look"}],[{"tag":"img","image_key":"img_1"}]]}"#
        );
    });
    let picture = Attachment { kind: AttachmentKind::Picture, handle: "img_1".to_owned(), name: None };
    assert_eq!((post.text.as_str(), post.attachments), ("@Bot look", vec![picture]));
}

#[test]
fn what_is_not_for_the_bot_is_ignored() {
    let all = json!([{"key": "@_all", "id": {"open_id": "all"}, "name": "All"}]);
    let changes: [(&str, Value); 6] = [
        ("/event/message/mentions", Value::Null),
        ("/event/message/mentions", json!([])),
        ("/event/message/mentions", all),
        ("/event/sender/sender_type", json!("app")),
        ("/event/sender/sender_type", json!("bot")),
        ("/header/event_type", json!("im.message.message_read_v1")),
    ];
    for (pointer, value) in changes {
        let event = event(|event| *event.pointer_mut(pointer).unwrap() = value.clone());
        let heard = heard(&event);
        assert!(matches!(heard.event, Event::Ignored(_)), "{pointer} {value}");
        assert_eq!(heard.unknown.is_empty(), value != Value::Null && value != json!([]), "{pointer} {value}");
    }
    let first =
        json!({"uuid": "u", "token": TOKEN, "type": "event_callback", "event": {"type": "p2p_chat_create"}});
    assert!(matches!(heard(&first).event, Event::Ignored(_)));
    // The parts of an event of another type may have other shapes.
    let other =
        json!({"schema": "2.0", "header": {"token": TOKEN, "event_type": "x"}, "event": {"message": 7}});
    assert!(matches!(heard(&other).event, Event::Ignored(_)));
}

#[test]
fn an_event_of_a_new_shape_is_answered_as_far_as_it_can_be_read() {
    let long = "o".repeat(513);
    for (pointer, value, text) in [
        ("/event/message/message_id", json!(7), "@Bot hello"),
        ("/event/message/chat_id", json!(""), "@Bot hello"),
        ("/event/message/chat_id", json!(long), "@Bot hello"),
        ("/event/message/thread_id", json!(long), "@Bot hello"),
        ("/event/message/thread_id", json!({"id": "omt"}), "@Bot hello"),
        ("/event/message/create_time", json!("yesterday"), "@Bot hello"),
        ("/event/message/create_time", json!(1_700_000_000_000_i64), "@Bot hello"),
        ("/event/message/message_type", Value::Null, "@Bot hello"),
        ("/event/message/content", json!({"text": "@_user_1 hello"}), "@Bot hello"),
        ("/event/message/content", json!("not json"), "not json"),
        (
            "/event/message/content",
            json!(r#"{"text":"@_user_1 half \ud83d"}"#.replace("\\\\", "\\")),
            "@Bot half \u{fffd}",
        ),
        ("/event/message/mentions/0/name", json!({"zh_cn": "Bot"}), "@_user_1 hello"),
        ("/event/message/mentions/0/id", json!("ou_bot"), "@Bot hello"),
        ("/event/sender/sender_id/open_id", json!(""), "@Bot hello"),
        ("/event/sender/sender_id", Value::Null, "@Bot hello"),
        ("/event/sender/sender_type", Value::Null, "@Bot hello"),
        ("/event/sender", json!([]), "@Bot hello"),
    ] {
        let message = message(|event| {
            event["event"]["message"]["thread_id"] = json!("omt_t");
            *event.pointer_mut(pointer).unwrap() = value.clone();
        });
        assert_eq!(message.text, text, "{pointer} {value}");
        assert!(message.attachments.is_empty(), "{pointer} {value}");
    }
}

#[test]
fn content_that_cannot_be_read_is_something_to_answer_and_its_kind_is_noted() {
    for (message_type, content) in
        [("text", json!(7)), ("text", json!("{\"text\":")), ("post", json!("7")), ("sketch", json!("{}"))]
    {
        let heard = heard(&event(|event| {
            event["event"]["message"]["message_type"] = json!(message_type);
            event["event"]["message"]["content"] = content.clone();
        }));
        assert_eq!(heard.unknown.len(), 1, "{message_type} {content}");
        let message = message_of(heard);
        assert_eq!((message.text.as_str(), message.attachments.len()), ("", 1), "{message_type} {content}");
    }
}

#[test]
fn half_an_emoji_anywhere_costs_nothing_else() {
    let whole = event(|event| {
        event["event"]["message"]["mentions"][0]["name"] = json!("HALF");
        event["event"]["message"]["user_agent"] = json!("HALF");
        event["header"]["of_tomorrow"] = json!("HALF");
    })
    .to_string();
    let half = whole.replace("HALF", "\\ud83d");
    let message = message_of(heard_bytes(&half));
    assert_eq!(message.text, "@\u{fffd} hello");
}

#[test]
fn an_event_that_nobody_can_be_answered_for_is_noted_by_kind() {
    let long = "o".repeat(513);
    for (pointer, value) in [
        ("/event/message/message_id", json!("")),
        ("/event/message/message_id", json!(long)),
        ("/event/message/message_id", json!("om\n")),
        ("/event/message/message_id", Value::Null),
        ("/event/message", Value::Null),
        ("/event", Value::Null),
        ("/header/event_type", Value::Null),
    ] {
        let heard = heard(&event(|event| *event.pointer_mut(pointer).unwrap() = value.clone()));
        assert!(matches!(heard.event, Event::Ignored(_)), "{pointer} {value}");
        assert_eq!(heard.unknown.len(), 1, "{pointer} {value}");
    }
    // Without JSON there is no token, so nothing shows whose it is.
    assert!(hear(&*feishu(TOKEN, KEY), &signed(KEY, sealed(KEY, b"no JSON"))).is_err());
    assert!(hear(&*feishu(TOKEN, ""), &request(&[], "no JSON")).is_err());
}

#[test]
fn mentions_are_told_apart_by_key_and_place() {
    let message = message(|event| {
        event["event"]["message"]["content"] = json!(r#"{"text":"@_user_1 @_user_2 who is on call"}"#);
        event["event"]["message"]["mentions"] = json!([
            {"key": "@_user_1", "id": {"open_id": "ou_ops"}, "name": "Magpie Ops"},
            {"key": "@_user_2", "id": {"open_id": "ou_bot"}, "name": "Magpie"}]);
    });
    assert_eq!(message.text, "@Magpie Ops @Magpie who is on call");
    assert_eq!(message.text_without(|id| id.as_str() == "ou_bot"), "@Magpie Ops who is on call");
}

#[test]
fn every_mention_of_the_bot_goes_from_every_kind_of_message() {
    let bot = |key: &str| json!({"key": key, "id": {"open_id": "ou_bot"}, "name": "鹊桥"});
    for (message_type, content) in [
        ("text", json!({"text": "@_user_1 @_user_2\u{a0}／help"})),
        ("text", json!({"text": "／help @_user_1"})),
        (
            "post",
            json!({"title": "", "content": [[{"tag": "at", "user_id": "@_user_1", "user_name": "鹊桥"},
            {"tag": "text", "text": " ／help "}, {"tag": "at", "user_id": "@_user_2"}]]}),
        ),
        (
            "post",
            json!({"zh_cn": {"content": [[{"tag": "at", "user_id": "ou_bot"}], [{"tag": "text", "text": "／help"}]]}}),
        ),
    ] {
        for chat_type in ["p2p", "group"] {
            let message = message(|event| {
                let message = &mut event["event"]["message"];
                message["chat_type"] = json!(chat_type);
                message["message_type"] = json!(message_type);
                message["content"] = json!(content.to_string());
                message["mentions"] = json!([bot("@_user_1"), bot("@_user_2")]);
            });
            let text = message.text_without(|id| id.as_str() == "ou_bot");
            assert_eq!(chat::Command::parse(&text), Some(chat::Command::Help), "{chat_type} {content}");
        }
    }
}

#[test]
fn a_reply_to_a_message_is_known_as_one_and_a_thread_is_not() {
    let reply = |thread: &str| {
        message(|event| {
            event["event"]["message"]["parent_id"] = json!("om_p");
            event["event"]["message"]["thread_id"] = json!(thread);
        })
    };
    assert_eq!(reply("").quoted, Some(chat::Quoted::default()));
    assert_eq!(reply("omt_t").quoted, None);
}

proptest! {
    #[test]
    fn no_content_makes_it_panic(
        message_type in "text|post|image|file|audio|media|sticker|other",
        content in ".{0,60}|\\{\"text\":\"[@_user0-9\\\\\"]{0,20}\"\\}|\\{\"content\":\\[\\[[a-z{}:\",]{0,30}\\]\\]\\}",
    ) {
        let _ = heard(&event(|event| {
            event["event"]["message"]["message_type"] = json!(message_type);
            event["event"]["message"]["content"] = json!(content);
        }));
    }

    #[test]
    fn words_without_mentions_come_through_unchanged(words in "[^@]{0,80}") {
        let message = message(|event| event["event"]["message"]["content"] = json!({ "text": words }).to_string().into());
        prop_assert_eq!(message.text, words);
    }
}
