//! The app's keys, and what the platform is bound to.

use chat::PlatformId;
use platform::{ConnectOptions, KeyError, KeyRing, Keys};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use url::Url;
use webhook::EnvelopeKey;

use crate::NAME;

/// Where Feishu is. Lark, a proxy or the simulator is named by the configuration.
const BASE_URL: &str = "https://open.feishu.cn";

/// What one bot is bound to.
pub(crate) struct Bound {
    pub(crate) id: PlatformId,
    pub(crate) app: App,
    /// What an event may be verified with, the current version first; never empty.
    pub(crate) checks: Vec<Check>,
    pub(crate) api: Api,
}

/// What fetches access tokens.
pub(crate) struct App {
    pub(crate) id: SecretString,
    pub(crate) secret: SecretString,
}

/// What one version of the keys verifies with.
pub(crate) struct Check {
    pub(crate) token: SecretString,
    pub(crate) encryption: Option<Encryption>,
}

/// The Encrypt Key in its two roles: as text in the signature, hashed in the envelope.
pub(crate) struct Encryption {
    pub(crate) text: SecretString,
    pub(crate) envelope: EnvelopeKey,
}

/// Where the calls go.
pub(crate) struct Api(Url);

impl Api {
    /// The address of `/open-apis/` plus these segments, each percent-encoded as one.
    pub(crate) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        // Refused by no URL that `bind` lets through.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("open-apis").extend(segments);
        }
        url
    }
}

/// Binds a ring of keys; everything that is wrong is told at once.
pub(crate) fn bind(ring: &KeyRing, options: &ConnectOptions) -> Result<Bound, Vec<KeyError>> {
    let mut wrong = Vec::new();
    let keys = ring.current();
    let app_id = collect(&mut wrong, required(keys, "app_id"));
    let app_secret = collect(&mut wrong, required(keys, "app_secret"));
    let token = collect(&mut wrong, required(keys, "verification_token"));
    let encrypt_key = collect(&mut wrong, trimmed("encrypt_key", keys.optional("encrypt_key")));
    let api = collect(&mut wrong, api(options));
    let id = collect(&mut wrong, PlatformId::parse(NAME).map_err(|_| form("platform", "a slug")));
    match (app_id, app_secret, token, encrypt_key, api, id) {
        (Some(app_id), Some(secret), Some(token), Some(encrypt_key), Some(api), Some(id)) => {
            let mut checks = vec![Check::new(token, encrypt_key)];
            checks.extend(previous(ring));
            Ok(Bound { id, app: App { id: app_id, secret }, checks, api })
        }
        _ => Err(wrong),
    }
}

/// What earlier versions may still verify.
///
/// One without a token can verify nothing and is left out. So is one without an Encrypt Key when the current version
/// has one: a bot that turned encryption on must not go on believing plain events for as long as the old version of
/// its secret is kept.
fn previous(ring: &KeyRing) -> Vec<Check> {
    let encrypts = |keys: &Keys| keys.optional("encrypt_key").is_some();
    let must_encrypt = encrypts(ring.current());
    ring.accepted()
        .skip(1)
        .filter(|keys| !must_encrypt || encrypts(keys))
        .filter_map(|keys| {
            Some(Check::new(keys.optional("verification_token")?, keys.optional("encrypt_key")))
        })
        .collect()
}

impl Check {
    fn new(token: SecretString, encrypt_key: Option<SecretString>) -> Self {
        Self { token, encryption: encrypt_key.map(Encryption::new) }
    }
}

impl Encryption {
    fn new(text: SecretString) -> Self {
        let envelope = EnvelopeKey::new(Sha256::digest(text.expose_secret()).into());
        Self { text, envelope }
    }
}

fn required(keys: &Keys, name: &'static str) -> Result<SecretString, KeyError> {
    let value = keys.require(name)?;
    trimmed(name, Some(value))?.ok_or_else(|| KeyError::Missing(name.to_owned()))
}

/// Refuses a value with space around it: it was copied with it, and every signature would fail without a hint.
fn trimmed(name: &'static str, value: Option<SecretString>) -> Result<Option<SecretString>, KeyError> {
    match value {
        Some(value) if value.expose_secret().trim() != value.expose_secret() => {
            Err(form(name, "the value without space or line break around it"))
        }
        value => Ok(value),
    }
}

fn api(options: &ConnectOptions) -> Result<Api, KeyError> {
    let wrong = || form("base_url", "an http or https address, for example https://open.larksuite.com");
    let url = match &options.base_url {
        Some(url) => url.clone(),
        None => Url::parse(BASE_URL).map_err(|_| wrong())?,
    };
    if matches!(url.scheme(), "http" | "https") { Ok(Api(url)) } else { Err(wrong()) }
}

const fn form(field: &'static str, wanted: &'static str) -> KeyError {
    KeyError::Form { field, wanted }
}

fn collect<T>(wrong: &mut Vec<KeyError>, result: Result<T, KeyError>) -> Option<T> {
    result.map_err(|error| wrong.push(error)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(json: &str) -> Keys {
        Keys::from_json(json).unwrap()
    }

    fn errors(json: &str, options: &ConnectOptions) -> Vec<KeyError> {
        bind(&KeyRing::new(keys(json), None), options).err().unwrap()
    }

    #[test]
    fn all_wrong_keys_are_told_at_once() {
        let options = ConnectOptions { base_url: Some("data:text/plain,x".parse().unwrap()) };
        let found =
            errors(r#"{"app_secret": "", "verification_token": "v ", "encrypt_key": "k\n"}"#, &options);
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 5, "{told:?}");
        for name in ["app_id", "app_secret", "verification_token", "encrypt_key", "base_url"] {
            assert!(told.iter().any(|text| text.contains(name)), "{name} is missing in {told:?}");
        }
    }

    #[test]
    fn a_path_in_the_base_url_is_kept() {
        for (base, url) in [
            ("https://open.larksuite.com", "https://open.larksuite.com/open-apis/im/v1"),
            ("http://127.0.0.1:1/simulator/feishu", "http://127.0.0.1:1/simulator/feishu/open-apis/im/v1"),
            ("http://127.0.0.1:1/simulator/feishu/", "http://127.0.0.1:1/simulator/feishu/open-apis/im/v1"),
        ] {
            assert_eq!(Api(base.parse().unwrap()).url(&["im", "v1"]).as_str(), url);
        }
        let usual = api(&ConnectOptions::default()).unwrap();
        assert_eq!(usual.url(&["bot"]).as_str(), "https://open.feishu.cn/open-apis/bot");
    }

    #[test]
    fn a_previous_version_cannot_turn_encryption_off() {
        let now = r#"{"app_id":"a","app_secret":"s","verification_token":"v2","encrypt_key":"k"}"#;
        for (before, checks) in [
            (r#"{"verification_token":"v1"}"#, 1),
            (r#"{"encrypt_key":"k1"}"#, 1),
            (r#"{"verification_token":"v1","encrypt_key":"k1"}"#, 2),
        ] {
            let bound =
                bind(&KeyRing::new(keys(now), Some(keys(before))), &ConnectOptions::default()).ok().unwrap();
            assert_eq!(bound.checks.len(), checks, "{before}");
            assert!(bound.checks.iter().all(|check| check.encryption.is_some()));
        }
    }
}
