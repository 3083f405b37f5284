//! HTTP calls as values, and the trait that carries them out.
//!
//! Platforms and model protocols say *what* to call ([`OutRequest`]) and read *what came back* ([`OutResponse`],
//! [`NetError`]); only `egress` opens a connection. So everything that knows a wire format can be tested, fuzzed and
//! simulated without a network.
//!
//! ```
//! use transport::OutRequest;
//!
//! let request = OutRequest::post_json("https://example.com/v1".parse()?, b"{}".to_vec());
//! assert_eq!(request.headers["content-type"], "application/json; charset=utf-8");
//! # Ok::<(), url::ParseError>(())
//! ```

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use url::Url;

/// A call to make.
#[derive(Clone)]
pub struct OutRequest {
    /// The method.
    pub method: Method,
    /// Where to. May carry a token in its query, so it is never logged whole.
    pub url: Url,
    /// The headers; those with secrets are marked sensitive.
    pub headers: HeaderMap,
    /// The body, empty for none.
    pub body: Bytes,
    /// Whether the call may go through a proxy.
    pub via: Via,
}

/// Whether a call may go through the proxy of the company's network, where one is configured.
///
/// The caller decides, because only the caller knows whose server it calls: an address does not tell. `Direct` is the
/// default, so a call that nobody thought about cannot carry a question for a local model to a proxy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Via {
    /// Straight to the server: local model endpoints, this machine, and the services of AWS.
    #[default]
    Direct,
    /// Through the proxy: platforms and cloud endpoints. Still directly to this machine and to the exceptions that are
    /// configured beside the proxy.
    Proxy,
}

impl OutRequest {
    /// A `GET`, direct.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new(), via: Via::Direct }
    }

    /// A `POST` of JSON text, direct.
    #[must_use]
    pub fn post_json(url: Url, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        Self { method: Method::POST, url, headers, body: body.into(), via: Via::Direct }
    }

    /// The same call, this way.
    #[must_use]
    pub fn via(mut self, via: Via) -> Self {
        self.via = via;
        self
    }

    /// The same call with a secret header. A value that no header may hold leaves the call without it, and the server
    /// then says that the credential is missing.
    #[must_use]
    pub fn with_secret_header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        self
    }
}

/// Shows where a call goes and how large it is: neither query (tokens) nor body (people's words).
impl std::fmt::Debug for OutRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutRequest")
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .field("path", &self.url.path())
            .field("bytes", &self.body.len())
            .finish()
    }
}

/// What came back.
#[derive(Clone)]
pub struct OutResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// Shows the status and the size, not the body: it may hold people's words.
impl std::fmt::Debug for OutResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutResponse").field("status", &self.status).field("bytes", &self.body.len()).finish()
    }
}

/// What one call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the first packet to the last byte of the answer.
    pub total: Duration,
    /// The largest answer body, in bytes.
    pub bytes: usize,
}

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// No connection: refused, unreachable, unknown host, TLS failure. The peer never saw the call.
    #[error("the connection could not be made")]
    Unreachable,
    /// No connection within the connect timeout. The peer never saw the call.
    #[error("the connection was not made in time")]
    ConnectTimeout,
    /// The call took longer than [`Limits::total`]. The peer may have acted on it.
    #[error("no whole answer came in time")]
    Timeout,
    /// The connection broke after it was made. The peer may have acted on the call.
    #[error("the connection broke before the answer was whole")]
    Broken,
    /// The answer was larger than [`Limits::bytes`]. The peer acted on the call.
    #[error("the answer was larger than allowed")]
    TooLarge,
    /// The server's certificate is not trusted, has expired, or is for another name. The peer never saw the call.
    #[error(
        "the server's certificate is not trusted: if your network has a certificate authority of its own, \
         name its file in `ca_file` under `[network]`"
    )]
    Certificate,
    /// The proxy made no connection to the server. The server never saw the call.
    #[error("{0}")]
    Proxy(ProxyFault),
}

