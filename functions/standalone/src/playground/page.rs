//! The page's files, and who may load them.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use url::Url;

/// Nothing from elsewhere, nothing inline: whatever a model writes, the page cannot be made to run or load it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

macro_rules! files {
    ($($name:literal => $kind:literal),+ $(,)?) => {
        /// The names of the page's files.
        pub(super) const NAMES: &[&str] = &[$($name),+];

        /// Type and content of a file of the page.
        fn find(name: &str) -> Option<(&'static str, &'static str)> {
            match name {
                $($name => Some(($kind, include_str!(concat!("../../page/", $name)))),)+
                _ => None,
            }
        }
    };
}

files! {
    "index.html" => "text/html; charset=utf-8",
    "style.css" => "text/css; charset=utf-8",
    "icon.svg" => "image/svg+xml",
    "api.js" => "text/javascript; charset=utf-8",
    "app.js" => "text/javascript; charset=utf-8",
    "composer.js" => "text/javascript; charset=utf-8",
    "dom.js" => "text/javascript; charset=utf-8",
    "ledger.js" => "text/javascript; charset=utf-8",
    "markdown.js" => "text/javascript; charset=utf-8",
    "side.js" => "text/javascript; charset=utf-8",
    "talk.js" => "text/javascript; charset=utf-8",
    "text.js" => "text/javascript; charset=utf-8",
    "timeline.js" => "text/javascript; charset=utf-8",
}

/// `GET /`
pub(super) async fn index() -> Response {
    serve("index.html")
}

/// `GET /page/` and the name of a file.
pub(super) fn serve(name: &str) -> Response {
    match find(name) {
        Some((kind, content)) => ([(header::CONTENT_TYPE, kind)], content).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Lets nobody in through another name. A page elsewhere can have its own host name resolve to 127.0.0.1 and then talk to
/// this server as its own origin (DNS rebinding); it cannot make the browser send a `Host` that is ours. So the
/// playground answers to IP addresses and `localhost` only. `base` is where this process listens.
pub(super) async fn guard(State(base): State<Url>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !is_own_name(host) {
        return (StatusCode::MISDIRECTED_REQUEST, wrong_name(&base)).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Why a request under another name is refused, and what to do. The name itself is not repeated: whoever sent it chose it.
fn wrong_name(base: &Url) -> String {
    format!(
        "This page is served only under an IP address or localhost, so that no web site can reach it under a name of \
         its own (DNS rebinding).\nOpen it as {base} on this machine. Webhooks, the gateway and /healthz answer under \
         every name.\n\n为防止其他网站以自己的域名访问本页面（DNS 重绑定），本页面只能通过 IP 地址或 localhost 打开。\n\
         请在本机打开 {base}。Webhook、网关和 /healthz 可以用任何域名访问。\n"
    )
}

fn is_own_name(host: &str) -> bool {
    let Ok(url) = url::Url::parse(&format!("http://{host}/")) else { return false };
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => true,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_names_for_this_machine_are_refused() {
        for own in ["127.0.0.1:18789", "localhost:18789", "[::1]:18789", "192.168.1.9", "localhost"] {
            assert!(is_own_name(own), "{own}");
        }
        for other in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:18789", ""] {
            assert!(!is_own_name(other), "{other}");
        }
    }

    #[test]
    fn every_file_that_the_page_names_is_there() {
        let (_, index) = find("index.html").unwrap();
        for name in index.split("/page/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(find(name).is_some(), "{name}");
        }
    }
}
