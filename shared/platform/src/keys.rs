//! A bot's keys, and how a platform is made of them.

use std::{collections::BTreeMap, sync::Arc};

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::{Platform, channel::ConnectChannel};

/// One version of a bot's keys: the JSON object that a key reference names.
#[derive(Debug, Clone)]
pub struct Keys(BTreeMap<String, SecretString>);

/// Why keys cannot be used. Names fields, never their values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a JSON object of texts.
    #[error("the keys are not a JSON object whose values are texts")]
    NotAnObject,
    /// A field is not there.
    #[error("the keys have no `{0}`")]
    Missing(String),
    /// A field is there and empty, which would let everybody in.
    #[error("`{0}` is empty")]
    Empty(String),
    /// A field holds what an example left to be filled in.
    #[error("`{0}` is the placeholder of an example")]
    Placeholder(String),
    /// A field is not of the form that the platform gives it.
    #[error("`{field}` is not right: {wanted}")]
    Form {
        /// Which field.
        field: &'static str,
        /// What would be right.
        wanted: &'static str,
    },
}

impl Keys {
    /// Reads a JSON object of texts, for example `{"app_id": "cli_1", "app_secret": "…"}`.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotAnObject`]; the text itself is never part of the error.
    pub fn from_json(text: &str) -> Result<Self, KeyError> {
        let object: BTreeMap<String, String> =
            serde_json::from_str(text).map_err(|_| KeyError::NotAnObject)?;
        Ok(Self(object.into_iter().map(|(name, value)| (name, SecretString::from(value))).collect()))
    }

    /// The field that must be there and not empty.
    ///
    /// # Errors
    ///
    /// [`KeyError::Missing`] or [`KeyError::Empty`].
    pub fn require(&self, name: &str) -> Result<SecretString, KeyError> {
        match self.0.get(name) {
            None => Err(KeyError::Missing(name.to_owned())),
            Some(value) if value.expose_secret().is_empty() => Err(KeyError::Empty(name.to_owned())),
            Some(value) => Ok(value.clone()),
        }
    }

    /// The field that may be missing. An empty one counts as missing.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<SecretString> {
        self.require(name).ok()
    }
}

/// The keys in force: the current version and, while they rotate, the one before. What arrives may be verified with
/// either; what we send uses the current one.
#[derive(Debug, Clone)]
pub struct KeyRing {
    current: Keys,
    previous: Option<Keys>,
}

impl KeyRing {
    /// A ring of one or two versions.
    #[must_use]
    pub const fn new(current: Keys, previous: Option<Keys>) -> Self {
        Self { current, previous }
    }

    /// The version to send with.
    #[must_use]
    pub const fn current(&self) -> &Keys {
        &self.current
    }

    /// The versions to verify with, the current one first.
    pub fn accepted(&self) -> impl Iterator<Item = &Keys> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

/// What besides keys a platform is bound to.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    /// Where the platform's API is, when not at its usual address: Lark instead of Feishu, a proxy, the simulator.
    pub base_url: Option<Url>,
}

/// A kind of platform: its name and how it is bound to keys. A binary lists the kinds that it serves.
#[derive(Clone, Copy)]
pub struct Kind {
    /// The name, as in `/webhook/{platform}/{bot}` and `platform = "…"`.
    pub name: &'static str,
    /// Binds the platform to a bot's keys; all that is wrong with them is told at once.
    pub connect: Connect,
    /// Binds one of its channels to the channel's keys, where the platform has any that Magpie knows.
    pub channel: Option<ConnectChannel>,
}

/// Binds a platform to a bot's keys.
pub type Connect = fn(&KeyRing, &ConnectOptions) -> Result<Arc<dyn Platform>, Vec<KeyError>>;

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Kind").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_never_show_a_value() {
        let keys = Keys::from_json(r#"{"app_secret": "hidden-value"}"#).unwrap();
        assert!(!format!("{keys:?}").contains("hidden-value"));
        let error = Keys::from_json(r#"{"app_secret": 7, "x": "hidden-value"}"#).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hidden-value"));
    }

    #[test]
    fn an_empty_required_key_is_refused() {
        let keys = Keys::from_json(r#"{"a": ""}"#).unwrap();
        assert_eq!(keys.require("a").unwrap_err(), KeyError::Empty("a".into()));
        assert_eq!(keys.require("b").unwrap_err(), KeyError::Missing("b".into()));
        assert!(keys.optional("a").is_none());
    }
}
