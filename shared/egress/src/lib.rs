//! The only crate that opens outgoing connections: one HTTP client, with limits.
//!
//! [`Egress`] carries out what platforms and model protocols describe as values ([`transport::OutRequest`]). It makes
//! each call once, follows no redirect (a redirect could carry a key to a stranger), uses no proxy but the configured one
//! and that only for calls marked [`Via::Proxy`], reads no environment variable, and lets no answer take longer or grow larger than its [`Limits`] say.
//!
//! Build one and clone it: clones share the connections. Building takes well under a millisecond, since the roots are
//! compiled in and the cryptography is *ring*'s; reading the system's certificates instead costs 4 to 22 ms of every
//! cold start.
//!
//! # Layout
//!
//! - this file: [`Egress`] and its options
//! - `authorities`: certificate authorities beside the bundled ones
//! - [`proxy`]: the proxy of a company's network, and which calls go through it
//! - `body`: reading an answer no further than its limit
//! - `failure`: how a call's end becomes a [`NetError`]
//!
//! # Example
//!
//! ```no_run
//! use std::time::Duration;
//! use egress::{Egress, EgressOptions};
//! use transport::{Limits, OutRequest, Transport};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let egress = Egress::new(EgressOptions {
//!     connect_timeout: Duration::from_secs(3),
//!     user_agent: "magpie/0.1".to_owned(),
//!     ..EgressOptions::default()
//! })?;
//! let limits = Limits { total: Duration::from_secs(10), bytes: 1 << 20 };
//! let answer = egress.call(OutRequest::get("https://example.com/".parse()?), limits).await?;
//! assert!(answer.status.is_success());
//! # Ok(())
//! # }
//! ```

mod authorities;
mod body;
mod failure;
pub mod proxy;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use http::{HeaderValue, StatusCode};
use http_body_util::Full;
use reqwest::redirect;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use transport::{Limits, NetError, OutRequest, OutResponse, OutStream, ProxyFault, Transport, Via};
use url::Url;

pub use authorities::{Authority, AuthorityError};
pub use proxy::{Proxy, ProxyError};

/// How long an unused connection is kept.
///
/// A Lambda environment is frozen between two events while servers drop idle connections after 20 s or more; the
/// monotonic clock runs on through the freeze, so a limit below theirs discards a connection that has died meanwhile
/// instead of sending the next message into it.
const POOL_IDLE: Duration = Duration::from_secs(15);

/// How to build an [`Egress`].
#[derive(Debug, Clone)]
pub struct EgressOptions {
    /// How long making a connection may take, TLS included.
    pub connect_timeout: Duration,
    /// What to call ourselves, for example `magpie/0.1`.
    pub user_agent: String,
    /// Certificate authorities that are trusted beside the bundled ones.
    pub authorities: Vec<Authority>,
    /// The proxy for calls that are marked [`Via::Proxy`]; without one they go straight to their servers too.
    pub proxy: Option<Proxy>,
}

/// Three seconds to connect, and the name `magpie/VERSION`.
impl Default for EgressOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            user_agent: concat!("magpie/", env!("CARGO_PKG_VERSION")).to_owned(),
            authorities: Vec::new(),
            proxy: None,
        }
    }
}

/// Why the client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The user agent holds something that no header may hold, such as a line break.
    #[error("the user agent cannot be sent in a header")]
    UserAgent,
    /// The cryptography offers none of the protocol versions that we speak.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The client refused what it was built from.
    #[error("the HTTP client cannot be built")]
    Client(#[from] reqwest::Error),
}

/// The one HTTP client. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Egress {
    direct: reqwest::Client,
    proxied: Option<Proxied>,
}

/// The client for calls that go through the proxy: another one, so that no connection serves both.
#[derive(Clone)]
struct Proxied {
    client: reqwest::Client,
    proxy: Arc<Proxy>,
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Egress").finish_non_exhaustive()
    }
}

