//! References to secrets: where a value is, never the value.

use std::{fmt, path::PathBuf, str::FromStr};

/// What a reference must look like; part of every mistake about one.
pub(crate) const FORMS: &str = "`secret:NAME`, `env:NAME` or `file:PATH`";

/// Where a secret is kept. Written and shown as `secret:…`, `env:…`, `file:…` or `demo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A secret of this name, or ARN, in Secrets Manager; in standalone an environment variable made of the name.
    Secret(String),
    /// An environment variable.
    Env(String),
    /// A file, whose content is the secret.
    File(PathBuf),
    /// Keys that standalone makes up for its own simulated platforms.
    Demo,
}

/// Why a text is no [`KeySource`]. Holds nothing of the text: somebody may have written the secret itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing where a reference is due.
    #[error("an empty text")]
    Empty,
    /// The kind is there, and nothing behind it.
    #[error("`{0}:` without a name")]
    Nameless(&'static str),
    /// Characters that no name of this kind has.
    #[error("`{0}:` with a name that cannot be one (not shown)")]
    BadName(&'static str),
    /// None of the kinds; perhaps the secret itself.
    #[error("a text that is no reference (not shown: it may be the secret itself)")]
    NoReference,
}

impl FromStr for KeySource {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let text = text.trim();
        match text.split_once(':') {
            _ if text.is_empty() => Err(ReferenceError::Empty),
            None if text == "demo" => Ok(Self::Demo),
            Some(("secret", name)) => Ok(Self::Secret(named("secret", name, is_secret_character)?)),
            Some(("env", name)) => {
                Ok(Self::Env(named("env", name, |c| c.is_ascii_alphanumeric() || c == '_')?))
            }
            Some(("file", path)) => Ok(Self::File(named("file", path, |c| !c.is_control())?.into())),
            Some(_) | None => Err(ReferenceError::NoReference),
        }
    }
}

/// What Secrets Manager allows in a name, and the colon of an ARN.
fn is_secret_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/_+=.@-:".contains(c)
}

fn named(kind: &'static str, name: &str, allowed: fn(char) -> bool) -> Result<String, ReferenceError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(ReferenceError::Nameless(kind));
    }
    if !name.chars().all(allowed) {
        return Err(ReferenceError::BadName(kind));
    }
    Ok(name.to_owned())
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(name) => write!(f, "secret:{name}"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Demo => f.write_str("demo"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_come_back_as_they_went() {
        for text in [
            "secret:magpie/helpdesk",
            "secret:arn:aws:secretsmanager:eu-west-1:123456789012:secret:magpie/cloud-key-AbCdEf",
            "env:CLOUD_KEY",
            "file:keys/helpdesk.json",
            "file:/run/secrets/a b",
            "demo",
        ] {
            assert_eq!(text.parse::<KeySource>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_reference_is_refused_and_not_shown() {
        for (text, error) in [
            ("", ReferenceError::Empty),
            ("  ", ReferenceError::Empty),
            ("secret:", ReferenceError::Nameless("secret")),
            ("env: ", ReferenceError::Nameless("env")),
            ("file:", ReferenceError::Nameless("file")),
            ("env:sk-hidden", ReferenceError::BadName("env")),
            ("secret:{\"app_secret\": \"hidden\"}", ReferenceError::BadName("secret")),
            ("file:a\nb", ReferenceError::BadName("file")),
            ("sk-hidden", ReferenceError::NoReference),
            ("hidden:value", ReferenceError::NoReference),
            ("demo:x", ReferenceError::NoReference),
        ] {
            assert_eq!(text.parse::<KeySource>(), Err(error), "{text:?}");
            assert!(!format!("{error} {error:?}").contains("hidden"));
        }
    }
}
