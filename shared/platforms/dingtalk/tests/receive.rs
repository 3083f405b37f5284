//! What a webhook becomes, and which webhooks are refused.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot build its own input has failed")]

use std::sync::Arc;

use chat::{Audience, BotId, ChatKind, Message, Timestamp};
use dingtalk::{PushKeys, custom_robot};
use http::{HeaderMap, HeaderValue};
use platform::{ConnectOptions, Event, Heard, KeyRing, Keys, Moment, Platform, RawRequest, Rejection};
use secrecy::SecretString;
use serde_json::{Value, json};

const NOW: i64 = 1_700_000_001_000;
const AES: &str = "ahovCJQX4bipwDKRY5cjqxELSZ6dkryFMT07elszGNU";
const OLD_AES: &str = "1234567890123456789012345678901234567890123";

fn keys(secret: &str, push: Option<(&str, &str)>) -> Keys {
    let mut keys = json!({"client_id": "ding1", "client_secret": secret, "robot_code": "dingrobot1"});
    if let Some((token, aes_key)) = push {
        keys["token"] = token.into();
        keys["aes_key"] = aes_key.into();
    }
    Keys::from_json(&keys.to_string()).unwrap()
}

fn bot() -> Arc<dyn Platform> {
    let ring = KeyRing::new(keys("new", Some(("tok2", AES))), Some(keys("old", Some(("tok1", OLD_AES)))));
    (dingtalk::KIND.connect)(&ring, &ConnectOptions::default()).unwrap()
}

fn moment() -> Moment {
    Moment { bot: BotId::parse("helpdesk").unwrap(), now: Timestamp::from_millis(NOW), nonce: [3; 16] }
}

fn signed(secret: &str, body: &str) -> RawRequest {
    let mut headers = HeaderMap::new();
    let timestamp = NOW.to_string();
    headers.insert("sign", HeaderValue::from_str(&custom_robot::sign(&timestamp, secret)).unwrap());
    headers.insert("timestamp", HeaderValue::from_str(&timestamp).unwrap());
    RawRequest { headers, query: Vec::new(), body: body.to_owned().into() }
}

fn hear(request: &RawRequest) -> Result<Heard, Rejection> {
    let bot = bot();
    bot.parse(bot.verify(request, Timestamp::from_millis(NOW))?, &moment())
}

fn hear_body(changes: &Value) -> Result<Heard, Rejection> {
    let mut body = json!({"conversationId": "cidX==", "msgId": "msgX==", "senderNick": "Ann", "senderStaffId": "staff1",
        "senderId": "$:LWCP_v1:$u1", "chatbotUserId": "$:LWCP_v1:$bot", "conversationType": "1",
        "createAt": 1_700_000_000_000_i64, "sessionWebhookExpiredTime": 1_700_005_400_000_i64,
        "sessionWebhook": "https://oapi.dingtalk.com/robot/sendBySession?session=abc", "robotCode": "dingrobot1",
        "msgtype": "text", "text": {"content": " hello "}});
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    hear(&signed("new", &body.to_string()))
}

fn message(changes: &Value) -> Message {
    match hear_body(changes).unwrap().event {
        Event::Message(message) => *message,
        Event::Handshake | Event::Ignored(_) => panic!("no message: {changes}"),
    }
}

fn ignored(changes: &Value) -> Option<&'static str> {
    match hear_body(changes).unwrap().event {
        Event::Ignored(why) => Some(why),
        Event::Handshake | Event::Message(_) => None,
    }
}

#[test]
fn both_key_versions_verify_and_no_other() {
    for (secret, right) in [("new", true), ("old", true), ("other", false), ("", false)] {
        let answer = bot().verify(&signed(secret, "{}"), Timestamp::from_millis(NOW));
        assert_eq!(answer.is_ok(), right, "{secret}");
    }
}

#[test]
fn a_robot_message_without_its_headers_is_unverified() {
    for missing in ["sign", "timestamp"] {
        let mut request = signed("new", "{}");
        request.headers.remove(missing);
        assert!(matches!(hear(&request), Err(Rejection::Unverified(_))), "{missing}");
    }
}

