//! Model servers: where they stand, what they speak, what they cost.

use chat::BotId;
use secrecy::SecretString;
use transport::Via;
use url::Url;

use crate::{
    Learned, Price, Protocol,
    protocol::{Manner, Reasoning, Template, Untaken},
    word::words,
};

words! {
    /// Where an endpoint stands.
    pub enum Place {
        /// The company's own machine: what people write stays in the house.
        Local = "local",
        /// Somebody else's machine.
        Cloud = "cloud",
    }
}

impl Place {
    /// How every call of such an endpoint goes: a local one never through a proxy.
    #[must_use]
    pub const fn via(self) -> Via {
        match self {
            Self::Local => Via::Direct,
            Self::Cloud => Via::Proxy,
        }
    }
}

words! {
    /// When an endpoint is asked to stream its answer.
    pub enum Streaming {
        /// Always, so that a model that hangs is told from one that works, also where nobody hears the words come.
        Always = "always",
        /// Where somebody hears them come. Else the answer is asked for in one piece: cheaper for both sides, and silence
        /// tells nothing until the attempt's time is over.
        WhenHeard = "when_heard",
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
    /// How a conversation becomes one text; only [`Protocol::Completions`] asks.
    pub template: Template,
    /// The key, where it wants one.
    pub key: Option<SecretString>,
    /// The longest answer to ask for, in tokens; the protocol's own default when absent.
    pub max_tokens: Option<u32>,
    /// How many tokens prompt and answer may be together; unknown when absent.
    pub window: Option<u32>,
    /// Its share beside others of its place, where the balance goes by weight.
    pub weight: u32,
    /// How many questions it is asked at the same time, by this process; any number when absent.
    pub concurrency: Option<u32>,
    /// Whether it understands pictures.
    pub vision: bool,
    /// When it is asked to stream.
    pub streaming: Streaming,
    /// What its tokens cost; nothing when absent.
    pub price: Option<Price>,
    /// The bots whose questions it answers, and no other question; every question when absent.
    pub bots: Option<Vec<BotId>>,
    /// How long a prompt it was found to take. Learned while it is asked, and shared by clones.
    pub learned: Learned,
    /// How its reasoning is marked where the server does not keep it apart.
    pub reasoning: Reasoning,
    /// What it was found not to take. Learned while it is asked, and shared by clones.
    pub untaken: Untaken,
}

impl Endpoint {
    /// The built-in endpoint that repeats what it is told, so that the whole path works before there is a model.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the constant is a valid URL, and a test parses it")]
    pub fn echo() -> Self {
        let url = Url::parse("echo:").expect("a constant URL");
        Self::new("echo", Place::Local, url, Protocol::Echo, "echo")
    }

    /// An endpoint with nothing but what it must have: no key, no limits, no price, a weight of one.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        place: Place,
        url: Url,
        protocol: Protocol,
        model: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            place,
            url,
            protocol,
            model: model.into(),
            template: Template::Transcript,
            key: None,
            max_tokens: None,
            window: None,
            weight: 1,
            concurrency: None,
            vision: false,
            streaming: Streaming::Always,
            price: None,
            bots: None,
            learned: Learned::default(),
            reasoning: Reasoning::default(),
            untaken: Untaken::default(),
        }
    }

    /// Whether it may answer a question to this bot, or one that was put to no bot.
    pub(crate) fn serves(&self, bot: Option<&BotId>) -> bool {
        self.bots.as_ref().is_none_or(|bots| bot.is_some_and(|bot| bots.contains(bot)))
    }

    /// How it is asked, where somebody hears the words come (`heard`) or nobody does.
    pub(crate) fn manner(&self, heard: bool) -> Manner {
        let streams = heard || self.streaming == Streaming::Always || self.protocol.only_streams();
        if streams { Manner::Streamed } else { Manner::Whole }
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

    #[test]
    fn who_only_streams_is_never_asked_for_a_whole_answer() {
        for &protocol in Protocol::ALL {
            let endpoint = Endpoint { protocol, streaming: Streaming::WhenHeard, ..Endpoint::echo() };
            let only_streams = matches!(protocol, Protocol::Converse | Protocol::Gemini);
            let unheard = if only_streams { Manner::Streamed } else { Manner::Whole };
            assert_eq!(
                (endpoint.manner(true), endpoint.manner(false)),
                (Manner::Streamed, unheard),
                "{protocol:?}"
            );
            let always = Endpoint { streaming: Streaming::Always, ..endpoint };
            assert_eq!(always.manner(false), Manner::Streamed, "{protocol:?}");
        }
    }
}
