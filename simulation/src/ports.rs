//! The small ports: time, waiting, chance, notes, secrets.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chat::{Clock, Entropy, Pause, Timestamp};
use secrecy::SecretString;
use settings::{KeySource, SecretError, SecretVersions, Secrets};
use telemetry::{Note, Observer};

use crate::sim::Sim;

/// Everything small that the engine touches.
#[derive(Clone)]
pub(crate) struct Ports(pub(crate) Arc<Sim>);

impl Clock for Ports {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

#[async_trait]
impl Pause for Ports {
    async fn pause(&self, duration: Duration) {
        self.0.rest(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)).await;
    }
}

impl Entropy for Ports {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.with(|state| state.chance.fill(bytes));
    }
}

impl Observer for Ports {
    fn note(&self, note: &Note) {
        self.0.with(|state| {
            state.note_text(note.step.name());
            state.tell(|| format!("{:?}", note.step));
        });
    }
}

#[async_trait]
impl Secrets for Ports {
    /// Needs no wait: keys are fetched at the start and hourly, and how that fails is tested where it is done.
    async fn fetch(&self, source: &KeySource) -> Result<SecretVersions, SecretError> {
        let keys = match source.to_string().as_str() {
            "env:FEISHU" => r#"{"app_id":"cli_a","app_secret":"s","verification_token":"vtok"}"#,
            _ => r#"{"client_id":"dingapp","client_secret":"s","robot_code":"dingrobot"}"#,
        };
        Ok(SecretVersions { current: SecretString::from(keys), previous: None })
    }
}