#[test]
fn a_message_for_another_robot_is_unverified() {
    assert_eq!(
        hear_body(&json!({"robotCode": "dingrobot2"})).unwrap_err(),
        Rejection::Unverified("`robotCode` is another robot's")
    );
    assert!(hear_body(&json!({"robotCode": null})).is_ok());
}

#[test]
fn what_nobody_can_be_answered_for_is_noted_by_kind() {
    for body in ["", "x", "[]", "\u{1}", "{\"robotCode\":\"dingrobot1\""] {
        assert!(matches!(hear(&signed("new", body)), Err(Rejection::Malformed(_))), "{body:?}");
    }
    let heard = hear(&signed("new", "{}")).unwrap();
    assert!(matches!(heard.event, Event::Ignored(_)));
    assert_eq!((heard.answer.status.as_u16(), heard.unknown.len()), (200, 1));
    let nowhere = json!({"sessionWebhook": null, "conversationId": null, "conversationType": "2"});
    assert_eq!(hear_body(&nowhere).unwrap().unknown, ["a message that nobody can be answered for"]);
    assert!(hear(&signed("new", "{\"robotCode\":1}")).is_err(), "another robot's");
}

#[test]
fn a_message_of_a_new_shape_is_answered_as_far_as_it_can_be_read() {
    for (changes, noted) in [
        (json!({"msgId": null}), 1),
        (json!({"msgId": ""}), 1),
        (json!({"msgId": "a\nb"}), 1),
        (json!({"msgId": 5}), 0),
        (json!({"conversationId": null}), 1),
        (json!({"conversationId": "x".repeat(600)}), 1),
        (json!({"conversationId": {"id": 1}}), 1),
        (json!({"conversationType": null}), 0),
        (json!({"conversationType": "3"}), 0),
        (json!({"senderStaffId": null, "senderId": ""}), 1),
        (json!({"senderNick": ["Ann"], "atUsers": {"dingtalkId": 1}, "createAt": 1.5}), 0),
        (json!({"msgtype": null}), 0),
    ] {
        let heard = hear_body(&changes).unwrap();
        assert_eq!(heard.unknown.len(), noted, "{changes}");
        let Event::Message(message) = heard.event else { panic!("no message: {changes}") };
        assert_eq!(message.text, "hello", "{changes}");
    }
}

#[test]
fn a_message_without_an_id_is_the_same_when_it_comes_again() {
    let first = message(&json!({"msgId": null})).event;
    assert_eq!(first, message(&json!({"msgId": null})).event);
    assert_ne!(first, message(&json!({"msgId": null, "text": {"content": "other"}})).event);
}

#[test]
fn half_an_emoji_anywhere_costs_nothing_else() {
    let body = json!({"conversationId": "cidX==", "msgId": "msgX==", "senderNick": "HALF", "senderStaffId": "staff1",
        "conversationType": "1", "robotCode": "dingrobot1", "msgtype": "text", "text": {"content": "HALF hello"}});
    let half = body.to_string().replace("HALF", "\\ud83d");
    let heard = hear(&signed("new", &half)).unwrap();
    let Event::Message(message) = heard.event else { panic!("no message") };
    assert_eq!((message.text.as_str(), message.sender.name.as_deref()), ("\u{fffd} hello", Some("\u{fffd}")));
}

