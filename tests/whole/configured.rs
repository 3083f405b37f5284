//! `magpie serve --config FILE` with a file of one's own.

use std::time::Duration;

use magpie_tests::{
    component::Component,
    platforms::{CANARIES, DINGTALK_KEYS, FEISHU_KEYS, OPERATOR_TOKEN, Pretend, configuration},
    standalone::Magpie,
};
use simulator::{Fault, Say, Target};
use url::Url;

/// A running Magpie with a bot on each platform, a local endpoint over chat completions and a cloud one over legacy
/// completions.
pub(crate) struct Setup {
    pub(crate) platforms: Pretend,
    pub(crate) local: Pretend,
    pub(crate) cloud: Pretend,
    pub(crate) magpie: Magpie,
}

impl Setup {
    pub(crate) async fn start() -> Option<Self> {
        Self::with_endpoints("").await
    }

    /// One with further endpoints, in the configuration's words; they come before the others of their places.
    pub(crate) async fn with_endpoints(further: &str) -> Option<Self> {
        let binary = Component::Magpie.find()?;
        let (platforms, local, cloud) = (
            Pretend::start().await.unwrap(),
            Pretend::start().await.unwrap(),
            Pretend::start().await.unwrap(),
        );
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("feishu.json"), FEISHU_KEYS).unwrap();
        std::fs::write(folder.path().join("dingtalk.json"), DINGTALK_KEYS).unwrap();
        std::fs::write(folder.path().join("operator.token"), OPERATOR_TOKEN).unwrap();
        let keys = ("file:feishu.json", "file:dingtalk.json");
        let config = format!("{further}{}", configuration(&platforms, &local, &cloud, keys));
        std::fs::write(folder.path().join("magpie.toml"), config).unwrap();
        let magpie = Magpie::start_in(binary, folder, &[("MAGPIE_LOG", "debug")]).await.unwrap();
        Some(Self { platforms, local, cloud, magpie })
    }

    pub(crate) fn hook(&self, platform: &str) -> Url {
        self.magpie.url.join(&format!("/webhook/{platform}/{platform}-bot")).unwrap()
    }

    /// Says something on Feishu and returns the status that the platform saw.
    pub(crate) async fn feishu(&self, say: &Say) -> u16 {
        let webhook = self.platforms.simulator.feishu_message("cli_test", say).unwrap();
        self.platforms.deliver(&self.hook("feishu"), &webhook).await.unwrap().status.as_u16()
    }

    /// Waits until the local model server was asked, whether or not it has answered.
    pub(crate) async fn local_asked(&self) {
        let mut patience = tokio::time::interval(Duration::from_millis(20));
        while !self.local.simulator.calls().iter().any(|call| call.target == Target::Model) {
            patience.tick().await;
        }
    }

    /// Says something on DingTalk and returns the status that the platform saw.
    pub(crate) async fn dingtalk(&self, say: &Say) -> u16 {
        let base = self.platforms.base("dingtalk").unwrap();
        let webhook = self.platforms.simulator.dingtalk_message("dingtest", say, &base).unwrap();
        self.platforms.deliver(&self.hook("dingtalk"), &webhook).await.unwrap().status.as_u16()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn local_first_then_the_cloud_then_an_apology() {
    let Some(setup) = Setup::start().await else { return };
    assert_eq!(setup.feishu(&Say::direct("ann", "my name is Ann")).await, 200);
    setup.platforms.seen(1).await.unwrap();
    assert_eq!(setup.feishu(&Say::direct("ann", "what is my name?")).await, 200);
    setup.platforms.seen(2).await.unwrap();
    let asked = setup.local.simulator.model_requests();
    assert!(asked[1].to_string().contains("my name is Ann"), "the second message carries the first");

    // The local server is gone, port and all.
    drop(setup.local.served);
    let webhook =
        setup.platforms.simulator.feishu_message("cli_test", &Say::direct("ann", "still there?")).unwrap();
    let hook = setup.magpie.url.join("/webhook/feishu/feishu-bot").unwrap();
    setup.platforms.deliver(&hook, &webhook).await.unwrap();
    setup.platforms.seen(3).await.unwrap();
    let prompt = setup.cloud.simulator.model_requests()[0]["prompt"].as_str().unwrap().to_owned();
    assert!(prompt.contains("my name is Ann") && prompt.contains("still there?"), "{prompt}");

    drop(setup.cloud.served);
    let webhook =
        setup.platforms.simulator.feishu_message("cli_test", &Say::direct("ann", "有人吗？")).unwrap();
    setup.platforms.deliver(&hook, &webhook).await.unwrap();
    let seen = setup.platforms.seen(4).await.unwrap();
    assert!(seen[3].text.starts_with("抱歉"), "{}", seen[3].text);
}

#[tokio::test(flavor = "multi_thread")]
async fn dingtalk_is_answered_through_its_session_and_event_pushes_get_their_success() {
    let Some(setup) = Setup::start().await else { return };
    assert_eq!(setup.dingtalk(&Say::group("team", "bob", "hello")).await, 200);
    assert_eq!(setup.platforms.seen(1).await.unwrap()[0].by, "session_webhook");
    let simulator = &setup.platforms.simulator;
    for event in [r#"{"EventType":"check_url"}"#, r#"{"EventType":"chat_add_member","eventId":"e1"}"#] {
        let push = simulator.dingtalk_push("dingtest", event).unwrap();
        let answer = setup.platforms.deliver(&setup.hook("dingtalk"), &push).await.unwrap();
        assert_eq!(answer.status, 200);
        let body = String::from_utf8(answer.body.to_vec()).unwrap();
        assert_eq!(simulator.dingtalk_push_answer("dingtest", &body).as_deref(), Some("success"));
    }
    let challenge = simulator.feishu_challenge("cli_test", "c-\"1\"").unwrap();
    let answer = setup.platforms.deliver(&setup.hook("feishu"), &challenge).await.unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &br#"{"challenge":"c-\"1\""}"#[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_secrets_nor_words_are_logged() {
    let Some(mut setup) = Setup::start().await else { return };
    setup.local.simulator.script(Target::Model, [Fault::Answer("canary-answer".into())]);
    setup.feishu(&Say::direct("ann", "canary-question")).await;
    setup.dingtalk(&Say::direct("bob", "canary-question")).await;
    let mut bad = setup.platforms.simulator.feishu_message("cli_test", &Say::direct("ann", "x")).unwrap();
    bad.body.push(b' ');
    setup.platforms.deliver(&setup.hook("feishu"), &bad).await.unwrap();
    setup.platforms.seen(2).await.unwrap();
    setup.magpie.process.line_with("rejected").await.unwrap();
    let said = setup.magpie.process.said();
    assert!(said.contains("answered"), "the log says what happened: {said}");
    for canary in CANARIES.iter().chain(&["canary-question", "canary-answer"]) {
        assert!(!said.contains(canary), "{canary} is in the log");
    }
    // The database holds sealed texts only.
    let data = setup.magpie.folder().join("magpie-data");
    for name in ["magpie.db", "magpie.db-wal"] {
        let bytes = std::fs::read(data.join(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        for canary in CANARIES.iter().chain(&["canary-question", "canary-answer"]) {
            assert!(!text.contains(canary), "{canary} is in {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_conversation_does_not_hold_another_up() {
    let Some(setup) = Setup::start().await else { return };
    setup.local.simulator.script(Target::Model, [Fault::Hang(Duration::from_secs(10))]);
    setup.feishu(&Say::direct("slow", "think long")).await;
    setup.local_asked().await;
    setup.feishu(&Say::direct("quick", "hello")).await;
    let first = &setup.platforms.seen(1).await.unwrap()[0];
    assert!(first.text.contains("hello"), "{}", first.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_shows_how_the_endpoints_fare_and_stays_good_without_them() {
    let Some(setup) = Setup::start().await else { return };
    let health = async || {
        let url = setup.magpie.url.join("/healthz").unwrap();
        let answer = setup.platforms.get_as_operator(url).await.unwrap();
        assert_eq!(answer.status, 200);
        serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap()
    };
    let before = health().await;
    assert_eq!(
        (&before["endpoints"][0]["name"], &before["endpoints"][1]["name"]),
        (&"office".into(), &"far".into())
    );
    assert_eq!(before["endpoints"][0]["state"], "ready");
    assert!(before["endpoints"][0]["first_token_millis"].is_null());
    let url = setup.magpie.url.join("/healthz").unwrap();
    let answer = setup.platforms.get(url).await.unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &br#"{"status":"ok"}"#[..]));
    // Keys that are refused are not going to be better in a moment.
    let refused = || std::iter::repeat_n(Fault::Status(401), 20);
    setup.local.simulator.script(Target::Model, refused());
    for count in 1..=5 {
        setup.feishu(&Say::direct("ann", "hello")).await;
        setup.platforms.seen(count).await.unwrap();
    }
    let after = health().await;
    assert_eq!(after["endpoints"][0]["state"], "left_alone", "{after}");
    assert!(after["endpoints"][0]["seconds"].as_u64().unwrap() > 0, "{after}");
    assert_eq!(after["endpoints"][0]["last_error"]["status"], 401, "{after}");
    assert_eq!(after["endpoints"][1]["state"], "ready", "{after}");
    assert!(after["endpoints"][1]["first_token_millis"].is_u64(), "{after}");
}