/// What was wrong at the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyFault {
    /// No connection to the proxy.
    #[error("the proxy under `[network]` cannot be reached")]
    Unreachable,
    /// The proxy made no connection in time.
    #[error("the proxy under `[network]` made no connection in time")]
    Timeout,
    /// The proxy asks for a user and a password, or for others (407).
    #[error("the proxy under `[network]` wants another user and password (407)")]
    Credentials,
    /// The proxy refused to connect to the server, or could not.
    #[error("the proxy under `[network]` refused to connect to the server, or could not")]
    Refused,
}

impl NetError {
    /// Whether the peer can have acted on the call although no answer came.
    #[must_use]
    pub const fn may_have_arrived(self) -> bool {
        match self {
            Self::Unreachable | Self::ConnectTimeout | Self::Certificate | Self::Proxy(_) => false,
            Self::Timeout | Self::Broken | Self::TooLarge => true,
        }
    }
}

/// Marks every call of another transport with [`Via::Proxy`]: for callers that call platforms only.
pub struct ThroughProxy<T>(pub T);

#[async_trait]
impl<T: std::ops::Deref<Target: Transport> + Send + Sync> Transport for ThroughProxy<T> {
    async fn call(&self, request: OutRequest, limits: Limits) -> Result<OutResponse, NetError> {
        self.0.call(request.via(Via::Proxy), limits).await
    }

    async fn stream(&self, request: OutRequest, limits: Limits) -> Result<OutStream, NetError> {
        self.0.stream(request.via(Via::Proxy), limits).await
    }
}

/// Carries calls out.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Makes one call, once: no retry, no redirect, no proxy of its own choosing.
    ///
    /// # Errors
    ///
    /// Says why no answer came; any HTTP status is an answer.
    async fn call(&self, request: OutRequest, limits: Limits) -> Result<OutResponse, NetError>;

    /// Makes one call like [`Transport::call`], and hands its answer out as it comes. Dropping what is returned ends
    /// the call. A transport that knows no pieces gives the whole answer as one.
    ///
    /// # Errors
    ///
    /// Says why not even the head of an answer came; what breaks later is told by [`Pieces::next`].
    async fn stream(&self, request: OutRequest, limits: Limits) -> Result<OutStream, NetError> {
        let OutResponse { status, headers, body } = self.call(request, limits).await?;
        Ok(OutStream { status, headers, body: Box::new(OnePiece(Some(body))) })
    }
}

/// An answer whose body is still coming.
pub struct OutStream {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, piece by piece.
    pub body: Box<dyn Pieces>,
}

/// Shows the status only.
impl std::fmt::Debug for OutStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutStream").field("status", &self.status).finish_non_exhaustive()
    }
}

/// A body as it comes. Where pieces begin and end says nothing: the network cuts where it likes.
#[async_trait]
pub trait Pieces: Send {
    /// The next bytes, never none of them; `None` after the last.
    ///
    /// # Errors
    ///
    /// The body broke off, took too long or grew too large. Nothing follows an error.
    async fn next(&mut self) -> Result<Option<Bytes>, NetError>;
}

/// A body that is there already.
struct OnePiece(Option<Bytes>);

#[async_trait]
impl Pieces for OnePiece {
    async fn next(&mut self) -> Result<Option<Bytes>, NetError> {
        Ok(self.0.take().filter(|body| !body.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_tokens_nor_words() {
        let url: Url = "https://example.com/send?access_token=hidden-token".parse().unwrap();
        let request = OutRequest::post_json(url, "hidden words")
            .with_secret_header(header::AUTHORIZATION, "Bearer hidden-bearer");
        let shown = format!("{request:?}");
        assert!(!shown.contains("hidden"), "{shown}");
        assert!(!format!("{:?}", request.headers).contains("hidden-bearer"));
    }
}