#[test]
fn the_bots_mention_goes_from_every_kind_of_message() {
    let at_bot = json!([{"dingtalkId": "$:LWCP_v1:$bot"}]);
    let both = json!([{"dingtalkId": "$:LWCP_v1:$ops"}, {"dingtalkId": "$:LWCP_v1:$bot"}]);
    let rich = |parts: Value| json!({"msgtype": "richText", "text": null, "content": {"richText": parts}});
    let text = |text: &str| json!({"text": {"content": text}});
    for (kind, list, content, expected) in [
        ("1", json!(null), rich(json!([{"text": "@鹊桥"}, {"text": "/help"}])), "/help"),
        ("2", json!(null), rich(json!([{"text": "@鹊桥"}, {"text": "/help"}])), "/help"),
        ("2", at_bot.clone(), rich(json!([{"text": "@鹊桥 "}, {"text": "停止"}])), "停止"),
        ("2", at_bot.clone(), rich(json!([{"text": "/new"}, {"text": "@鹊桥"}])), "/new"),
        ("2", at_bot.clone(), rich(json!([{"type": "at", "atName": "鹊桥"}, {"text": "hi"}])), "hi"),
        ("2", at_bot.clone(), rich(json!([{"text": "@鹊桥"}, {"text": "@鹊桥"}, {"text": "hi"}])), "hi"),
        (
            "2",
            json!(null),
            rich(json!([{"text": "@Magpie Ops"}, {"text": "who is on call"}])),
            "who is on call",
        ),
        (
            "2",
            both,
            rich(json!([{"text": "@Magpie Ops"}, {"text": "@Magpie"}, {"text": "who is on call"}])),
            "@Magpie Ops who is on call",
        ),
        ("2", at_bot.clone(), text("@鹊桥\u{2005}／help"), "／help"),
        ("1", json!(null), text("@鹊桥 /help"), "/help"),
        ("2", at_bot, text(" \u{200b}停止"), "停止"),
        (
            "1",
            json!(null),
            rich(json!([{"text": "@Override"}, {"type": "picture", "downloadCode": "c"}])),
            "@Override",
        ),
    ] {
        let mut changes = content;
        changes["conversationType"] = json!(kind);
        changes["atUsers"] = list;
        changes["isInAtList"] = json!(kind == "2");
        assert_eq!(message(&changes).text, expected, "{changes}");
    }
}

#[test]
fn what_is_quoted_is_read() {
    use chat::AttachmentKind::{File, Picture};
    for (changes, text, kinds) in [
        (
            json!({"text": {"content": "?", "isReplyMsg": true, "repliedMsg": {"msgType": "text", "msgId": "m",
            "content": {"text": "the printer is on fire"}}}}),
            "the printer is on fire",
            vec![],
        ),
        (
            json!({"text": {"content": "?", "repliedMsg": {"msgType": "text", "content": "{\"text\":\"nested\"}"}}}),
            "nested",
            vec![],
        ),
        (
            json!({"text": {"content": "?", "repliedMsg": {"msgType": "richText", "content": {"richText": [
            {"text": "@Ann"}, {"text": "look"}, {"type": "picture", "downloadCode": "c"}]}}}}),
            "@Ann look",
            vec![Picture],
        ),
        (
            json!({"text": {"content": "?", "repliedMsg": {"msgType": "file", "content": {"downloadCode": "c",
            "fileName": "plan.pdf"}}}}),
            "",
            vec![File],
        ),
        (json!({"quoteMessage": {"msgtype": "text", "text": {"content": "old form"}}}), "old form", vec![]),
        (json!({"repliedMsg": {"content": 7}}), "", vec![]),
    ] {
        let quoted = message(&changes).quoted.unwrap();
        assert_eq!(quoted.text, text, "{changes}");
        assert_eq!(quoted.attachments.iter().map(|it| it.kind).collect::<Vec<_>>(), kinds, "{changes}");
    }
    assert_eq!(message(&json!({})).quoted, None);
}

