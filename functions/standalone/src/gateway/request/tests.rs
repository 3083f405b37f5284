use super::*;

fn read(body: &str) -> Result<Request, String> {
    Request::read(body.as_bytes()).map_err(|refusal| refusal.json())
}

/// The keys of a request with one message, and these.
fn with(keys: &str) -> String {
    format!(r#"{{"messages": [{{"role": "user", "content": "hi"}}], {keys}}}"#)
}

#[test]
fn what_is_honoured_is_read() {
    let request = read(&with(
        r#""model": "m", "stream": true, "stream_options": {"include_usage": true, "include_obfuscation": false},
           "temperature": 0, "top_p": 0.5, "max_tokens": 5, "max_completion_tokens": 7, "stop": ["a", "b"],
           "user": "u", "prompt_cache_key": "k""#,
    ))
    .unwrap();
    assert_eq!(request.model.as_deref(), Some("m"));
    assert!(request.stream && request.include_usage);
    assert_eq!((request.temperature, request.top_p, request.max_tokens), (Some(0.0), Some(0.5), Some(7)));
    assert_eq!(request.stop, ["a", "b"]);
    assert_eq!((request.user.as_deref(), request.cache_key.as_deref()), (Some("u"), Some("k")));
    let older_last = read(&with(r#""max_completion_tokens": 7, "max_tokens": 5, "stop": "a""#)).unwrap();
    assert_eq!((older_last.max_tokens, older_last.stop), (Some(7), vec!["a".to_owned()]));
}

#[test]
fn null_is_the_same_as_absent() {
    let keys = [
        "model",
        "stream",
        "stream_options",
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "user",
        "prompt_cache_key",
        "tools",
        "n",
        "response_format",
        "logprobs",
        "audio",
        "made_up",
    ];
    let nulls: Vec<_> = keys.iter().map(|key| format!("\"{key}\": null")).collect();
    let request = read(&with(&nulls.join(", "))).unwrap();
    assert!(
        request.model.is_none() && !request.stream && request.stop.is_empty() && request.max_tokens.is_none()
    );
}

#[test]
fn what_cannot_be_honoured_is_named() {
    for (key, value) in [
        ("tools", r#"[{"type": "function"}]"#),
        ("functions", r#"[{"name": "f"}]"#),
        ("tool_choice", r#""required""#),
        ("n", "2"),
        ("n", "0"),
        ("audio", r#"{"voice": "x"}"#),
        ("modalities", r#"["text", "audio"]"#),
        ("response_format", r#"{"type": "json_object"}"#),
        ("logprobs", "true"),
        ("top_logprobs", "3"),
        ("logit_bias", r#"{"50256": -100}"#),
        ("frequency_penalty", "0.5"),
        ("presence_penalty", "-1"),
        ("top_k", "40"),
        ("reasoning_effort", r#""low""#),
    ] {
        let told = read(&with(&format!("\"{key}\": {value}"))).err().unwrap();
        assert!(
            told.contains("unsupported_parameter") && told.contains(&format!("`{key}`")),
            "{key}: {told}"
        );
    }
    for key in ["tool_calls", "function_call", "audio"] {
        let body =
            format!(r#"{{"messages": [{{"role": "assistant", "content": null, "{key}": {{"id": 1}}}}]}}"#);
        let told = read(&body).err().unwrap();
        assert!(told.contains(&format!("`messages.{key}`")), "{told}");
    }
}

#[test]
fn what_asks_for_the_ordinary_or_changes_nothing_is_passed_over() {
    for keys in [
        r#""n": 1, "tools": [], "tool_choice": "auto", "functions": [], "function_call": "none""#,
        r#""response_format": {"type": "text"}, "logprobs": false, "top_logprobs": 0, "modalities": ["text"]"#,
        r#""frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {}, "parallel_tool_calls": true"#,
        r#""metadata": {"a": "b"}, "seed": 7, "store": true, "service_tier": "auto", "safety_identifier": "s""#,
    ] {
        assert!(read(&with(keys)).is_ok(), "{keys}");
    }
}

#[test]
fn what_cannot_be_read_is_named_and_not_repeated() {
    for (body, key) in [
        (with(r#""temperature": "hidden""#), "temperature"),
        (with(r#""max_tokens": -1"#), "max_tokens"),
        (with(r#""max_tokens": 1.5"#), "max_tokens"),
        (with(r#""stream": "hidden""#), "stream"),
        (with(r#""stop": [7]"#), "stop"),
        (with(r#""model": {"hidden": 1}"#), "model"),
        (r#"{"messages": "hidden"}"#.to_owned(), "messages"),
        (r#"{"messages": [{"role": "hidden", "content": "x"}]}"#.to_owned(), "messages"),
        (r#"{"messages": [{"content": "hidden"}]}"#.to_owned(), "messages"),
        (r#"{"messages": [{"role": "user", "content": {"hidden": 1}}]}"#.to_owned(), "messages"),
        (r#"{"messages": [{"role": "user", "content": [{"text": "hidden"}]}]}"#.to_owned(), "messages"),
    ] {
        let told = read(&body).err().unwrap();
        assert!(told.contains(&format!(r#""param":"{key}""#)) && told.contains("invalid_type"), "{told}");
        assert!(!told.contains("hidden"), "{told}");
    }
    for body in ["", "[]", "hidden", r#"{"messages": [}"#, r#"{"messages": []} hidden"#, "{\"a\": \"\u{0}\"}"]
    {
        let told = read(body).err().unwrap();
        assert!(told.contains("invalid_json") && !told.contains("hidden"), "{told}");
    }
    // Deeper than anybody's conversation: refused, and the stack is safe.
    let deep = with(&format!("\"a\": {}", "[".repeat(100_000)));
    assert!(read(&deep).is_err());
}
