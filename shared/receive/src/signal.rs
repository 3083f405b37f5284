//! What a message signals to a worker past the queue, if anything.

use std::time::Duration;

use chat::{Audience, ChatKind, Command, Message};
use store::{Signal, SignalKind};

/// How long a signal is kept: it is for turns that are in work now, and those that wait behind them.
pub(crate) const KEPT: Duration = Duration::from_secs(86_400);

/// What `message` signals. A command that interrupts stops what is in work. When the bot `merges`, a question in a direct
/// chat may join the one before it, and anything else keeps it from joining a later one.
pub(crate) fn of(message: &Message, merges: bool) -> Option<Signal> {
    let signal = |kind, mentions| Signal { turn: message.turn(), at: message.sent_at, kind, mentions };
    let (text, mentions) = words(message);
    match Command::parse(&text) {
        // In a group, words that mention nobody are for nobody in particular.
        Some(command) if command.interrupts() => {
            let meant = message.audience == Audience::Bot || !mentions.is_empty();
            meant.then(|| signal(SignalKind::Stop, mentions))
        }
        // In a group others speak in between, and whether the bot is meant is not known here.
        _ if !merges || message.chat_kind != ChatKind::Direct || message.audience != Audience::Bot => None,
        None if !text.trim().is_empty() => Some(signal(SignalKind::Question, Vec::new())),
        Some(_) | None => Some(signal(SignalKind::Other, Vec::new())),
    }
}

/// The words without mentions, and whom they mention. In a direct chat the bot may be mentioned as well, by an id that is not
/// known here.
fn words(message: &Message) -> (String, Vec<String>) {
    let named: Vec<_> = match &message.audience {
        Audience::Bot => message.mentioned.iter().map(|span| &span.id).collect(),
        Audience::Mentions(mentions) => mentions.iter().map(|mention| &mention.id).collect(),
    };
    (message.text_without(|_| true), named.into_iter().map(|id| id.as_str().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use chat::{
        BotId, ChatId, Conversation, EventId, Mention, MentionSpan, PlatformId, ReplyTo, Sender, Timestamp,
        UserId,
    };

    use super::*;

    fn message(text: &str) -> Message {
        let user = UserId::parse("ou_ann").unwrap();
        Message {
            event: EventId::parse("om_1").unwrap(),
            conversation: Conversation {
                platform: PlatformId::parse("feishu").unwrap(),
                bot: BotId::parse("bot").unwrap(),
                chat: ChatId::parse("oc_1").unwrap(),
                thread: None,
                user: Some(user.clone()),
            },
            chat_kind: ChatKind::Direct,
            sender: Sender { id: user, name: None },
            audience: Audience::Bot,
            text: text.to_owned(),
            mentioned: Vec::new(),
            quoted: None,
            client_language: None,
            attachments: Vec::new(),
            sent_at: Timestamp::from_millis(7),
            reply_to: ReplyTo(String::new()),
        }
    }

    #[test]
    fn commands_stop_and_questions_join() {
        for (text, merges, kind) in [
            ("stop", false, Some(SignalKind::Stop)),
            ("停止", true, Some(SignalKind::Stop)),
            ("/new", false, Some(SignalKind::Stop)),
            ("/help", true, Some(SignalKind::Other)),
            ("/help", false, None),
            ("and then?", true, Some(SignalKind::Question)),
            ("and then?", false, None),
            ("  ", true, Some(SignalKind::Other)),
        ] {
            let signal = of(&message(text), merges);
            assert_eq!(signal.as_ref().map(|signal| signal.kind), kind, "{text:?}");
            assert!(signal.is_none_or(|signal| signal.at.as_millis() == 7 && signal.mentions.is_empty()));
        }
    }

    #[test]
    fn in_a_direct_chat_a_stop_may_mention_the_bot() {
        let mentioned = vec![MentionSpan { id: UserId::parse("ou_bot").unwrap(), start: 0, end: 7 }];
        let stop = of(&Message { mentioned, ..message("@鹊桥 停止") }, false).unwrap();
        assert_eq!((stop.kind, stop.mentions), (SignalKind::Stop, vec!["ou_bot".to_owned()]));
    }

    #[test]
    fn names_do_not_matter_to_a_stop() {
        let span = |id: &str, start, end| MentionSpan { id: UserId::parse(id).unwrap(), start, end };
        let mention = |id: &str, shown: &str| Mention { id: UserId::parse(id).unwrap(), shown: shown.into() };
        let text = "@Magpie Ops @Magpie\u{2005}stop";
        let message = Message {
            chat_kind: ChatKind::Group,
            audience: Audience::Mentions(vec![
                mention("ou_ops", "@Magpie Ops"),
                mention("ou_bot", "@Magpie"),
            ]),
            mentioned: vec![span("ou_ops", 0, 11), span("ou_bot", 12, 19)],
            ..message(text)
        };
        assert_eq!(of(&message, false).unwrap().kind, SignalKind::Stop);
    }

    #[test]
    fn in_a_group_a_stop_names_whom_it_mentions_and_questions_never_join() {
        let mention =
            |id: &str, shown: &str| Mention { id: UserId::parse(id).unwrap(), shown: shown.to_owned() };
        let mentions = vec![mention("ou_bot", "@Magpie"), mention("ou_eve", "@Eve")];
        let group = |text: &str| Message {
            chat_kind: ChatKind::Group,
            audience: Audience::Mentions(mentions.clone()),
            ..message(text)
        };
        let stop = of(&group("@Magpie @Eve stop"), true).unwrap();
        assert_eq!((stop.kind, stop.mentions), (SignalKind::Stop, vec!["ou_bot".into(), "ou_eve".into()]));
        assert_eq!(of(&group("@Magpie @Eve and then?"), true), None);
        assert_eq!(of(&Message { chat_kind: ChatKind::Group, ..message("and then?") }, true), None);
    }
}
