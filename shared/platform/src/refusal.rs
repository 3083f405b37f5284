//! Why a platform refuses a message, and what it says about that.

use std::{collections::BTreeSet, fmt};

/// The longest message of a platform that is kept, in characters.
const SHOWN_MAX: usize = 300;

/// How much of a platform's message is looked at, in characters. What is longer echoes what was sent.
const READ_MAX: usize = 2_000;

/// From how many characters on a word of letters and digits may be a key or a token.
const OPAQUE_MIN: usize = 24;

/// Stands for what was taken out.
const GAP: &str = "…";

/// A refusal: the platform did not take the message and will not take it as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What may be done about it.
    pub kind: RefusalKind,
    /// The platform's code.
    pub code: String,
    /// What the platform says in words.
    pub message: PlatformMessage,
}

/// What may be done about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The form is refused: the same content in a simpler one may be taken.
    Form,
    /// The content is refused: anything else may be taken.
    Content,
    /// There is nothing to answer any more: the question was withdrawn, or the chat is gone.
    Gone,
    /// Something that an operator must change: a right, a setting, the bot's place in a chat.
    Other,
}

impl Refusal {
    /// A refusal with what the platform says about it.
    #[must_use]
    pub fn new(kind: RefusalKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, code: code.into(), message: PlatformMessage(message.into()) }
    }

    /// Code and message as operators may read them, without what was sent. See [`PlatformMessage::sanitised`].
    #[must_use]
    pub fn sanitised(&self, sent: &[&str]) -> String {
        coded(&self.code, &self.message.sanitised(sent))
    }
}

/// A code with a message behind it, if there is one.
#[must_use]
pub fn coded(code: &str, message: &str) -> String {
    if message.is_empty() { code.to_owned() } else { format!("{code}: {message}") }
}

/// A platform's own words. They may quote what people wrote, so they are shown sanitised only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PlatformMessage(String);

/// Shows the size only.
impl fmt::Debug for PlatformMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlatformMessage").field("bytes", &self.0.len()).finish_non_exhaustive()
    }
}

impl PlatformMessage {
    /// A message as the platform wrote it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The message on one line of 300 characters at most, for logs and dead letters. Taken out are words that stand in what
    /// was `sent` (but those that errors are made of), whatever is quoted and no plain identifier, the query of addresses,
    /// and long words that may be keys. The names of scopes stay: they are what an operator needs.
    #[must_use]
    pub fn sanitised(&self, sent: &[&str]) -> String {
        let text: String = self.0.chars().take(READ_MAX).collect();
        let text = without_quotations(&text);
        let known: BTreeSet<&str> = sent.iter().flat_map(|text| words(text)).collect();
        let mut out: Vec<String> = Vec::new();
        for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty())
        {
            let word = shown(word, sent, &known);
            if word != GAP || out.last().is_none_or(|last| last != GAP) {
                out.push(word);
            }
        }
        let line = out.join(" ");
        match line.char_indices().nth(SHOWN_MAX) {
            Some((end, _)) => format!("{}{GAP}", &line[..end]),
            None => line,
        }
    }
}

/// Words that errors are made of. They stand in answers as well, and give nothing away.
const PLAIN: [&str; 72] = [
    "a",
    "access",
    "action",
    "an",
    "and",
    "api",
    "app",
    "are",
    "as",
    "at",
    "be",
    "been",
    "bot",
    "bot/user",
    "by",
    "call",
    "can",
    "cannot",
    "card",
    "chat",
    "code",
    "content",
    "create",
    "denied",
    "does",
    "error",
    "exist",
    "ext",
    "failed",
    "field",
    "following",
    "for",
    "from",
    "group",
    "has",
    "have",
    "id",
    "in",
    "invalid",
    "is",
    "it",
    "limit",
    "message",
    "missing",
    "more",
    "no",
    "not",
    "number",
    "of",
    "on",
    "one",
    "or",
    "out",
    "over",
    "parameter",
    "permission",
    "please",
    "request",
    "required",
    "scope",
    "scopes",
    "send",
    "than",
    "that",
    "the",
    "this",
    "to",
    "token",
    "type",
    "user",
    "was",
    "with",
];

fn shown(word: &str, sent: &[&str], known: &BTreeSet<&str>) -> String {
    if let Some(address) = without_query(word) {
        return address;
    }
    let core = core(word);
    if core.is_empty() || is_scope(core) || PLAIN.contains(&core.to_lowercase().as_str()) {
        return word.to_owned();
    }
    let is_opaque = core.len() >= OPAQUE_MIN
        && core.bytes().any(|byte| byte.is_ascii_digit())
        && core.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=+/.:".contains(&byte));
    let has_sent_word = words(word).any(|part| known.contains(part) && !is_plain(part));
    // Scripts without spaces have no words to compare.
    let is_run = !core.is_ascii() && sent.iter().any(|text| shares_a_run(core, text));
    if is_opaque || has_sent_word || is_run { GAP.to_owned() } else { word.to_owned() }
}

fn is_plain(word: &str) -> bool {
    PLAIN.contains(&word.to_lowercase().as_str())
}

