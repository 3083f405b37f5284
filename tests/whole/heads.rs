//! What the head of a request alone decides, and bodies that are no HTTP, byte by byte.

use magpie_tests::{component::Component, standalone::Magpie};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const CONFIG: &str = "[bots.b]\nplatform = \"feishu\"\nkeys = \"demo\"\n[gateway]\ntoken = \"env:TOKEN\"\n\
                      [endpoints.e]\nplace = \"local\"\nurl = \"http://127.0.0.1:9/v1/completions\"\nmodel = \"m\"\n";

async fn start() -> Option<Magpie> {
    let binary = Component::Magpie.find()?;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("magpie.toml"), CONFIG).unwrap();
    Some(Magpie::start_in(binary, folder, &[("TOKEN", "a-token-of-24-characters")]).await.unwrap())
}

/// Everything that comes back for these bytes. The request never ends, so the answer has to come before its end.
async fn answer(magpie: &Magpie, request: &str) -> String {
    let address = (magpie.url.host_str().unwrap(), magpie.url.port().unwrap());
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 64 << 10];
    let read = connection.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_head_decides_is_said_before_the_body_is_asked_for() {
    let Some(magpie) = start().await else { return };
    let expecting = |path: &str, length: usize, more: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n{more}content-length: {length}\r\n\r\n"
        )
    };
    let token = "authorization: Bearer a-token-of-24-characters\r\n";
    let wrong = "authorization: Bearer another-token\r\n";
    for (request, status) in [
        (expecting("/v1/chat/completions", 9, ""), "401"),
        (expecting("/v1/chat/completions", 9, wrong), "401"),
        (expecting("/v1/nothing", 9, wrong), "401"),
        (expecting("/v1/chat/completions", 17 << 20, token), "413"),
        (expecting("/webhook/feishu/nobody", 9, ""), "404"),
        (expecting("/webhook/feishu/b", 2 << 20, ""), "413"),
        (expecting("/nothing", 9, ""), "404"),
        (expecting("/playground/say", 9, "").replace("localhost", "evil.example"), "421"),
        // Here the body decides, so it is asked for.
        (expecting("/v1/chat/completions", 9, token), "100"),
        (expecting("/webhook/feishu/b", 9, ""), "100"),
    ] {
        let said = answer(&magpie, &request).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{request}\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_body_is_400_and_not_413() {
    let Some(magpie) = start().await else { return };
    for body in ["nonsense\r\n", "5\r\nhello there\r\n", "ffffffffffffffffff\r\n", "-1\r\n"] {
        let request = format!(
            "POST /webhook/feishu/b HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n{body}"
        );
        let said = answer(&magpie, &request).await;
        assert!(said.starts_with("HTTP/1.1 400 "), "{body:?}\n{said}");
    }
    for length in ["-1", "nine", "9\r\ncontent-length: 10"] {
        let request = format!(
            "POST /webhook/feishu/b HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n{{}}"
        );
        let said = answer(&magpie, &request).await;
        assert!(said.starts_with("HTTP/1.1 400 "), "{length:?}\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_path_is_404_under_every_name_and_a_refused_name_is_told_why() {
    let Some(magpie) = start().await else { return };
    let get = |path: &str, host: &str| format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    for host in ["localhost", "127.0.0.1:18789", "evil.example", "bots.example.com:8443", ""] {
        for path in [
            "/nothing",
            "/page/nothing.js",
            "/playground/nothing",
            "/simulator/nothing",
            "/webhook/feishu",
            "/favicon.ico",
        ] {
            let said = answer(&magpie, &get(path, host)).await;
            assert!(said.starts_with("HTTP/1.1 404 "), "{path} at {host:?}\n{said}");
        }
    }
    for path in ["/", "/page/app.js", "/playground/state"] {
        let said = answer(&magpie, &get(path, "evil.example")).await;
        assert!(said.starts_with("HTTP/1.1 421 "), "{path}\n{said}");
        assert!(
            said.contains(&format!("Open it as {}", magpie.url)) && said.contains("DNS"),
            "{path}\n{said}"
        );
        assert!(said.contains("请在本机打开") && said.contains("charset=utf-8"), "{path}\n{said}");
        assert!(answer(&magpie, &get(path, "localhost")).await.starts_with("HTTP/1.1 200 "), "{path}");
    }
}
