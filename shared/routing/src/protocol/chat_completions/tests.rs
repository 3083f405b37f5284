use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use transport::OutResponse;

use super::*;
use crate::{
    Line, Protocol,
    protocol::heard::{Heard, hear},
};

fn endpoint() -> Endpoint {
    Endpoint {
        url: "http://127.0.0.1:8000/v1/chat/completions".parse().unwrap(),
        protocol: Protocol::ChatCompletions,
        model: "qwen3-32b".into(),
        ..Endpoint::echo()
    }
}

fn prompt() -> Prompt {
    let lines = vec![Line::user("hi"), Line::assistant("hello"), Line::user("你好")];
    Prompt { system: Some("be kind".into()), lines, ..Prompt::default() }
}

fn body(request: &OutRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn decode(response: &OutResponse) -> Result<Heard, Failure> {
    hear(Protocol::ChatCompletions, response, &[&response.body])
}

fn good(body: &Value) -> OutResponse {
    good_text(&body.to_string())
}

fn good_text(body: &str) -> OutResponse {
    OutResponse { status: StatusCode::OK, headers: HeaderMap::new(), body: body.to_owned().into() }
}

#[test]
fn a_prompt_becomes_messages() {
    let request = encode(&endpoint(), &prompt(), Manner::Streamed);
    let expected = json!({
        "model": "qwen3-32b",
        "messages": [
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "hello"},
            {"role": "user", "content": "你好"},
        ],
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    assert_eq!(body(&request), expected);
    assert_eq!(request.url.path(), "/v1/chat/completions");
    assert!(request.headers.get("authorization").is_none());
}

#[test]
fn a_key_and_a_limit_are_said_when_set() {
    let endpoint = Endpoint { key: Some("sk-1".into()), max_tokens: Some(300), ..endpoint() };
    let request = encode(&endpoint, &Prompt { system: None, ..prompt() }, Manner::Streamed);
    assert_eq!(request.headers["authorization"], "Bearer sk-1");
    assert!(request.headers["authorization"].is_sensitive());
    assert_eq!(body(&request)["max_tokens"], 300);
    assert_eq!(body(&request)["messages"][0]["role"], "user");
}

/// Whole answers of servers in use: what is said, by which model, at what cost.
#[test]
fn answers_of_real_servers_are_read() {
    let openai = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_780_000_000, "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello!", "refusal": null, "annotations": []},
            "logprobs": null, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 19, "completion_tokens": 3, "total_tokens": 22,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0}},
        "service_tier": "default", "system_fingerprint": "fp_1",
    });
    let vllm = json!({
        "id": "chatcmpl-2", "object": "chat.completion", "created": 1_780_000_000, "model": "qwen3-32b",
        "choices": [{"index": 0, "message": {"role": "assistant", "reasoning_content": "they greet", "content": "\n\n你好！",
            "tool_calls": []}, "logprobs": null, "finish_reason": "stop", "stop_reason": null}],
        "usage": {"prompt_tokens": 12, "total_tokens": 60, "completion_tokens": 48, "prompt_tokens_details": null},
        "prompt_logprobs": null,
    });
    let ollama = json!({
        "id": "chatcmpl-3", "object": "chat.completion", "created": 1_780_000_000, "model": "deepseek-r1:8b",
        "system_fingerprint": "fp_ollama",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "<think>\nthey greet\n</think>\n\nHi."},
            "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 30, "total_tokens": 39},
    });
    let llama_cpp = json!({
        "choices": [{"finish_reason": "length", "index": 0, "message": {"role": "assistant", "content": "Once upon"}}],
        "created": 1_780_000_000, "model": "", "system_fingerprint": "b1-1", "object": "chat.completion",
        "id": "chatcmpl-4", "timings": {"prompt_n": 5, "predicted_per_second": 50.1},
    });
    let parts = json!({
        "model": "magistral", "choices": [{"message": {"content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
            {"type": "text", "text": "Yes, "}, {"type": "text", "text": "indeed."}]}}],
    });
    let refusal =
        json!({"choices": [{"message": {"content": null, "refusal": "I cannot."}, "finish_reason": "stop"}]});
    for (server, answer, text, model, tokens) in [
        ("openai", openai, "Hello!", Some("gpt-4o-mini-2024-07-18"), Some((19, 3))),
        ("vllm", vllm, "你好！", Some("qwen3-32b"), Some((12, 48))),
        ("ollama", ollama, "Hi.", Some("deepseek-r1:8b"), Some((9, 30))),
        ("llama.cpp", llama_cpp, "Once upon", None, None),
        ("parts", parts, "Yes, indeed.", Some("magistral"), None),
        ("refusal", refusal, "I cannot.", None, None),
    ] {
        let expected = Heard { text: text.into(), model: model.map(str::to_owned), tokens };
        assert_eq!(decode(&good(&answer)), Ok(expected), "{server}");
    }
}

