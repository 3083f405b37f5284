//! What one signed DingTalk robot message, and one encrypted event push, cost to receive.
#![expect(clippy::expect_used, reason = "a benchmark that cannot build its own input has nothing to measure")]

use std::{hint::black_box, sync::Arc};

use chat::{BotId, Timestamp};
use criterion::Criterion;
use dingtalk::{PushKeys, custom_robot};
use http::{HeaderMap, HeaderValue};
use platform::{ConnectOptions, KeyRing, Keys, Moment, Platform, RawRequest};

const NOW: i64 = 1_700_000_001_000;

const KEYS: &str = r#"{"client_id": "dingappkey0001", "client_secret": "AppSecret-0001-abcdef", "robot_code": "dingrobot1",
    "token": "tok123", "aes_key": "ahovCJQX4bipwDKRY5cjqxELSZ6dkryFMT07elszGNU"}"#;

/// A group message as DingTalk sends it, padded to about 1 KB by its words.
fn robot_message() -> RawRequest {
    let body = serde_json::json!({
        "conversationId": "cidTEST==", "chatbotCorpId": "dingcorp", "chatbotUserId": "$:LWCP_v1:$bot",
        "atUsers": [{"dingtalkId": "$:LWCP_v1:$bot"}], "msgId": "msgTEST==", "senderNick": "Tester", "isAdmin": false,
        "senderStaffId": "staff1", "senderCorpId": "dingcorp", "senderId": "$:LWCP_v1:$u1", "senderPlatform": "Mac",
        "sessionWebhookExpiredTime": 1_700_005_400_000_i64, "createAt": 1_700_000_000_000_i64,
        "conversationType": "2", "conversationTitle": "Group", "isInAtList": true, "robotCode": "dingrobot1",
        "sessionWebhook": "https://oapi.dingtalk.com/robot/sendBySession?session=abc", "msgtype": "text",
        "text": {"content": format!(" {}", "请帮我看看这份报告 please. ".repeat(12))},
    });
    let timestamp = NOW.to_string();
    let mut headers = HeaderMap::new();
    headers.insert("sign", header(&custom_robot::sign(&timestamp, "AppSecret-0001-abcdef")));
    headers.insert("timestamp", header(&timestamp));
    RawRequest { headers, query: Vec::new(), body: body.to_string().into() }
}

fn header(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).expect("a number and Base64 fit into a header")
}

/// A push of a group event.
fn event_push(keys: &Keys) -> RawRequest {
    let secret = |name: &str| keys.require(name).expect("the field is in KEYS");
    let push =
        PushKeys::new(secret("token"), &secret("aes_key"), "dingappkey0001").expect("the key is right");
    let event = serde_json::json!({
        "EventType": "chat_add_member", "EventTime": 1_700_000_000_000_i64, "CorpId": "ding1", "BizId": "170",
        "eventId": "e2", "chatId": "chat1", "openConversationId": "cid", "operator": "u", "operatorUnionId": "n",
        "userId": ["u2"], "unionId": ["n2"], "timeStamp": 1_700_000_000_000_i64,
    });
    let encrypt = push.seal(*b"0123456789abcdef", event.to_string().as_bytes());
    let query = [
        ("msg_signature", push.sign("1700000000001", "nonceAAA", &encrypt)),
        ("timestamp", "1700000000001".to_owned()),
        ("nonce", "nonceAAA".to_owned()),
    ];
    RawRequest {
        headers: HeaderMap::new(),
        query: query.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        body: serde_json::json!({"encrypt": encrypt}).to_string().into(),
    }
}

fn main() {
    let keys = Keys::from_json(KEYS).expect("KEYS is an object of texts");
    let requests = [("robot_message", robot_message()), ("event_push", event_push(&keys))];
    let ring = KeyRing::new(keys, None);
    let bot: Arc<dyn Platform> =
        (dingtalk::KIND.connect)(&ring, &ConnectOptions::default()).expect("the keys are right");
    let now = Timestamp::from_millis(NOW);
    let moment = Moment { bot: BotId::parse("helpdesk").expect("a slug"), now, nonce: [7; 16] };

    let mut criterion = Criterion::default().configure_from_args();
    for (name, request) in requests {
        let name = format!("dingtalk/{name}/{}_bytes", request.body.len());
        criterion.bench_function(&name, |bencher| {
            bencher.iter(|| {
                let event = bot.verify(black_box(&request), now).expect("it is signed");
                bot.parse(event, &moment).expect("it is well-formed")
            });
        });
    }
    criterion.final_summary();
}
