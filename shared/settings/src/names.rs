//! What is named in one place of the configuration and must be there in another.

use std::collections::BTreeSet;

use chat::PlatformId;
use url::Url;

use crate::{KeySource, Mistakes};

/// What a name can be the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A bot.
    Bot,
    /// An endpoint.
    Endpoint,
    /// An endpoint, or the model of one.
    Model,
    /// A department.
    Department,
    /// A program with a token for the gateway.
    Program,
}

impl Kind {
    const fn what(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Endpoint => "endpoint",
            Self::Model => "endpoint or model",
            Self::Department => "department",
            Self::Program => "program with a token for the gateway",
        }
    }
}

/// Which names there are, and which are used.
#[derive(Debug, Default)]
pub(crate) struct Names {
    there: BTreeSet<(Kind, String)>,
    named: Vec<(Kind, String, String)>,
    /// Secrets of entries that are refused for another reason.
    pub(crate) refused: Vec<RefusedKeys>,
}

/// A secret of an entry that is refused for another reason: what is wrong with it is reported all the same.
#[derive(Debug, Clone)]
pub(crate) struct RefusedKeys {
    /// The key that names it.
    pub(crate) at: String,
    pub(crate) source: KeySource,
    /// The platform, where it holds the keys of a bot.
    pub(crate) platform: Option<PlatformId>,
    /// The platform's API, as for a bot.
    pub(crate) base_url: Option<Url>,
}

impl Names {
    /// Something of this name is configured, whatever else may be wrong with it: one mistake is not told twice.
    pub(crate) fn is_there(&mut self, kind: Kind, name: &str) {
        self.there.insert((kind, name.to_owned()));
    }

    /// The key `at` names these.
    pub(crate) fn are_named<'n>(
        &mut self,
        kind: Kind,
        at: &str,
        names: impl IntoIterator<Item = &'n &'n str>,
    ) {
        self.named.extend(names.into_iter().map(|name| (kind, at.to_owned(), (*name).to_owned())));
    }

    /// Tells every name of something that is not there.
    pub(crate) fn check(&self, mistakes: &mut Mistakes) {
        for (kind, at, name) in &self.named {
            if self.there.contains(&(*kind, name.clone())) {
                continue;
            }
            let known: Vec<_> = self
                .there
                .iter()
                .filter(|(other, _)| other == kind)
                .map(|(_, name)| format!("`{name}`"))
                .collect();
            let wanted = match known.as_slice() {
                [] => format!("a configured {}, and there is none", kind.what()),
                known => format!("one of {}", known.join(", ")),
            };
            mistakes.push(at, format!("`{name}`, and no {} is named so", kind.what()), wanted);
        }
    }
}
