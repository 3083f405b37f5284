//! A clock, a chance, a small HTTP client and a running simulator.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use chat::{Clock, Entropy, Timestamp};
use serde_json::{Value, json};
use simulator::{DingTalkApp, FeishuApp, Served, Simulator};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A clock that a test moves.
pub(crate) struct Hands(AtomicI64);

impl Hands {
    pub(crate) fn at(millis: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(millis)))
    }

    pub(crate) fn forward(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Counts, so that no two ids are the same and every run makes the same ones.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = number[index % number.len()];
        }
    }
}

/// A simulator with one app on each platform, served.
pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
    pub(crate) clock: Arc<Hands>,
    pub(crate) served: Served,
}

pub(crate) const AES_KEY: &str = "ahovCJQX4bipwDKRY5cjqxELSZ6dkryFMT07elszGNU";

pub(crate) fn feishu_app(app_id: &str) -> FeishuApp {
    FeishuApp {
        app_id: app_id.into(),
        app_secret: "feishu-secret".into(),
        verification_token: "vtok".into(),
        encrypt_key: Some("ekey".into()),
        name: "Magpie".into(),
    }
}

pub(crate) fn dingtalk_app(client_id: &str, robot_code: &str) -> DingTalkApp {
    DingTalkApp {
        client_id: client_id.into(),
        client_secret: "ding-secret".into(),
        robot_code: robot_code.into(),
        token: Some("tok123".into()),
        aes_key: Some(AES_KEY.into()),
        name: "Magpie".into(),
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::at(1_700_000_000_000).await
    }

    pub(crate) async fn at(millis: i64) -> Self {
        let clock = Hands::at(millis);
        let simulator = Simulator::new(clock.clone(), Arc::new(Counter::default()));
        simulator.add_feishu(feishu_app("cli_a"));
        simulator.add_dingtalk(dingtalk_app("ding_a", "robot_a"));
        let served = simulator::serve(simulator.router()).await.unwrap();
        Self { simulator, clock, served }
    }

    pub(crate) fn dingtalk_base(&self) -> url::Url {
        self.served.url.join("dingtalk").unwrap()
    }

    /// A call with these headers beside those of JSON.
    pub(crate) async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Got {
        call(&self.served.url, method, path, headers, body).await.unwrap()
    }

    pub(crate) async fn feishu(&self, method: &str, path: &str, token: &str, body: &Value) -> Got {
        let bearer = format!("Bearer {token}");
        let path = format!("/feishu/open-apis/{path}");
        self.call(method, &path, &[("authorization", &bearer)], &body.to_string()).await
    }

    pub(crate) async fn feishu_token(&self, app_id: &str) -> String {
        let body = json!({"app_id": app_id, "app_secret": "feishu-secret"});
        let got = self.feishu("POST", "auth/v3/tenant_access_token/internal", "", &body).await;
        got.json()["tenant_access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn dingtalk(&self, path: &str, token: &str, body: &Value) -> Got {
        let path = format!("/dingtalk/{path}");
        self.call("POST", &path, &[("x-acs-dingtalk-access-token", token)], &body.to_string()).await
    }

    pub(crate) async fn dingtalk_token(&self, client_id: &str) -> String {
        let body = json!({"appKey": client_id, "appSecret": "ding-secret"});
        let got = self.dingtalk("v1.0/oauth2/accessToken", "", &body).await;
        got.json()["accessToken"].as_str().unwrap().to_owned()
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
    /// Whether the body is whole, as far as HTTP can tell.
    pub(crate) whole: bool,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Feishu's `code`.
    pub(crate) fn code(&self) -> i64 {
        self.json()["code"].as_i64().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// One call on a connection of its own; `None` when the connection closed without an answer.
pub(crate) async fn call(
    base: &url::Url,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Got> {
    let mut stream = TcpStream::connect(("127.0.0.1", base.port().unwrap())).await.unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: simulator\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request.push_str("content-type: application/json; charset=utf-8\r\n");
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that breaks in the middle is one of the things that are tested.
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let (body, whole) =
        if head.contains("transfer-encoding: chunked") { unchunk(body) } else { (body.to_owned(), true) };
    Some(Got { status, head: head.to_owned(), body, whole })
}

fn unchunk(mut rest: &str) -> (String, bool) {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return (body, true);
        }
        body.push_str(&after[..size]);
        rest = &after[size + 2..];
    }
    (body, false)
}
