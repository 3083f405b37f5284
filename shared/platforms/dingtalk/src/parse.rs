//! What was said.

use chat::{
    Audience, ChatId, ChatKind, Conversation, EventId, Message, PlatformId, Sender, Timestamp, UserId,
};
use platform::{Event, Heard, HookAnswer, Moment, Rejection, lenient::repaired};
use webhook::mac;

use crate::{
    address::{Address, Kind, Webhook},
    content::{self, Content},
    hosts::Hosts,
    keys::BotKeys,
    mention::AtList,
    wire::{PushEvent, Pushed, RobotMessage, Text, filled},
};

/// The `errorCode` of a message that comes without its words because the company's monthly volume of pushes is used
/// up.
const VOLUME_USED_UP: &str = "20001";

/// Reads an event push. Every one of them is answered with the sealed `success`, known or not: DingTalk would send an
/// unanswered one again.
pub(crate) fn push(json: &[u8], keys: &[BotKeys], moment: &Moment) -> Result<Heard, Rejection> {
    let pushed: Pushed = serde_json::from_slice(json).map_err(|_| Rejection::Malformed("no event push"))?;
    let push = keys.get(pushed.key).and_then(|bot| bot.push.as_ref());
    let push = push.ok_or(Rejection::Unverified("event push is not configured"))?;
    let read = |json: &str| {
        let event: PushEvent<'_> = serde_json::from_str(json).ok()?;
        filled(event.event_type.as_ref()).map(|event_type| event_type == "check_url")
    };
    let is_check = read(&pushed.event).or_else(|| read(&repaired(pushed.event.as_bytes())?));
    let (event, unknown) = match is_check {
        Some(true) => (Event::Handshake, Vec::new()),
        Some(false) => (Event::Ignored("an event push that Magpie does not use"), Vec::new()),
        None => (Event::Ignored("an event push of no type"), vec!["an event push of no type"]),
    };
    Ok(Heard { event, answer: HookAnswer::ok(push.success(moment.nonce, moment.now)), unknown })
}

/// Reads a robot message. `{}` answers it: the reply itself is sent later, since a model takes longer than DingTalk
/// waits. A message that cannot be read at all is answered like any other.
pub(crate) fn robot(json: &[u8], platform: &PlatformId, hosts: &Hosts, moment: &Moment) -> Heard {
    let read = |json: &[u8]| {
        let wire: RobotMessage<'_> = serde_json::from_slice(json).ok()?;
        Some(understood(&wire, json, platform, hosts, moment))
    };
    // An array would be taken for an object by position.
    let is_object = |json: &[u8]| json.trim_ascii_start().starts_with(b"{");
    let heard = Some(json).filter(|json| is_object(json)).and_then(read);
    let heard = heard.or_else(|| read(repaired(json).filter(|json| is_object(json.as_bytes()))?.as_bytes()));
    heard.unwrap_or_else(|| lost("a robot message that is no JSON"))
}

fn done(event: Event, unknown: Vec<&'static str>) -> Heard {
    Heard { event, answer: HookAnswer::ok("{}"), unknown }
}

/// A message that nobody can be answered for.
fn lost(what: &'static str) -> Heard {
    done(Event::Ignored(what), vec![what])
}

fn understood(
    wire: &RobotMessage<'_>,
    json: &[u8],
    platform: &PlatformId,
    hosts: &Hosts,
    moment: &Moment,
) -> Heard {
    if let Some(why) = ignored(wire) {
        return done(Event::Ignored(why), Vec::new());
    }
    let content = content::read(wire);
    let mut unknown = content.unknown.clone();
    match message(wire, json, platform, hosts, moment, content, &mut unknown) {
        Some(message) => done(Event::Message(Box::new(message)), unknown),
        None => lost("a message that nobody can be answered for"),
    }
}

