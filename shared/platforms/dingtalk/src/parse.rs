//! What was said.

use chat::{
    Attachment, AttachmentKind, Audience, ChatId, ChatKind, Conversation, EventId, Message, PlatformId,
    Sender, Timestamp, UserId,
};
use platform::{Event, Heard, HookAnswer, Moment, Rejection};
use serde_json::Value;

use crate::{
    address::{Address, Kind, Webhook},
    hosts::Hosts,
    keys::BotKeys,
    wire::{Loose, PushEvent, Pushed, RobotMessage},
};

/// The `errorCode` of a message that comes without its words because the company's monthly volume of pushes is used
/// up.
const VOLUME_USED_UP: i64 = 20001;

/// Reads an event push. Every one of them is answered with the sealed `success`, known or not: DingTalk would send an
/// unanswered one again.
pub(crate) fn push(json: &[u8], keys: &[BotKeys], moment: &Moment) -> Result<Heard, Rejection> {
    let pushed: Pushed = serde_json::from_slice(json).map_err(|_| Rejection::Malformed("no event push"))?;
    let event: PushEvent = serde_json::from_str(&pushed.event)
        .map_err(|_| Rejection::Malformed("the event has no `EventType`"))?;
    let push = keys.get(pushed.key).and_then(|bot| bot.push.as_ref());
    let push = push.ok_or(Rejection::Unverified("event push is not configured"))?;
    let event = match event.event_type.as_str() {
        "check_url" => Event::Handshake,
        _ => Event::Ignored("an event push that Magpie does not use"),
    };
    Ok(Heard { event, answer: HookAnswer::ok(push.success(moment.nonce, moment.now)) })
}

/// Reads a robot message. `{}` answers it: the reply itself is sent later, since a model takes longer than DingTalk
/// waits.
pub(crate) fn robot(
    json: &[u8],
    platform: &PlatformId,
    hosts: &Hosts,
    moment: &Moment,
) -> Result<Heard, Rejection> {
    let wire: RobotMessage = serde_json::from_slice(json)
        .map_err(|_| Rejection::Malformed("a robot message's field is not of its documented type"))?;
    let event = match ignored(&wire) {
        Some(why) => Event::Ignored(why),
        None => Event::Message(Box::new(message(&wire, platform, hosts, moment)?)),
    };
    Ok(Heard { event, answer: HookAnswer::ok("{}") })
}

/// Why a message needs no answer, if it needs none.
fn ignored(wire: &RobotMessage) -> Option<&'static str> {
    let code = wire.error_code.as_ref().and_then(Loose::number);
    if code == Some(VOLUME_USED_UP) && wire.text.is_none() && wire.content.is_none() {
        return Some("monthly quota used up");
    }
    if kind_of(wire) == Some(Kind::Group) && !speaks_to_the_bot(wire) {
        return Some("a group message that does not mention the bot");
    }
    None
}

fn message(
    wire: &RobotMessage,
    platform: &PlatformId,
    hosts: &Hosts,
    moment: &Moment,
) -> Result<Message, Rejection> {
    let event = EventId::parse(wire.msg_id.as_deref().unwrap_or_default())
        .map_err(|_| Rejection::Malformed("`msgId` is missing or no id"))?;
    let chat = ChatId::parse(wire.conversation_id.as_deref().unwrap_or_default())
        .map_err(|_| Rejection::Malformed("`conversationId` is missing or no id"))?;
    let kind = kind_of(wire).ok_or(Rejection::Malformed("`conversationType` is neither 1 nor 2"))?;
    let staff = filled(wire.sender_staff_id.as_ref());
    let person = staff.or_else(|| filled(wire.sender_id.as_ref())).unwrap_or_default();
    let person = UserId::parse(person).map_err(|_| Rejection::Malformed("the sender is missing or no id"))?;
    let address =
        Address::new(webhook(wire, hosts), chat.as_str().to_owned(), kind, staff.map(str::to_owned));
    let (text, attachments) = content(wire);
    let conversation = Conversation {
        platform: platform.clone(),
        bot: moment.bot.clone(),
        chat,
        thread: None,
        user: (kind == Kind::Direct).then(|| person.clone()),
    };
    Ok(Message {
        event,
        conversation,
        chat_kind: match kind {
            Kind::Direct => ChatKind::Direct,
            Kind::Group => ChatKind::Group,
        },
        sender: Sender { id: person, name: filled(wire.sender_nick.as_ref()).map(str::to_owned) },
        audience: Audience::Bot,
        text,
        attachments,
        sent_at: millis(wire.create_at.as_ref()).unwrap_or(moment.now),
        reply_to: address.to_reply(),
    })
}

