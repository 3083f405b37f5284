//! Mentions: `@_user_1` in the words, a name and an id beside them.
//!
//! A mention is found by its key and its place, and never by its name, which may be anything: the bot's own, a part of
//! it, another mention's key.

use std::ops::Range;

use chat::{Mention, MentionSpan, UserId};

use crate::wire::{self, filled};

/// The key that stands for everybody. It names nobody, so it does not call the bot.
const EVERYBODY: &str = "@_all";

/// The mentions of one message, by the key that stands for them in its words.
#[derive(Default)]
pub(crate) struct Mentions {
    /// Longer keys first: `@_user_1` begins `@_user_10`.
    known: Vec<Known>,
}

struct Known {
    key: String,
    /// What is shown instead; the key where no name is told.
    shown: String,
    /// Who it is. Missing for everybody, and for a person of another company.
    id: Option<UserId>,
}

/// Words with the mentions in them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) text: String,
    pub(crate) mentioned: Vec<MentionSpan>,
}

impl Words {
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn push_mention(&mut self, shown: &str, id: Option<&UserId>) {
        let start = self.text.len();
        self.text.push_str(shown);
        let span = |id: &UserId| MentionSpan { id: id.clone(), start, end: self.text.len() };
        self.mentioned.extend(id.map(span));
    }

    /// Without white space around the text.
    pub(crate) fn trimmed(mut self) -> Self {
        let cut = self.text.len() - self.text.trim_start().len();
        for span in &mut self.mentioned {
            (span.start, span.end) = (span.start.saturating_sub(cut), span.end.saturating_sub(cut));
        }
        self.text = self.text.trim().to_owned();
        self
    }

    /// Those who are mentioned, each once.
    pub(crate) fn named(&self) -> Vec<Mention> {
        let mut named: Vec<Mention> = Vec::new();
        for MentionSpan { id, start, end } in &self.mentioned {
            if named.iter().all(|other| other.id != *id) {
                let shown = self.text.get(*start..*end).unwrap_or_default().to_owned();
                named.push(Mention { id: id.clone(), shown });
            }
        }
        named
    }
}

impl Mentions {
    /// A key that is listed twice stands for whom it is listed with first.
    pub(crate) fn new(mentions: &[wire::Mention<'_>]) -> Self {
        let mut known: Vec<Known> = Vec::new();
        for mention in mentions {
            let Some(key) = filled(mention.key.as_ref()) else { continue };
            if known.iter().any(|other| other.key == key) {
                continue;
            }
            let id = mention.id.open_id().filter(|_| key != EVERYBODY);
            let name = filled(mention.name.as_ref());
            known.push(Known {
                key: key.to_owned(),
                shown: name.map_or_else(|| key.to_owned(), shown),
                id: id.and_then(|id| UserId::parse(id).ok()),
            });
        }
        known.sort_by_key(|mention| std::cmp::Reverse(mention.key.len()));
        Self { known }
    }

    /// The mentions but those with one of these keys.
    pub(crate) fn except(&self, keys: &[&str]) -> MentionsIn<'_> {
        MentionsIn(self.known.iter().filter(|mention| !keys.contains(&mention.key.as_str())).collect())
    }

    /// Adds words to `out`, with names for keys.
    pub(crate) fn resolve(&self, words: &str, out: &mut Words) {
        self.except(&[]).resolve(words, out);
    }

    /// Those who are listed, whether they stand in the words or not.
    pub(crate) fn listed(&self) -> impl Iterator<Item = Mention> {
        let mention = |known: &Known| Some(Mention { id: known.id.clone()?, shown: known.shown.clone() });
        self.known.iter().filter_map(mention)
    }

    /// Adds the mention that a node of a post is: by its key, else by its id, else by the name that it brings.
    pub(crate) fn at(&self, key: &str, name: &str, out: &mut Words) {
        let by_id = |mention: &&Known| mention.id.as_ref().is_some_and(|id| id.as_str() == key);
        let found = self.known.iter().find(|mention| mention.key == key);
        match found.or_else(|| self.known.iter().find(by_id)) {
            Some(mention) => out.push_mention(&mention.shown, mention.id.as_ref()),
            None => {
                let id = UserId::parse(key).ok().filter(|_| key.starts_with("ou_"));
                out.push_mention(&if name.is_empty() { key.to_owned() } else { shown(name) }, id.as_ref());
            }
        }
    }
}

/// Some of a message's mentions.
pub(crate) struct MentionsIn<'a>(Vec<&'a Known>);

