//! What a verified event says.

use std::borrow::Cow;

use chat::{
    Audience, ChatId, ChatKind, Conversation, EventId, Language, Message, PlatformId, Quoted, Sender,
    ThreadId, Timestamp, UserId,
};
use platform::{Event, Heard, HookAnswer, Moment, RawEvent, lenient::repaired};

use crate::{
    content::{self, Content},
    json,
    mention::Mentions,
    send::Address,
    wire::{MessageEnvelope, Outer, Parts, Shape, filled},
};

/// What Feishu's own SDKs answer. Only the status counts.
const DONE: &str = r#"{"msg":"success"}"#;

/// Reads an event. One that cannot be read at all is answered like any other: Feishu would send it again for hours, and
/// it would be no clearer then.
pub(crate) fn parse(event: &RawEvent, platform: &PlatformId, moment: &Moment) -> Heard {
    let repaired = || Some(Cow::Owned(repaired(&event.json)?.into_bytes()));
    let as_it_is = Some(Cow::Borrowed(event.json.as_slice()));
    as_it_is
        .and_then(|json| read(&json, platform, moment))
        .or_else(|| read(&repaired()?, platform, moment))
        .unwrap_or_else(|| lost("an event that is no JSON"))
}

fn read(json: &[u8], platform: &PlatformId, moment: &Moment) -> Option<Heard> {
    // Nearly every event is a message, so it is tried as one first; a look at the outside would read it twice.
    let envelope: MessageEnvelope<'_> = json::object(json).ok()?;
    if let Some(parts) = envelope.message() {
        return Some(message(&parts, platform, moment));
    }
    let outer: Outer<'_> = json::object(json).ok()?;
    Some(match outer.shape() {
        Shape::Challenge(challenge) => {
            let answer = serde_json::json!({ "challenge": challenge }).to_string();
            Heard { event: Event::Handshake, answer: HookAnswer::ok(answer), unknown: Vec::new() }
        }
        Shape::Second(event_type) => done(Event::Ignored(ignored(event_type))),
        Shape::First => done(Event::Ignored("an event in an envelope of the first version")),
        Shape::Unknown => lost("neither an event nor a challenge"),
    })
}

fn done(event: Event) -> Heard {
    Heard { event, answer: HookAnswer::ok(DONE), unknown: Vec::new() }
}

/// An event that nobody can be answered for.
fn lost(what: &'static str) -> Heard {
    Heard { unknown: vec![what], ..done(Event::Ignored(what)) }
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

fn message(parts: &Parts<'_>, platform: &PlatformId, moment: &Moment) -> Heard {
    let Parts { sender, message, .. } = parts;
    // Another bot's words, or our own, must not start a turn: two bots would talk for ever.
    if filled(sender.sender_type.as_ref()).is_some_and(|sender_type| sender_type != "user") {
        return done(Event::Ignored("message that no person sent"));
    }
    // The answer goes beside the message, so without its id there is nowhere to answer.
    let Some(event) = filled(message.message_id.as_ref()).and_then(|id| EventId::parse(id).ok()) else {
        return lost("a message without an id");
    };
    let mentions = Mentions::new(&message.mentions.0);
    let message_type = filled(message.message_type.as_ref()).unwrap_or_default();
    let content = content::read(message_type, &message.content.0, &mentions);
    let chat_kind = match filled(message.chat_type.as_ref()) {
        Some("p2p") => ChatKind::Direct,
        _ => ChatKind::Group,
    };
    let Some(audience) = audience(chat_kind, &mentions, &content) else {
        // A key in the words that nothing resolves may have been the bot's.
        let is_unlisted = message.mentions.0.is_empty() && content.words.text.contains("@_user_");
        return if is_unlisted {
            lost("a group message without its mentions")
        } else {
            done(Event::Ignored("group message without a mention"))
        };
    };
    let Some((sender, chat)) = place(parts, &event) else { return lost("a message without a sender") };
    let mut unknown = content.unknown;
    if sender.id.as_str() == event.as_str() || chat.as_str() == event.as_str() {
        unknown.push("a message without its sender or chat");
    }
    let conversation = Conversation {
        platform: platform.clone(),
        bot: moment.bot.clone(),
        chat,
        thread: filled(message.thread_id.as_ref()).and_then(|thread| ThreadId::parse(thread).ok()),
        user: (chat_kind == ChatKind::Direct).then(|| sender.id.clone()),
    };
    let in_thread = conversation.thread.is_some();
    let reply_to = Address::new(event.as_str(), in_thread).seal();
    // Inside a thread every message has the first one as its parent; that is no quotation.
    let is_reply = !in_thread && filled(message.parent_id.as_ref()).is_some();
    let message = Message {
        event,
        conversation,
        chat_kind,
        sender,
        audience,
        text: content.words.text,
        mentioned: content.words.mentioned,
        quoted: is_reply.then(Quoted::default),
        client_language: filled(message.user_agent.as_ref()).and_then(client_language),
        attachments: content.attachments,
        sent_at: sent_at(parts).unwrap_or(moment.now),
        reply_to,
    };
    Heard { unknown, ..done(Event::Message(Box::new(message))) }
}

/// Whom the message speaks to; nobody for a group message that mentions nobody.
fn audience(chat_kind: ChatKind, mentions: &Mentions, content: &Content) -> Option<Audience> {
    if chat_kind == ChatKind::Direct {
        return Some(Audience::Bot);
    }
    let mut named = content.words.named();
    for listed in mentions.listed() {
        if named.iter().all(|mention| mention.id != listed.id) {
            named.push(listed);
        }
    }
    (!named.is_empty()).then_some(Audience::Mentions(named))
}

/// Who sent it and where. A message that does not say is answered all the same: its own id stands for what is missing, so
/// that it shares a memory and a budget with nobody.
fn place(Parts { sender, message, .. }: &Parts<'_>, event: &EventId) -> Option<(Sender, ChatId)> {
    let ids = sender.sender_id.0.as_ref();
    let ids = ids.into_iter().flat_map(|ids| [&ids.open_id, &ids.union_id, &ids.user_id]);
    let ids = ids.filter_map(|id| filled(id.as_ref())).chain([event.as_str()]);
    let id = ids.filter_map(|id| UserId::parse(id).ok()).next()?;
    let chats = filled(message.chat_id.as_ref()).into_iter().chain([event.as_str()]);
    let chat = chats.filter_map(|chat| ChatId::parse(chat).ok()).next()?;
    Some((Sender { id, name: None }, chat))
}

fn sent_at(parts: &Parts<'_>) -> Option<Timestamp> {
    let times = [&parts.message.create_time, &parts.header.create_time].into_iter();
    times.filter_map(|time| moment_of(filled(time.as_ref())?)).next()
}

/// Feishu's and Lark's clients name their language: `… LarkLocale/en_US …`.
fn client_language(user_agent: &str) -> Option<Language> {
    let locale = user_agent.split_once("LarkLocale/")?.1;
    Some(if locale.starts_with("zh") { Language::Zh } else { Language::En })
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
    fn a_client_says_its_language() {
        let agent = |locale: &str| format!("Mozilla/5.0 Lark/7.20 LarkLocale/{locale} ChannelName/Feishu");
        for (agent, language) in [
            (agent("en_US"), Some(Language::En)),
            (agent("zh_CN"), Some(Language::Zh)),
            (agent("ja_JP"), Some(Language::En)),
            ("Mozilla/5.0".to_owned(), None),
        ] {
            assert_eq!(client_language(&agent), language, "{agent}");
        }
    }

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
