//! Demo bots' keys, and their apps in the simulator.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use base64::{
    Engine as _, engine::general_purpose::STANDARD_NO_PAD, engine::general_purpose::URL_SAFE_NO_PAD,
};
use chat::{BotId, Entropy};
use platform::Keys;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use settings::{BotSettings, KeySource, SecretError, SecretVersions, Secrets};
use simulator::{DingTalkApp, FeishuApp, Simulator};
use url::Url;

use crate::data::DataFolder;

/// The bots whose keys are `"demo"`: by name, the id of their app in the simulator.
#[derive(Clone, Default)]
pub(crate) struct DemoBots(Arc<BTreeMap<String, DemoBot>>);

struct DemoBot {
    app: String,
    keys: SecretString,
}

impl DemoBots {
    /// Makes (or reads) the keys of the demo bots, registers their apps, and points the bots at the simulator.
    pub(crate) fn prepare(
        bots: &mut [BotSettings],
        data: &DataFolder,
        entropy: &dyn Entropy,
        simulator: &Simulator,
        base: &Url,
    ) -> anyhow::Result<Self> {
        let mut demo = BTreeMap::new();
        for bot in bots.iter_mut().filter(|bot| bot.keys == KeySource::Demo) {
            let platform = bot.platform.as_str();
            let text = data.demo_keys(bot.bot.as_str(), || make_keys(platform, entropy))?;
            let keys = Keys::from_json(&text)?;
            let app = register(platform, &keys, bot.bot.as_str(), simulator)?;
            bot.base_url = Some(base.join(&format!("/simulator/{platform}"))?);
            // From here on the keys are found under the bot's own name.
            bot.keys = KeySource::Env(demo_reference(bot.bot.as_str()));
            demo.insert(bot.bot.as_str().to_owned(), DemoBot { app, keys: SecretString::from(text) });
        }
        Ok(Self(Arc::new(demo)))
    }

    /// The names of all demo bots.
    pub(crate) fn names(&self) -> Vec<BotId> {
        self.0.keys().filter_map(|name| BotId::parse(name.as_str()).ok()).collect()
    }

    /// Whether this is a demo bot.
    pub(crate) fn has(&self, bot: &str) -> bool {
        self.0.contains_key(bot)
    }

    /// The id of the bot's app in the simulator.
    pub(crate) fn app(&self, bot: &str) -> Option<&str> {
        self.0.get(bot).map(|demo| demo.app.as_str())
    }

    /// The bot of an app in the simulator.
    pub(crate) fn bot_of(&self, app: &str) -> Option<&str> {
        self.0.iter().find(|(_, demo)| demo.app == app).map(|(bot, _)| bot.as_str())
    }
}

/// A name that no environment variable can have, so that a demo bot's keys cannot be set from outside by accident.
fn demo_reference(bot: &str) -> String {
    format!("demo={bot}")
}

/// Keys of demo bots from memory, all others from where they are.
pub(crate) struct WithDemo<S> {
    pub(crate) demo: DemoBots,
    pub(crate) others: S,
}

#[async_trait]
impl<S: Secrets> Secrets for WithDemo<S> {
    async fn fetch(&self, source: &KeySource) -> Result<SecretVersions, SecretError> {
        let demo = match source {
            KeySource::Env(name) => name.strip_prefix("demo=").and_then(|bot| self.demo.0.get(bot)),
            KeySource::Secret(_) | KeySource::File(_) | KeySource::Demo => None,
        };
        match demo {
            Some(bot) => Ok(SecretVersions { current: bot.keys.clone(), previous: None }),
            None => self.others.fetch(source).await,
        }
    }
}

/// Fresh keys in the forms that the platforms give them.
fn make_keys(platform: &str, entropy: &dyn Entropy) -> String {
    let word = |length: usize| {
        let mut bytes = vec![0; length];
        entropy.fill(&mut bytes);
        let mut text: String =
            URL_SAFE_NO_PAD.encode(&bytes).chars().filter(char::is_ascii_alphanumeric).collect();
        text.truncate(length);
        text
    };
    if platform == "feishu" {
        return json!({
            "app_id": format!("cli_{}", word(16)), "app_secret": word(32),
            "verification_token": word(32), "encrypt_key": word(32),
        })
        .to_string();
    }
    let mut aes = [0; 32];
    entropy.fill(&mut aes);
    // DingTalk's keys hold letters and digits only.
    let aes_key: String = STANDARD_NO_PAD
        .encode(aes)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { 'x' })
        .collect();
    json!({
        "client_id": format!("ding{}", word(16)), "client_secret": word(48),
        "robot_code": format!("ding{}", word(16)), "token": word(24), "aes_key": aes_key,
    })
    .to_string()
}

fn register(platform: &str, keys: &Keys, name: &str, simulator: &Simulator) -> anyhow::Result<String> {
    let need = |field: &str| keys.require(field).map(|value| value.expose_secret().to_owned());
    let name = name.to_owned();
    if platform == "feishu" {
        let app = FeishuApp {
            app_id: need("app_id")?,
            app_secret: need("app_secret")?,
            verification_token: need("verification_token")?,
            encrypt_key: Some(need("encrypt_key")?),
            name,
        };
        let id = app.app_id.clone();
        simulator.add_feishu(app);
        return Ok(id);
    }
    let app = DingTalkApp {
        client_id: need("client_id")?,
        client_secret: need("client_secret")?,
        robot_code: need("robot_code")?,
        token: Some(need("token")?),
        aes_key: Some(need("aes_key")?),
        name,
    };
    let id = app.client_id.clone();
    simulator.add_dingtalk(app);
    Ok(id)
}
