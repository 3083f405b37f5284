//! The bots in service, and their keys while they rotate.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use chat::{BotId, PlatformId, Timestamp};
use platform::{ConnectOptions, KeyError, KeyRing, Keys, Kind, Platform};
use secrecy::ExposeSecret as _;
use tokio::sync::{Mutex, MutexGuard};
use url::Url;

use crate::{BotSettings, Mistakes, SecretError, SecretVersions, Secrets, placeholder::placeholders};

/// How long fetched keys are used before they are fetched again. Revoked keys stop working within this time and nobody
/// has to restart anything; a warm instance then asks the secret store twelve times an hour, which is no load.
pub const KEY_REFRESH: Duration = Duration::from_secs(5 * 60);

/// The least time between two fetches of one bot's keys. A failed verification may mean rotated keys, but whoever can
/// reach the webhook can make verifications fail: a forger must not turn us into a load on the secret store.
pub const REFRESH_MIN: Duration = Duration::from_secs(30);

/// What a platform's keys must look like; part of every mistake about them.
pub(crate) const WANTED: &str = "a JSON object with the keys of the bot's app, each a text that is not empty";

/// A bot bound to its platform.
#[derive(Clone)]
pub struct Bot {
    /// What is configured.
    pub settings: BotSettings,
    /// The platform, bound to the bot's keys.
    pub platform: Arc<dyn Platform>,
}

impl std::fmt::Debug for Bot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bot").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The bots that this process serves.
pub struct Bots {
    entries: BTreeMap<(PlatformId, BotId), Entry>,
    secrets: Arc<dyn Secrets>,
}

impl std::fmt::Debug for Bots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bots").field("bots", &self.list()).finish_non_exhaustive()
    }
}

struct Entry {
    settings: BotSettings,
    kind: Kind,
    /// What is served. Only read and replaced, never held over a wait.
    live: RwLock<Arc<Bot>>,
    /// Whoever holds this fetches; so one bot's keys are fetched once at a time.
    fetching: Mutex<Fetched>,
}

/// When keys were fetched, and which came.
struct Fetched {
    tried: Timestamp,
    versions: SecretVersions,
}

impl Bots {
    /// Binds every bot whose platform is among `kinds` to its keys: a function serves its own platform and needs no
    /// other's secrets.
    ///
    /// # Errors
    ///
    /// All that is wrong with the keys of all bots.
    pub async fn connect(
        settings: Vec<BotSettings>,
        kinds: &[Kind],
        secrets: Arc<dyn Secrets>,
        now: Timestamp,
    ) -> Result<Self, Mistakes> {
        let mut mistakes = Mistakes::default();
        let mut entries = BTreeMap::new();
        for settings in settings {
            let Some(kind) = kinds.iter().find(|kind| kind.name == settings.platform.as_str()) else {
                continue;
            };
            match Entry::connect(settings, *kind, &*secrets, now).await {
                Ok(entry) => {
                    let name = (entry.settings.platform.clone(), entry.settings.bot.clone());
                    entries.insert(name, entry);
                }
                Err(mut more) => mistakes.0.append(&mut more.0),
            }
        }
        mistakes.unless_any(Self { entries, secrets })
    }

    /// The bot of this name. Keys older than [`KEY_REFRESH`] are fetched again first; while somebody else does so, and
    /// when it fails, the ones at hand serve.
    pub async fn find(&self, platform: &str, bot: &str, now: Timestamp) -> Option<Arc<Bot>> {
        let entry = self.entry(platform, bot)?;
        if let Ok(fetched) = entry.fetching.try_lock()
            && now.since(fetched.tried) >= KEY_REFRESH
        {
            entry.fetch(fetched, &*self.secrets, now).await;
        }
        Some(entry.live())
    }

    /// The bot with newer keys, if there are any: for one more try after a failed verification. Fetches at most once
    /// every [`REFRESH_MIN`].
    pub async fn refreshed(&self, platform: &str, bot: &str, now: Timestamp) -> Option<Arc<Bot>> {
        let entry = self.entry(platform, bot)?;
        let before = entry.live();
        let fetched = entry.fetching.lock().await;
        if now.since(fetched.tried) >= REFRESH_MIN {
            entry.fetch(fetched, &*self.secrets, now).await;
        }
        // Compared with what was served before the wait: who waited for another's fetch takes what that one brought.
        let after = entry.live();
        (!Arc::ptr_eq(&before, &after)).then_some(after)
    }

