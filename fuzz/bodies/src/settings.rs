//! Configuration: a file and the environment over it.

use std::collections::BTreeMap;

use crate::Reach;

/// The variables that may configure something, in the order in which an input gives them.
const VARIABLES: [&str; 9] = [
    "LOCAL_ENDPOINT",
    "LOCAL_MODEL",
    "LOCAL_KEY",
    "CLOUD_ENDPOINT",
    "CLOUD_MODEL",
    "CLOUD_KEY",
    "FALLBACK_STRATEGY",
    "FEISHU_KEYS",
    "DINGTALK_KEYS",
];

/// The file, and behind each NUL one more variable of the environment.
#[must_use]
pub fn run(data: &[u8]) -> Reach {
    let Ok(text) = std::str::from_utf8(data) else { return Reach::Door };
    let mut parts = text.split('\0');
    let file = parts.next().unwrap_or_default();
    let set = VARIABLES.into_iter().zip(parts).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let environment: BTreeMap<String, String> = set.collect();
    let parse = || settings::parse(file, None, &environment, &["dingtalk", "feishu"]);
    let parsed = parse();
    assert_eq!(format!("{:?}", parse()), format!("{parsed:?}"), "the same text means the same");
    match parsed {
        Ok(parsed) => {
            for (index, bot) in parsed.bots.iter().enumerate() {
                assert!(
                    parsed.bots[..index]
                        .iter()
                        .all(|other| (&other.platform, &other.bot) != (&bot.platform, &bot.bot)),
                    "two bots of one name"
                );
            }
            Reach::Inside
        }
        Err(mistakes) => {
            assert!(!mistakes.0.is_empty(), "refused, and nobody knows why");
            for mistake in &mistakes.0 {
                let whole =
                    !mistake.key.is_empty() && !mistake.found.is_empty() && !mistake.wanted.is_empty();
                assert!(whole, "half a mistake: {mistake:?}");
            }
            Reach::Door
        }
    }
}
