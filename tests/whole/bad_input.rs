//! What bad input gets, over real HTTP.

use http::{HeaderMap, HeaderName};
use simulator::{Say, Webhook};

use crate::configured::Setup;

/// Status and body that a tampered webhook gets.
async fn sent(setup: &Setup, platform: &str, webhook: &Webhook) -> (u16, usize) {
    let answer = setup.platforms.deliver(&setup.hook(platform), webhook).await.unwrap();
    (answer.status.as_u16(), answer.body.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_be_forged_gets_401_and_nothing_else() {
    let Some(setup) = Setup::start().await else { return };
    let simulator = &setup.platforms.simulator;
    let good = simulator.feishu_message("cli_test", &Say::direct("ann", "hello")).unwrap();
    let base = setup.platforms.base("dingtalk").unwrap();
    let robot = simulator.dingtalk_message("dingtest", &Say::direct("bob", "hello"), &base).unwrap();
    let push = simulator.dingtalk_push("dingtest", r#"{"EventType":"check_url"}"#).unwrap();

    let mut changed = good.clone();
    changed.body.push(b' ');
    let unsigned = Webhook { headers: vec![], ..good.clone() };
    let plain = Webhook {
        body: br#"{"type":"url_verification","challenge":"c","token":"x"}"#.to_vec(),
        ..unsigned.clone()
    };
    let mut wrong_sign = robot.clone();
    for (_, value) in wrong_sign.headers.iter_mut().filter(|(name, _)| name == "sign") {
        value.replace_range(0..1, if value.starts_with('A') { "B" } else { "A" });
    }
    let mut stale = robot.clone();
    for (_, value) in stale.headers.iter_mut().filter(|(name, _)| name == "timestamp") {
        *value = (setup.platforms.now() - 3_600_001).to_string();
    }
    let wrong_push = Webhook { query: push.query.replace("nonce=", "nonce=x"), ..push };
    for (platform, webhook) in [
        ("feishu", &changed),
        ("feishu", &unsigned),
        ("feishu", &plain),
        ("dingtalk", &wrong_sign),
        ("dingtalk", &stale),
        ("dingtalk", &wrong_push),
        ("dingtalk", &good),
        ("feishu", &robot),
    ] {
        assert_eq!(sent(&setup, platform, webhook).await, (401, 0));
    }
    assert!(setup.local.simulator.model_requests().is_empty(), "no work was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_paths_sizes_and_forms_get_their_status() {
    let Some(setup) = Setup::start().await else { return };
    let none = HeaderMap::new;
    for path in
        ["/webhook/feishu/nobody", "/webhook/slack/feishu-bot", "/webhook/dingtalk/feishu-bot", "/nothing"]
    {
        let url = setup.magpie.url.join(path).unwrap();
        let answer = setup.platforms.post(url, none(), b"{}".to_vec()).await.unwrap();
        assert_eq!(answer.status, 404, "{path}");
    }
    let flood = setup.platforms.post(setup.hook("feishu"), none(), vec![b' '; (1 << 20) + 1]).await.unwrap();
    assert_eq!(flood.status, 413);
    let long =
        HeaderMap::from_iter([(HeaderName::from_static("x-long"), "x".repeat(17 << 10).parse().unwrap())]);
    let head = setup.platforms.post(setup.hook("feishu"), long, b"{}".to_vec()).await.unwrap();
    assert_eq!(head.status, 431);
    // A DingTalk robot's signature does not cover the body, so a signed body that is not JSON is malformed, not forged.
    let base = setup.platforms.base("dingtalk").unwrap();
    let robot =
        setup.platforms.simulator.dingtalk_message("dingtest", &Say::direct("b", "x"), &base).unwrap();
    let deep = [vec![b'['; 5_000], vec![b']'; 5_000]].concat();
    for body in [b"not json".to_vec(), deep] {
        assert_eq!(sent(&setup, "dingtalk", &Webhook { body, ..robot.clone() }).await, (400, 0));
    }
    // An event of a new shape is no mistake of the platform's, which would only send it again.
    let unknown = Webhook { body: b"{}".to_vec(), ..robot };
    assert_eq!(sent(&setup, "dingtalk", &unknown).await, (200, 2));
    let health = setup.platforms.get(setup.magpie.url.join("/healthz").unwrap()).await.unwrap();
    assert_eq!(health.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_we_do_not_handle_gets_200() {
    let Some(setup) = Setup::start().await else { return };
    let from_bot = Say { from_bot: true, ..Say::direct("robot", "loop") };
    assert_eq!(setup.feishu(&from_bot).await, 200);
    let unmentioned = Say { mention_bot: false, ..Say::group("team", "ann", "not for the bot") };
    assert_eq!(setup.feishu(&unmentioned).await, 200);
    assert_eq!(setup.feishu(&Say::direct("ann", "hello")).await, 200);
    assert_eq!(setup.platforms.seen(1).await.unwrap().len(), 1, "only the last one is answered");
}
