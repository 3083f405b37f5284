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

/// Parts of addresses that are mistakenly written twice: by joining a base with a path that has its end already.
const REPEATED: [&str; 9] =
    ["v1", "v1beta", "api", "openai", "chat", "completions", "messages", "responses", "models"];

/// Hosts of the platforms' APIs, whose paths are known.
const PLATFORM_HOSTS: [&str; 4] =
    ["open.feishu.cn", "open.larksuite.com", "api.dingtalk.com", "oapi.dingtalk.com"];

/// What begins the paths of the platforms' APIs, behind a proxy of the operator's too.
const PLATFORM_PATHS: [&str; 3] = ["/open-apis", "/v1.0", "/robot/send"];

/// The address of a platform's API, which is called with paths of its own behind it; or what was found instead, and what
/// would be right.
pub(crate) fn parse_base_url(text: &str) -> Result<Url, (String, String)> {
    let url = parse_url(text, Plain::Loopback)?;
    let path = url.path().trim_end_matches('/').to_owned();
    let shown = shown(text.trim()).to_owned();
    let mut base = url.clone();
    base.set_query(None);
    base.set_fragment(None);
    let cut = PLATFORM_PATHS.iter().find_map(|start| path.find(start));
    let is_platform = url.host_str().is_some_and(|host| PLATFORM_HOSTS.contains(&host));
    base.set_path(if is_platform { "" } else { path.get(..cut.unwrap_or(path.len())).unwrap_or_default() });
    let wanted = || format!("`{}`", base.as_str().trim_end_matches('/'));
    if cut.is_some() || (is_platform && !path.is_empty()) {
        return Err((
            format!("`{shown}`, with a path that is added to it"),
            format!("the address without it: {}", wanted()),
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err((
            format!("`{shown}` and a query or a fragment (not shown)"),
            format!("the address alone: {}", wanted()),
        ));
    }
    Ok(url)
}

/// The address of an endpoint with a part of its path twice, as it was probably meant.
pub(crate) fn without_repetition(url: &Url) -> Option<Url> {
    let mut parts: Vec<&str> = url.path().split('/').collect();
    let length = parts.len();
    for size in (1..=3).rev() {
        let twice = |at: &usize| {
            let (first, rest) = parts[*at..].split_at(size);
            first == &rest[..size] && first.iter().all(|part| REPEATED.contains(part))
        };
        if let Some(at) =
            (0..=parts.len().saturating_sub(2 * size)).filter(|at| at + 2 * size <= length).find(twice)
        {
            parts.drain(at..at + size);
            let mut meant = url.clone();
            meant.set_path(&parts.join("/"));
            meant.set_query(None);
            meant.set_fragment(None);
            return Some(meant);
        }
    }
    None
}

/// An address to call; or what was found instead, without what may be secret in it, and what would be right.
pub(crate) fn parse_url(text: &str, plain: Plain) -> Result<Url, (String, String)> {
    let wanted = match plain {
        Plain::Allowed => "an address that begins with https:// or http://",
        Plain::Loopback => "an address that begins with https://, or with http:// on this machine",
    };
    let text = text.trim();
    // `localhost:8000/v1` and `open.feishu.cn` have no scheme, whatever a parser makes of them.
    let is_host =
        !text.contains("://") && text.split('/').next().is_some_and(|host| host.contains(['.', ':']));
    let wanted = || match plain {
        _ if !is_host || shown(text).starts_with('…') => wanted.to_owned(),
        Plain::Allowed => format!("{wanted}, for example `http://{}`", shown(text)),
        Plain::Loopback => format!("{wanted}, for example `https://{}`", shown(text)),
    };
    let url = Url::parse(text).map_err(|_| (format!("`{}`", shown(text)), wanted()))?;
    if !url.username().is_empty() || url.password().is_some() {
        let wanted = "an address without them: keys go where `key` or `keys` says";
        return Err(("an address with a user or a password (not shown)".to_owned(), wanted.to_owned()));
    }
    match (url.scheme(), plain) {
        ("https", _) | ("http", Plain::Allowed) => Ok(url),
        ("http", Plain::Loopback) if is_loopback(&url) => Ok(url),
        _ => Err((format!("`{}`", shown(text)), wanted())),
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
    fn a_base_is_an_address_without_the_platforms_paths() {
        for (text, meant) in [
            ("https://open.feishu.cn/open-apis", "`https://open.feishu.cn`"),
            ("https://open.feishu.cn/open-apis/", "`https://open.feishu.cn`"),
            ("https://open.larksuite.com/open-apis/bot/v2/hook/hidden", "`https://open.larksuite.com`"),
            ("https://proxy.example/feishu/open-apis", "`https://proxy.example/feishu`"),
            ("https://api.dingtalk.com/v1.0/oauth2", "`https://api.dingtalk.com`"),
            ("https://oapi.dingtalk.com/robot/send?access_token=hidden", "`https://oapi.dingtalk.com`"),
            ("https://open.feishu.cn/app", "`https://open.feishu.cn`"),
            ("https://proxy.example/x?token=hidden", "`https://proxy.example/x`"),
        ] {
            let (found, wanted) = parse_base_url(text).unwrap_err();
            assert!(wanted.ends_with(meant), "{text}: {wanted}");
            assert!(!found.contains("access_token") && !wanted.contains("hidden"), "{found}");
        }
        for text in [
            "https://open.feishu.cn",
            "https://open.feishu.cn/",
            " https://proxy.example/feishu ",
            "http://127.0.0.1:1/simulator/feishu",
        ] {
            assert!(parse_base_url(text).is_ok(), "{text}");
        }
        let (_, wanted) = parse_base_url("open.feishu.cn").unwrap_err();
        assert!(wanted.ends_with("for example `https://open.feishu.cn`"), "{wanted}");
    }

    #[test]
    fn a_part_that_stands_twice_is_told() {
        for (text, meant) in [
            ("http://h:8000/v1/v1/chat/completions", "http://h:8000/v1/chat/completions"),
            ("http://h/v1/chat/completions/chat/completions", "http://h/v1/chat/completions"),
            ("http://h/v1/chat/completions/v1/chat/completions", "http://h/v1/chat/completions"),
            ("http://h/api/api/chat", "http://h/api/chat"),
        ] {
            assert_eq!(without_repetition(&text.parse().unwrap()).map(String::from).as_deref(), Some(meant));
        }
        for text in
            ["http://h/v1/chat/completions", "http://h/a/a/v1/completions", "http://h", "http://h//v1"]
        {
            assert_eq!(without_repetition(&text.parse().unwrap()), None, "{text}");
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