    /// The names of all bots.
    #[must_use]
    pub fn list(&self) -> Vec<(PlatformId, BotId)> {
        self.entries.keys().cloned().collect()
    }

    /// Whether there is a bot of this name. Fetches nothing.
    #[must_use]
    pub fn has(&self, platform: &str, bot: &str) -> bool {
        self.entry(platform, bot).is_some()
    }

    fn entry(&self, platform: &str, bot: &str) -> Option<&Entry> {
        self.entries.get(&(PlatformId::parse(platform).ok()?, BotId::parse(bot).ok()?))
    }
}

impl Entry {
    async fn connect(
        settings: BotSettings,
        kind: Kind,
        secrets: &dyn Secrets,
        now: Timestamp,
    ) -> Result<Self, Mistakes> {
        let key = format!("bots.{}.keys", settings.bot);
        let mut mistakes = Mistakes::default();
        let versions = match secrets.fetch(&settings.keys).await {
            Ok(versions) => versions,
            Err(SecretError { reference, happened, mend }) => {
                mistakes.push(key, format!("`{reference}`, where {happened}"), mend);
                return Err(mistakes);
            }
        };
        match bind(&settings, &kind, &versions) {
            Ok(bot) => {
                let live = RwLock::new(Arc::new(bot));
                Ok(Self { settings, kind, live, fetching: Mutex::new(Fetched { tried: now, versions }) })
            }
            Err(errors) => {
                for error in errors {
                    mistakes.push(key.clone(), format!("`{}`, where {error}", settings.keys), WANTED);
                }
                Err(mistakes)
            }
        }
    }

    fn live(&self) -> Arc<Bot> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Fetches the keys and serves with them if they are others and good. A failure changes nothing but the log, and
    /// counts as a try, so that a secret store that is down is not asked at every event.
    async fn fetch(&self, mut fetched: MutexGuard<'_, Fetched>, secrets: &dyn Secrets, now: Timestamp) {
        fetched.tried = now;
        let versions = match secrets.fetch(&self.settings.keys).await {
            Ok(versions) => versions,
            Err(error) => return self.warn(&error.happened),
        };
        if same(&versions, &fetched.versions) {
            return;
        }
        match bind(&self.settings, &self.kind, &versions) {
            Ok(bot) => {
                *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(bot);
                fetched.versions = versions;
            }
            Err(errors) => errors.iter().for_each(|error| self.warn(&error.to_string())),
        }
    }

    fn warn(&self, why: &str) {
        tracing::warn!(reference = %self.settings.keys, why, "cannot renew a bot's keys; the old ones stay in use");
    }
}

/// Whether these are the same two versions.
fn same(a: &SecretVersions, b: &SecretVersions) -> bool {
    let previous =
        |versions: &SecretVersions| versions.previous.as_ref().map(|v| v.expose_secret().to_owned());
    a.current.expose_secret() == b.current.expose_secret() && previous(a) == previous(b)
}

/// Binds a bot's platform to a ring of its keys. A previous version that is not even JSON is left out: it may date from
/// before the secret was filled in, and must not keep the current one from serving.
fn bind(settings: &BotSettings, kind: &Kind, versions: &SecretVersions) -> Result<Bot, Vec<KeyError>> {
    let platform = platform_of(kind, settings.base_url.clone(), versions)?;
    Ok(Bot { settings: settings.clone(), platform })
}

/// The platform of a bot with these keys.
pub(crate) fn platform_of(
    kind: &Kind,
    base_url: Option<Url>,
    versions: &SecretVersions,
) -> Result<Arc<dyn Platform>, Vec<KeyError>> {
    let left = placeholders(versions.current.expose_secret());
    if !left.is_empty() {
        return Err(left.into_iter().map(KeyError::Placeholder).collect());
    }
    let current = Keys::from_json(versions.current.expose_secret()).map_err(|error| vec![error])?;
    let previous = versions.previous.as_ref().and_then(|json| Keys::from_json(json.expose_secret()).ok());
    let options = ConnectOptions { base_url };
    let with_previous = previous.map(|previous| KeyRing::new(current.clone(), Some(previous)));
    match with_previous.map(|ring| (kind.connect)(&ring, &options)) {
        Some(Ok(platform)) => Ok(platform),
        // Without the previous version, so that what is wrong with that one is not held against the current one.
        Some(Err(_)) | None => (kind.connect)(&KeyRing::new(current, None), &options),
    }
}