impl Egress {
    /// Builds the client. Opens no connection, reads no file and no environment.
    ///
    /// # Errors
    ///
    /// What it was built from does not fit: see [`EgressError`].
    pub fn new(options: EgressOptions) -> Result<Self, EgressError> {
        let user_agent = HeaderValue::try_from(options.user_agent).map_err(|_| EgressError::UserAgent)?;
        let tls = tls(&options.authorities)?;
        let builder = || builder(tls.clone(), &user_agent, options.connect_timeout);
        let proxied = match options.proxy {
            None => None,
            Some(proxy) => {
                let client = builder().proxy(proxy.of_reqwest()?).build()?;
                Some(Proxied { client, proxy: Arc::new(proxy) })
            }
        };
        Ok(Self { direct: builder().no_proxy().build()?, proxied })
    }

    /// The proxy, where there is one.
    #[must_use]
    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxied.as_ref().map(|proxied| &*proxied.proxy)
    }

    /// The proxy that a call to this address goes through, if it does.
    #[must_use]
    pub fn proxy_for(&self, url: &Url, via: Via) -> Option<&Proxy> {
        self.proxied_for(url, via).map(|proxied| &*proxied.proxy)
    }

    fn proxied_for(&self, url: &Url, via: Via) -> Option<&Proxied> {
        self.proxied.as_ref().filter(|proxied| proxied.proxy.takes(url, via))
    }

    /// Up to the head of the answer. The timeout runs on until the last byte of the body.
    async fn send(&self, request: OutRequest, total: Duration) -> Result<reqwest::Response, NetError> {
        let proxied = self.proxied_for(&request.url, request.via);
        let client = proxied.map_or(&self.direct, |proxied| &proxied.client);
        let OutRequest { method, url, headers, body, via: _ } = request;
        let tunnel = url.scheme() == "https";
        // Of a body that could be sent twice reqwest keeps a copy until the answer begins, which for a long conversation
        // is a long time.
        let once = reqwest::Body::wrap(Full::new(body));
        let sent = client.request(method, url).headers(headers).body(once).timeout(total).send().await;
        match (sent, proxied) {
            // Outside a tunnel the proxy answers in the server's place.
            (Ok(answer), Some(_))
                if !tunnel && answer.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED =>
            {
                Err(NetError::Proxy(ProxyFault::Credentials))
            }
            (Ok(answer), _) => Ok(answer),
            (Err(error), Some(_)) => Err(failure::through_proxy(&error, tunnel)),
            (Err(error), None) => Err(failure::direct(&error)),
        }
    }
}

/// What both clients have in common.
#[expect(clippy::disallowed_methods, reason = "this is the one place that builds the one client")]
fn builder(tls: ClientConfig, user_agent: &HeaderValue, connect_timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(user_agent.clone())
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(POOL_IDLE)
        // Small requests must not wait for the peer's delayed acknowledgement (40 ms).
        .tcp_nodelay(true)
        .http1_only()
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
}

/// TLS 1.2 and 1.3 on *ring*, trusting the roots that Mozilla trusts and these.
fn tls(authorities: &[Authority]) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for authority in authorities {
        roots.add(authority.der.clone())?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

#[async_trait]
impl Transport for Egress {
    async fn call(&self, request: OutRequest, limits: Limits) -> Result<OutResponse, NetError> {
        let mut response = self.send(request, limits.total).await?;
        let body = body::read(&mut response, limits.bytes).await?;
        let headers = std::mem::take(response.headers_mut());
        Ok(OutResponse { status: response.status(), headers, body })
    }

    async fn stream(&self, request: OutRequest, limits: Limits) -> Result<OutStream, NetError> {
        let mut response = self.send(request, limits.total).await?;
        let headers = std::mem::take(response.headers_mut());
        let status = response.status();
        Ok(OutStream { status, headers, body: Box::new(body::Coming::new(response, limits.bytes)) })
    }
}
