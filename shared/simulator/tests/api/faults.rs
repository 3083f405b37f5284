//! Faults of the platforms, and what they leave behind.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use simulator::{Fault, Say, Target};
use tokio::net::TcpStream;

use crate::support::{Got, Stage, call};

/// Replies to a message of ann's on Feishu; `None` when no answer comes.
async fn reply(stage: &Stage) -> Option<Got> {
    let token = stage.feishu_token("cli_a").await;
    let id = stage.simulator.feishu_message("cli_a", &Say::direct("ann", "hi")).unwrap().message_id;
    let path = format!("/feishu/open-apis/im/v1/messages/{id}/reply");
    let body = json!({"msg_type": "text", "content": "{\"text\":\"hi\"}"}).to_string();
    call(&stage.served.url, "POST", &path, &[("authorization", &format!("Bearer {token}"))], &body).await
}

/// Answers a message of ann's on DingTalk through its session.
async fn session(stage: &Stage) -> Option<Got> {
    let webhook =
        stage.simulator.dingtalk_message("ding_a", &Say::direct("ann", "hi"), &stage.dingtalk_base());
    let message: Value = serde_json::from_slice(&webhook.unwrap().body).unwrap();
    let url: url::Url = message["sessionWebhook"].as_str().unwrap().parse().unwrap();
    let path = format!("{}?{}", url.path(), url.query().unwrap());
    let body = json!({"msgtype": "text", "text": {"content": "a"}}).to_string();
    call(&stage.served.url, "POST", &path, &[], &body).await
}

#[tokio::test]
async fn nothing_happens_and_no_answer_comes() {
    let stage = Stage::new().await;
    stage.simulator.script(Target::FeishuSend, [Fault::Reset]);
    assert!(reply(&stage).await.is_none());
    assert!(stage.simulator.sent().is_empty());
    assert_eq!(reply(&stage).await.unwrap().code(), 0, "one fault, one call");
}

#[tokio::test]
async fn the_message_shows_and_no_answer_comes() {
    let stage = Stage::new().await;
    stage.simulator.script(Target::FeishuSend, [Fault::AcceptThenLose]);
    stage.simulator.script(Target::DingTalkSessionWebhook, [Fault::AcceptThenLose]);
    assert!(reply(&stage).await.is_none());
    assert!(session(&stage).await.is_none());
    assert_eq!(stage.simulator.sent().len(), 2);
}

#[tokio::test]
async fn the_message_shows_and_half_an_answer_comes() {
    let stage = Stage::new().await;
    stage.simulator.script(Target::FeishuSend, [Fault::Cut]);
    let got = reply(&stage).await.unwrap();
    assert!(!got.whole && !got.body.is_empty(), "{got:?}");
    assert_eq!(stage.simulator.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn waiting_takes_the_runtimes_time() {
    let stage = Stage::new().await;
    for fault in [Fault::Hang(Duration::from_secs(3600)), Fault::Stall(Duration::from_secs(3600))] {
        stage.simulator.script(Target::FeishuSend, [fault.clone()]);
        let before = tokio::time::Instant::now();
        let got = reply(&stage).await.unwrap();
        assert_eq!((got.code(), got.whole), (0, true), "{fault:?}");
        assert!(before.elapsed() >= Duration::from_secs(3600), "{fault:?}");
    }
}

#[tokio::test]
async fn each_fault_in_the_words_of_its_api() {
    let stage = Stage::new().await;
    let faults = || {
        [
            Fault::Status(502),
            Fault::Garbage,
            Fault::Empty,
            Fault::Answer("{\"code\":1}".into()),
            Fault::RateLimited { reset_seconds: 3 },
        ]
    };
    stage.simulator.script(Target::FeishuSend, faults().into_iter().chain([Fault::Code(230_020)]));
    stage.simulator.script(Target::DingTalkSessionWebhook, faults().into_iter().chain([Fault::Code(-1)]));
    let mut got = Vec::new();
    for _ in 0..6 {
        got.push((reply(&stage).await.unwrap(), session(&stage).await.unwrap()));
    }
    let statuses: Vec<_> = got.iter().map(|(feishu, dingtalk)| (feishu.status, dingtalk.status)).collect();
    assert_eq!(statuses, [(502, 502), (200, 200), (200, 200), (200, 200), (429, 200), (200, 200)]);
    assert!(got[1].0.body.starts_with("<html>") && got[1].1.body.starts_with("<html>"));
    assert!(got[2].0.body.is_empty() && got[2].1.body.is_empty());
    assert_eq!(got[3].0.code(), 1);
    assert_eq!((got[4].0.code(), got[4].0.header("x-ogw-ratelimit-reset")), (99_991_400, Some("3")));
    assert_eq!(got[4].1.json()["errcode"], 410_100);
    assert_eq!(got[5].0.code(), 230_020);
    assert_eq!(got[5].1.json()["errcode"], -1);
    assert!(stage.simulator.sent().is_empty());
}

#[tokio::test]
async fn dingtalks_old_numbers_become_texts() {
    let stage = Stage::new().await;
    for (code, status, text) in [
        (42_001, 400, "InvalidAuthentication"),
        (40_089, 400, "invalidClientIdOrSecret"),
        (90_002, 403, "Forbidden.AccessDenied.QpsLimitForApi"),
        (90_018, 403, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"),
        (90_020, 403, "Forbidden.AccessDenied.ApiCountLimitForOrg"),
        (410_100, 400, "send.too.fast"),
        (-1, 500, "system.error"),
        (5, 400, "5"),
    ] {
        stage.simulator.script(Target::DingTalkSend, [Fault::Code(code)]);
        let got = stage.dingtalk("v1.0/robot/groupMessages/send", "", &json!({})).await;
        assert_eq!((got.status, &got.json()["code"]), (status, &json!(text)));
    }
    stage.simulator.script(Target::DingTalkSend, [Fault::RateLimited { reset_seconds: 1 }]);
    assert_eq!(stage.dingtalk("v1.0/robot/oToMessages/batchSend", "", &json!({})).await.status, 403);
}

#[tokio::test]
async fn a_watcher_sees_what_people_see() {
    let stage = Stage::new().await;
    let mut watch = stage.simulator.watch();
    reply(&stage).await.unwrap();
    assert_eq!(vec![watch.recv().await.unwrap()], stage.simulator.sent());
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_is_not_served() {
    let stage = Arc::new(Stage::new().await);
    stage.simulator.script(Target::DingTalkSessionWebhook, [Fault::Hang(Duration::from_secs(60))]);
    let caller = tokio::spawn({
        let stage = Arc::clone(&stage);
        async move { session(&stage).await }
    });
    while stage.simulator.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    caller.abort();
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(stage.simulator.sent().is_empty());
}

#[tokio::test]
async fn a_dropped_server_stops() {
    let stage = Stage::new().await;
    let port = stage.served.url.port().unwrap();
    drop(stage.served);
    let mut tries = 0;
    while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
        tries += 1;
        assert!(tries < 1000, "still listening");
        tokio::task::yield_now().await;
    }
}
