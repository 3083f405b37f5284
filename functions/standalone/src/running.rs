//! What a Magpie that runs knows of its endpoints, for `magpie route`.

use std::{collections::BTreeMap, fmt, net::SocketAddr, time::Duration};

use chat::Timestamp;
use http::{HeaderValue, header};
use routing::Opening;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use transport::{Limits, OutRequest, Transport};

use crate::health::Health;

/// What a look at a running Magpie may take.
const LIMITS: Limits = Limits { total: Duration::from_millis(800), bytes: 1024 * 1024 };

/// What was learned from the Magpie at an address.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) known: Known,
}

/// What a Magpie told.
#[derive(Debug)]
pub(crate) enum Known {
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
        let answer = match request(address, token) {
            Some(request) => transport.call(request, LIMITS).await.ok(),
            None => None,
        };
        let said = answer.and_then(|answer| serde_json::from_slice(&answer.body).ok());
        let known = match said {
            Some(Said { endpoints: Some(endpoints) }) => {
                Known::Told(endpoints.into_iter().map(|health| (health.name.clone(), health)).collect())
            }
            Some(Said { endpoints: None }) => Known::NoDetails,
            None => Known::NoAnswer,
        };
        Self { address, known }
    }

    /// Whether it told how its endpoints fare.
    pub(crate) const fn is_known(&self) -> bool {
        matches!(self.known, Known::Told(_))
    }

    /// The endpoints that it leaves alone, as of now.
    pub(crate) fn openings(&self, now: Timestamp) -> Vec<Opening> {
        let Known::Told(endpoints) = &self.known else { return Vec::new() };
        let opening = |health: &Health| {
            let until = now.plus(Duration::from_secs(health.seconds?));
            Some(Opening { endpoint: health.name.clone(), since: now, until, step: 1 })
        };
        endpoints.values().filter_map(opening).collect()
    }

    /// How this endpoint fares, where that is known.
    pub(crate) fn of(&self, endpoint: &str) -> Option<&Health> {
        match &self.known {
            Known::Told(endpoints) => endpoints.get(endpoint),
            Known::NoDetails | Known::NoAnswer => None,
        }
    }
}

/// For a person at a terminal: who was asked, or that nobody was.
impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address;
        match &self.known {
            Known::Told(_) => write!(f, "health   as the Magpie at {address} has it"),
            Known::NoDetails => write!(
                f,
                "health   not known: the Magpie at {address} shows it to operators only; give both the same \
                 `standalone.operator_token`"
            ),
            Known::NoAnswer => {
                write!(
                    f,
                    "health   not known: no Magpie answers at {address}; --listen names another address"
                )
            }
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
