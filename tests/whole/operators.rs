//! What operators see of a running Magpie: its log, and whether it can write.

use std::{path::Path, time::Duration};

use magpie_tests::{
    component::Component,
    platforms::{DINGTALK_KEYS, FEISHU_KEYS, OPERATOR_TOKEN, Pretend, configuration},
    process::Process,
    standalone::Magpie,
};
use serde_json::Value;
use simulator::{Fault, Say, Target};
use tempfile::TempDir;
use url::Url;

/// A folder with a configuration and its keys.
fn folder(platforms: &Pretend, local: &Pretend, cloud: &Pretend) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let keys = ("file:feishu.json", "file:dingtalk.json");
    let config = configuration(platforms, local, cloud, keys);
    for (name, content) in [
        ("feishu.json", FEISHU_KEYS),
        ("dingtalk.json", DINGTALK_KEYS),
        ("operator.token", OPERATOR_TOKEN),
        ("magpie.toml", &config),
    ] {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

struct Stage {
    platforms: Pretend,
    local: Pretend,
    cloud: Pretend,
    magpie: Magpie,
}

impl Stage {
    async fn start(env: &[(&str, &str)]) -> Option<Self> {
        let binary = Component::Magpie.find()?;
        let platforms = Pretend::start().await.unwrap();
        let (local, cloud) = (Pretend::start().await.unwrap(), Pretend::start().await.unwrap());
        let folder = folder(&platforms, &local, &cloud);
        let magpie = Magpie::start_in(binary, folder, env).await.unwrap();
        Some(Self { platforms, local, cloud, magpie })
    }

    fn hook(&self, bot: &str) -> Url {
        self.magpie.url.join(&format!("/webhook/feishu/{bot}")).unwrap()
    }

    async fn say(&self, text: &str) {
        let webhook = self.platforms.simulator.feishu_message("cli_test", &Say::direct("ann", text)).unwrap();
        self.platforms.deliver(&self.hook("feishu-bot"), &webhook).await.unwrap();
    }

    /// The log once it holds this.
    async fn log_with(&mut self, text: &str) -> Vec<String> {
        self.magpie.process.line_with(text).await.unwrap();
        self.magpie.process.said().lines().map(str::to_owned).collect()
    }
}

fn of<'a>(log: &'a [String], part: &str) -> Vec<&'a String> {
    log.iter().filter(|line| line.contains(part)).collect()
}

