use super::*;
use crate::{Line, Picture, Protocol, protocol::heard};

fn endpoint(url: &str) -> Endpoint {
    heard::endpoint(Protocol::Gemini, url, "gemini-2.5-flash")
}

#[test]
fn a_prompt_becomes_alternating_contents() {
    let picture = Picture { media_type: "image/png".into(), data: b"\x89PNG".as_slice().into() };
    let asked = Line { pictures: vec![picture], ..Line::user("what is this?") };
    let lines = vec![Line::user("hi"), Line::user("you"), Line::assistant("hello"), asked];
    let mut prompt = Prompt { system: Some("be kind".into()), lines, ..Prompt::default() };
    let body = |prompt: &Prompt| -> Value {
        let request = encode(&endpoint("https://h/v1beta/models/m:streamGenerateContent"), prompt);
        serde_json::from_slice(&request.body).unwrap()
    };
    let mut expected = json!({
        "systemInstruction": {"parts": [{"text": "be kind"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}, {"text": "you"}]},
            {"role": "model", "parts": [{"text": "hello"}]},
            {"role": "user", "parts": [
                {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}},
                {"text": "what is this?"},
            ]},
        ],
    });
    assert_eq!(body(&prompt), expected);
    prompt.sampling.temperature = Some(1.5);
    prompt.sampling.top_p = Some(0.25);
    prompt.sampling.max_tokens = Some(99);
    prompt.sampling.stop = vec!["完".into()];
    expected["generationConfig"] =
        json!({"maxOutputTokens": 99, "temperature": 1.5, "topP": 0.25, "stopSequences": ["完"]});
    assert_eq!(body(&prompt), expected);
}

#[test]
fn the_address_streams_events_and_names_the_model() {
    let host = "https://generativelanguage.googleapis.com/v1beta";
    let called = format!("{host}/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
    for configured in [
        format!("{host}/models/gemini-2.5-flash:streamGenerateContent"),
        format!("{host}/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
        format!("{host}/models/gemini-2.5-flash:generateContent"),
        host.to_owned(),
        format!("{host}/"),
    ] {
        let endpoint = Endpoint { key: Some("AIza-1".into()), ..endpoint(&configured) };
        let request = encode(&endpoint, &Prompt::question("hi"));
        assert_eq!(request.url.as_str(), called, "{configured}");
        assert_eq!(request.headers["x-goog-api-key"], "AIza-1");
        assert!(request.headers["x-goog-api-key"].is_sensitive());
    }
}
