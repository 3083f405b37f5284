//! A webhook as it arrives, and as it is answered.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

/// A webhook as it arrived: nothing in it is believed yet.
#[derive(Clone)]
pub struct RawRequest {
    /// The headers; their names compare without case.
    pub headers: HeaderMap,
    /// The query, percent-decoded, in order.
    pub query: Vec<(String, String)>,
    /// The body, exactly as sent; a transport encoding of the gateway (Base64) is undone.
    pub body: Bytes,
}

/// Shows the size only: headers hold signatures and the body people's words.
impl std::fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawRequest").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl RawRequest {
    /// The header of this name, if it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The first query parameter of this name.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What a webhook is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookAnswer {
    /// The status.
    pub status: StatusCode,
    /// The body: JSON text, or empty.
    pub body: String,
}

impl HookAnswer {
    /// `200` with JSON text.
    #[must_use]
    pub fn ok(json: impl Into<String>) -> Self {
        Self { status: StatusCode::OK, body: json.into() }
    }

    /// A status without a body.
    #[must_use]
    pub const fn empty(status: StatusCode) -> Self {
        Self { status, body: String::new() }
    }
}
