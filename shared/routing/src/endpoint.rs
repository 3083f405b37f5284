//! Model servers: where they stand, what they speak, and the strategy that chooses among them.

use std::str::FromStr;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

/// A word that names no [`Place`], [`Protocol`] or [`Strategy`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is none of {expected}")]
pub struct UnknownWord {
    /// What was given.
    pub found: String,
    /// What would be right.
    pub expected: &'static str,
}

/// Where an endpoint stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The company's own machine: what people write stays in the house.
    Local,
    /// Somebody else's machine.
    Cloud,
}

impl Place {
    /// The word in configuration and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Cloud => "cloud",
        }
    }
}

impl FromStr for Place {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "local" => Ok(Self::Local),
            "cloud" => Ok(Self::Cloud),
            _ => Err(UnknownWord { found: text.to_owned(), expected: "local, cloud" }),
        }
    }
}

/// What an endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// OpenAI's chat completions, which vLLM, Ollama, llama.cpp, LM Studio and most clouds speak too.
    ChatCompletions,
    /// The older completions: one text in, its continuation out.
    Completions,
    /// No server at all: the user's words come back.
    Echo,
}

impl Protocol {
    /// The protocol that a URL's path tells: `…/chat/completions` or `…/completions`.
    ///
    /// ```
    /// use routing::Protocol;
    ///
    /// let url = "http://localhost:8000/v1/chat/completions".parse()?;
    /// assert_eq!(Protocol::of_url(&url), Some(Protocol::ChatCompletions));
    /// # Ok::<(), url::ParseError>(())
    /// ```
    #[must_use]
    pub fn of_url(url: &Url) -> Option<Self> {
        let path = url.path().trim_end_matches('/');
        if path.ends_with("/chat/completions") {
            Some(Self::ChatCompletions)
        } else if path.ends_with("/completions") {
            Some(Self::Completions)
        } else {
            None
        }
    }

    /// The word in configuration and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat_completions",
            Self::Completions => "completions",
            Self::Echo => "echo",
        }
    }
}

impl FromStr for Protocol {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "chat_completions" => Ok(Self::ChatCompletions),
            "completions" => Ok(Self::Completions),
            "echo" => Ok(Self::Echo),
            _ => Err(UnknownWord { found: text.to_owned(), expected: "chat_completions, completions, echo" }),
        }
    }
}

/// Which places may answer, and which is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Local endpoints, then cloud ones.
    LocalFirst,
    /// Cloud endpoints, then local ones.
    CloudFirst,
    /// Local endpoints and no others, even when all of them fail.
    LocalOnly,
    /// Cloud endpoints and no others, even when all of them fail.
    CloudOnly,
}

impl Strategy {
    /// The word in configuration and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LocalFirst => "local_first",
            Self::CloudFirst => "cloud_first",
            Self::LocalOnly => "local_only",
            Self::CloudOnly => "cloud_only",
        }
    }
}

impl FromStr for Strategy {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "local_first" => Ok(Self::LocalFirst),
            "cloud_first" => Ok(Self::CloudFirst),
            "local_only" => Ok(Self::LocalOnly),
            "cloud_only" => Ok(Self::CloudOnly),
            _ => Err(UnknownWord {
                found: text.to_owned(),
                expected: "local_first, cloud_first, local_only, cloud_only",
            }),
        }
    }
}

/// One model server.
#[derive(Clone)]
pub struct Endpoint {
    /// Its name in configuration, logs and answers; unique within a router.
    pub name: String,
    /// Where it stands. An echo counts as local, whatever stands here.
    pub place: Place,
    /// The whole URL to call.
    pub url: Url,
    /// What it speaks.
    pub protocol: Protocol,
    /// The model to ask for.
    pub model: String,
    /// The bearer key, where it wants one.
    pub key: Option<SecretString>,
    /// The longest answer to ask for, in tokens; the protocol's own default when absent.
    pub max_tokens: Option<u32>,
}

impl Endpoint {
    /// The built-in endpoint that repeats what it is told, so that the whole path works before there is a model.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the constant is a valid URL, and a test parses it")]
    pub fn echo() -> Self {
        Self {
            name: "echo".to_owned(),
            place: Place::Local,
            url: Url::parse("echo:").expect("a constant URL"),
            protocol: Protocol::Echo,
            model: "echo".to_owned(),
            key: None,
            max_tokens: None,
        }
    }
}

/// Shows neither the key nor what a URL may hide one in: user, password, query, fragment.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut url = self.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        // Both fail only on URLs that cannot hold credentials in the first place.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        f.debug_struct("Endpoint")
            .field("name", &self.name)
            .field("place", &self.place)
            .field("url", &url.as_str())
            .field("protocol", &self.protocol)
            .field("model", &self.model)
            .field("max_tokens", &self.max_tokens)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_as_they_went() {
        for strategy in [Strategy::LocalFirst, Strategy::CloudFirst, Strategy::LocalOnly, Strategy::CloudOnly]
        {
            assert_eq!(strategy.as_str().parse(), Ok(strategy));
            assert_eq!(serde_json::to_value(strategy).unwrap(), strategy.as_str());
        }
        for place in [Place::Local, Place::Cloud] {
            assert_eq!(place.as_str().parse(), Ok(place));
            assert_eq!(serde_json::to_value(place).unwrap(), place.as_str());
        }
        for protocol in [Protocol::ChatCompletions, Protocol::Completions, Protocol::Echo] {
            assert_eq!(protocol.as_str().parse(), Ok(protocol));
            assert_eq!(serde_json::to_value(protocol).unwrap(), protocol.as_str());
        }
        assert!("LocalFirst".parse::<Strategy>().is_err());
        assert!("Cloud".parse::<Place>().is_err());
        assert!("chat".parse::<Protocol>().is_err());
    }

    #[test]
    fn the_path_tells_the_protocol() {
        for (url, protocol) in [
            ("http://h/v1/chat/completions", Some(Protocol::ChatCompletions)),
            ("http://h/v1/chat/completions/", Some(Protocol::ChatCompletions)),
            ("http://h/v1/chat/completions?api-version=1", Some(Protocol::ChatCompletions)),
            ("https://h/v1/completions", Some(Protocol::Completions)),
            ("https://h/completions", Some(Protocol::Completions)),
            ("https://h/v1/models?x=/completions", None),
            ("https://h/xcompletions", None),
            ("https://h/", None),
        ] {
            assert_eq!(Protocol::of_url(&url.parse().unwrap()), protocol, "{url}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let endpoint = Endpoint {
            url: "https://hidden-user:hidden-word@h.example/v1/chat/completions?key=hidden-query#hidden-part"
                .parse()
                .unwrap(),
            key: Some("hidden-key".into()),
            ..Endpoint::echo()
        };
        let shown = format!("{endpoint:?}");
        assert!(!shown.contains("hidden"), "{shown}");
        assert!(shown.contains("https://h.example/v1/chat/completions"), "{shown}");
    }
}
