use super::*;
use crate::{Line, Picture, Protocol, protocol::heard};

fn endpoint() -> Endpoint {
    heard::endpoint(Protocol::Messages, "https://api.anthropic.com/v1/messages", "claude-sonnet-4-5")
}

fn body(endpoint: &Endpoint, prompt: &Prompt) -> Value {
    serde_json::from_slice(&encode(endpoint, prompt, Manner::Streamed).body).unwrap()
}

#[test]
fn a_prompt_becomes_alternating_messages_with_a_limit() {
    let picture = Picture { media_type: "image/jpeg".into(), data: b"\xFF\xD8".as_slice().into() };
    let asked = Line { pictures: vec![picture], ..Line::user("what is this?") };
    let lines = vec![Line::assistant("hello \n"), Line::user("one"), asked];
    let prompt = Prompt { system: Some("be kind".into()), lines, ..Prompt::default() };
    let expected = json!({
        "model": "claude-sonnet-4-5",
        "max_tokens": 4096,
        "system": "be kind",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "…"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "hello"}]},
            {"role": "user", "content": [
                {"type": "text", "text": "one"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "/9g="}},
                {"type": "text", "text": "what is this?"},
            ]},
        ],
        "stream": true,
    });
    assert_eq!(body(&endpoint(), &prompt), expected);
}

#[test]
fn a_key_and_the_edition_are_in_headers_of_their_own() {
    let endpoint = Endpoint { key: Some("sk-ant-1".into()), ..endpoint() };
    let headers = encode(&endpoint, &Prompt::question("hi"), Manner::Streamed).headers;
    assert_eq!(headers["x-api-key"], "sk-ant-1");
    assert!(headers["x-api-key"].is_sensitive());
    assert_eq!(headers["anthropic-version"], "2023-06-01");
    assert!(headers.get("authorization").is_none());
}

#[test]
fn sampling_keeps_within_what_the_protocol_takes() {
    let mut prompt = Prompt::question("hi");
    prompt.sampling.temperature = Some(1.5);
    prompt.sampling.top_p = Some(0.5);
    prompt.sampling.max_tokens = Some(100);
    prompt.sampling.stop = vec!["完".into(), "\n\n".into()];
    let endpoint = Endpoint { max_tokens: Some(50), ..endpoint() };
    let asked = body(&endpoint, &prompt);
    assert_eq!((&asked["temperature"], &asked["top_p"]), (&json!(1.0), &json!(0.5)));
    assert_eq!((&asked["max_tokens"], &asked["stop_sequences"]), (&json!(50), &json!(["完"])));
}
