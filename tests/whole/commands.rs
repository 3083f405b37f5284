//! Commands as typed, and what they say when they cannot go on.

use std::path::Path;

use magpie_tests::{component::Component, platforms::Pretend, process::Process};

async fn run(args: &[&str], files: &[(&str, &str)], env: &[(&str, &str)]) -> Option<(Option<i32>, String)> {
    let binary = Component::Magpie.find()?;
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let process = Process::start(Path::new(&binary), args, env, folder.path()).unwrap();
    Some(process.end().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_ends_with_2_and_says_how_to_mend_it() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let config = ("magpie.toml", "[bots.b]\nplatform = \"feishu\"\nkeys = \"demo\"\n");
    let Some((code, said)) = run(&["--listen", &address], &[config], &[]).await else { return };
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains(&address) && said.contains("--listen"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_mistakes_of_a_configuration_are_told_at_once() {
    let config = r#"
[bots.helpdesk]
platform = "feischu"
[bots.other]
platform = "dingtalk"
keys = "env:NOT_SET"
[endpoints.office]
place = "local"
url = "http://127.0.0.1:9/v1/chat/completions"
model = "m"
[routing]
strategy = "local_fisrt"
surprise = true
"#;
    let Some((code, said)) = run(&["serve"], &[("magpie.toml", config)], &[]).await else { return };
    assert_eq!(code, Some(2), "{said}");
    for part in ["bots.helpdesk.platform", "bots.helpdesk.keys", "routing.strategy", "routing.surprise"] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_keys_are_named_and_never_shown() {
    let config = "[bots.b]\nplatform = \"feishu\"\nkeys = \"env:KEYS\"\n";
    let keys = r#"{"app_id": "cli_1", "verification_token": "", "encrypt_key": "canary-encrypt-key"}"#;
    let run = run(&["serve", "--listen", "127.0.0.1:0"], &[("magpie.toml", config)], &[("KEYS", keys)]).await;
    let Some((code, said)) = run else { return };
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("app_secret") && said.contains("verification_token"), "{said}");
    assert!(!said.contains("canary"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn notify_sends_through_a_custom_robot() {
    let platforms = Pretend::start().await.unwrap();
    platforms.simulator.add_custom_robot("robot-token", "SECcanary");
    let base = platforms.base("dingtalk").unwrap();
    let config = format!(
        "[channels.ops]\nplatform = \"dingtalk\"\nkeys = \"secret:magpie/ops\"\nbase_url = \"{base}\"\n[bots.b]\nplatform = \"feishu\"\nkeys = \"demo\"\n"
    );
    // `secret:` is read from the environment, or from .env, where there is no Secrets Manager.
    let env = r#"MAGPIE_OPS='{"access_token": "robot-token", "secret": "SECcanary"}'"#;
    let files = [("magpie.toml", config.as_str()), (".env", env)];
    let Some((code, said)) = run(&["notify", "ops", "disk is **full**"], &files, &[]).await else { return };
    assert_eq!(code, Some(0), "{said}");
    let seen = platforms.seen(1).await.unwrap();
    assert!(seen[0].text.contains("disk is **full**"));
    let (code, said) = run(&["notify", "nobody", "x"], &files, &[]).await.unwrap();
    assert_eq!(code, Some(2));
    assert!(said.contains("ops"), "the channels that there are: {said}");
}

/// Nothing is sent, and nobody's configuration is needed to know that.
#[tokio::test(flavor = "multi_thread")]
async fn a_notification_that_says_nothing_is_an_error() {
    for text in ["", "  ", "-"] {
        // Standard input is empty here.
        let Some((code, said)) = run(&["notify", "ops", text], &[], &[]).await else { return };
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("is empty"), "{text:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_cannot_be_read_stops_the_start_and_is_named() {
    let config = ("magpie.toml", "[bots.b]\nplatform = \"feishu\"\nkeys = \"demo\"\n");
    for (filter, part) in [("loud", "`loud`"), ("warn,turn=verbose", "`verbose`"), ("info,", "``")] {
        let env = [("MAGPIE_LOG", filter)];
        let Some((code, said)) = run(&["--listen", "127.0.0.1:0"], &[config], &env).await else { return };
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("MAGPIE_LOG") && said.contains(part) && said.contains("debug"), "{said}");
    }
    let env = [("MAGPIE_LOG_FORMAT", "xml")];
    let (code, said) = run(&["--listen", "127.0.0.1:0"], &[config], &env).await.unwrap();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("MAGPIE_LOG_FORMAT") && said.contains("`text` or `json`"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn notify_sends_through_a_custom_bot_of_feishu() {
    let platforms = Pretend::start().await.unwrap();
    platforms.simulator.add_feishu_custom_bot("canary-id", "canary-secret", Some("disk"));
    let base = platforms.base("feishu").unwrap();
    let config = format!(
        "[channels.ops]\nplatform = \"feishu\"\nkeys = \"secret:magpie/ops\"\nbase_url = \"{base}\"\n[bots.b]\nplatform = \"feishu\"\nkeys = \"demo\"\n"
    );
    let env = |secret: &str| {
        format!(
            "MAGPIE_OPS='{{\"webhook\": \"https://open.feishu.cn/open-apis/bot/v2/hook/canary-id\", \"secret\": \"{secret}\"}}'"
        )
    };
    let right = env("canary-secret");
    let files = [("magpie.toml", config.as_str()), (".env", right.as_str())];
    let Some((code, said)) = run(&["notify", "ops", "disk is **full**"], &files, &[]).await else { return };
    assert_eq!(code, Some(0), "{said}");
    let seen = platforms.seen(1).await.unwrap();
    assert_eq!((seen[0].text.as_str(), seen[0].form.as_str()), ("disk is **full**", "interactive"));
    // More messages than Feishu takes in a second: none of them is lost.
    let long = format!("disk\n\n{}", "- disk \\<full\\>, and \\*nobody\\* looks\n".repeat(3_000));
    let (code, said) = run(&["notify", "ops", &long], &files, &[]).await.unwrap();
    assert_eq!(code, Some(0), "{said}");
    assert!(platforms.seen(6).await.is_ok(), "more messages than five");
    let (code, said) = run(&["notify", "ops", "memory is full"], &files, &[]).await.unwrap();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("19024") && said.contains("keywords"), "{said}");
    let wrong = env("another-canary");
    let files = [("magpie.toml", config.as_str()), (".env", wrong.as_str())];
    let (code, said) = run(&["notify", "ops", "disk"], &files, &[]).await.unwrap();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("19021") && said.contains("clock") && !said.contains("canary"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn help_and_version_are_there() {
    let Some((code, said)) = run(&["--help"], &[], &[]).await else { return };
    assert_eq!(code, Some(0));
    assert!(said.contains("serve") && said.contains("notify") && said.contains("--config"), "{said}");
}
