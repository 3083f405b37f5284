use serde_json::json;

use super::*;
use crate::{Protocol, protocol::heard};

fn told(lines: Vec<Line>) -> Vec<Value> {
    let prompt = Prompt { lines, ..Prompt::default() };
    let side = |role| if role == Role::User { "user" } else { "model" };
    messages(
        &prompt,
        |role, parts| json!([side(role), parts]),
        |text| json!(text),
        |picture| json!(data_url(picture)),
    )
}

#[test]
fn turns_alternate_and_begin_with_a_person() {
    let (user, model) = (Line::user, Line::assistant);
    for (lines, expected) in [
        (vec![user("a")], json!([["user", ["a"]]])),
        (
            vec![user("a"), user("b"), model("c"), user("d")],
            json!([["user", ["a", "b"]], ["model", ["c"]], ["user", ["d"]]]),
        ),
        (vec![model("a"), user("b")], json!([["user", ["…"]], ["model", ["a"]], ["user", ["b"]]])),
        (vec![user("a"), model(" \n"), user("b")], json!([["user", ["a", "b"]]])),
        (vec![], json!([["user", ["…"]]])),
    ] {
        assert_eq!(Value::from(told(lines)), expected);
    }
}

#[test]
fn pictures_stand_before_the_words_they_came_with() {
    let picture = Picture { media_type: "image/png".into(), data: b"\x89PNG".as_slice().into() };
    let with = Line { pictures: vec![picture.clone()], ..Line::user("what is this?") };
    let alone = Line { pictures: vec![picture], ..Line::user("") };
    let url = "data:image/png;base64,iVBORw==";
    assert_eq!(Value::from(told(vec![with])), json!([["user", [url, "what is this?"]]]));
    assert_eq!(Value::from(told(vec![alone])), json!([["user", [url]]]));
}

#[test]
fn a_key_is_a_bearer_but_for_azure() {
    let azure = "https://house.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21";
    let elsewhere = "https://api.example.com/v1/chat/completions";
    let token = "eyJhbGciOi.eyJhdWQiOi.c2ln";
    for (url, key, header, value) in [
        (elsewhere, "sk-1", "authorization", "Bearer sk-1"),
        ("https://h/azure.com/v1/chat/completions", "sk-1", "authorization", "Bearer sk-1"),
        (azure, "0123abcd", "api-key", "0123abcd"),
        (azure, token, "authorization", "Bearer eyJhbGciOi.eyJhdWQiOi.c2ln"),
    ] {
        let endpoint = heard::endpoint(Protocol::ChatCompletions, url, "m");
        let request = bearer(
            &Endpoint { key: Some(key.into()), ..endpoint.clone() },
            endpoint.url,
            written(&json!({})),
        );
        let sent: Vec<_> = request.headers.iter().filter(|(_, value)| value.is_sensitive()).collect();
        assert_eq!(sent.len(), 1);
        assert_eq!((sent[0].0.as_str(), sent[0].1.to_str().unwrap()), (header, value), "{url}");
    }
}