/// At the default level: one warning for each failed attempt, and who answered instead.
#[tokio::test(flavor = "multi_thread")]
async fn a_failover_can_be_followed_and_each_failure_is_one_line() {
    let Some(mut stage) = Stage::start(&[]).await else { return };
    stage.local.simulator.script(Target::Model, [Fault::Status(404)]);
    stage.say("canary-question").await;
    let log = stage.log_with(" INFO answered").await;
    let attempts = of(&log, "model.attempt");
    assert_eq!(attempts.len(), 1, "{log:?}");
    for part in [
        " WARN ",
        "endpoint=office",
        "model=office-model",
        "outcome=bad_request",
        "status=404",
        "platform=feishu",
        "bot=feishu-bot",
        "millis=",
        "turn=",
    ] {
        assert!(attempts[0].contains(part), "{part} is not in {}", attempts[0]);
    }
    let answered = of(&log, " INFO answered");
    assert!(answered[0].contains("endpoint=far") && answered[0].contains("office (bad_request, status 404)"));
    assert!(of(&log, "canary").is_empty(), "{log:?}");
    // What failed last is not ready, although its breaker is closed.
    let url = stage.magpie.url.join("/healthz").unwrap();
    let health = stage.platforms.get_as_operator(url).await.unwrap();
    let health: Value = serde_json::from_slice(&health.body).unwrap();
    assert_eq!(health["endpoints"][0]["state"], "failing", "{health}");
    assert_eq!(health["endpoints"][0]["last_error"]["class"], "bad_request", "{health}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apology_and_its_breakers_are_told() {
    let Some(mut stage) = Stage::start(&[]).await else { return };
    let refused = || std::iter::repeat_n(Fault::Status(401), 9);
    stage.local.simulator.script(Target::Model, refused());
    stage.cloud.simulator.script(Target::Model, refused());
    stage.say("hello").await;
    let log = stage.log_with("ERROR ended").await;
    assert_eq!(of(&log, "model.attempt").len(), 2, "{log:?}");
    assert_eq!(of(&log, "breaker.opened").len(), 2, "{log:?}");
    let ended = of(&log, "ERROR ended");
    assert!(ended[0].contains("cause=\"endpoint far (auth, status 401)"), "{}", ended[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_by_module_shows_the_steps_of_that_module() {
    let Some(mut stage) = Stage::start(&[("MAGPIE_LOG", "warn,turn=debug")]).await else { return };
    stage.say("hello").await;
    let log = stage.log_with("DEBUG sent").await;
    assert_eq!((of(&log, "DEBUG claimed").len(), of(&log, "DEBUG queued").len()), (1, 0), "{log:?}");
}

/// One object on each line, as on Lambda, the start included; challenges and wrong addresses among them.
#[tokio::test(flavor = "multi_thread")]
async fn a_json_log_is_json_on_every_line() {
    let Some(mut stage) = Stage::start(&[("MAGPIE_LOG_FORMAT", "json")]).await else { return };
    let challenge = stage.platforms.simulator.feishu_challenge("cli_test", "c").unwrap();
    stage.platforms.deliver(&stage.hook("feishu-bot"), &challenge).await.unwrap();
    for name in ["helpdsk", "%0Aforged%1B[2J"] {
        let answer = stage.platforms.deliver(&stage.hook(name), &challenge).await.unwrap();
        assert_eq!(answer.status, 404);
    }
    stage.say("hello").await;
    let log = stage.log_with("\"event.action\":\"answered\"").await;
    let lines: Vec<Value> = log.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let action = |name: &str| lines.iter().filter(|line| line["event.action"] == name).collect::<Vec<_>>();
    assert_eq!(action("webhook.url_verified")[0]["log.level"], "info");
    let unknown = action("webhook.unknown_bot");
    assert_eq!(unknown.len(), 2);
    assert_eq!(unknown[0]["magpie.detail"]["bot"], "helpdsk");
    assert_eq!(unknown[1]["magpie.detail"]["bot"], Value::Null, "a name that is none is not repeated");
    assert!(lines.iter().all(|line| line["@timestamp"].as_str().is_some_and(|at| at.ends_with('Z'))));
}

/// A Magpie on a disk that takes nothing more, as the limit on the size of files makes it.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn health_fails_while_nothing_can_be_written() {
    let Some(binary) = Component::Magpie.find() else { return };
    let platforms = Pretend::start().await.unwrap();
    let folder = folder(&platforms, &platforms, &platforms);
    let binary = std::path::absolute(binary).unwrap();
    // A write beyond the limit is an error only to who ignores the signal.
    let script = "trap '' XFSZ; exec \"$0\" serve --config magpie.toml --listen 127.0.0.1:0";
    let args = ["-c", script, binary.to_str().unwrap()];
    let mut process = Process::start(Path::new("/bin/sh"), &args, &[], folder.path()).unwrap();
    let line = process.line_with("listens on ").await.unwrap();
    let url = Url::parse(line.split_once("listens on ").unwrap().1.trim()).unwrap().join("healthz").unwrap();
    let status = async || platforms.get(url.clone()).await.unwrap().status.as_u16();
    assert_eq!(status().await, 200);
    let id = process.id().unwrap().to_string();
    for (limit, expected) in [("0", 503), ("unlimited", 200)] {
        let limited = tokio::process::Command::new("prlimit")
            .args(["--pid", &id, &format!("--fsize={limit}:unlimited")])
            .status()
            .await;
        assert!(limited.unwrap().success());
        let mut looks = tokio::time::interval(Duration::from_millis(200));
        let changed = tokio::time::timeout(Duration::from_secs(30), async {
            while status().await != expected {
                looks.tick().await;
            }
        });
        changed.await.unwrap();
    }
    let said = process.said();
    assert!(said.contains("store.unwritable") && said.contains("store.writable"), "{said}");
}
