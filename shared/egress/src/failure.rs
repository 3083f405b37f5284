//! What a failed call is to its caller.

use std::{error::Error, io};

use transport::{NetError, ProxyFault};

/// How `hyper_util` begins every error of a tunnel. Its type has no public name; `tests/proxy.rs` holds the words.
const TUNNEL: &str = "tunnel error: ";

/// A call that went straight to its server. The error itself is dropped: it holds the URL, and a URL may hold a token.
pub(crate) fn direct(error: &reqwest::Error) -> NetError {
    if error.is_connect() {
        match () {
            () if error.is_timeout() => NetError::ConnectTimeout,
            () if is_certificate(error) => NetError::Certificate,
            () => NetError::Unreachable,
        }
    } else if error.is_timeout() {
        NetError::Timeout
    } else if error.is_builder() {
        // Not a URL that HTTP can reach, so nothing was sent.
        NetError::Unreachable
    } else {
        NetError::Broken
    }
}

/// A call that went through a proxy, inside a tunnel or not.
pub(crate) fn through_proxy(error: &reqwest::Error, tunnel: bool) -> NetError {
    if !error.is_connect() {
        return direct(error);
    }
    if error.is_timeout() {
        return NetError::Proxy(ProxyFault::Timeout);
    }
    if is_certificate(error) {
        return NetError::Certificate;
    }
    let words = causes(error).map(ToString::to_string).find(|words| words.starts_with(TUNNEL));
    match words.as_deref().and_then(|words| words.strip_prefix(TUNNEL)) {
        Some("proxy authorization required") => NetError::Proxy(ProxyFault::Credentials),
        Some("failed to create underlying connection") => NetError::Proxy(ProxyFault::Unreachable),
        Some(_) => NetError::Proxy(ProxyFault::Refused),
        // Without a tunnel, the only connection is the one to the proxy; with one, this is what came behind it.
        None if tunnel => NetError::Unreachable,
        None => NetError::Proxy(ProxyFault::Unreachable),
    }
}

/// Whether a certificate kept the connection from being made.
fn is_certificate(error: &reqwest::Error) -> bool {
    causes(error)
        .any(|cause| matches!(innermost(cause).downcast_ref(), Some(rustls::Error::InvalidCertificate(_))))
}

/// What I/O errors are wrapped around, one in another. Their `source` passes over it.
fn innermost<'e>(mut error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    while let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        error = inner;
    }
    error
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}
