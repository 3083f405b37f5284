//! What a Magpie that runs knows of its endpoints, for `magpie route`.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use http::{HeaderValue, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use transport::{Limits, OutRequest, Transport};

use crate::health::Health;

/// What a look at a running Magpie may take.
const LIMITS: Limits = Limits { total: Duration::from_millis(800), bytes: 1024 * 1024 };

/// What was learned from the Magpie at an address.
#[derive(Debug)]
pub(crate) enum Running {
    /// How its endpoints fare, by name.
    Told(BTreeMap<String, Health>),
    /// It answers, and shows no details: it has no operator token, or another one.
    NoDetails,
    /// No Magpie answers there.
    NoAnswer,
}

/// What `/healthz` says to an operator, as far as it is of use here.
#[derive(Deserialize)]
struct Said {
    endpoints: Option<Vec<Health>>,
}

impl Running {
    /// Asks the Magpie at this address, as an operator who has this token.
    pub(crate) async fn ask(
        transport: &dyn Transport,
        address: SocketAddr,
        token: Option<&SecretString>,
    ) -> Self {
        let Some(request) = request(address, token) else { return Self::NoAnswer };
        let Ok(answer) = transport.call(request, LIMITS).await else { return Self::NoAnswer };
        match serde_json::from_slice(&answer.body) {
            Ok(Said { endpoints: Some(endpoints) }) => {
                Self::Told(endpoints.into_iter().map(|health| (health.name.clone(), health)).collect())
            }
            Ok(Said { endpoints: None }) => Self::NoDetails,
            Err(_) => Self::NoAnswer,
        }
    }

    /// How this endpoint fares, where that is known.
    pub(crate) fn of(&self, endpoint: &str) -> Option<&Health> {
        match self {
            Self::Told(endpoints) => endpoints.get(endpoint),
            Self::NoDetails | Self::NoAnswer => None,
        }
    }
}

fn request(address: SocketAddr, token: Option<&SecretString>) -> Option<OutRequest> {
    let url = crate::connections::own_url(address).ok()?.join("healthz").ok()?;
    let mut request = OutRequest::get(url);
    if let Some(token) = token {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).ok()?;
        value.set_sensitive(true);
        request.headers.insert(header::AUTHORIZATION, value);
    }
    Some(request)
}
