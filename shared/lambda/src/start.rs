//! Settings, clients and keys, once per process.

use std::sync::Arc;

use anyhow::Context as _;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::{SdkConfig, region::Region, sdk_config::Builder};
use chat::Clock as _;
use egress::{Egress, EgressOptions};
use host::{SystemClock, SystemEntropy};
use platform::Kind;
use settings::{Bots, Environment, LocalSecrets, ProcessEnvironment, Secrets, Settings};
use transport::Transport;
use vault::Vault;

use crate::{http_client::SharedClient, secrets::AwsSecrets};

/// The environment variable that names the queue. Set by `infra/template.yaml`.
pub const QUEUE_URL: &str = "MAGPIE_QUEUE_URL";

/// The environment variable that names the table. Set by `infra/template.yaml`.
pub const TABLE: &str = "MAGPIE_TABLE";

/// The platforms that a configuration may name. Every function reads the same file and serves its own part of it.
const KNOWN: &[&str] = &["feishu", "dingtalk"];

/// The bearings of a function: what every part of it is built from.
pub struct Start {
    /// The configuration.
    pub settings: Settings,
    /// The environment it was read from.
    pub environment: Arc<ProcessEnvironment>,
    /// The one HTTP client.
    pub transport: Arc<dyn Transport>,
    /// Region, credentials and that client, for the SDK.
    pub aws: SdkConfig,
    /// The bots that this function serves.
    pub bots: Arc<Bots>,
    /// Seals what is stored and queued.
    pub vault: Arc<Vault>,
    /// Where keys come from.
    pub secrets: Arc<dyn Secrets>,
}

impl Start {
    /// Reads the configuration, builds the clients and fetches the keys of the bots on these platforms.
    ///
    /// # Errors
    ///
    /// Says all that is wrong with the configuration at once, and how to mend it.
    pub async fn new(kinds: &[Kind]) -> anyhow::Result<Self> {
        let environment = Arc::new(ProcessEnvironment);
        let settings = settings::load(None, environment.as_ref(), KNOWN)?;
        let options =
            EgressOptions { connect_timeout: settings.routing.connect_timeout, ..EgressOptions::default() };
        let transport: Arc<dyn Transport> = Arc::new(Egress::new(options)?);
        let aws = aws_config(environment.as_ref(), Arc::clone(&transport));
        let secrets: Arc<dyn Secrets> = Arc::new(AwsSecrets::new(
            aws_sdk_secretsmanager::Client::from_conf(secrets_config(&aws, environment.as_ref())),
            LocalSecrets::new(Arc::clone(&environment) as Arc<dyn Environment + Send + Sync>),
        ));
        let (bots, vault) = tokio::join!(
            Bots::connect(settings.bots.clone(), kinds, Arc::clone(&secrets), SystemClock.now()),
            open_vault(&settings, secrets.as_ref()),
        );
        let (bots, vault) = (Arc::new(bots?), Arc::new(vault?));
        Ok(Self { settings, environment, transport, aws, bots, vault, secrets })
    }

    /// A value that the template puts into the environment.
    ///
    /// # Errors
    ///
    /// Says which one is missing.
    pub fn require(&self, name: &str) -> anyhow::Result<String> {
        self.environment.get(name).filter(|value| !value.is_empty()).with_context(|| {
            format!(
                "the environment has no {name}: infra/template.yaml sets it; set it for this function too"
            )
        })
    }

    /// A client of the queue.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        sqs(&self.aws, self.environment.as_ref())
    }

    /// A client of the table.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        dynamodb(&self.aws, self.environment.as_ref())
    }
}

pub(crate) fn sqs(aws: &SdkConfig, environment: &dyn Environment) -> aws_sdk_sqs::Client {
    let mut config = aws_sdk_sqs::config::Builder::from(aws);
    config.set_endpoint_url(endpoint(environment, "SQS"));
    aws_sdk_sqs::Client::from_conf(config.build())
}

pub(crate) fn dynamodb(aws: &SdkConfig, environment: &dyn Environment) -> aws_sdk_dynamodb::Client {
    let mut config = aws_sdk_dynamodb::config::Builder::from(aws);
    config.set_endpoint_url(endpoint(environment, "DYNAMODB"));
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// Region and credentials as Lambda puts them into the environment. They stay the same for the life of the process:
/// Lambda replaces a process before its credentials end.
pub(crate) fn aws_config(environment: &dyn Environment, transport: Arc<dyn Transport>) -> SdkConfig {
    let mut config: Builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(SharedClient::new(transport))
        .sleep_impl(TokioSleep::new())
        .region(
            environment.get("AWS_REGION").or_else(|| environment.get("AWS_DEFAULT_REGION")).map(Region::new),
        );
    let id = environment.get("AWS_ACCESS_KEY_ID");
    if let (Some(id), Some(secret)) = (id, environment.get("AWS_SECRET_ACCESS_KEY")) {
        let session = environment.get("AWS_SESSION_TOKEN");
        let credentials = Credentials::new(id, secret, session, None, "environment");
        config = config.credentials_provider(SharedCredentialsProvider::new(credentials));
    }
    config.build()
}

fn secrets_config(aws: &SdkConfig, environment: &dyn Environment) -> aws_sdk_secretsmanager::Config {
    let mut config = aws_sdk_secretsmanager::config::Builder::from(aws);
    config.set_endpoint_url(endpoint(environment, "SECRETS_MANAGER"));
    config.build()
}

/// Where a service is, when not at its usual address: the variables that every AWS SDK knows.
fn endpoint(environment: &dyn Environment, service: &str) -> Option<String> {
    environment.get(&format!("AWS_ENDPOINT_URL_{service}")).or_else(|| environment.get("AWS_ENDPOINT_URL"))
}

async fn open_vault(settings: &Settings, secrets: &dyn Secrets) -> anyhow::Result<Vault> {
    let source = settings.vault.as_ref().context(
        "no `[vault] keys` are configured: name the secret that holds them, for example keys = \"secret:magpie/vault\"",
    )?;
    let keys = settings::vault_keys(source, secrets).await?;
    Ok(Vault::from_keys(&keys, Arc::new(SystemEntropy))?)
}
