use super::*;

/// The server, what it says, of which model, and the window in it.
const SERVERS: [(&str, &str, &str, Option<u32>); 13] = [
    (
        "vLLM",
        r#"{"object":"list","data":[{"id":"qwen3","object":"model","max_model_len":40960},{"id":"lora","max_model_len":8192}]}"#,
        "qwen3",
        Some(40_960),
    ),
    (
        "llama.cpp",
        r#"{"models":[{"name":"/m.gguf","model":"/m.gguf"}],"object":"list","data":[{"id":"/m.gguf","meta":{"n_ctx_train":131072,"n_params":8}}]}"#,
        "any",
        Some(131_072),
    ),
    (
        "llama.cpp, what is loaded",
        r#"{"default_generation_settings":{"n_ctx":4096,"params":{}},"total_slots":1}"#,
        "any",
        Some(4_096),
    ),
    (
        "Ollama, what it was trained for",
        r#"{"parameters":"stop \"x\"","model_info":{"general.architecture":"qwen3","qwen3.context_length":40960,"qwen3.block_count":64}}"#,
        "qwen3",
        Some(40_960),
    ),
    (
        "Ollama, what its file sets",
        r#"{"parameters":"num_ctx                        8192\nstop \"x\"","model_info":{"qwen3.context_length":40960}}"#,
        "qwen3",
        Some(8_192),
    ),
    (
        "Ollama, what is loaded",
        r#"{"models":[{"name":"gemma3:4b","context_length":2048},{"name":"qwen3:latest","model":"qwen3:latest","context_length":4096}]}"#,
        "qwen3",
        Some(4_096),
    ),
    (
        "LM Studio",
        r#"{"object":"list","data":[{"id":"qwen3-8b","state":"loaded","max_context_length":32768,"loaded_context_length":8192}]}"#,
        "qwen3-8b",
        Some(8_192),
    ),
    (
        "OpenRouter",
        r#"{"data":[{"id":"a/b","context_length":262144,"top_provider":{"context_length":131072}}]}"#,
        "a/b",
        Some(262_144),
    ),
    ("Groq", r#"{"data":[{"id":"a","context_window":131072}]}"#, "a", Some(131_072)),
    ("OpenAI", r#"{"data":[{"id":"gpt","object":"model","created":1,"owned_by":"openai"}]}"#, "gpt", None),
    ("another model's", r#"{"data":[{"id":"a","max_model_len":1},{"id":"b","max_model_len":2}]}"#, "c", None),
    ("nonsense", r#"{"data":[{"id":"a","max_model_len":-1,"context_length":"much"}]}"#, "a", None),
    ("a list", "[1]", "a", None),
];

#[test]
fn every_server_names_its_window_somewhere() {
    for (server, body, model, expected) in SERVERS {
        assert_eq!(window(&serde_json::from_str(body).unwrap(), model), expected, "{server}");
    }
}

#[test]
fn only_ones_own_servers_are_asked_for_more_than_their_models() {
    let asked = |place, url: &str, protocol| {
        let endpoint = Endpoint::new("e", place, url.parse().unwrap(), protocol, "m");
        let endpoint = Endpoint { key: Some("key".into()), ..endpoint };
        let requests = requests(&endpoint);
        assert!(requests.iter().all(|request| request.headers[header::AUTHORIZATION] == "Bearer key"));
        requests
            .iter()
            .map(|request| format!("{} {}", request.method, request.url.path()))
            .collect::<Vec<_>>()
    };
    let more = ["GET /props", "GET /api/v0/models", "GET /api/ps", "POST /api/show"];
    let chat = Protocol::ChatCompletions;
    assert_eq!(asked(Place::Cloud, "https://h/api/v1/chat/completions?x=1", chat), ["GET /api/v1/models"]);
    assert_eq!(
        asked(Place::Local, "http://h:1/v1/chat/completions", chat),
        [&["GET /v1/models"], &more[..]].concat()
    );
    assert_eq!(asked(Place::Local, "http://h:1/api/chat", Protocol::Ollama), more);
    assert!(asked(Place::Cloud, "https://h/v1/messages", Protocol::Messages).is_empty());
    assert!(asked(Place::Local, "http://h/elsewhere", chat).is_empty());
}