#[test]
fn good_answers_without_words_are_failures() {
    let message = |message: Value| json!({ "choices": [{"message": message, "finish_reason": "stop"}] });
    let filtered = |text: &str| json!({ "choices": [{"message": {"content": text}, "finish_reason": "content_filter"}] });
    for (answer, failure) in [
        (message(json!({"content": ""})), Failure::Empty),
        (message(json!({"content": " \n"})), Failure::Empty),
        (message(json!({"content": null})), Failure::Empty),
        (message(json!({"content": null, "reasoning_content": "hm"})), Failure::Empty),
        (message(json!({"content": "", "reasoning": "hm"})), Failure::Empty),
        (message(json!({"content": "<think>hm"})), Failure::Empty),
        (message(json!({"content": "<think>hm</think>\n"})), Failure::Empty),
        (json!({"choices": []}), Failure::Empty),
        (filtered(""), Failure::ContentFiltered),
        (filtered("half an ans"), Failure::ContentFiltered),
        (json!({"choices": [{"text": "the other protocol"}]}), Failure::Malformed),
        (json!({"choices": "none"}), Failure::Malformed),
        (json!({}), Failure::Malformed),
        (json!([1]), Failure::Malformed),
        (json!({"error": {"message": "busy", "code": 1}}), Failure::Server(200)),
        (json!({"error": {"message": "no", "code": "content_filter"}}), Failure::ContentFiltered),
    ] {
        assert_eq!(decode(&good(&answer)), Err(failure), "{answer}");
    }
    let deep = "[".repeat(100_000);
    for text in ["", "<html>", "{\"choices\":[{\"mess", "data: {}\n\n", &deep] {
        assert_eq!(decode(&good_text(text)), Err(Failure::Malformed), "{text:.20}");
    }
}

#[test]
fn only_a_count_that_can_be_one_is_believed() {
    for (usage, tokens) in [
        (json!({"prompt_tokens": 7, "completion_tokens": 0}), Some((7, 0))),
        (json!({"prompt_tokens": 5_000_000_000_u64, "completion_tokens": 1}), Some((u32::MAX, 1))),
        (json!({"prompt_tokens": 0, "completion_tokens": 0}), None),
        (json!({"prompt_tokens": -1, "completion_tokens": 1}), None),
        (json!({"prompt_tokens": 7}), None),
        (json!({"prompt_tokens": "7", "completion_tokens": "1"}), None),
        (Value::Null, None),
    ] {
        let answer = json!({"choices": [{"message": {"content": "yes"}}], "usage": usage});
        assert_eq!(decode(&good(&answer)).unwrap().tokens, tokens, "{usage}");
    }
}

#[test]
fn a_model_name_of_any_length_is_not_believed() {
    for (name, believed) in [("m".repeat(200), true), ("m".repeat(201), false), (" ".into(), false)] {
        let answer = json!({"choices": [{"message": {"content": "yes"}}], "model": name});
        assert_eq!(decode(&good(&answer)).unwrap().model.is_some(), believed, "{}", name.len());
    }
}
