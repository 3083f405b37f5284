use super::*;
use crate::{Picture, Protocol, protocol::heard};

fn endpoint() -> Endpoint {
    heard::endpoint(Protocol::Ollama, "http://localhost:11434/api/chat", "qwen3:8b")
}

fn body(endpoint: &Endpoint, prompt: &Prompt) -> Value {
    serde_json::from_slice(&encode(endpoint, prompt, Manner::Streamed).body).unwrap()
}

#[test]
fn a_prompt_becomes_messages_with_pictures_beside_the_words() {
    let picture = Picture { media_type: "image/png".into(), data: b"\x89PNG".as_slice().into() };
    let asked = Line { pictures: vec![picture], ..Line::user("what is this?") };
    let lines = vec![Line::user("hi"), Line::assistant("hello"), asked];
    let prompt = Prompt { system: Some("be kind".into()), lines, ..Prompt::default() };
    let expected = json!({
        "model": "qwen3:8b",
        "messages": [
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "hello"},
            {"role": "user", "content": "what is this?", "images": ["iVBORw=="]},
        ],
        "stream": true,
    });
    assert_eq!(body(&endpoint(), &prompt), expected);
}

#[test]
fn the_window_is_told_because_the_server_would_cut_silently() {
    let mut prompt = Prompt::question("hi");
    prompt.sampling.temperature = Some(0.5);
    prompt.sampling.top_p = Some(0.25);
    prompt.sampling.stop = vec!["完".into()];
    let endpoint = Endpoint { window: Some(32_768), max_tokens: Some(500), ..endpoint() };
    let expected =
        json!({"num_ctx": 32_768, "num_predict": 500, "temperature": 0.5, "top_p": 0.25, "stop": ["完"]});
    assert_eq!(body(&endpoint, &prompt)["options"], expected);
}
