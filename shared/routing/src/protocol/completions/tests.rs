use http::{HeaderMap, StatusCode};
use serde_json::Value;
use transport::OutResponse;

use super::*;
use crate::{
    Line, Protocol,
    protocol::heard::{Heard, hear},
};

fn endpoint() -> Endpoint {
    Endpoint {
        url: "https://api.example.com/v1/completions".parse().unwrap(),
        protocol: Protocol::Completions,
        model: "qwen-plus".into(),
        ..Endpoint::echo()
    }
}

fn decoded(answer: &Value) -> Result<Heard, Failure> {
    let body = answer.to_string().into();
    let response = OutResponse { status: StatusCode::OK, headers: HeaderMap::new(), body };
    hear(Protocol::Completions, &response, &[&response.body])
}

#[test]
fn a_prompt_becomes_a_transcript_with_an_open_end() {
    let lines = vec![Line::user("hi"), Line::assistant("hello"), Line::user("你好")];
    let prompt = Prompt { system: Some("Be kind.\n".into()), lines, ..Prompt::default() };
    let request = encode(&endpoint(), &prompt, Manner::Streamed);
    let expected = json!({
        "model": "qwen-plus",
        "prompt": "Be kind.\n\nUser: hi\nAssistant: hello\nUser: 你好\nAssistant:",
        "max_tokens": 1024,
        "stop": ["\nUser:"],
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), expected);

    let endpoint = Endpoint { max_tokens: Some(50), key: Some("sk-1".into()), ..endpoint() };
    let request = encode(&endpoint, &prompt, Manner::Streamed);
    assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap()["max_tokens"], 50);
    assert_eq!(request.headers["authorization"], "Bearer sk-1");
}

/// Whole answers of servers in use.
#[test]
fn answers_of_real_servers_are_read() {
    let vllm = json!({
        "id": "cmpl-1", "object": "text_completion", "created": 1_780_000_000, "model": "qwen-plus",
        "choices": [{"index": 0, "text": " Hello there. ", "logprobs": null, "finish_reason": "stop", "stop_reason": "\nUser:"}],
        "usage": {"prompt_tokens": 20, "total_tokens": 24, "completion_tokens": 4},
    });
    let llama_cpp = json!({
        "choices": [{"text": " Sure.\nUser: and then?\nAssistant: then", "index": 0, "logprobs": null, "finish_reason": "length"}],
        "created": 1_780_000_000, "model": "gpt-3.5-turbo", "object": "text_completion",
        "usage": {"completion_tokens": 12, "prompt_tokens": 8, "total_tokens": 20}, "id": "chatcmpl-2",
    });
    let ollama = json!({
        "id": "cmpl-3", "object": "text_completion", "created": 1_780_000_000, "model": "llama3.2",
        "system_fingerprint": "fp_ollama", "choices": [{"text": "<think>hm</think>Yes.", "index": 0, "finish_reason": "stop"}],
    });
    for (server, answer, text, model, tokens) in [
        ("vllm", vllm, "Hello there.", "qwen-plus", Some((20, 4))),
        ("llama.cpp", llama_cpp, "Sure.", "gpt-3.5-turbo", Some((8, 12))),
        ("ollama", ollama, "Yes.", "llama3.2", None),
    ] {
        let expected = Heard { text: text.into(), model: Some(model.into()), tokens };
        assert_eq!(decoded(&answer), Ok(expected), "{server}");
    }
}

#[test]
fn good_answers_without_words_are_failures() {
    for (answer, failure) in [
        (json!({"choices": [{"text": " \n"}]}), Failure::Empty),
        (json!({"choices": [{"text": "\nUser: I go on"}]}), Failure::Empty),
        (json!({"choices": []}), Failure::Empty),
        (json!({"choices": [{"text": "", "finish_reason": "content_filter"}]}), Failure::ContentFiltered),
        (json!({"choices": [{"message": {"content": "the other protocol"}}]}), Failure::Malformed),
        (json!({"text": "no choices"}), Failure::Malformed),
    ] {
        assert_eq!(decoded(&answer), Err(failure), "{answer}");
    }
}
