//! The simulated platforms and model servers, on real ports.

use std::{sync::Arc, time::Duration};

use anyhow::bail;
use bytes::Bytes;
use chat::Clock as _;
use egress::{Egress, EgressOptions};
use host::{SystemClock, SystemEntropy};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header::AUTHORIZATION};
use simulator::{DingTalkApp, FeishuApp, Sent, Served, Simulator, Webhook};
use transport::{Limits, OutRequest, OutResponse, Transport as _};
use url::Url;

/// Keys of the Feishu app that the tests use, as a bot's key file.
pub const FEISHU_KEYS: &str = r#"{"app_id":"cli_test","app_secret":"canary-app-secret","verification_token":"canary-verification-token","encrypt_key":"canary-encrypt-key"}"#;

/// Keys of the DingTalk app that the tests use, as a bot's key file.
pub const DINGTALK_KEYS: &str = r#"{"client_id":"dingtest","client_secret":"canary-client-secret","robot_code":"dingrobot","token":"canarytoken","aes_key":"ahovCJQX4bipwDKRY5cjqxELSZ6dkryFMT07elszGNU"}"#;

/// What an operator shows, in the file `operator.token` beside the configuration.
pub const OPERATOR_TOKEN: &str = "canary-operator-token";

/// The secrets above, none of which may show up anywhere.
pub const CANARIES: [&str; 7] = [
    OPERATOR_TOKEN,
    "canary-app-secret",
    "canary-verification-token",
    "canary-encrypt-key",
    "canary-client-secret",
    "canarytoken",
    "ahovCJQX4bipwDKRY5cjqxELSZ6dkryFMT07elszGNU",
];

/// A configuration with a bot on each simulated platform, a local endpoint over chat completions and a cloud one over
/// legacy completions. `keys` are the references to the keys of the Feishu bot and of the DingTalk bot.
#[must_use]
pub fn configuration(platforms: &Pretend, local: &Pretend, cloud: &Pretend, keys: (&str, &str)) -> String {
    format!(
        r#"
[bots.feishu-bot]
platform = "feishu"
keys = "{feishu}"
base_url = "{platforms}feishu"

[bots.dingtalk-bot]
platform = "dingtalk"
keys = "{dingtalk}"
base_url = "{platforms}dingtalk"

[endpoints.office]
place = "local"
url = "{local}model/v1/chat/completions"
model = "office-model"

[endpoints.far]
place = "cloud"
url = "{cloud}model/v1/completions"
model = "far-model"

[routing]
strategy = "local_first"
attempt_timeout_seconds = 20
turn_timeout_seconds = 25

[standalone]
operator_token = "file:operator.token"
"#,
        feishu = keys.0,
        dingtalk = keys.1,
        platforms = platforms.served.url,
        local = local.served.url,
        cloud = cloud.served.url,
    )
}

/// How long an answer may take to show up, on a machine that is busy compiling.
const PATIENCE: Duration = Duration::from_secs(60);

/// A simulator on a port of its own, and a client.
pub struct Pretend {
    /// What happened to it.
    pub simulator: Simulator,
    /// Where it is; dropped, it is gone.
    pub served: Served,
    client: Egress,
}

impl Pretend {
    /// Starts one that knows both test apps.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub async fn start() -> anyhow::Result<Self> {
        let simulator = Simulator::new(Arc::new(SystemClock), Arc::new(SystemEntropy));
        simulator.add_feishu(FeishuApp {
            app_id: "cli_test".into(),
            app_secret: "canary-app-secret".into(),
            verification_token: "canary-verification-token".into(),
            encrypt_key: Some("canary-encrypt-key".into()),
            name: "Magpie".into(),
        });
        simulator.add_dingtalk(DingTalkApp {
            client_id: "dingtest".into(),
            client_secret: "canary-client-secret".into(),
            robot_code: "dingrobot".into(),
            token: Some("canarytoken".into()),
            aes_key: Some("ahovCJQX4bipwDKRY5cjqxELSZ6dkryFMT07elszGNU".into()),
            name: "Magpie".into(),
        });
        let served = simulator::serve(simulator.router()).await?;
        let options = EgressOptions { connect_timeout: Duration::from_secs(2), ..EgressOptions::default() };
        Ok(Self { simulator, served, client: Egress::new(options)? })
    }

    /// The base URL of a platform's API: `feishu`, `dingtalk`, or `model`.
    ///
    /// # Errors
    ///
    /// Never for those names.
    pub fn base(&self, name: &str) -> anyhow::Result<Url> {
        Ok(self.served.url.join(name)?)
    }

    /// Delivers a webhook over HTTP, as the platform would.
    ///
    /// # Errors
    ///
    /// When nobody answers.
    pub async fn deliver(&self, to: &Url, webhook: &Webhook) -> anyhow::Result<OutResponse> {
        let mut url = to.clone();
        url.set_query(Some(webhook.query.as_str()).filter(|query| !query.is_empty()));
        self.post(url, headers(webhook), webhook.body.clone()).await
    }

    /// Posts anything.
    ///
    /// # Errors
    ///
    /// When nobody answers.
    pub async fn post(&self, url: Url, headers: HeaderMap, body: Vec<u8>) -> anyhow::Result<OutResponse> {
        let body = Bytes::from(body);
        let request = OutRequest { method: Method::POST, headers, body, ..OutRequest::get(url) };
        Ok(self.client.call(request, Limits { total: PATIENCE, bytes: 1 << 20 }).await?)
    }

    /// Gets anything.
    ///
    /// # Errors
    ///
    /// When nobody answers.
    pub async fn get(&self, url: Url) -> anyhow::Result<OutResponse> {
        Ok(self.client.call(OutRequest::get(url), Limits { total: PATIENCE, bytes: 1 << 20 }).await?)
    }

    /// Gets anything as an operator.
    ///
    /// # Errors
    ///
    /// When nobody answers.
    pub async fn get_as_operator(&self, url: Url) -> anyhow::Result<OutResponse> {
        let mut request = OutRequest::get(url);
        let token = HeaderValue::from_str(&format!("Bearer {OPERATOR_TOKEN}"))?;
        request.headers.insert(AUTHORIZATION, token);
        Ok(self.client.call(request, Limits { total: PATIENCE, bytes: 1 << 20 }).await?)
    }

    /// Waits until people have seen `count` messages, and returns them all.
    ///
    /// # Errors
    ///
    /// When they have not in time.
    pub async fn seen(&self, count: usize) -> anyhow::Result<Vec<Sent>> {
        let mut watch = self.simulator.watch();
        let enough = async {
            while self.simulator.sent().len() < count {
                let _ = watch.recv().await;
            }
        };
        if tokio::time::timeout(PATIENCE, enough).await.is_err() {
            bail!("{} of {count} messages were seen", self.simulator.sent().len());
        }
        Ok(self.simulator.sent())
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub fn now(&self) -> i64 {
        SystemClock.now().as_millis()
    }
}

fn headers(webhook: &Webhook) -> HeaderMap {
    let pairs = webhook.headers.iter().filter_map(|(name, value)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
    });
    pairs.collect()
}