/// Why a message needs no answer, if it needs none.
fn ignored(wire: &RobotMessage<'_>) -> Option<&'static str> {
    let is_used_up = filled(wire.error_code.as_ref()).is_some_and(|code| code.trim() == VOLUME_USED_UP);
    if is_used_up && wire.text.is_null() && wire.content.is_null() {
        return Some("monthly quota used up");
    }
    if kind_of(wire) == Kind::Group && !speaks_to_the_bot(wire) {
        return Some("a group message that does not mention the bot");
    }
    None
}

/// The message, if there is anywhere to answer it.
fn message(
    wire: &RobotMessage<'_>,
    json: &[u8],
    platform: &PlatformId,
    hosts: &Hosts,
    moment: &Moment,
    content: Content,
    unknown: &mut Vec<&'static str>,
) -> Option<Message> {
    let event = filled(wire.msg_id.as_ref()).and_then(|id| EventId::parse(id).ok());
    // A message without an id is the same message when it is the same to the byte.
    let event = event.or_else(|| {
        unknown.push("a message without an id");
        EventId::parse(mac::sha256_hex(&[json])).ok()
    })?;
    let kind = kind_of(wire);
    let staff = filled(wire.sender_staff_id.as_ref());
    let (person, chat) = place(wire, &event, unknown)?;
    let own_chat = filled(wire.conversation_id.as_ref()).map_or("", |_| chat.as_str());
    let address = Address::new(webhook(wire, hosts), own_chat.to_owned(), kind, staff.map(str::to_owned));
    if !address.is_reachable() {
        return None;
    }
    let conversation = Conversation {
        platform: platform.clone(),
        bot: moment.bot.clone(),
        chat,
        thread: None,
        user: (kind == Kind::Direct).then(|| person.clone()),
    };
    Some(Message {
        event,
        conversation,
        chat_kind: match kind {
            Kind::Direct => ChatKind::Direct,
            Kind::Group => ChatKind::Group,
        },
        sender: Sender { id: person, name: filled(wire.sender_nick.as_ref()).map(str::to_owned) },
        audience: Audience::Bot,
        text: content.text,
        mentioned: Vec::new(),
        quoted: content.quoted,
        client_language: None,
        attachments: content.attachments,
        sent_at: millis(wire.create_at.as_ref()).unwrap_or(moment.now),
        reply_to: address.to_reply(),
    })
}

/// Who sent it and where. A message that does not say is answered all the same: its own id stands for what is missing, so
/// that it shares a memory and a budget with nobody.
fn place(
    wire: &RobotMessage<'_>,
    event: &EventId,
    unknown: &mut Vec<&'static str>,
) -> Option<(UserId, ChatId)> {
    let ids = [&wire.sender_staff_id, &wire.sender_id].into_iter();
    let person = ids.filter_map(|id| UserId::parse(filled(id.as_ref())?).ok()).next();
    let chat = filled(wire.conversation_id.as_ref()).and_then(|id| ChatId::parse(id).ok());
    if person.is_none() || chat.is_none() {
        unknown.push("a message without its sender or chat");
    }
    let person = person.or_else(|| UserId::parse(event.as_str()).ok())?;
    Some((person, chat.or_else(|| ChatId::parse(event.as_str()).ok())?))
}

/// A message of another type of chat is taken for a group's if it has the marks of one.
fn kind_of(wire: &RobotMessage<'_>) -> Kind {
    match filled(wire.conversation_type.as_ref()).unwrap_or_default() {
        "1" => Kind::Direct,
        "2" => Kind::Group,
        _ => {
            let is_titled = filled(wire.conversation_title.as_ref()).is_some();
            if is_titled || wire.is_in_at_list.is_some() || !wire.at_users.0.is_empty() {
                Kind::Group
            } else {
                Kind::Direct
            }
        }
    }
}

/// Whether a group message is for the bot. DingTalk delivers only those that are, so a message that does not say is
/// taken for one; a message that names others only is not.
fn speaks_to_the_bot(wire: &RobotMessage<'_>) -> bool {
    let list = AtList::of(wire);
    match filled(wire.is_in_at_list.as_ref()) {
        Some("true") => true,
        Some(_) => list.has_bot(),
        None => list.has_bot() || list.is_empty(),
    }
}

/// The session webhook, if it may be used. An untrusted one is dropped, not refused: the API reaches the same chat.
fn webhook(wire: &RobotMessage<'_>, hosts: &Hosts) -> Option<Webhook> {
    let url = hosts.trusted(filled(wire.session_webhook.as_ref())?)?;
    let ends_at = millis(wire.session_webhook_expired_time.as_ref())?;
    Some(Webhook { url: url.into(), ends_at })
}

fn millis(value: Option<&Text<'_>>) -> Option<Timestamp> {
    filled(value)?.trim().parse().ok().map(Timestamp::from_millis)
}
