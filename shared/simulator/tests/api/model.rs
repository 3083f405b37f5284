//! The model server.

use std::sync::Arc;

use serde_json::{Value, json};
use simulator::{Fault, Model, Target};

use crate::support::{Counter, Got, Hands, Stage, call};

async fn ask(stage: &Stage, path: &str, body: &Value) -> Got {
    stage
        .call("POST", &format!("/model/v1/{path}"), &[("authorization", "Bearer k")], &body.to_string())
        .await
}

fn chat(words: &[&str]) -> Value {
    let roles = ["user", "assistant"].iter().cycle();
    let messages: Vec<Value> =
        words.iter().zip(roles).map(|(words, role)| json!({"role": role, "content": words})).collect();
    json!({"model": "m", "messages": messages})
}

#[tokio::test]
async fn a_chat_tells_what_it_heard_and_how_often() {
    let stage = Stage::new().await;
    let got = ask(&stage, "chat/completions", &chat(&["one", "ok", "two"])).await.json();
    assert_eq!(
        got["choices"][0]["message"],
        json!({"role": "assistant", "content": "You said: two (turn 2)"})
    );
    assert_eq!(got["choices"][0]["finish_reason"], "stop");
    assert_eq!(got["usage"], json!({"prompt_tokens": 3, "completion_tokens": 6, "total_tokens": 9}));
    assert_eq!((&got["object"], &got["model"]), (&json!("chat.completion"), &json!("m")));
    assert_eq!(stage.simulator.model_requests(), [chat(&["one", "ok", "two"])]);
    assert!(stage.simulator.calls()[0].authorized);
    let mut parts = chat(&["x"]);
    parts["messages"][0]["content"] = json!([{"type": "text", "text": "in parts"}]);
    parts["max_tokens"] = 3.into();
    let got = ask(&stage, "chat/completions", &parts).await.json();
    assert_eq!(got["choices"][0]["message"]["content"], "You said: in");
    assert_eq!(got["choices"][0]["finish_reason"], "length");
}

#[tokio::test]
async fn a_completion_stops_after_sixteen_tokens_unless_asked_for_more() {
    let stage = Stage::new().await;
    let prompt = "System.\n\nUser: one\nAssistant: ok\nUser: two\nAssistant:";
    let got =
        ask(&stage, "completions", &json!({"model": "m", "prompt": prompt, "max_tokens": 100})).await.json();
    assert_eq!(got["choices"][0]["text"], "You said: two (turn 2)");
    assert_eq!(got["object"], "text_completion");
    stage.simulator.script(Target::Model, [Fault::Answer("a".repeat(100))]);
    let got = ask(&stage, "completions", &json!({"model": "m", "prompt": "x"})).await.json();
    assert_eq!(got["choices"][0]["text"].as_str().map(str::len), Some(64));
    assert_eq!(got["choices"][0]["finish_reason"], "length");
}

#[tokio::test]
async fn bad_requests_are_told_so() {
    let stage = Stage::new().await;
    for (path, body) in [
        ("chat/completions", json!({})),
        ("chat/completions", json!({"messages": []})),
        ("chat/completions", json!("text")),
        ("completions", json!({"messages": []})),
        ("completions", json!({"prompt": ""})),
    ] {
        let got = ask(&stage, path, &body).await;
        assert_eq!(
            (got.status, &got.json()["error"]["type"]),
            (400, &json!("invalid_request_error")),
            "{body}"
        );
    }
}

/// The data of each event.
fn events(got: &Got) -> Vec<&str> {
    got.body.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).collect()
}

#[tokio::test]
async fn a_stream_says_the_same_in_pieces() {
    let stage = Stage::new().await;
    for (path, mut body, field) in [
        ("chat/completions", chat(&["hi"]), "/choices/0/delta/content"),
        ("completions", json!({"prompt": "hi", "max_tokens": 50}), "/choices/0/text"),
    ] {
        body["stream"] = true.into();
        body["stream_options"] = json!({"include_usage": true});
        let got = ask(&stage, path, &body).await;
        assert_eq!(got.header("content-type"), Some("text/event-stream"));
        let (done, chunks) = events(&got).split_last().map(|(last, rest)| (*last, rest.to_vec())).unwrap();
        assert_eq!(done, "[DONE]");
        let chunks: Vec<Value> = chunks.iter().map(|chunk| serde_json::from_str(chunk).unwrap()).collect();
        let text: String = chunks.iter().filter_map(|chunk| chunk.pointer(field)?.as_str()).collect();
        assert_eq!(text, "You said: hi (turn 1)");
        assert_eq!(chunks.last().unwrap()["usage"]["completion_tokens"], 6);
        let ends = chunks.iter().filter(|chunk| chunk["choices"][0]["finish_reason"] == "stop").count();
        assert_eq!(ends, 1);
    }
}

#[tokio::test]
async fn every_fault_of_a_model() {
    let stage = Stage::new().await;
    stage.simulator.script(
        Target::Model,
        [
            Fault::RateLimited { reset_seconds: 7 },
            Fault::Code(503),
            Fault::Code(7),
            Fault::Status(502),
            Fault::Empty,
            Fault::Answer("scripted".into()),
            Fault::Raw { status: 400, body: r#"{"error":{"code":"context_length_exceeded"}}"#.into() },
        ],
    );
    assert_eq!(stage.call("GET", "/model/v1/models", &[], "").await.json()["data"][0]["id"], "simulated");
    let limited = ask(&stage, "chat/completions", &chat(&["hi"])).await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("7")));
    for status in [503, 400, 502] {
        assert_eq!(ask(&stage, "chat/completions", &chat(&["hi"])).await.status, status);
    }
    for text in ["", "scripted"] {
        let got = ask(&stage, "chat/completions", &chat(&["hi"])).await.json();
        assert_eq!(got["choices"][0]["message"]["content"], text);
    }
    let raw = ask(&stage, "chat/completions", &chat(&["hi"])).await;
    assert_eq!((raw.status, &raw.json()["error"]["code"]), (400, &json!("context_length_exceeded")));
    assert_eq!(ask(&stage, "chat/completions", &chat(&["hi"])).await.status, 200, "then all is normal");
    assert_eq!(stage.simulator.calls().len(), 9);
}

#[tokio::test]
async fn a_stream_can_break_off_in_the_middle() {
    let stage = Stage::new().await;
    let mut body = chat(&["hi"]);
    body["stream"] = true.into();
    stage.simulator.script(Target::Model, [Fault::Cut]);
    let got = ask(&stage, "chat/completions", &body).await;
    assert!(!got.whole);
    assert!(events(&got).len() >= 2, "{got:?}");
    assert!(!got.body.contains("[DONE]"));
}

#[tokio::test]
async fn several_models_keep_apart() {
    let model = || Model::new(Hands::at(0), Arc::new(Counter::default()));
    let (office, cloud) = (model(), model());
    let served = simulator::serve(office.router()).await.unwrap();
    office.script([Fault::Status(500)]);
    cloud.script([Fault::Status(501)]);
    let body = chat(&["hi"]).to_string();
    let got = call(&served.url, "POST", "/v1/chat/completions", &[], &body).await.unwrap();
    assert_eq!(got.status, 500);
    assert_eq!((office.calls().len(), cloud.calls().len()), (1, 0));
    assert!(!office.calls()[0].authorized, "no key was sent");
    assert_eq!(call(&served.url, "POST", "/v1/chat/completions", &[], &body).await.unwrap().status, 200);
    assert_eq!(office.requests().len(), 1, "a scripted error reads no body");
}
