//! The process's one HTTP client, as the AWS SDK wants it.

use std::{fmt, sync::Arc, time::Duration};

use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use transport::{Limits, NetError, OutRequest, Transport, Via};

/// What an AWS call may take when the SDK sets no timeout of its own. The slowest call that Magpie makes, a query of
/// one conversation, answers in tens of milliseconds.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer of an AWS call. DynamoDB cuts pages at 1 MB, which JSON and Base64 make larger.
const ANSWER_MAX: usize = 8 * 1024 * 1024;

/// Carries the SDK's calls over the shared transport.
#[derive(Clone)]
pub struct SharedClient(Arc<dyn Transport>);

impl SharedClient {
    /// The SDK's view of this transport.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }
}

impl fmt::Debug for SharedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedClient")
    }
}

impl HttpClient for SharedClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let timeout = settings.read_timeout().unwrap_or(CALL_TIMEOUT);
        SharedHttpConnector::new(Connector { transport: Arc::clone(&self.0), timeout })
    }
}

struct Connector {
    transport: Arc<dyn Transport>,
    timeout: Duration,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let transport = Arc::clone(&self.transport);
        let limits = Limits { total: self.timeout, bytes: ANSWER_MAX };
        HttpConnectorFuture::new(async move {
            let request = outgoing(request)?;
            let answer = transport.call(request, limits).await.map_err(failure)?;
            let mut response = http::Response::new(SdkBody::from(answer.body));
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The SDK's request as ours. Magpie streams nothing to AWS, so the body is always at hand.
fn outgoing(request: HttpRequest) -> Result<OutRequest, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let bytes =
        body.bytes().ok_or_else(|| ConnectorError::user("the body of an AWS call is a stream".into()))?;
    let url = parts.uri.to_string().parse().map_err(|_| ConnectorError::user("not a URL".into()))?;
    let body = Bytes::copy_from_slice(bytes);
    Ok(OutRequest { method: parts.method, url, headers: parts.headers, body, via: Via::Direct })
}

fn failure(error: NetError) -> ConnectorError {
    match error {
        NetError::Unreachable | NetError::Certificate | NetError::Proxy(_) => {
            ConnectorError::io(error.into()).never_connected()
        }
        NetError::ConnectTimeout => ConnectorError::timeout(error.into()).never_connected(),
        NetError::Timeout => ConnectorError::timeout(error.into()),
        NetError::Broken => ConnectorError::io(error.into()),
        NetError::TooLarge => ConnectorError::other(error.into(), None),
    }
}