impl MentionsIn<'_> {
    /// Adds words to `out`, with names for keys. One pass, so that a name that looks like a key stays a name. Of a key that
    /// stands within code and outside of it, the one in code is a person's typing.
    pub(crate) fn resolve(&self, words: &str, out: &mut Words) {
        let code = if self.0.is_empty() { Vec::new() } else { code(words) };
        let in_code = |at: usize| code.iter().any(|place| place.contains(&at));
        let outside = |known: &Known| occurrences(words, &known.key).any(|at| !in_code(at));
        let mut at = 0;
        while let Some(next) = words.get(at..).and_then(|rest| rest.find('@')) {
            out.push(&words[at..at + next]);
            at += next;
            let found = self.0.iter().find(|known| is_key_at(words, at, &known.key));
            match found.filter(|known| !in_code(at) || !outside(known)) {
                Some(known) => {
                    out.push_mention(&known.shown, known.id.as_ref());
                    at += known.key.len();
                }
                None => {
                    out.push("@");
                    at += 1;
                }
            }
        }
        out.push(words.get(at..).unwrap_or_default());
    }
}

fn occurrences(words: &str, key: &str) -> impl Iterator<Item = usize> {
    words.match_indices(key).map(|(at, _)| at).filter(move |at| is_key_at(words, *at, key))
}

/// Whether this key stands at this place, and not the beginning of a longer one.
fn is_key_at(words: &str, at: usize, key: &str) -> bool {
    let rest = words.get(at..).and_then(|rest| rest.strip_prefix(key));
    rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
}

/// The places between backticks, as many on the right as on the left.
fn code(words: &str) -> Vec<Range<usize>> {
    let ticks = |text: &str| text.len() - text.trim_start_matches('`').len();
    let (mut places, mut at) = (Vec::new(), 0);
    while let Some(start) = words[at..].find('`').map(|found| at + found) {
        let fence = ticks(&words[start..]);
        let (mut end, mut closed) = (start + fence, None);
        while let Some(next) = words[end..].find('`').map(|found| end + found) {
            end = next + ticks(&words[next..]);
            if end - next == fence {
                closed = Some(end);
                break;
            }
        }
        at = closed.unwrap_or(start + fence);
        places.extend(closed.map(|end| start..end));
    }
    places
}

/// A name is one line of words, whatever its owner made it.
fn shown(name: &str) -> String {
    format!("@{}", name.replace(char::is_control, " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentions(json: &str) -> Mentions {
        Mentions::new(&serde_json::from_str::<Vec<wire::Mention<'_>>>(json).unwrap())
    }

    fn resolved(mentions: &Mentions, words: &str) -> Words {
        let mut out = Words::default();
        mentions.resolve(words, &mut out);
        out
    }

    #[test]
    fn longer_keys_go_first_and_names_are_not_keys() {
        let mentions = mentions(
            r#"[{"key":"@_user_1","id":{"open_id":"ou_1"},"name":"@_user_10"},
                {"key":"@_user_10","id":{"open_id":"ou_10"},"name":"Ten"},
                {"key":"@_user_10","id":{"open_id":"ou_11"},"name":"Eleven"},
                {"key":"","name":"Nobody"},{"name":"Nobody"},{"key":"@_user_2"}]"#,
        );
        for (words, expected) in [
            ("@_user_1 hi", "@@_user_10 hi"),
            ("@_user_10@_user_1", "@Ten@@_user_10"),
            ("@_user_100 @_user_11", "@_user_100 @_user_11"),
            ("a@b.c @_user_2 @", "a@b.c @_user_2 @"),
            ("@你 @_all", "@你 @_all"),
            ("`@_user_10` @_user_10", "`@_user_10` @Ten"),
            ("```\n@_user_10\n``` `` ` @_user_10", "```\n@_user_10\n``` `` ` @Ten"),
            ("`@_user_10`", "`@Ten`"),
            ("", ""),
        ] {
            assert_eq!(resolved(&mentions, words).text, expected, "{words:?}");
        }
    }

    #[test]
    fn a_mention_has_a_place_and_an_id_whatever_its_name() {
        let mentions = mentions(
            r#"[{"key":"@_user_1","id":{"open_id":"ou_ops"},"name":"Magpie \"Ops\" 🐦\n@"},
                {"key":"@_user_2","id":"ou_bot","id_type":"open_id","name":"Magpie"},
                {"key":"@_user_3","id":{"open_id":null},"name":"Magpie"},
                {"key":"@_user_4","id":7,"name":""}]"#,
        );
        let words = resolved(&mentions, "@_user_1 @_user_2 @_user_3 @_user_4 hi");
        assert_eq!(words.text, "@Magpie \"Ops\" 🐦 @ @Magpie @Magpie @_user_4 hi");
        let named: Vec<_> = words.named().into_iter().map(|it| (it.id.to_string(), it.shown)).collect();
        assert_eq!(
            named,
            [
                ("ou_ops".to_owned(), "@Magpie \"Ops\" 🐦 @".to_owned()),
                ("ou_bot".to_owned(), "@Magpie".to_owned())
            ]
        );
    }

    #[test]
    fn everybody_is_nobody() {
        let mentions = mentions(
            r#"[{"key":"@_all","id":{"open_id":"all"},"name":"All"},{"key":"@_user_1","id":{"open_id":""},"name":"N"}]"#,
        );
        assert_eq!(mentions.listed().count(), 0);
        assert_eq!(
            resolved(&mentions, "@_all @_user_1"),
            Words { text: "@All @N".into(), mentioned: Vec::new() }
        );
    }
}
