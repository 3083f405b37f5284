//! Values that an example left for the operator to fill in.

use serde_json::Value;

/// Words that examples write in place of a value.
const WORDS: [&str; 13] = [
    "changeme",
    "replaceme",
    "fixme",
    "todo",
    "tbd",
    "placeholder",
    "insertyourkeyhere",
    "yourkeyhere",
    "secrethere",
    "keyhere",
    "xxx",
    "fillmein",
    "notset",
];

/// Most characters before an ellipsis that belong to the form of a value, as in `cli_…` or `ding…`.
const PREFIX_MAX: usize = 8;

/// Whether a value is one that an example left for the operator to fill in: `…`, `cli_…`, `...`, `<app secret>`,
/// `changeme`, `your-app-secret`.
///
/// ```
/// use settings::placeholder::is_placeholder;
///
/// assert!(is_placeholder("cli_…") && is_placeholder("<your key>") && is_placeholder("CHANGE_ME"));
/// assert!(!is_placeholder("cli_a1b2c3") && !is_placeholder("And so on..."));
/// ```
#[must_use]
pub fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    let letters: String =
        value.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let ellipsis = value.trim_end_matches(['…', '.', '·']);
    let is_cut_off = value.len() > ellipsis.len() + 2
        && ellipsis.chars().count() <= PREFIX_MAX
        && ellipsis.chars().all(|c| c.is_ascii_alphanumeric() || "-_ ".contains(c));
    let is_enclosed = |open: &str, close: &str| {
        value.len() > open.len() + close.len() && value.starts_with(open) && value.ends_with(close)
    };
    let is_crossed_out = value.len() >= 3 && value.chars().all(|c| "xX*-_?".contains(c));
    let is_yours = ["your-", "your_", "your ", "你的", "您的", "请填写", "在此填写", "替换为"]
        .iter()
        .any(|start| value.to_lowercase().starts_with(start));
    is_cut_off
        || is_enclosed("<", ">")
        || is_enclosed("{{", "}}")
        || is_enclosed("${", "}")
        || is_crossed_out
        || is_yours
        || WORDS.contains(&letters.as_str())
}

/// What of a secret is still a placeholder: the names of fields of a JSON object, or an empty name for the whole of it.
#[must_use]
pub fn placeholders(value: &str) -> Vec<String> {
    match serde_json::from_str(value) {
        Ok(Value::Object(fields)) => {
            let left = fields.iter().filter(|(_, value)| value.as_str().is_some_and(is_placeholder));
            left.map(|(name, _)| name.clone()).collect()
        }
        _ => {
            if is_placeholder(value) {
                vec![String::new()]
            } else {
                Vec::new()
            }
        }
    }
}

/// What a mistake says of placeholders.
#[must_use]
pub fn told(fields: &[String]) -> String {
    let names: Vec<_> =
        fields.iter().filter(|name| !name.is_empty()).map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "the placeholder of an example".to_owned(),
        names => format!("the placeholder of an example for {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_example_left_is_told_from_a_value() {
        for left in [
            "…",
            "...",
            "cli_…",
            "cli_...",
            "ding…",
            "SEC…",
            "<app_secret>",
            "<...>",
            "changeme",
            "change-me",
            "CHANGE_ME",
            "your-app-secret",
            "YOUR_APP_SECRET",
            "your app secret",
            "xxxx",
            "xxxxxxxx",
            "***",
            "TODO",
            "{{ app_id }}",
            "${APP_ID}",
            "你的密钥",
            " … ",
            "sk-...",
            "replace_me",
        ] {
            assert!(is_placeholder(left), "{left}");
        }
        for value in [
            "",
            "cli_a1b2c3d4",
            "v",
            "And so on...",
            "sk-abc...def",
            "http://localhost:8000/v1",
            "x",
            "qwen3:latest",
            "a<b>c",
            "local_first",
            "..",
            "your",
            "32 bytes",
        ] {
            assert!(!is_placeholder(value), "{value}");
        }
        assert_eq!(placeholders(r#"{"app_id":"cli_…","app_secret":"s","token":"..."}"#), ["app_id", "token"]);
        assert_eq!(placeholders("…"), [""]);
        assert!(placeholders(r#"{"key":"s"}"#).is_empty());
    }
}
