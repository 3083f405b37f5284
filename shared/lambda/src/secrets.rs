//! Secrets Manager as [`Secrets`].

use async_trait::async_trait;
use aws_sdk_secretsmanager::{Client, error::SdkError, operation::get_secret_value::GetSecretValueError};
use secrecy::SecretString;
use settings::{KeySource, LocalSecrets, SecretError, SecretVersions, Secrets};

/// The version that everybody should use.
const CURRENT: &str = "AWSCURRENT";

/// The version before, kept by Secrets Manager when a secret rotates.
const PREVIOUS: &str = "AWSPREVIOUS";

/// `secret:` references from Secrets Manager, `env:` and `file:` as everywhere.
pub struct AwsSecrets {
    client: Client,
    local: LocalSecrets,
}

impl AwsSecrets {
    /// Secrets through this client.
    #[must_use]
    pub const fn new(client: Client, local: LocalSecrets) -> Self {
        Self { client, local }
    }

    async fn version(&self, name: &str, stage: &str) -> Result<Option<SecretString>, SecretError> {
        let answer = self.client.get_secret_value().secret_id(name).version_stage(stage).send().await;
        match answer {
            Ok(value) => Ok(value.secret_string.map(SecretString::from)),
            Err(SdkError::ServiceError(error)) if error.err().is_resource_not_found_exception() => Ok(None),
            Err(error) => Err(SecretError::new(
                &KeySource::Secret(name.to_owned()),
                cause(&error),
                "see that the function's role may read the secret and that Secrets Manager can be reached",
            )),
        }
    }
}

/// The error's code, which names no value.
fn cause(error: &SdkError<GetSecretValueError>) -> String {
    use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;

    error.code().map_or_else(|| "Secrets Manager did not answer".to_owned(), str::to_owned)
}

#[async_trait]
impl Secrets for AwsSecrets {
    async fn fetch(&self, source: &KeySource) -> Result<SecretVersions, SecretError> {
        let KeySource::Secret(name) = source else { return self.local.fetch(source).await };
        let (current, previous) = tokio::join!(self.version(name, CURRENT), self.version(name, PREVIOUS));
        let Some(current) = current? else {
            let mend = format!("create the secret `{name}` in this account and region");
            return Err(SecretError::new(source, "there is no such secret", mend));
        };
        // A missing previous version is the rule; an unreadable one must not keep the current one from working.
        Ok(SecretVersions { current, previous: previous.unwrap_or_default() })
    }
}
