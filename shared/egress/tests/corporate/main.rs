//! Calls from inside a company's network: certificate authorities of its own, and a proxy to the rest of the world.
#![expect(clippy::unwrap_used, reason = "a test whose servers cannot be set up has failed")]

mod authorities;
mod net;

use net::{Ca, Does, LONG, SHORT, call, client, proxy};
use transport::{NetError, ProxyFault, Via};

const YEARS: (i32, i32) = (2020, 2090);

/// A port where nobody listens.
async fn closed() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_server_of_the_companys_authority_is_trusted_once_that_is_added() {
    let ca = Ca::new("Example Root CA", YEARS);
    let (server, seen) = ca.serve("localhost").await;
    let url = format!("https://localhost:{}/", server.port());
    assert_eq!(call(&client(&[&ca], None, LONG), &url, Via::Direct).await.unwrap().body, "ok");
    assert_eq!(seen.lock().unwrap().len(), 1);
    let other = Ca::new("Another CA", YEARS);
    for client in [client(&[], None, LONG), client(&[&other], None, LONG)] {
        assert_eq!(call(&client, &url, Via::Direct).await.unwrap_err(), NetError::Certificate);
    }
    // Trusted, and for another name.
    let (server, _) = ca.serve("other.example").await;
    let url = format!("https://localhost:{}/", server.port());
    assert_eq!(
        call(&client(&[&ca], None, LONG), &url, Via::Direct).await.unwrap_err(),
        NetError::Certificate
    );
}

/// The proxy leads to the server whatever it is asked for, so the server's own certificate is the one that the company's
/// authority made for the name: what a proxy that reads along does.
#[tokio::test]
async fn a_call_goes_through_the_tunnel_of_a_proxy_that_intercepts_tls() {
    let ca = Ca::new("Example Interception CA", YEARS);
    let (server, seen) = ca.serve("cloud.example").await;
    let (address, asked) = proxy(Does::Connect(server)).await;
    let client = client(&[&ca], Some(&format!("http://ann:s%40cret@{address}")), LONG);
    let answer = call(&client, "https://cloud.example/v1?token=hidden", Via::Proxy).await.unwrap();
    assert_eq!(answer.body, "ok");
    let asked = asked.lock().unwrap();
    assert!(asked[0].starts_with("CONNECT cloud.example:443 HTTP/1.1\r\n"), "{asked:?}");
    assert!(asked[0].to_lowercase().contains("proxy-authorization: basic yw5uonnay3jlda==\r\n"), "{asked:?}");
    assert!(!asked[0].contains("hidden"), "{asked:?}");
    let seen = seen.lock().unwrap();
    assert!(seen[0].starts_with("GET /v1?token=hidden HTTP/1.1\r\n"), "{seen:?}");
    assert!(!seen[0].to_lowercase().contains("proxy-"), "the password went on to the server: {seen:?}");
}

#[tokio::test]
async fn without_the_companys_authority_a_proxy_that_intercepts_is_a_certificate_fault() {
    let (server, _) = Ca::new("Example Interception CA", YEARS).serve("cloud.example").await;
    let (address, asked) = proxy(Does::Connect(server)).await;
    let client = client(&[], Some(&format!("http://{address}")), LONG);
    assert_eq!(call(&client, "https://cloud.example/", Via::Proxy).await.unwrap_err(), NetError::Certificate);
    assert_eq!(asked.lock().unwrap().len(), 1);
}

/// Were the proxy used here, the call would fail: nobody listens there.
#[tokio::test]
async fn a_direct_call_and_one_to_this_machine_never_go_through_the_proxy() {
    let ca = Ca::new("Example Root CA", YEARS);
    let (server, seen) = ca.serve("localhost").await;
    let client = client(&[&ca], Some(&closed().await), LONG);
    let url = format!("https://localhost:{}/", server.port());
    for via in [Via::Direct, Via::Proxy] {
        assert_eq!(call(&client, &url, via).await.unwrap().body, "ok", "{via:?}");
    }
    assert_eq!(seen.lock().unwrap().len(), 2);
    // And a call that may not go through it fails by itself, not by the proxy.
    let failed = call(&client, "http://no-such-host.invalid/", Via::Direct).await.unwrap_err();
    assert_eq!(failed, NetError::Unreachable);
}

#[tokio::test]
async fn a_fault_of_the_proxy_is_told_as_the_proxys() {
    const REFUSED: &str = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
    const DOWN_BEHIND: &str = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n";
    const CREDENTIALS: &str = "HTTP/1.1 407 Proxy Authentication Required\r\n\
                               proxy-authenticate: Basic realm=\"x\"\r\ncontent-length: 0\r\n\r\n";
    for (does, fault) in [
        (Does::Answer(CREDENTIALS), ProxyFault::Credentials),
        (Does::Answer(REFUSED), ProxyFault::Refused),
        (Does::Answer(DOWN_BEHIND), ProxyFault::Refused),
        (Does::Answer("SSH-2.0-no-proxy\r\n"), ProxyFault::Refused),
        (Does::Close, ProxyFault::Refused),
        (Does::Hang, ProxyFault::Timeout),
    ] {
        let (address, asked) = proxy(does).await;
        let limit = if fault == ProxyFault::Timeout { SHORT } else { LONG };
        let client = client(&[], Some(&format!("http://{address}")), limit);
        let failed = call(&client, "https://cloud.example/", Via::Proxy).await.unwrap_err();
        assert_eq!(failed, NetError::Proxy(fault));
        assert!(!failed.may_have_arrived() && failed.to_string().contains("the proxy"), "{failed}");
        assert_eq!(asked.lock().unwrap().len(), 1);
    }
    let client = client(&[], Some(&closed().await), LONG);
    for url in ["https://cloud.example/", "http://cloud.example/"] {
        let failed = call(&client, url, Via::Proxy).await.unwrap_err();
        assert_eq!(failed, NetError::Proxy(ProxyFault::Unreachable), "{url}");
    }
}

#[tokio::test]
async fn a_call_without_tls_is_forwarded_by_the_proxy() {
    let (address, asked) = proxy(Does::Forward).await;
    let client_of = |user: &str| client(&[], Some(&format!("http://{user}{address}")), LONG);
    let answer = call(&client_of("ann:s@"), "http://cloud.example:8000/v1", Via::Proxy).await.unwrap();
    assert_eq!(answer.body, "ok");
    {
        let asked = asked.lock().unwrap();
        assert!(asked[0].starts_with("GET http://cloud.example:8000/v1 HTTP/1.1\r\n"), "{asked:?}");
        assert!(asked[0].to_lowercase().contains("proxy-authorization: basic "), "{asked:?}");
    }
    let (address, _) = proxy(Does::Answer("HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n")).await;
    let client = client(&[], Some(&format!("http://{address}")), LONG);
    let failed = call(&client, "http://cloud.example/", Via::Proxy).await.unwrap_err();
    assert_eq!(failed, NetError::Proxy(ProxyFault::Credentials));
}
