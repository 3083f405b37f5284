//! Every sample event of `infra/events`, through its built bootstrap.

use std::path::{Path, PathBuf};

use magpie_tests::{cloud::Cloud, component::Component, function::Function};
use serde_json::Value;

fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/events")
}

fn event(name: &str) -> Value {
    let text = std::fs::read_to_string(events().join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// `dingtalk-message.json`, signed for now by the script that people are told to use.
fn signed_event() -> Value {
    let output = std::process::Command::new(events().join("sign-dingtalk")).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_event_gets_the_answer_that_its_table_says() {
    let (Some(aws), Some(dynamodb)) = (Component::Aws.find(), Component::DynamoDb.find()) else { return };
    let cloud = Cloud::new(aws, dynamodb).await.unwrap();
    let config = events().join("bots/magpie.toml");
    let environment = cloud.environment();
    let start = async |name| Function::start(name, &config, &environment).await.unwrap();
    let (Some(mut feishu), Some(mut dingtalk)) = (start("feishu").await, start("dingtalk").await) else {
        return;
    };
    // `dingtalk-message.json` is good for an hour after it was signed, so it is run signed for now, below.
    let mut seen = vec!["dingtalk-message.json".to_owned()];
    for (name, status, queued) in [
        ("feishu-challenge.json", 200, 0),
        ("feishu-challenge-encrypted.json", 200, 0),
        ("feishu-bad-signature.json", 401, 0),
        ("feishu-message.json", 200, 1),
        // The same message in another transport encoding: the queue drops the repetition.
        ("feishu-message-base64.json", 200, 0),
        ("dingtalk-stale.json", 401, 0),
        ("dingtalk-check-url.json", 200, 0),
    ] {
        let function = if name.starts_with("feishu") { &mut feishu } else { &mut dingtalk };
        let answer = function.invoke(&event(name)).await.unwrap();
        assert_eq!(answer["statusCode"], status, "{name}: {answer}");
        let body = answer["body"].as_str().unwrap_or_default();
        assert_eq!(body.is_empty(), status == 401, "{name}: {body}");
        if name.contains("challenge") {
            assert!(body.starts_with(r#"{"challenge":"#), "{name}: {body}");
        }
        assert_eq!(cloud.receive().await.unwrap().len(), queued, "{name}");
        seen.push(name.to_owned());
    }
    let answer = dingtalk.invoke(&signed_event()).await.unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(cloud.receive().await.unwrap().len(), 1);

    let mut files: Vec<String> = std::fs::read_dir(events())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    seen.sort();
    assert_eq!(files, seen, "a sample event that nobody runs may be wrong");
}
