use super::*;
use crate::{Line, Protocol, protocol::heard};

fn endpoint(url: &str) -> Endpoint {
    heard::endpoint(Protocol::Converse, url, "anthropic.claude-sonnet-4-5-20250929-v1:0")
}

fn body(prompt: &Prompt) -> Value {
    serde_json::from_slice(&encode(&endpoint("https://h/model/m/converse-stream"), prompt).body).unwrap()
}

#[test]
fn a_prompt_becomes_alternating_messages() {
    let picture = Picture { media_type: "image/jpg".into(), data: b"\xFF\xD8".as_slice().into() };
    let asked = Line { pictures: vec![picture], ..Line::user("what is this?") };
    let lines = vec![Line::assistant("hello"), Line::user("one"), asked];
    let mut prompt = Prompt { system: Some("be kind".into()), lines, ..Prompt::default() };
    let mut expected = json!({
        "system": [{"text": "be kind"}],
        "messages": [
            {"role": "user", "content": [{"text": "…"}]},
            {"role": "assistant", "content": [{"text": "hello"}]},
            {"role": "user", "content": [
                {"text": "one"},
                {"image": {"format": "jpeg", "source": {"bytes": "/9g="}}},
                {"text": "what is this?"},
            ]},
        ],
    });
    assert_eq!(body(&prompt), expected);
    prompt.sampling.temperature = Some(2.0);
    prompt.sampling.top_p = Some(0.25);
    prompt.sampling.max_tokens = Some(99);
    prompt.sampling.stop = vec!["完".into()];
    expected["inferenceConfig"] =
        json!({"maxTokens": 99, "temperature": 1.0, "topP": 0.25, "stopSequences": ["完"]});
    assert_eq!(body(&prompt), expected);
}

#[test]
fn the_address_streams_and_names_the_model() {
    let host = "https://bedrock-runtime.us-east-1.amazonaws.com";
    let escaped = "anthropic.claude-sonnet-4-5-20250929-v1%3A0";
    for (configured, called) in [
        (format!("{host}/model/m/converse-stream"), format!("{host}/model/m/converse-stream")),
        (format!("{host}/model/m/converse"), format!("{host}/model/m/converse-stream")),
        (format!("{host}/model/a:0/converse-stream"), format!("{host}/model/a%3A0/converse-stream")),
        (host.to_owned(), format!("{host}/model/{escaped}/converse-stream")),
        (format!("{host}/"), format!("{host}/model/{escaped}/converse-stream")),
    ] {
        let request = encode(&endpoint(&configured), &Prompt::question("hi"));
        assert_eq!(request.url.as_str(), called, "{configured}");
    }
    let profile = "arn:aws:bedrock:us-east-1:1:inference-profile/eu.m";
    let endpoint = Endpoint { model: profile.into(), key: Some("bedrock-key".into()), ..endpoint(host) };
    let request = encode(&endpoint, &Prompt::question("hi"));
    let path = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Feu.m/converse-stream";
    assert_eq!(request.url.path(), path);
    assert_eq!(request.headers["authorization"], "Bearer bedrock-key");
}
