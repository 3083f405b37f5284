//! A proxy between a company's network and the rest of the world.

use std::{fmt, net::IpAddr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use percent_encoding::percent_decode_str;
use transport::Via;
use url::{Host, Url};

/// A proxy, with what it wants to be told of the user. Shown without that.
#[derive(Clone)]
pub struct Proxy {
    /// Without user and password.
    address: Url,
    credentials: Option<HeaderValue>,
    exceptions: Vec<String>,
    matcher: Option<std::sync::Arc<Matcher>>,
}

/// Why a text is no proxy's address. Holds nothing of the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// No `http://` or `https://` before the host: curl takes that, and it would be a guess.
    #[error("an address without `http://` or `https://` (not shown: it may hold a password)")]
    NoScheme,
    /// A proxy of another kind.
    #[error("a SOCKS proxy")]
    Socks,
    /// Not an address.
    #[error("a text that is no address (not shown: it may hold a password)")]
    NoAddress,
    /// Something after the port, which no proxy's address has.
    #[error("an address with a path or a query behind the port")]
    Path,
}

/// What a proxy's address must look like.
pub const PROXY_WANTED: &str = "`http://HOST:PORT` or `https://HOST:PORT`";

/// What an exception must look like.
pub const EXCEPTION_WANTED: &str = "a host or a domain (with all below it), an IP address, or a network such as `10.0.0.0/8`; without a port";

impl Proxy {
    /// Reads an address such as `http://proxy.example:3128` or `http://user:password@proxy.example:3128`. What is not
    /// a letter or a digit in user and password may be percent-encoded.
    ///
    /// # Errors
    ///
    /// See [`ProxyError`].
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        let text = text.trim();
        let (scheme, _) = text.split_once("://").ok_or(ProxyError::NoScheme)?;
        let scheme = scheme.to_ascii_lowercase();
        match scheme.as_str() {
            "http" | "https" => {}
            _ if scheme.starts_with("socks") => return Err(ProxyError::Socks),
            _ => return Err(ProxyError::NoScheme),
        }
        let mut address: Url = text.parse().map_err(|_| ProxyError::NoAddress)?;
        if !matches!(address.path(), "" | "/") || address.query().is_some() || address.fragment().is_some() {
            return Err(ProxyError::Path);
        }
        let credentials = credentials(&address);
        // An address with a host takes both.
        address
            .set_username("")
            .and_then(|()| address.set_password(None))
            .map_err(|()| ProxyError::NoAddress)?;
        Ok(Self { address, credentials, exceptions: Vec::new(), matcher: None })
    }

    /// The same proxy, for all but these: hosts, domains with all below them, IP addresses, networks. See [`exception`].
    #[must_use]
    pub fn except(mut self, exceptions: Vec<String>) -> Self {
        let matcher = Matcher::builder().all(self.address.as_str()).no(exceptions.join(",")).build();
        self.exceptions = exceptions;
        self.matcher = Some(std::sync::Arc::new(matcher));
        self
    }

    /// Whether a user and a password are sent to it.
    #[must_use]
    pub const fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    /// Which hosts are called directly, beside this machine.
    #[must_use]
    pub fn exceptions(&self) -> &[String] {
        &self.exceptions
    }

    /// Whether a call to this address goes through the proxy.
    #[must_use]
    pub fn takes(&self, url: &Url, via: Via) -> bool {
        if via == Via::Direct || is_this_machine(url) {
            return false;
        }
        let Some(matcher) = &self.matcher else { return true };
        url.as_str().parse::<Uri>().is_ok_and(|uri| matcher.intercept(&uri).is_some())
    }

    /// For the client, which sees only calls that go through the proxy.
    pub(crate) fn of_reqwest(&self) -> reqwest::Result<reqwest::Proxy> {
        let proxy = reqwest::Proxy::all(self.address.as_str())?;
        Ok(match &self.credentials {
            Some(credentials) => proxy.custom_http_auth(credentials.clone()),
            None => proxy,
        })
    }
}

/// The user and the password of an address, as the proxy wants them.
fn credentials(address: &Url) -> Option<HeaderValue> {
    let password = address.password();
    if address.username().is_empty() && password.is_none() {
        return None;
    }
    let mut plain: Vec<u8> = percent_decode_str(address.username()).collect();
    plain.push(b':');
    plain.extend(percent_decode_str(password.unwrap_or_default()));
    let mut header = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(plain))).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// An exception in the form that is compared: lower case, without the `.` or `*.` before a domain.
///
/// # Errors
///
/// Not one of [`EXCEPTION_WANTED`].
pub fn exception(text: &str) -> Result<String, NoException> {
    let text = text.trim();
    if let Some((ip, bits)) = text.split_once('/') {
        let longest = if ip.parse::<IpAddr>().map_err(|_| NoException)?.is_ipv4() { 32 } else { 128 };
        let fits = bits.parse::<u8>().is_ok_and(|bits| bits <= longest);
        return if fits { Ok(text.to_owned()) } else { Err(NoException) };
    }
    if text.parse::<IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    let domain = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).unwrap_or(text);
    match Host::parse(domain) {
        Ok(Host::Domain(name)) if !name.contains(['*', ',']) => Ok(name),
        Ok(Host::Ipv6(ip)) => Ok(ip.to_string()),
        _ => Err(NoException),
    }
}

/// A text that is no exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither a host nor a network")]
pub struct NoException;

/// Whether an address leads to this machine, whatever the proxy would make of it: for a proxy it is another machine.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(Host::Ipv6(ip)) => {
            ip.is_loopback() || ip.is_unspecified() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback())
        }
        None => false,
    }
}

/// `http://proxy.example:3128`, never the user or the password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.address.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.to_string()).finish()
    }
}

#[cfg(test)]
mod tests;
