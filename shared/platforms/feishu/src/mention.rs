//! Mentions: `@_user_1` in the words, a name and an id beside them.

use chat::{Mention, UserId};
use platform::Rejection;

use crate::wire::{self, filled};

/// The key that stands for everybody. It names nobody, so it does not call the bot.
const EVERYBODY: &str = "@_all";

/// The mentions of one message, by the key that stands for them in its words.
#[derive(Default)]
pub(crate) struct Mentions<'a> {
    /// Key and what is shown instead, longer keys first: `@_user_1` begins `@_user_10`.
    shown: Vec<(&'a str, String)>,
}

impl<'a> Mentions<'a> {
    pub(crate) fn new(mentions: &'a [wire::Mention<'a>]) -> Self {
        let mut shown: Vec<_> = mentions
            .iter()
            .filter(|mention| !mention.key.as_str().is_empty())
            .filter_map(|mention| Some((mention.key.as_str(), shown(mention)?)))
            .collect();
        shown.sort_by_key(|(key, _)| std::cmp::Reverse(key.len()));
        Self { shown }
    }

    /// The words with names for keys. One pass, so that a name that looks like a key stays a name.
    pub(crate) fn resolve(&self, words: &str) -> String {
        let mut out = String::with_capacity(words.len());
        let mut rest = words;
        while let Some(at) = rest.find('@') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let found = self.shown.iter().find(|(key, _)| rest.starts_with(key));
            let (instead, taken) = found.map_or(("@", 1), |(key, shown)| (shown.as_str(), key.len()));
            out.push_str(instead);
            rest = rest.get(taken..).unwrap_or_default();
        }
        out.push_str(rest);
        out
    }

    /// What is shown for exactly this key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.shown.iter().find(|(known, _)| *known == key).map(|(_, shown)| shown.as_str())
    }
}

/// Those who are mentioned by name. An id may be missing, for a person of another company; such a mention is shown in
/// the words and names nobody.
pub(crate) fn named(mentions: &[wire::Mention<'_>]) -> Result<Vec<Mention>, Rejection> {
    mentions
        .iter()
        .filter(|mention| mention.key.as_str() != EVERYBODY)
        .filter_map(|mention| {
            let open_id = filled(mention.id.as_ref()?.open_id.as_ref())?;
            let shown = shown(mention).unwrap_or_else(|| mention.key.as_str().to_owned());
            Some((open_id, shown))
        })
        .map(|(open_id, shown)| {
            let id = UserId::parse(open_id).map_err(|_| Rejection::Malformed("an id that is none"))?;
            Ok(Mention { id, shown })
        })
        .collect()
}

fn shown(mention: &wire::Mention<'_>) -> Option<String> {
    filled(mention.name.as_ref()).map(|name| format!("@{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_keys_go_first_and_names_are_not_keys() {
        let wire: Vec<wire::Mention<'_>> = serde_json::from_str(
            r#"[{"key":"@_user_1","id":{"open_id":"ou_1"},"name":"@_user_10"},
                {"key":"@_user_10","id":{"open_id":"ou_10"},"name":"Ten"},
                {"key":"","name":"Nobody"},{"key":"@_user_2"}]"#,
        )
        .unwrap();
        let mentions = Mentions::new(&wire);
        for (words, resolved) in [
            ("@_user_1 hi", "@@_user_10 hi"),
            ("@_user_10@_user_1", "@Ten@@_user_10"),
            ("a@b.c @_user_2 @", "a@b.c @_user_2 @"),
            ("@你 @_all", "@你 @_all"),
            ("", ""),
        ] {
            assert_eq!(mentions.resolve(words), resolved, "{words:?}");
        }
    }

    #[test]
    fn everybody_is_nobody() {
        let wire: Vec<wire::Mention<'_>> = serde_json::from_str(
            r#"[{"key":"@_all","id":{"open_id":"all"},"name":"All"},{"key":"@_user_1","id":{"open_id":""},"name":"N"}]"#,
        )
        .unwrap();
        assert_eq!(named(&wire), Ok(Vec::new()));
    }
}
