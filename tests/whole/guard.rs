//! The playground answers to its own names only.

use http::{HeaderMap, HeaderValue, header};
use magpie_tests::{component::Component, platforms::Pretend, standalone::Magpie};

#[tokio::test(flavor = "multi_thread")]
async fn another_name_for_this_machine_reaches_nothing_but_webhooks() {
    let Some(binary) = Component::Magpie.find() else { return };
    let magpie = Magpie::start(&binary, "[bots.b]\nplatform = \"feishu\"\nkeys = \"demo\"\n").await.unwrap();
    let client = Pretend::start().await.unwrap();
    let mut foreign = HeaderMap::new();
    foreign.insert(header::HOST, HeaderValue::from_static("evil.example"));
    for (path, status) in [
        ("/playground/say", 421),
        ("/simulator/feishu/open-apis/auth/v3/tenant_access_token/internal", 421),
        // A webhook comes under whatever name the operator gave it; its signature protects it.
        ("/webhook/feishu/b", 401),
    ] {
        let url = magpie.url.join(path).unwrap();
        let answer = client.post(url, foreign.clone(), b"{}".to_vec()).await.unwrap();
        assert_eq!(answer.status, status, "{path}");
    }
}