/// A word without the signs around it.
fn core(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

/// The parts of a text that are letters and digits.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Whether two characters in a row, beyond ASCII, stand in both.
fn shares_a_run(word: &str, text: &str) -> bool {
    let ends: Vec<_> = word.char_indices().map(|(at, c)| (at, at + c.len_utf8(), c)).collect();
    ends.windows(2).any(|pair| match pair {
        [(start, _, first), (_, end, second)] => {
            !first.is_ascii()
                && !second.is_ascii()
                && word.get(*start..*end).is_some_and(|run| text.contains(run))
        }
        _ => false,
    })
}

/// The names of a scope, or of several with commas: `im:message:send_as_bot`.
fn is_scope(core: &str) -> bool {
    let name = |name: &str| {
        let part = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || b"_.".contains(&byte))
        };
        name.len() <= 64 && name.contains(':') && name.split(':').all(part)
    };
    core.split(',').all(|each| name(each.trim()))
}

/// An address up to its query, in which tokens stand.
fn without_query(word: &str) -> Option<String> {
    let at = word.find("https://").or_else(|| word.find("http://"))?;
    let address = &word[at..];
    let end = address.find(['?', '#', '"', ')', ']', '<']).unwrap_or(address.len());
    let host = address[..end].split_once("://").map_or("", |(_, rest)| rest);
    // What is before an `@` names a user.
    if host.split('/').next().is_some_and(|host| host.contains('@')) {
        return Some(GAP.to_owned());
    }
    let path_is_plain = address[..end].bytes().all(|byte| byte.is_ascii_graphic());
    Some(if path_is_plain { address[..end].to_owned() } else { GAP.to_owned() })
}

/// The text with a gap in place of what is quoted, unless it is one plain identifier.
fn without_quotations(text: &str) -> String {
    const PAIRS: [(char, char); 6] =
        [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('「', '」'), ('{', '}')];
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((at, open)) = rest.char_indices().find(|(_, c)| PAIRS.iter().any(|(open, _)| open == c)) {
        let close = PAIRS.iter().find(|(first, _)| *first == open).map_or(open, |(_, close)| *close);
        let (before, inner) = (&rest[..at], &rest[at + open.len_utf8()..]);
        // An apostrophe within a word opens nothing.
        let is_apostrophe = open == '\'' && before.ends_with(char::is_alphanumeric);
        out.push_str(before);
        match if close == '}' { inner.rfind(close) } else { inner.find(close) } {
            Some(end) if !is_apostrophe => {
                let quoted = &inner[..end];
                let is_name = !quoted.is_empty()
                    && quoted.len() < OPAQUE_MIN
                    && quoted.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                out.push_str(if is_name || is_scope(quoted) { quoted } else { GAP });
                rest = &inner[end + close.len_utf8()..];
            }
            _ => {
                out.push(open);
                rest = inner;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(message: &str, sent: &str) -> String {
        PlatformMessage::new(message).sanitised(&[sent])
    }

    #[test]
    fn what_an_operator_needs_stays() {
        for message in [
            "Access denied. One of the following scopes is required: [im:message:send_as_bot]",
            "Access denied. One of the following scopes is required: [im:message, im:message:send_as_bot].",
            "Bot/User can NOT be out of the chat.",
            "Failed to create card content, ext=ErrCode: 11310; ErrMsg: card table number over limit",
            "the bot doesn't have it, and the user's app neither",
        ] {
            let sent = "One of the required scopes: Access to the chat is denied, a message was created";
            assert_eq!(shown(message, sent), message);
        }
    }

    #[test]
    fn what_people_wrote_and_what_opens_doors_goes() {
        let sent = "My password is hunter2 and Grüße, 天气怎么样？";
        for (message, expected) in [
            ("sensitive word: hunter2", "sensitive word: …"),
            ("bad content={\"text\":\"My password is hunter2\"} here", "bad content=… here"),
            ("bad content=hunter2&x", "bad …"),
            ("内容“天气怎么样”不合法", "内容…不合法"),
            ("内容:天气怎么样", "…"),
            ("field \"receive_id\" of 'Zhang San' is wrong", "field receive_id of … is wrong"),
            ("Grüße denied", "… denied"),
            (
                "apply at https://open.feishu.cn/app/cli_a/auth?q=im:message&token=t-secret now",
                "apply at https://open.feishu.cn/app/cli_a/auth now",
            ),
            ("token t-g1044qeGEDXTB6NDJOGV4JQCYDGHRBARFTGT1234 is bad", "token … is bad"),
            ("two\nlines\u{7}\tand \u{1b}[31m more", "two lines and [31m more"),
            ("", ""),
        ] {
            assert_eq!(shown(message, sent), expected, "{message}");
        }
        assert!(shown(&"x y ".repeat(1_000), "").chars().count() <= SHOWN_MAX + 1);
        assert!(!format!("{:?}", Refusal::new(RefusalKind::Other, "1", "hunter2")).contains("hunter2"));
        assert_eq!(Refusal::new(RefusalKind::Other, "1", "no").sanitised(&[]), "1: no");
        assert_eq!(Refusal::new(RefusalKind::Other, "1", "").sanitised(&[]), "1");
    }
}
