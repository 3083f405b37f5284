use routing::Place;
use serde_json::Value;

use super::*;

const WORDS: &str = "say \"hi\"\n\\ \u{1}\u{7f} 鹊桥 🐦 </script>";

fn head() -> Head {
    Head { id: "chatcmpl-1".to_owned(), created: 7 }
}

fn answer(estimated: bool) -> Answer {
    Answer {
        text: WORDS.to_owned(),
        endpoint: "office".to_owned(),
        place: Place::Local,
        model: "m\"1".to_owned(),
        usage: Usage { prompt: 3, completion: 4, estimated },
        finish: Finish::Length,
        attempts: Vec::new(),
    }
}

/// The data of each event.
fn events(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let events = text.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap().to_owned());
    events.collect()
}

#[test]
fn a_whole_answer_is_json_whatever_is_in_it() {
    let json: Value = serde_json::from_slice(&whole(&head(), &answer(true))).unwrap();
    let expected = serde_json::json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 7, "model": "m\"1",
        "choices": [{
            "index": 0, "message": { "role": "assistant", "content": WORDS }, "finish_reason": "length",
        }],
        "usage": { "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "estimated": true },
    });
    assert_eq!(json, expected);
}

#[test]
fn chunks_are_json_whatever_is_in_them() {
    let mut chunks = Chunks::default();
    assert_eq!(chunks.take(), None);
    chunks.begin(&head(), "m\"1");
    chunks.words(WORDS);
    chunks.words("more");
    chunks.end(Finish::Complete, Some(answer(false).usage));
    let events = events(&chunks.take().unwrap());
    assert_eq!(chunks.take(), None);
    let (done, chunks) = events.split_last().unwrap();
    assert_eq!(done, "[DONE]");
    let chunks: Vec<Value> = chunks.iter().map(|event| serde_json::from_str(event).unwrap()).collect();
    for chunk in &chunks {
        assert_eq!((&chunk["id"], &chunk["model"]), (&"chatcmpl-1".into(), &"m\"1".into()));
        assert_eq!((&chunk["object"], &chunk["created"]), (&"chat.completion.chunk".into(), &7.into()));
    }
    let delta = |index: usize| &chunks[index]["choices"][0]["delta"];
    assert_eq!(*delta(0), serde_json::json!({ "role": "assistant", "content": "" }));
    assert_eq!((delta(1)["content"].as_str(), delta(2)["content"].as_str()), (Some(WORDS), Some("more")));
    assert_eq!(chunks[2]["choices"][0]["finish_reason"], Value::Null);
    assert_eq!(chunks[3]["choices"][0]["finish_reason"], "stop");
    assert_eq!(chunks[4]["choices"], serde_json::json!([]));
    assert_eq!(chunks[4]["usage"]["estimated"], false);
    assert_eq!(chunks.len(), 5);
}

#[test]
fn an_answer_that_broke_off_ends_without_done() {
    let mut chunks = Chunks::default();
    chunks.begin(&head(), "m");
    chunks.words("half");
    chunks.break_off(r#"{"error":{}}"#);
    let events = events(&chunks.take().unwrap());
    assert_eq!(events.last().unwrap(), r#"{"error":{}}"#);
    assert!(!events.iter().any(|event| event == "[DONE]" || event.contains("\"stop\"")), "{events:?}");
}
