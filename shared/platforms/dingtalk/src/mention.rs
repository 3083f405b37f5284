//! Which `@…` in a message is the bot.
//!
//! DingTalk takes the mention of the bot out of a plain text, mostly. Of rich text each mention is a part of its own. It
//! tells names in the text only, and ids beside it, so what belongs to what shows by place and number: where nobody but the
//! bot is mentioned, every mention is the bot's; where as many stand in the text as there are ids, they are in one order.
//! Direct chats bring no ids; there a mention goes from before a command.

use chat::{Command, mention};

use crate::wire::{RobotMessage, filled};

/// The longest name that a part of rich text is taken for a mention with, in characters.
const NAME_MAX: usize = 64;

/// The most words that a name has in front of a command.
const NAME_WORDS: usize = 4;

/// Who is mentioned, by the ids beside the text.
pub(crate) struct AtList {
    /// Whether each is the bot, in order.
    is_bot: Vec<bool>,
    /// Whether DingTalk says that the bot is among those who are mentioned.
    in_list: bool,
}

impl AtList {
    pub(crate) fn of(wire: &RobotMessage<'_>) -> Self {
        let bot = filled(wire.chatbot_user_id.as_ref());
        let is_bot = |id: Option<&str>| bot.is_some() && id == bot;
        let each = wire.at_users.0.iter().map(|user| is_bot(filled(user.dingtalk_id.as_ref())));
        Self { is_bot: each.collect(), in_list: filled(wire.is_in_at_list.as_ref()) == Some("true") }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.is_bot.is_empty()
    }

    pub(crate) fn has_bot(&self) -> bool {
        self.is_bot.contains(&true)
    }

    /// Whether anybody else is mentioned.
    fn has_others(&self) -> bool {
        self.is_bot.contains(&false)
    }

    /// Whether the mention at this place, of so many in the text, is the bot.
    fn names_bot(&self, place: usize, count: usize) -> bool {
        if self.is_empty() {
            return self.in_list && count == 1;
        }
        !self.has_others() || (count == self.is_bot.len() && self.is_bot.get(place) == Some(&true))
    }
}

/// A text with its mentions.
#[derive(Default)]
pub(crate) struct Marked {
    pub(crate) text: String,
    /// Where mentions stand: from and to.
    places: Vec<(usize, usize)>,
}

impl Marked {
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a mention, which clients show apart from what follows.
    pub(crate) fn push_mention(&mut self, shown: &str) {
        let start = self.text.len();
        self.text.push_str(shown);
        self.places.push((start, self.text.len()));
    }

    /// The text without the bot's mentions. Where nobody else is known to be mentioned, a command beside mentions is for the
    /// bot, whatever it is called.
    pub(crate) fn without_bot(&self, list: &AtList) -> String {
        let count = self.places.len();
        let text = self.without(|place| list.names_bot(place, count));
        if list.has_others() {
            return text;
        }
        let bare = self.without(|_| true);
        if Command::parse(&bare).is_some() { bare } else { without_typed(text) }
    }

    fn without(&self, is_own: impl Fn(usize) -> bool) -> String {
        let own = self.places.iter().enumerate().filter(|(place, _)| is_own(*place));
        mention::without(&self.text, own.map(|(_, &(start, end))| start..end))
    }
}

/// Whether a part of rich text is a mention and nothing else.
pub(crate) fn is_mention(part: &str) -> bool {
    let name = part.trim().strip_prefix('@');
    name.is_some_and(|name| {
        !name.is_empty() && !name.contains(['\n', '@']) && name.chars().count() <= NAME_MAX
    })
}

/// A plain text in which the bot's mention was left: with the space that clients put behind a mention, or before or
/// behind a command. Any other `@` is a person's own word.
fn without_typed(text: String) -> String {
    if !text.contains('@') {
        return text;
    }
    if let Some((name, rest)) =
        text.strip_prefix('@').and_then(|rest| rest.split_once(['\u{2005}', '\u{a0}']))
        && !name.is_empty()
        && !name.contains('\n')
    {
        return without_typed(rest.trim().to_owned());
    }
    command_in(&text).map_or(text.clone(), str::to_owned)
}

/// The command behind or before a mention. A name may have several words; then only a command with a slash counts, since
/// words such as `stop` end many a sentence.
fn command_in(text: &str) -> Option<&str> {
    let spaces = text.char_indices().filter(|(_, c)| mention::is_separator(*c));
    spaces
        .filter_map(|(at, space)| {
            let (before, after) = (&text[..at], &text[at + space.len_utf8()..]);
            let (name, command) = if before.starts_with('@') { (before, after) } else { (after, before) };
            let words = name.split(mention::is_separator).filter(|word| !word.is_empty()).count();
            let command = command.trim_matches(|c: char| c.is_whitespace() || mention::is_separator(c));
            let fits = words == 1 || (words <= NAME_WORDS && command.starts_with(['/', '／']));
            (name.trim_start().starts_with('@') && fits && Command::parse(command).is_some())
                .then_some(command)
        })
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(is_bot: &[bool]) -> AtList {
        AtList { is_bot: is_bot.to_vec(), in_list: true }
    }

    #[test]
    fn a_mention_that_was_left_goes_before_a_command_and_nowhere_else() {
        for (text, left) in [
            ("@鹊桥 /help", "/help"),
            ("@Magpie Ops ／help", "／help"),
            ("@鹊桥\u{2005}停止", "停止"),
            ("@鹊桥 停止", "停止"),
            ("@Magpie Ops\u{2005}who is on call", "who is on call"),
            ("/new @Magpie", "/new"),
            ("@A\u{2005}@B\u{2005}/new", "/new"),
            ("@property what is it", "@property what is it"),
            ("@all please stop", "@all please stop"),
            ("mail a@b.c", "mail a@b.c"),
        ] {
            let marked = Marked { text: text.to_owned(), places: Vec::new() };
            assert_eq!(marked.without_bot(&list(&[true])), left, "{text}");
        }
    }

    #[test]
    fn with_others_mentioned_the_number_decides() {
        let marked = || {
            let mut marked = Marked::default();
            marked.push_mention("@Magpie Ops");
            marked.push(" ");
            marked.push_mention("@Magpie");
            marked.push(" who is on call");
            marked
        };
        assert_eq!(marked().without_bot(&list(&[false, true])), "@Magpie Ops who is on call");
        assert_eq!(marked().without_bot(&list(&[true, false])), "@Magpie who is on call");
        assert_eq!(marked().without_bot(&list(&[true])), "who is on call");
        let unclear = "@Magpie Ops @Magpie who is on call";
        assert_eq!(marked().without_bot(&list(&[true, false, false])), unclear);
    }
}
