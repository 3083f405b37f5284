//! What a verified event says.

use chat::{
    Audience, ChatId, ChatKind, Conversation, EventId, IdError, Message, PlatformId, Sender, ThreadId,
    Timestamp, UserId,
};
use platform::{Event, Heard, HookAnswer, Moment, RawEvent, Rejection};

use crate::{
    content,
    json::{self, NotThat},
    mention::{self, Mentions},
    send::Address,
    wire::{self, MessageEnvelope, Outer, Shape, filled},
};

/// What Feishu's own SDKs answer. Only the status counts.
const DONE: &str = r#"{"msg":"success"}"#;

/// What is wrong when a part of an event is missing or of another type.
const SHAPE: &str = "the event is not of its documented shape";

/// Reads an event.
pub(crate) fn parse(event: &RawEvent, platform: &PlatformId, moment: &Moment) -> Result<Heard, Rejection> {
    // Nearly every event is a message, so it is tried as one first; a look at the outside would read it twice.
    if let Ok(envelope) = object::<MessageEnvelope<'_>>(&event.json)
        && envelope.is_message()
    {
        return Ok(done(message(&envelope, platform, moment)?));
    }
    let outer: Outer<'_> = object(&event.json)?;
    match outer.shape() {
        Shape::Challenge(challenge) => {
            let answer = serde_json::json!({ "challenge": challenge }).to_string();
            Ok(Heard { event: Event::Handshake, answer: HookAnswer::ok(answer) })
        }
        Shape::Second(wire::MESSAGE) => Err(Rejection::Malformed(SHAPE)),
        Shape::Second(event_type) => Ok(done(Event::Ignored(ignored(event_type)))),
        Shape::First => Ok(done(Event::Ignored("an event in an envelope of the first version"))),
        Shape::Unknown => Err(Rejection::Malformed("neither an event nor a challenge")),
    }
}

fn object<'a, T: serde::Deserialize<'a>>(json: &'a [u8]) -> Result<T, Rejection> {
    json::object(json).map_err(|NotThat| Rejection::Malformed(SHAPE))
}

fn done(event: Event) -> Heard {
    Heard { event, answer: HookAnswer::ok(DONE) }
}

/// Names for the counters; what is not listed is counted together.
fn ignored(event_type: &str) -> &'static str {
    match event_type {
        "card.action.trigger" => "card action",
        "im.message.reaction.created_v1" | "im.message.reaction.deleted_v1" => "reaction",
        "im.message.recalled_v1" => "message recalled",
        "im.message.message_read_v1" => "message read",
        "im.chat.member.bot.added_v1" => "bot added to a chat",
        "im.chat.member.bot.deleted_v1" => "bot removed from a chat",
        "im.chat.disbanded_v1" => "chat disbanded",
        "im.chat.access_event.bot_p2p_chat_entered_v1" => "direct chat opened",
        "application.bot.menu_v6" => "bot menu",
        _ => "an event of another type",
    }
}

fn message(
    envelope: &MessageEnvelope<'_>,
    platform: &PlatformId,
    moment: &Moment,
) -> Result<Event, Rejection> {
    let (sender, message) = (&envelope.event.sender, &envelope.event.message);
    // Another bot's words, or our own, must not start a turn: two bots would talk for ever.
    if filled(sender.sender_type.as_ref()) != Some("user") {
        return Ok(Event::Ignored("message that no person sent"));
    }
    let chat_kind = match filled(message.chat_type.as_ref()) {
        Some("p2p") => ChatKind::Direct,
        _ => ChatKind::Group,
    };
    let mentions = message.mentions.as_deref().unwrap_or_default();
    let audience = match chat_kind {
        ChatKind::Direct => Audience::Bot,
        ChatKind::Group => match mention::named(mentions)? {
            named if named.is_empty() => return Ok(Event::Ignored("group message without a mention")),
            named => Audience::Mentions(named),
        },
    };
    let open_id = sender.sender_id.as_ref().and_then(|ids| filled(ids.open_id.as_ref())).unwrap_or_default();
    let sender = Sender { id: id(UserId::parse(open_id))?, name: None };
    let conversation = Conversation {
        platform: platform.clone(),
        bot: moment.bot.clone(),
        chat: id(ChatId::parse(message.chat_id.as_str()))?,
        thread: filled(message.thread_id.as_ref()).map(|thread| id(ThreadId::parse(thread))).transpose()?,
        user: (chat_kind == ChatKind::Direct).then(|| sender.id.clone()),
    };
    let event = id(EventId::parse(message.message_id.as_str()))?;
    let content =
        content::read(message.message_type.as_str(), message.content.as_str(), &Mentions::new(mentions))?;
    let reply_to = Address::new(event.as_str(), conversation.thread.is_some()).seal();
    Ok(Event::Message(Box::new(Message {
        event,
        conversation,
        chat_kind,
        sender,
        audience,
        text: content.text,
        attachments: content.attachments,
        sent_at: sent_at(envelope)?,
        reply_to,
    })))
}

fn id<T>(parsed: Result<T, IdError>) -> Result<T, Rejection> {
    parsed.map_err(|_| Rejection::Malformed("an id that is none"))
}

fn sent_at(envelope: &MessageEnvelope<'_>) -> Result<Timestamp, Rejection> {
    let message = filled(envelope.event.message.create_time.as_ref());
    let time = message.or(filled(envelope.header.create_time.as_ref()));
    time.and_then(moment_of).ok_or(Rejection::Malformed("a time that is none"))
}

/// Feishu writes seconds, milliseconds and microseconds, and says which only by the number of digits.
fn moment_of(digits: &str) -> Option<Timestamp> {
    let number: i64 =
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()?;
    match digits.len() {
        1..=11 => Some(Timestamp::from_millis(number * 1000)),
        12..=14 => Some(Timestamp::from_millis(number)),
        15..=17 => Some(Timestamp::from_millis(number / 1000)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_by_their_length() {
        for (digits, millis) in [
            ("1700000000", Some(1_700_000_000_000)),
            ("1700000000123", Some(1_700_000_000_123)),
            ("1700000000123456", Some(1_700_000_000_123)),
            ("", None),
            ("-1700000000", None),
            ("1700000000.123", None),
            ("170000000012345678", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(moment_of(digits).map(Timestamp::as_millis), millis, "{digits:?}");
        }
    }
}
