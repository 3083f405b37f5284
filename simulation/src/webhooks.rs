//! Webhooks as the platforms send them, signed where they sign.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue};
use platform::RawRequest;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    plan::{Plan, Room, Saying, Side, Words},
    platforms::SESSION_LIFE,
    sim::START,
};

/// The webhook of a saying, delivered now. When it was said does not change with the delivery; when it was signed does.
pub(crate) fn of(plan: &Plan, saying: &Saying, now: i64) -> Option<(Side, RawRequest)> {
    let room = plan.rooms.get(saying.room)?;
    let said = START + saying.said;
    let text = match saying.words {
        Words::Question(_) => format!("tell me about q{}.{} please", saying.room, saying.number),
        Words::Help => "/help".to_owned(),
        Words::New => "/new".to_owned(),
        Words::Stop => "stop".to_owned(),
    };
    let request = match room.side {
        Side::Feishu => plain(&feishu(room, &saying.event(), &text, said), HeaderMap::new()),
        Side::DingTalk => plain(&dingtalk(room, saying, &text, said), signed(now)?),
    };
    Some((room.side, request))
}

fn plain(body: &Value, headers: HeaderMap) -> RawRequest {
    RawRequest { headers, query: Vec::new(), body: Bytes::from(body.to_string()) }
}

fn feishu(room: &Room, event: &str, text: &str, said: i64) -> Value {
    let (said, mention) = (said.to_string(), if room.group { "@_user_1 " } else { "" });
    let mut message = json!({
        "message_id": event, "create_time": said, "chat_id": room.chat,
        "chat_type": if room.group { "group" } else { "p2p" },
        "message_type": "text", "content": json!({"text": format!("{mention}{text}")}).to_string(),
    });
    if room.group {
        message["mentions"] = json!([{"key": "@_user_1", "id": {"open_id": "ou_bot"}, "name": "Magpie"}]);
    }
    let sender = json!({"sender_id": {"open_id": room.user}, "sender_type": "user"});
    let header = json!({"event_id": event, "event_type": "im.message.receive_v1", "create_time": said, "token": "vtok"});
    json!({"schema": "2.0", "header": header, "event": {"sender": sender, "message": message}})
}

fn dingtalk(room: &Room, saying: &Saying, text: &str, said: i64) -> Value {
    let session = format!("{}.{}", saying.room, saying.number);
    json!({
        "conversationId": room.chat, "conversationType": if room.group { "2" } else { "1" },
        "robotCode": "dingrobot", "chatbotUserId": "robot", "msgId": saying.event(), "createAt": said,
        "senderNick": "Ann", "senderStaffId": room.user, "senderId": room.user, "isInAtList": true,
        "sessionWebhook": format!("https://dingtalk.test/robot/sendBySession?session={session}"),
        "sessionWebhookExpiredTime": said + SESSION_LIFE,
        "msgtype": "text", "text": {"content": text},
    })
}

fn signed(now: i64) -> Option<HeaderMap> {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"s").ok()?;
    mac.update(format!("{now}\ns").as_bytes());
    let sign = STANDARD.encode(mac.finalize().into_bytes());
    let mut headers = HeaderMap::new();
    headers.insert("timestamp", HeaderValue::from_str(&now.to_string()).ok()?);
    headers.insert("sign", HeaderValue::from_str(&sign).ok()?);
    Some(headers)
}
