//! A platform that only remembers its keys, and a secret store whose answers a test changes.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chat::{PlatformId, Reply, ReplyTo, Segment, SendKey, Timestamp, UserId};
use platform::{
    AccessToken, ConnectOptions, FreshToken, Heard, KeyError, KeyRing, Kind, Moment, Platform, RawEvent,
    RawRequest, Rejection, SendGuarantee, SendOutcome, TokenError, UnknownAddress, Verified,
};
use secrecy::{ExposeSecret as _, SecretString};
use settings::{KeySource, SecretError, SecretVersions, Secrets};
use transport::{NetError, OutRequest, OutResponse};

/// Needs a key `key`, and takes its texts for its name, so that a test sees which keys are served.
pub(crate) const FAKE: Kind = Kind { name: "fake", connect, channel: None };

struct Fake(PlatformId);

fn connect(ring: &KeyRing, options: &ConnectOptions) -> Result<Arc<dyn Platform>, Vec<KeyError>> {
    let mut words = Vec::new();
    let mut errors = Vec::new();
    for keys in ring.accepted() {
        match keys.require("key") {
            Ok(key) => words.push(key.expose_secret().to_owned()),
            Err(error) => errors.push(error),
        }
        errors.extend(keys.require("other").err());
    }
    words.extend(options.base_url.as_ref().and_then(|url| url.host_str()).map(str::to_owned));
    if errors.is_empty() {
        Ok(Arc::new(Fake(PlatformId::parse(words.join("-")).unwrap())))
    } else {
        Err(errors)
    }
}

impl Platform for Fake {
    fn id(&self) -> &PlatformId {
        &self.0
    }

    fn verify(&self, _: &RawRequest, _: Timestamp) -> Result<Verified<RawEvent>, Rejection> {
        Err(Rejection::Unverified("a fake verifies nothing"))
    }

    fn parse(&self, _: Verified<RawEvent>, _: &Moment) -> Result<Heard, Rejection> {
        Err(Rejection::Malformed("a fake reads nothing"))
    }

    fn render(&self, _: &Reply, _: &ReplyTo) -> Vec<Segment> {
        Vec::new()
    }

    fn guarantee(&self, _: &ReplyTo, _: Timestamp) -> SendGuarantee {
        SendGuarantee::Keyed { window: Duration::ZERO }
    }

    fn needs_token(&self, _: &ReplyTo, _: Timestamp) -> bool {
        false
    }

    fn send(
        &self,
        _: &ReplyTo,
        _: &Segment,
        _: &SendKey,
        _: Option<&AccessToken>,
        _: Timestamp,
    ) -> Result<OutRequest, UnknownAddress> {
        Err(UnknownAddress)
    }

    fn plain(&self, _: &Segment) -> Option<Segment> {
        None
    }

    fn outcome(&self, _: &ReplyTo, _: Result<OutResponse, NetError>) -> SendOutcome {
        SendOutcome::Unknown
    }

    fn token_request(&self) -> OutRequest {
        OutRequest::get("https://h.example".parse().unwrap())
    }

    fn token_answer(&self, _: &OutResponse) -> Result<FreshToken, TokenError> {
        Err(TokenError::Refused("fake".to_owned()))
    }

    fn identity_request(&self, _: &AccessToken) -> Option<OutRequest> {
        None
    }

    fn identity_answer(&self, _: &OutResponse) -> Result<UserId, TokenError> {
        Err(TokenError::Refused("fake".to_owned()))
    }
}

/// A secret store whose answers a test changes, and which counts how often it is asked.
#[derive(Default)]
pub(crate) struct Store {
    values: Mutex<BTreeMap<String, (String, Option<String>)>>,
    asked: AtomicUsize,
}

impl Store {
    pub(crate) fn put(&self, reference: &str, current: &str, previous: Option<&str>) {
        let versions = (current.to_owned(), previous.map(str::to_owned));
        self.values.lock().unwrap().insert(reference.to_owned(), versions);
    }

    pub(crate) fn lose(&self, reference: &str) {
        self.values.lock().unwrap().remove(reference);
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Secrets for Store {
    async fn fetch(&self, source: &KeySource) -> Result<SecretVersions, SecretError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        // As a real store does, it lets others run in the meantime.
        tokio::task::yield_now().await;
        let values = self.values.lock().unwrap();
        let missing = || SecretError::new(source, "there is no such secret", "make it");
        let (current, previous) = values.get(&source.to_string()).ok_or_else(missing)?;
        let previous = previous.as_deref().map(SecretString::from);
        Ok(SecretVersions { current: SecretString::from(current.as_str()), previous })
    }
}
