//! Where DingTalk is, and which reply addresses are DingTalk's.

use platform::ConnectOptions;
use url::Url;

/// The hosts that serve session webhooks. Exact names: a suffix rule would trust every page that anybody can put
/// under `dingtalk.com`, and `evildingtalk.com` besides.
const WEBHOOK_HOSTS: [&str; 2] = ["oapi.dingtalk.com", "api.dingtalk.com"];

/// The base URLs of DingTalk's two APIs.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    base: Option<Url>,
}

impl Hosts {
    pub(crate) fn new(options: &ConnectOptions) -> Self {
        Self { base: options.base_url.clone() }
    }

    /// A call of the v1.0 API: `path` begins with a slash.
    pub(crate) fn api(&self, path: &str) -> Url {
        self.at("api.dingtalk.com", path)
    }

    /// A call of the older API, where custom robots live.
    pub(crate) fn oapi(&self, path: &str) -> Url {
        self.at("oapi.dingtalk.com", path)
    }

    fn at(&self, host: &str, path: &str) -> Url {
        let mut url = self.base.clone().unwrap_or_else(|| usual(host));
        // `Url::join` would drop the last part of a prefix such as `/simulator/dingtalk`.
        let path = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url.set_query(None);
        url.set_fragment(None);
        url
    }

    /// The session webhook as a URL, if a message may be posted to it.
    ///
    /// The signature of a robot message does not cover its body, so this URL is whatever the sender wrote. Posting
    /// answers to it unseen would hand people's words, and a way into the network that Magpie runs in, to whoever
    /// saw one signed header. Trusted are DingTalk's own two hosts over HTTPS at the usual port, and the origin that
    /// the bot's base URL names, be it HTTP. A login in the URL, and text that parsers read differently (backslashes,
    /// spaces, control characters, anything but ASCII), is never trusted.
    pub(crate) fn trusted(&self, text: &str) -> Option<Url> {
        if text.contains('\\') || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let url = Url::parse(text).ok()?;
        if !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let official = url.scheme() == "https"
            && url.port().is_none()
            && url.host_str().is_some_and(|host| WEBHOOK_HOSTS.contains(&host));
        let ours = self.base.as_ref().is_some_and(|base| same_origin(base, &url));
        (official || ours).then_some(url)
    }
}

fn same_origin(base: &Url, url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && base.scheme() == url.scheme()
        && base.host() == url.host()
        && base.port_or_known_default() == url.port_or_known_default()
}

#[expect(clippy::expect_used, reason = "both hosts are literals of this file, and a test parses them")]
fn usual(host: &str) -> Url {
    Url::parse(&format!("https://{host}")).expect("a literal host makes a URL")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(base: Option<&str>) -> Hosts {
        Hosts { base: base.map(|url| url.parse().unwrap()) }
    }

    #[test]
    fn a_path_prefix_of_the_base_url_is_kept() {
        for (base, expected) in [
            (None, "https://api.dingtalk.com/v1.0/x"),
            (
                Some("http://127.0.0.1:18789/simulator/dingtalk"),
                "http://127.0.0.1:18789/simulator/dingtalk/v1.0/x",
            ),
            (
                Some("http://127.0.0.1:18789/simulator/dingtalk/"),
                "http://127.0.0.1:18789/simulator/dingtalk/v1.0/x",
            ),
            (Some("https://proxy.example/?q=1#f"), "https://proxy.example/v1.0/x"),
        ] {
            assert_eq!(hosts(base).api("/v1.0/x").as_str(), expected);
        }
        assert_eq!(hosts(None).oapi("/robot/send").as_str(), "https://oapi.dingtalk.com/robot/send");
    }

    #[test]
    fn dingtalks_own_webhooks_are_trusted() {
        for good in [
            "https://oapi.dingtalk.com/robot/sendBySession?session=abc",
            "https://api.dingtalk.com/robot/sendBySession?session=abc",
            "https://OAPI.DingTalk.com/robot/sendBySession?session=abc",
            "https://oapi.dingtalk.com:443/robot/sendBySession?session=abc",
        ] {
            assert!(hosts(None).trusted(good).is_some(), "{good}");
        }
    }

    #[test]
    fn hostile_webhooks_are_not_trusted() {
        for bad in [
            "",
            "oapi.dingtalk.com/robot",
            "//oapi.dingtalk.com/robot",
            "http://oapi.dingtalk.com/robot",
            "ftp://oapi.dingtalk.com/robot",
            "file:///etc/passwd",
            "data:text/plain,x",
            "https://oapi.dingtalk.com:8443/robot",
            "https://oapi.dingtalk.com:80/robot",
            "https://oapi.dingtalk.com@evil.example/robot",
            "https://oapi.dingtalk.com:x@evil.example/robot",
            "https://user@oapi.dingtalk.com/robot",
            "https://:secret@oapi.dingtalk.com/robot",
            "https://evil.example/oapi.dingtalk.com",
            "https://evil.example#@oapi.dingtalk.com/",
            "https://evil.example?@oapi.dingtalk.com/",
            "https://evil.example\\@oapi.dingtalk.com/",
            "https://oapi.dingtalk.com\\@evil.example/",
            "https:\\\\oapi.dingtalk.com/",
            "https://oapi.dingtalk.com./robot",
            "https://oapi.dingtalk.com.evil.example/robot",
            "https://evil-oapi.dingtalk.com/robot",
            "https://x.oapi.dingtalk.com/robot",
            "https://evildingtalk.com/robot",
            "https://dingtalk.com/robot",
            "https://oapi.dingtalk.io/robot",
            "https://[::1]/robot",
            "https://[::ffff:169.254.169.254]/robot",
            "https://169.254.169.254/latest/meta-data",
            "https://127.0.0.1/robot",
            "https://localhost/robot",
            "https://oapi.dingtalk.com%2eevil.example/robot",
            "https://oapi.dingtalk.com\u{ff0e}evil.example/robot",
            "https://ｏapi.dingtalk.com/robot",
            " https://oapi.dingtalk.com/robot",
            "https://oapi.ding\ttalk.com/robot",
            "https://oapi.dingtalk.com/robot\r\nhost: evil.example",
        ] {
            assert!(hosts(None).trusted(bad).is_none(), "{bad:?} must not be trusted");
        }
    }

    #[test]
    fn the_base_url_is_trusted_as_a_whole_origin_only() {
        let hosts = hosts(Some("http://127.0.0.1:18789/simulator/dingtalk"));
        for (url, trusted) in [
            ("http://127.0.0.1:18789/simulator/dingtalk/robot/sendBySession?session=1", true),
            ("https://oapi.dingtalk.com/robot/sendBySession?session=1", true),
            ("https://127.0.0.1:18789/robot", false),
            ("http://127.0.0.1:18790/robot", false),
            ("http://127.0.0.1/robot", false),
            ("http://localhost:18789/robot", false),
            ("http://user@127.0.0.1:18789/robot", false),
            ("http://127.0.0.2:18789/robot", false),
        ] {
            assert_eq!(hosts.trusted(url).is_some(), trusted, "{url}");
        }
    }
}
