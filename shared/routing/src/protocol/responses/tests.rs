use super::*;
use crate::{Picture, Protocol, protocol::heard};

fn endpoint() -> Endpoint {
    heard::endpoint(Protocol::Responses, "https://api.example.com/v1/responses", "gpt-5")
}

fn body(endpoint: &Endpoint, prompt: &Prompt) -> Value {
    serde_json::from_slice(&encode(endpoint, prompt, Manner::Streamed).body).unwrap()
}

#[test]
fn a_prompt_becomes_input_that_is_not_stored() {
    let picture = Picture { media_type: "image/png".into(), data: b"\x89PNG".as_slice().into() };
    let asked = Line { pictures: vec![picture], ..Line::user("what is this?") };
    let lines = vec![Line::user("hi"), Line::assistant("hello"), asked];
    let mut prompt = Prompt { system: Some("be kind".into()), lines, ..Prompt::default() };
    let mut expected = json!({
        "model": "gpt-5",
        "instructions": "be kind",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"role": "assistant", "content": [{"type": "output_text", "text": "hello"}]},
            {"role": "user", "content": [
                {"type": "input_image", "image_url": "data:image/png;base64,iVBORw=="},
                {"type": "input_text", "text": "what is this?"},
            ]},
        ],
        "stream": true,
        "store": false,
    });
    assert_eq!(body(&endpoint(), &prompt), expected);

    prompt.sampling.temperature = Some(0.5);
    prompt.sampling.top_p = Some(0.25);
    prompt.sampling.max_tokens = Some(5);
    expected["temperature"] = 0.5.into();
    expected["top_p"] = 0.25.into();
    expected["max_output_tokens"] = 16.into();
    let endpoint = Endpoint { key: Some("sk-1".into()), ..endpoint() };
    assert_eq!(body(&endpoint, &prompt), expected);
    assert_eq!(encode(&endpoint, &prompt, Manner::Streamed).headers["authorization"], "Bearer sk-1");
}