#[test]
fn deep_nesting_does_not_overflow() {
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(hear(&signed("new", &deep)).is_ok_and(|heard| heard.unknown.len() == 1));
    let deep = format!("{{\"content\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(hear(&signed("new", &deep)).is_ok_and(|heard| heard.unknown.len() == 1));
}

#[test]
fn a_person_from_outside_has_no_staff_id() {
    for staff in [json!(null), json!("")] {
        let message = message(&json!({"senderStaffId": staff, "senderNick": ""}));
        assert_eq!(message.sender.id.as_str(), "$:LWCP_v1:$u1");
        assert_eq!(message.sender.name, None);
        assert_eq!(message.conversation.user.as_ref(), Some(&message.sender.id));
        assert!(message.reply_to.0.contains("\"staff\":null"), "{:?}", message.reply_to);
    }
}

#[test]
fn groups_share_a_memory_and_speak_to_the_bot_when_they_mention_it() {
    let bot = json!([{"dingtalkId": "$:LWCP_v1:$bot"}]);
    let other = json!([{"dingtalkId": "$:LWCP_v1:$x"}]);
    for (listed, named, heard) in [
        (json!(true), json!(null), true),
        (json!("true"), json!([]), true),
        (json!(false), bot.clone(), true),
        (json!(null), bot, true),
        (json!(null), json!(null), true),
        (json!(null), json!([]), true),
        (json!(false), json!(null), false),
        (json!(false), other.clone(), false),
        (json!(null), other, false),
    ] {
        let changes = json!({"conversationType": "2", "isInAtList": listed, "atUsers": named});
        assert_eq!(ignored(&changes).is_none(), heard, "{changes}");
    }
    let message = message(&json!({"conversationType": 2, "isInAtList": true}));
    assert_eq!((message.chat_kind, message.conversation.user), (ChatKind::Group, None));
    assert_eq!(message.audience, Audience::Bot);
}

#[test]
fn a_message_whose_words_the_quota_took_is_ignored() {
    let gone = json!({"errorCode": 20001, "errorMessage": "m", "text": null, "msgId": null});
    assert_eq!(ignored(&gone), Some("monthly quota used up"));
    let gone = json!({"errCode": "20001", "text": null});
    assert_eq!(ignored(&gone), Some("monthly quota used up"));
    assert_eq!(ignored(&json!({"errorCode": 20001})), None, "with words it is a message like any other");
}

#[test]
fn words_are_found_wherever_they_stand() {
    for (changes, expected) in [
        (json!({"text": {"content": "\n a b \t"}}), "a b"),
        (json!({"text": null, "content": " top "}), "top"),
        (json!({"text": {}, "content": "top"}), "top"),
        (json!({"text": null}), ""),
        (
            json!({"msgtype": "audio", "text": null, "content": {"downloadCode": "c", "recognition": " said "}}),
            "said",
        ),
        (
            json!({"msgtype": "richText", "text": null, "content": {"richText": [
                {"type": "at", "atName": "Ann"}, {"text": "see\n"}, {"type": "picture", "downloadCode": "c"},
                {"text": "this "}, {"type": "at"}, {"other": 1}, 7]}}),
            "@Ann see\nthis",
        ),
        (json!({"msgtype": "chatRecord", "text": null, "content": {"summary": "s"}}), ""),
    ] {
        assert_eq!(message(&changes).text, expected, "{changes}");
    }
}

#[test]
fn what_cannot_be_fetched_is_an_attachment_all_the_same() {
    use chat::AttachmentKind::{Other, Picture, Voice};
    for (kind, content, expected) in [
        ("chatRecord", json!(null), Other),
        ("interactiveCard", json!({}), Other),
        ("picture", json!({}), Other),
        ("picture", json!("text"), Other),
        ("picture", json!({"downloadCode": "c"}), Picture),
        ("audio", json!({"downloadCode": "c"}), Voice),
    ] {
        let message = message(&json!({"msgtype": kind, "text": null, "content": content}));
        assert_eq!(message.attachments.len(), 1);
        assert_eq!(message.attachments[0].kind, expected, "{kind} {content}");
    }
}

#[test]
fn the_time_may_be_a_number_or_a_text() {
    for (time, millis) in [(json!(5), 5), (json!("6"), 6), (json!(null), NOW), (json!("soon"), NOW)] {
        assert_eq!(message(&json!({"createAt": time})).sent_at, Timestamp::from_millis(millis));
    }
}

#[test]
fn an_untrusted_session_webhook_is_dropped() {
    for changes in [
        json!({"sessionWebhook": "https://evil.example/robot/sendBySession?session=abc"}),
        json!({"sessionWebhook": "http://169.254.169.254/"}),
        json!({"sessionWebhookExpiredTime": null}),
        json!({"sessionWebhook": null}),
    ] {
        let message = message(&changes);
        assert!(message.reply_to.0.contains("\"webhook\":null"), "{changes}");
        assert!(bot().needs_token(&message.reply_to, Timestamp::from_millis(NOW)), "so the API is used");
    }
    let message = message(&json!({}));
    assert!(!bot().needs_token(&message.reply_to, Timestamp::from_millis(NOW)));
    assert!(bot().needs_token(&message.reply_to, Timestamp::from_millis(1_700_005_400_000 - 60_000)));
}

fn push_keys(token: &str, aes_key: &str, owner: &str) -> PushKeys {
    PushKeys::new(SecretString::from(token), &SecretString::from(aes_key), owner).unwrap()
}

fn pushed(keys: &PushKeys, event: &str, names: [&str; 3]) -> RawRequest {
    let encrypt = keys.seal(*b"0123456789abcdef", event.as_bytes());
    let values = [keys.sign("1700000000001", "n1", &encrypt), "1700000000001".into(), "n1".into()];
    RawRequest {
        headers: HeaderMap::new(),
        query: names.into_iter().map(str::to_owned).zip(values).collect(),
        body: json!({"encrypt": encrypt}).to_string().into(),
    }
}

const NAMES: [&str; 3] = ["msg_signature", "timestamp", "nonce"];

#[test]
fn every_push_is_answered_with_the_keys_that_verified_it() {
    for (token, aes_key) in [("tok2", AES), ("tok1", OLD_AES)] {
        let keys = push_keys(token, aes_key, "ding1");
        for (event, names) in [
            (r#"{"EventType":"check_url"}"#, NAMES),
            (r#"{"EventType":"check_url"}"#, ["signature", "timeStamp", "nonce"]),
            (r#"{"EventType":"chat_add_member","eventId":"e2"}"#, NAMES),
        ] {
            let heard = hear(&pushed(&keys, event, names)).unwrap();
            assert_eq!(matches!(heard.event, Event::Handshake), event.contains("check_url"));
            let answer: Value = serde_json::from_str(&heard.answer.body).unwrap();
            let text = |name: &str| answer[name].as_str().unwrap();
            let (timestamp, nonce, encrypt) = (text("timeStamp"), text("nonce"), text("encrypt"));
            assert!(keys.check(timestamp, nonce, encrypt, text("msg_signature")).is_ok());
            assert_eq!(keys.open(encrypt).unwrap(), b"success");
        }
    }
}

#[test]
fn a_push_that_is_not_for_us_is_unverified() {
    let ours = push_keys("tok2", AES, "ding1");
    let event = r#"{"EventType":"check_url"}"#;
    let mut no_json = pushed(&ours, event, NAMES);
    no_json.body = "x".into();
    let mut other_body = pushed(&ours, event, NAMES);
    other_body.body = json!({"encrypt": ours.seal([b'x'; 16], event.as_bytes())}).to_string().into();
    for request in [
        pushed(&push_keys("tok2", AES, "ding2"), event, NAMES),
        pushed(&push_keys("tok3", AES, "ding1"), event, NAMES),
        pushed(&push_keys("tok2", OLD_AES, "ding1"), event, NAMES),
        no_json,
        other_body,
    ] {
        assert!(matches!(hear(&request), Err(Rejection::Unverified(_))));
    }
    for unclear in ["{}", "success", "{\"EventType\":7.5e9", "{\"EventType\":[]}"] {
        let heard = hear(&pushed(&ours, unclear, NAMES)).unwrap();
        assert!(heard.answer.body.contains("encrypt") && heard.unknown.len() == 1, "{unclear}");
    }
}

#[test]
fn a_push_needs_its_keys() {
    let ring = KeyRing::new(keys("new", None), None);
    let bot = (dingtalk::KIND.connect)(&ring, &ConnectOptions::default()).unwrap();
    let request = pushed(&push_keys("tok2", AES, "ding1"), r#"{"EventType":"check_url"}"#, NAMES);
    let why = bot.verify(&request, Timestamp::from_millis(NOW)).unwrap_err();
    assert_eq!(why, Rejection::Unverified("event push is not configured"));
}

#[test]
fn a_signed_header_opens_no_push_and_no_robot_way_around_the_query() {
    let mut request = signed("new", "{}");
    request.query = NAMES.map(|name| (name.to_owned(), "x".to_owned())).to_vec();
    assert!(matches!(hear(&request), Err(Rejection::Unverified(_))));
}

#[test]
fn keys_of_all_versions_are_told_at_once() {
    let wrong = Keys::from_json(r#"{"client_id": "c"}"#).unwrap();
    let ring = KeyRing::new(wrong.clone(), Some(wrong));
    let errors = (dingtalk::KIND.connect)(&ring, &ConnectOptions::default()).map(|_| ()).unwrap_err();
    assert_eq!(errors.len(), 4, "{errors:?}");
}
