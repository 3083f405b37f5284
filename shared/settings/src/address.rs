//! Addresses to call, told without what may be secret in them.

use url::{Host, Url};

/// Where `http` without TLS is good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    /// Everywhere: a model server in a private network.
    Allowed,
    /// On this machine only, because a bot's keys travel along.
    Loopback,
}

/// An address to call; or what was found instead, without what may be secret in it, and what would be right.
pub(crate) fn parse_url(text: &str, plain: Plain) -> Result<Url, (String, &'static str)> {
    let wanted = match plain {
        Plain::Allowed => "an address that begins with https:// or http://",
        Plain::Loopback => "an address that begins with https://, or with http:// on this machine",
    };
    let url = Url::parse(text.trim()).map_err(|_| (format!("`{}`", shown(text)), wanted))?;
    if !url.username().is_empty() || url.password().is_some() {
        let wanted = "an address without them: keys go where `key` or `keys` says";
        return Err(("an address with a user or a password (not shown)".to_owned(), wanted));
    }
    match (url.scheme(), plain) {
        ("https", _) | ("http", Plain::Allowed) => Ok(url),
        ("http", Plain::Loopback) if is_loopback(&url) => Ok(url),
        _ => Err((format!("`{}`", shown(text)), wanted)),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// As much of an address as cannot be secret: up to the query, and nothing of one with a user in it.
fn shown(text: &str) -> &str {
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let text = text.get(..end).unwrap_or_default();
    if text.contains('@') { "… (not shown)" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_this_machine_where_keys_travel() {
        for text in
            ["https://open.feishu.cn", "http://localhost:18789/feishu", "http://127.0.0.9", "http://[::1]:8"]
        {
            assert!(parse_url(text, Plain::Loopback).is_ok(), "{text}");
        }
        for text in ["http://open.feishu.cn", "http://localhost.example", "http://10.0.0.1", "http://[::2]"] {
            assert!(parse_url(text, Plain::Loopback).is_err(), "{text}");
            assert!(parse_url(text, Plain::Allowed).is_ok(), "{text}");
        }
        for text in ["", "localhost:8000", "ftp://localhost", "file:///etc/passwd", "https://", "/v1"] {
            assert!(parse_url(text, Plain::Allowed).is_err(), "{text}");
        }
    }

    #[test]
    fn what_may_be_secret_is_not_shown() {
        for text in [
            "https://user:hidden@h.example",
            "https://hidden@h.example",
            "ftp://h.example/?key=hidden",
            "http//user:hidden@h",
            "ftp://h.example/#hidden",
        ] {
            let (found, wanted) = parse_url(text, Plain::Allowed).unwrap_err();
            assert!(!found.contains("hidden") && !wanted.contains("hidden"), "{found}");
        }
    }
}