fn kind_of(wire: &RobotMessage) -> Option<Kind> {
    match wire.conversation_type.as_ref()?.text().as_str() {
        "1" => Some(Kind::Direct),
        "2" => Some(Kind::Group),
        _ => None,
    }
}

/// Whether a group message is for the bot. DingTalk delivers only those that are, so a message that does not say is
/// taken for one; a message that names others only is not.
fn speaks_to_the_bot(wire: &RobotMessage) -> bool {
    let named = wire.at_users.as_deref().unwrap_or_default();
    let bot = filled(wire.chatbot_user_id.as_ref());
    let listed = bot.is_some() && named.iter().any(|user| user.dingtalk_id.as_deref() == bot);
    match wire.is_in_at_list.as_ref().map(Loose::text).as_deref() {
        Some("true") => true,
        Some(_) => listed,
        None => listed || named.is_empty(),
    }
}

/// The session webhook, if it may be used. An untrusted one is dropped, not refused: the API reaches the same chat.
fn webhook(wire: &RobotMessage, hosts: &Hosts) -> Option<Webhook> {
    let url = hosts.trusted(wire.session_webhook.as_deref()?)?;
    let ends_at = millis(wire.session_webhook_expired_time.as_ref())?;
    Some(Webhook { url: url.into(), ends_at })
}

fn millis(value: Option<&Loose>) -> Option<Timestamp> {
    value.and_then(Loose::number).map(Timestamp::from_millis)
}

fn filled(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// The words and what came besides them.
fn content(wire: &RobotMessage) -> (String, Vec<Attachment>) {
    let content = wire.content.as_ref().unwrap_or(&Value::Null);
    let one = |kind| vec![attachment(kind, content)];
    match wire.msgtype.as_deref().unwrap_or("text") {
        "text" => (plain_text(wire), Vec::new()),
        "richText" => rich_text(content),
        "picture" => (String::new(), one(AttachmentKind::Picture)),
        // DingTalk has listened already; its words stand for the sound.
        "audio" => (field(content, "recognition").trim().to_owned(), one(AttachmentKind::Voice)),
        "video" => (String::new(), one(AttachmentKind::Video)),
        "file" => (String::new(), one(AttachmentKind::File)),
        _ => (plain_text(wire), vec![unreadable()]),
    }
}

/// `text.content`, or a `content` that is a text: one page of the documents has it so.
fn plain_text(wire: &RobotMessage) -> String {
    let inner = wire.text.as_ref().and_then(|text| text.get("content")).and_then(Value::as_str);
    let text = inner.or_else(|| wire.content.as_ref().and_then(Value::as_str));
    text.unwrap_or_default().trim().to_owned()
}

fn rich_text(content: &Value) -> (String, Vec<Attachment>) {
    let (mut text, mut attachments) = (String::new(), Vec::new());
    for part in content.get("richText").and_then(Value::as_array).into_iter().flatten() {
        match field(part, "type") {
            "picture" => attachments.push(attachment(AttachmentKind::Picture, part)),
            "at" if field(part, "atName").is_empty() => {}
            "at" => {
                text.push('@');
                text.push_str(field(part, "atName"));
                text.push(' ');
            }
            _ => text.push_str(field(part, "text")),
        }
    }
    (text.trim().to_owned(), attachments)
}

/// What a download code stands for. Without one there is nothing to fetch, whatever it is.
fn attachment(kind: AttachmentKind, content: &Value) -> Attachment {
    match field(content, "downloadCode") {
        "" => unreadable(),
        code => {
            let name = Some(field(content, "fileName")).filter(|name| !name.is_empty());
            Attachment { kind, handle: code.to_owned(), name: name.map(str::to_owned) }
        }
    }
}

const fn unreadable() -> Attachment {
    Attachment { kind: AttachmentKind::Other, handle: String::new(), name: None }
}

fn field<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
