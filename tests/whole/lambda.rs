//! The built functions: event → receiving bootstrap → SQS FIFO → worker bootstrap → DynamoDB → simulated platform.

use std::path::PathBuf;

use magpie_tests::{
    cloud::{Cloud, sqs_event},
    component::Component,
    function::Function,
    gateway,
    platforms::{CANARIES, DINGTALK_KEYS, FEISHU_KEYS, Pretend, configuration},
};
use serde_json::{Value, json};
use simulator::{Fault, Say, Target, Webhook};
use tempfile::TempDir;

/// The three functions on emulated queues and tables, with simulated platforms and models around them.
struct Deployment {
    cloud: Cloud,
    platforms: Pretend,
    local: Pretend,
    far: Pretend,
    feishu: Function,
    dingtalk: Function,
    worker: Function,
    feishu_secret: String,
    _folder: TempDir,
}

impl Deployment {
    async fn start() -> Option<Self> {
        let (aws, dynamodb) = (Component::Aws.find()?, Component::DynamoDb.find()?);
        let cloud = Cloud::new(aws, dynamodb).await.unwrap();
        let (platforms, local, far) = (
            Pretend::start().await.unwrap(),
            Pretend::start().await.unwrap(),
            Pretend::start().await.unwrap(),
        );
        let feishu_secret = cloud.secret("feishu", FEISHU_KEYS).await.unwrap();
        let dingtalk_secret = cloud.secret("dingtalk", DINGTALK_KEYS).await.unwrap();
        let key = r#"{"2026-11": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}"#;
        let vault = cloud.secret("vault", key).await.unwrap();
        let keys = (format!("secret:{feishu_secret}"), format!("secret:{dingtalk_secret}"));
        let text = configuration(&platforms, &local, &far, (&keys.0, &keys.1))
            + &format!("[vault]\nkeys = \"secret:{vault}\"\n");
        let (folder, config) = written(&text);
        let environment = cloud.environment();
        let start = async |name| Function::start(name, &config, &environment).await.unwrap();
        let (feishu, dingtalk, worker) =
            (start("feishu").await?, start("dingtalk").await?, start("worker").await?);
        Some(Self { cloud, platforms, local, far, feishu, dingtalk, worker, feishu_secret, _folder: folder })
    }

    async fn feishu(&mut self, webhook: &Webhook) -> Value {
        self.feishu.invoke(&gateway_event("/webhook/feishu/feishu-bot", webhook)).await.unwrap()
    }

    /// Hands everything in the queue to the worker, as the event source mapping does. Returns how many came again.
    async fn work(&mut self) -> usize {
        let messages = self.cloud.receive().await.unwrap();
        let answer = self.worker.invoke(&sqs_event(&messages)).await.unwrap();
        let failures = answer["batchItemFailures"].as_array().unwrap().clone();
        for message in &messages {
            if !failures.iter().any(|failure| failure["itemIdentifier"] == json!(message.message_id)) {
                self.cloud.delete(message).await.unwrap();
            }
        }
        failures.len()
    }
}

fn written(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("magpie.toml");
    std::fs::write(&config, text).unwrap();
    (folder, config)
}

