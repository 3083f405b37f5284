//! The only crate that opens outgoing connections: one HTTP client, with limits.
//!
//! [`Egress`] carries out what platforms and model protocols describe as values ([`transport::OutRequest`]). It makes
//! each call once, follows no redirect (a redirect could carry a key to a stranger), asks no proxy that it was not told
//! of, and lets no answer take longer or grow larger than its [`Limits`] say.
//!
//! Build one and clone it: clones share the connections. Building takes well under a millisecond, since the roots are
//! compiled in and the cryptography is *ring*'s; reading the system's certificates instead costs 4 to 22 ms of every
//! cold start.
//!
//! # Layout
//!
//! - this file: [`Egress`], its options, and how a call's end becomes a [`NetError`]
//! - `body`: reading an answer no further than its limit
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
//! })?;
//! let limits = Limits { total: Duration::from_secs(10), bytes: 1 << 20 };
//! let answer = egress.call(OutRequest::get("https://example.com/".parse()?), limits).await?;
//! assert!(answer.status.is_success());
//! # Ok(())
//! # }
//! ```

mod body;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use http::HeaderValue;
use http_body_util::Full;
use reqwest::redirect;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use transport::{Limits, NetError, OutRequest, OutResponse, OutStream, Transport};

/// How long an unused connection is kept.
///
/// A Lambda environment is frozen between two events while servers drop idle connections after 20 s or more; the
/// monotonic clock runs on through the freeze, so a limit below theirs discards a connection that has died meanwhile
/// instead of sending the next message into it.
const POOL_IDLE: Duration = Duration::from_secs(15);

/// How to build an [`Egress`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressOptions {
    /// How long making a connection may take, TLS included.
    pub connect_timeout: Duration,
    /// What to call ourselves, for example `magpie/0.1`.
    pub user_agent: String,
}

/// Three seconds to connect, and the name `magpie/VERSION`.
impl Default for EgressOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            user_agent: concat!("magpie/", env!("CARGO_PKG_VERSION")).to_owned(),
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
    client: reqwest::Client,
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
    #[expect(clippy::disallowed_methods, reason = "this is the one place that builds the one client")]
    pub fn new(options: EgressOptions) -> Result<Self, EgressError> {
        let user_agent = HeaderValue::try_from(options.user_agent).map_err(|_| EgressError::UserAgent)?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .user_agent(user_agent)
            .connect_timeout(options.connect_timeout)
            .pool_idle_timeout(POOL_IDLE)
            // Small requests must not wait for the peer's delayed acknowledgement (40 ms).
            .tcp_nodelay(true)
            .http1_only()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .no_proxy()
            .build()?;
        Ok(Self { client })
    }

    /// Up to the head of the answer. The timeout runs on until the last byte of the body.
    async fn send(&self, request: OutRequest, total: Duration) -> Result<reqwest::Response, NetError> {
        let OutRequest { method, url, headers, body } = request;
        // Of a body that could be sent twice reqwest keeps a copy until the answer begins, which for a long conversation
        // is a long time.
        let once = reqwest::Body::wrap(Full::new(body));
        let call = self.client.request(method, url).headers(headers).body(once).timeout(total);
        call.send().await.map_err(|error| net_error(&error))
    }
}

/// TLS 1.2 and 1.3 on *ring*, trusting the roots that Mozilla trusts.
fn tls() -> Result<ClientConfig, rustls::Error> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
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

/// What a failed call is to its caller. The error itself is dropped: it holds the URL, and a URL may hold a token.
fn net_error(error: &reqwest::Error) -> NetError {
    if error.is_connect() {
        if error.is_timeout() { NetError::ConnectTimeout } else { NetError::Unreachable }
    } else if error.is_timeout() {
        NetError::Timeout
    } else if error.is_builder() {
        // Not a URL that HTTP can reach, so nothing was sent.
        NetError::Unreachable
    } else {
        NetError::Broken
    }
}