fn gateway_event(path: &str, webhook: &Webhook) -> Value {
    let body = std::str::from_utf8(&webhook.body).unwrap();
    gateway::event(path, &webhook.query, &webhook.headers, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_through_the_built_functions() {
    let Some(mut deployment) = Deployment::start().await else { return };
    let simulator = deployment.platforms.simulator.clone();

    let first = simulator.feishu_message("cli_test", &Say::direct("ann", "my name is Ann")).unwrap();
    let answer = deployment.feishu(&first).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(deployment.work().await, 0);
    assert_eq!(simulator.sent().len(), 1);

    // Redelivered, then the local model is gone (each question may ask it twice), then the cloud's too.
    assert_eq!(deployment.feishu(&first).await["statusCode"], 200);
    let second = simulator.feishu_message("cli_test", &Say::direct("ann", "what is my name?")).unwrap();
    deployment.local.simulator.script(Target::Model, vec![Fault::Status(500); 4]);
    assert_eq!(deployment.feishu(&second).await["statusCode"], 200);
    assert_eq!(deployment.work().await, 0);
    let asked = deployment.far.simulator.model_requests();
    assert!(asked[0]["prompt"].as_str().unwrap().contains("my name is Ann"), "{}", asked[0]);
    assert_eq!(simulator.sent().len(), 2, "the redelivery was not answered again");

    let base = deployment.platforms.base("dingtalk").unwrap();
    let robot = simulator.dingtalk_message("dingtest", &Say::group("team", "bob", "你好"), &base).unwrap();
    deployment.far.simulator.script(Target::Model, [Fault::Empty]);
    let event = gateway_event("/webhook/dingtalk/dingtalk-bot", &robot);
    assert_eq!(deployment.dingtalk.invoke(&event).await.unwrap()["statusCode"], 200);
    assert_eq!(deployment.work().await, 0);
    let sent = simulator.sent();
    assert_eq!((sent[2].by, sent[2].text.starts_with("抱歉")), ("session_webhook", true), "{}", sent[2].text);

    for function in [&mut deployment.feishu, &mut deployment.dingtalk, &mut deployment.worker] {
        let said = function.process.said();
        for canary in CANARIES.iter().chain(&["my name is Ann", "what is my name"]) {
            assert!(!said.contains(canary), "{canary} is in a function's log");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_last_try_a_turn_is_parked_and_its_record_goes_to_the_dead_letters() {
    let Some(mut deployment) = Deployment::start().await else { return };
    let simulator = deployment.platforms.simulator.clone();
    let busy = Fault::RateLimited { reset_seconds: 600 };
    // One for the try before the last, one for the last, one for what is said in giving up.
    simulator.script(Target::FeishuSend, [busy.clone(), busy.clone(), busy]);
    let webhook = simulator.feishu_message("cli_test", &Say::direct("ann", "in vain")).unwrap();
    assert_eq!(deployment.feishu(&webhook).await["statusCode"], 200);
    let mut event = sqs_event(&deployment.cloud.receive().await.unwrap());
    for (tries, failures) in [("4", 1), ("5", 1), ("6", 0)] {
        event["Records"][0]["attributes"]["ApproximateReceiveCount"] = json!(tries);
        let answer = deployment.worker.invoke(&event).await.unwrap();
        assert_eq!(answer["batchItemFailures"].as_array().unwrap().len(), failures, "try {tries}");
    }
    assert_eq!(simulator.sent().len(), 0, "parked: a later delivery finds nothing to do");
    assert_eq!(deployment.local.simulator.model_requests().len(), 1);
    assert!(deployment.worker.process.said().contains("tries_exhausted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_without_a_lost_webhook() {
    let Some(mut deployment) = Deployment::start().await else { return };
    let simulator = deployment.platforms.simulator.clone();
    let old = simulator.feishu_message("cli_test", &Say::direct("ann", "signed with the old key")).unwrap();
    let newer = FEISHU_KEYS.replace("canary-encrypt-key", "canary-newer-key");
    deployment.cloud.rotate(&deployment.feishu_secret, &newer).await.unwrap();
    simulator.add_feishu(simulator::FeishuApp {
        app_id: "cli_test".into(),
        app_secret: "canary-app-secret".into(),
        verification_token: "canary-verification-token".into(),
        encrypt_key: Some("canary-newer-key".into()),
        name: "Magpie".into(),
    });
    let new = simulator.feishu_message("cli_test", &Say::direct("ann", "signed with the new key")).unwrap();
    // The function started after the rotation: it knows both versions.
    assert_eq!(deployment.feishu(&new).await["statusCode"], 200);
    assert_eq!(deployment.feishu(&old).await["statusCode"], 200);
    assert_eq!(deployment.work().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_says_what_is_wrong_with_its_configuration() {
    let (folder, config) = written("[bots.b]\nplatform = \"feishu\"\nkeys = \"env:NOT_SET\"\n");
    let started = Function::start("feishu", &config, &[]).await.unwrap();
    let Some(mut function) = started else { return };
    assert!(function.invoke(&json!({})).await.is_err());
    let said = function.process.said();
    assert!(said.contains("NOT_SET"), "{said}");
    drop(folder);
}
