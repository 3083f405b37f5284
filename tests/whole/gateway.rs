//! Other programs ask along the route, over OpenAI's chat completions.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use egress::{Egress, EgressOptions};
use http::header;
use magpie_tests::{component::Component, platforms::Pretend, process::Process, standalone::Magpie};
use serde_json::{Value, json};
use simulator::{Call, Fault, Target};
use transport::{Limits, OutRequest, OutResponse, OutStream, Transport as _};

/// The tokens of two programs.
const TOKENS: [&str; 2] = ["canary-token-of-the-wiki", "canary-token-of-the-builds"];

/// What one call may take, on a machine that is busy compiling.
const LIMITS: Limits = Limits { total: Duration::from_secs(30), bytes: 1 << 20 };

/// A running Magpie with a gateway, a local endpoint over chat completions and a cloud one over legacy completions.
struct Setup {
    local: Pretend,
    cloud: Pretend,
    magpie: Magpie,
    client: Egress,
}

impl Setup {
    async fn start() -> Option<Self> {
        Self::routing("").await
    }

    /// With these settings of `[routing]`.
    async fn routing(settings: &str) -> Option<Self> {
        let binary = Component::Magpie.find()?;
        let (local, cloud) = (Pretend::start().await.unwrap(), Pretend::start().await.unwrap());
        let config = format!(
            r#"
[endpoints.office]
place = "local"
url = "{}model/v1/chat/completions"
model = "office-model"
[endpoints.far]
place = "cloud"
url = "{}model/v1/completions"
model = "far-model"
[gateway]
token = "env:WIKI"
[gateway.tokens]
builds = "env:BUILDS"
[routing]
{settings}
"#,
            local.served.url, cloud.served.url
        );
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("magpie.toml"), config).unwrap();
        let env = [("WIKI", TOKENS[0]), ("BUILDS", TOKENS[1]), ("MAGPIE_LOG", "trace")];
        let magpie = Magpie::start_in(binary, folder, &env).await.unwrap();
        let client = Egress::new(EgressOptions::default()).unwrap();
        Some(Self { local, cloud, magpie, client })
    }

    fn request(&self, path: &str, token: &str, body: impl Into<Bytes>) -> OutRequest {
        let body = body.into();
        let url = self.magpie.url.join(path).unwrap();
        let request = if body.is_empty() { OutRequest::get(url) } else { OutRequest::post_json(url, body) };
        request.with_secret_header(header::AUTHORIZATION, &format!("Bearer {token}"))
    }

    async fn call(&self, path: &str, token: &str, body: impl Into<Bytes>) -> OutResponse {
        self.client.call(self.request(path, token, body), LIMITS).await.unwrap()
    }

    async fn ask(&self, body: &Value) -> OutResponse {
        self.call("/v1/chat/completions", TOKENS[0], body.to_string()).await
    }

    async fn open(&self, body: &Value) -> OutStream {
        let request = self.request("/v1/chat/completions", TOKENS[1], body.to_string());
        self.client.stream(request, LIMITS).await.unwrap()
    }

    /// Where it was asked how often: locally, and in the cloud. That the start looks at the list of models is no question.
    fn asked(&self) -> (usize, usize) {
        let is_question = |call: &&Call| call.target == Target::Model && call.path.ends_with("/completions");
        let calls = |at: &Pretend| at.simulator.calls().iter().filter(is_question).count();
        (calls(&self.local), calls(&self.cloud))
    }
}

fn hello() -> Value {
    json!({ "messages": [{ "role": "user", "content": "hello there" }] })
}

fn streamed(mut body: Value) -> Value {
    body["stream"] = true.into();
    body
}

fn read(answer: &OutResponse) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

/// The data of every event of a body, read to its end.
async fn events(stream: OutStream) -> Vec<String> {
    let mut body = stream.body;
    let mut text = Vec::new();
    while let Some(piece) = body.next().await.unwrap() {
        text.extend_from_slice(&piece);
    }
    events_in(&text)
}

fn events_in(text: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(text).unwrap();
    assert!(text.ends_with("\n\n"), "{text}");
    let event = |event: &str| event.strip_prefix("data: ").unwrap().to_owned();
    text.split_terminator("\n\n").map(event).collect()
}

/// The words of all chunks.
fn words(events: &[String]) -> String {
    let chunks = events.iter().filter_map(|event| serde_json::from_str::<Value>(event).ok());
    chunks.filter_map(|chunk| Some(chunk["choices"][0]["delta"]["content"].as_str()?.to_owned())).collect()
}

#[track_caller]
fn assert_refused(answer: &OutResponse, status: u16, code: &str, param: Option<&str>) {
    let told = read(answer);
    assert_eq!((answer.status.as_u16(), told["error"]["code"].as_str()), (status, Some(code)), "{told}");
    assert_eq!(told["error"]["param"].as_str(), param, "{told}");
    assert!(told["error"]["message"].is_string() && told["error"]["type"].is_string(), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nobody_is_asked() {
    let Some(mut setup) = Setup::start().await else { return };
    for token in ["", "x", "canary-token-of-the-wiki2", "canary-token-of-the-wik"] {
        let answer = setup.call("/v1/chat/completions", token, hello().to_string()).await;
        assert_refused(&answer, 401, "invalid_api_key", None);
        for path in ["/v1/models", "/v1/models/auto", "/v1/files"] {
            assert_refused(&setup.call(path, token, "").await, 401, "invalid_api_key", None);
        }
    }
    // Who is refused hears why, however much is still to be sent.
    let large = vec![b' '; 17 << 20];
    let answer = setup.call("/v1/chat/completions", "x", large.clone()).await;
    assert_refused(&answer, 401, "invalid_api_key", None);
    let answer = setup.call("/v1/chat/completions", TOKENS[0], large.clone()).await;
    assert_refused(&answer, 413, "request_too_large", None);
    let answer = setup.call("/v1/embeddings", TOKENS[0], large).await;
    assert_refused(&answer, 404, "unknown_url", None);
    assert_eq!(setup.asked(), (0, 0));
    for token in TOKENS {
        assert_eq!(setup.call("/v1/chat/completions", token, hello().to_string()).await.status, 200);
    }
    setup.magpie.process.line_with("program=builds").await.unwrap();
    let said = setup.magpie.process.said();
    assert!(!said.contains("canary") && !said.contains("hello there"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_configured_token_there_is_no_gateway() {
    let Some(binary) = Component::Magpie.find() else { return };
    let config =
        "[endpoints.office]\nplace = 'local'\nurl = 'http://127.0.0.1:9/v1/completions'\nmodel = 'm'\n";
    let magpie = Magpie::start(&binary, config).await.unwrap();
    let client = Egress::new(EgressOptions::default()).unwrap();
    let url = magpie.url.join("/v1/models").unwrap();
    assert_eq!(client.call(OutRequest::get(url), LIMITS).await.unwrap().status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_can_be_guessed_keeps_magpie_from_starting() {
    let Some(binary) = Component::Magpie.find() else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("magpie.toml"), "[gateway]\ntoken = 'env:WIKI'\n").unwrap();
    let env = [("WIKI", "canary-short")];
    let args = ["serve", "--listen", "127.0.0.1:0"];
    let process = Process::start(Path::new(&binary), &args, &env, folder.path()).unwrap();
    let (code, said) = process.end().await.unwrap();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("gateway.token: found `env:WIKI`") && !said.contains("canary"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_the_route_the_endpoints_and_what_they_run() {
    let Some(setup) = Setup::start().await else { return };
    let list = read(&setup.call("/v1/models", TOKENS[0], "").await);
    let names: Vec<_> = list["data"].as_array().unwrap().iter().map(|model| &model["id"]).collect();
    assert_eq!(names, ["auto", "far", "far-model", "office", "office-model"]);
    assert_eq!(list["object"], "list");
    let one = read(&setup.call("/v1/models/office", TOKENS[0], "").await);
    assert_eq!((&one["id"], &one["object"]), (&"office".into(), &"model".into()));
    let unknown = setup.call("/v1/models/gpt-4", TOKENS[0], "").await;
    assert_refused(&unknown, 404, "model_not_found", Some("model"));
    assert_refused(&setup.call("/v1/embeddings", TOKENS[0], "{}").await, 404, "unknown_url", None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_whole_and_says_who_gave_it() {
    let Some(setup) = Setup::start().await else { return };
    let mut body = hello();
    body["temperature"] = 0.5.into();
    body["max_completion_tokens"] = 50.into();
    let answer = setup.ask(&body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["x-magpie-endpoint"], "office");
    let told = read(&answer);
    assert_eq!((&told["object"], &told["model"]), (&"chat.completion".into(), &"office-model".into()));
    let choice = &told["choices"][0];
    assert_eq!(choice["message"]["content"], "You said: hello there (turn 1)");
    assert_eq!(choice["finish_reason"], "stop");
    let usage = &told["usage"];
    assert_eq!(usage["total_tokens"].as_u64(), Some(3 + 8));
    assert_eq!(usage["estimated"], false);
    let asked = &setup.local.simulator.model_requests()[0];
    assert_eq!(asked["temperature"], 0.5);
    let limit = asked["max_tokens"].as_u64().or(asked["max_completion_tokens"].as_u64());
    assert_eq!(limit, Some(50), "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_as_it_is_said() {
    let Some(setup) = Setup::start().await else { return };
    let mut body = streamed(hello());
    body["stream_options"] = json!({ "include_usage": true });
    let stream = setup.open(&body).await;
    assert_eq!(stream.status, 200);
    assert_eq!(stream.headers["x-magpie-endpoint"], "office");
    assert_eq!(stream.headers[header::CONTENT_TYPE], "text/event-stream");
    let events = events(stream).await;
    let (done, chunks) = events.split_last().unwrap();
    assert_eq!(done, "[DONE]");
    assert_eq!(words(&events), "You said: hello there (turn 1)");
    let chunks: Vec<Value> = chunks.iter().map(|chunk| serde_json::from_str(chunk).unwrap()).collect();
    assert_eq!(chunks[0]["choices"][0]["delta"], json!({ "role": "assistant", "content": "" }));
    assert!(chunks.iter().all(|chunk| chunk["id"] == chunks[0]["id"] && chunk["model"] == "office-model"));
    let [.., finish, usage] = &chunks[..] else { panic!("{chunks:?}") };
    assert_eq!(finish["choices"][0]["finish_reason"], "stop");
    assert_eq!((&usage["choices"], &usage["usage"]["estimated"]), (&json!([]), &false.into()));
    assert_eq!(usage["usage"]["total_tokens"], 11);
    // Without being asked for, usage does not come.
    let plain = self::events(setup.open(&streamed(hello())).await).await;
    assert!(!plain.iter().any(|event| event.contains("usage")), "{plain:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_do_not_wait_for_the_end() {
    let Some(setup) = Setup::start().await else { return };
    setup.local.simulator.script(Target::Model, [Fault::Stall(Duration::from_secs(60))]);
    let mut stream = setup.open(&streamed(hello())).await;
    let first = stream.body.next().await.unwrap().unwrap();
    assert!(words(&events_in(&first)).starts_with("You "), "{first:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fallback_before_the_first_words_is_not_seen() {
    let Some(setup) = Setup::start().await else { return };
    for body in [streamed(hello()), hello()] {
        let faults = [Fault::Status(503), Fault::Status(503)];
        setup.local.simulator.script(Target::Model, faults);
        let stream = setup.open(&body).await;
        assert_eq!(
            (stream.status.as_u16(), stream.headers["x-magpie-endpoint"].to_str().unwrap()),
            (200, "far")
        );
        let mut text = Vec::new();
        let mut pieces = stream.body;
        while let Some(piece) = pieces.next().await.unwrap() {
            text.extend_from_slice(&piece);
        }
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("far-model") && !text.contains("office") && !text.contains("error"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_is_never_presented_as_whole() {
    let Some(setup) = Setup::start().await else { return };
    setup.local.simulator.script(Target::Model, [Fault::Cut]);
    let events = events(setup.open(&streamed(hello())).await).await;
    let error: Value = serde_json::from_str(events.last().unwrap()).unwrap();
    assert_eq!(error["error"]["code"], "answer_broken_off");
    assert!(words(&events).starts_with("You "), "{events:?}");
    let whole = |event: &String| event == "[DONE]" || event.contains(r#""finish_reason":"stop""#);
    assert!(!events.iter().any(whole), "{events:?}");
    assert_eq!(setup.asked(), (1, 0), "nobody else goes on with half an answer");

    // Where nothing was sent yet, another endpoint answers.
    setup.local.simulator.script(Target::Model, [Fault::Cut, Fault::Cut]);
    let answer = setup.ask(&hello()).await;
    assert_eq!((answer.status.as_u16(), &read(&answer)["model"]), (200, &"far-model".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_asked_first_by_its_name_or_its_endpoints() {
    let Some(setup) = Setup::start().await else { return };
    let ask = async |model: &str| {
        let mut body = hello();
        body["model"] = model.into();
        setup.ask(&body).await
    };
    for (model, endpoint) in
        [("auto", "office"), ("magpie", "office"), ("office", "office"), ("far", "far"), ("far-model", "far")]
    {
        assert_eq!(ask(model).await.headers["x-magpie-endpoint"], endpoint, "{model}");
    }
    assert_refused(&ask("gpt-4").await, 404, "model_not_found", Some("model"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_honoured_is_named_and_nobody_is_asked() {
    let Some(setup) = Setup::start().await else { return };
    let with = |key: &str, value: Value| {
        let mut body = hello();
        body[key] = value;
        body
    };
    for (key, value) in [
        ("tools", json!([{ "type": "function", "function": { "name": "f" } }])),
        ("functions", json!([{ "name": "f" }])),
        ("n", json!(2)),
        ("audio", json!({ "voice": "alloy" })),
        ("response_format", json!({ "type": "json_object" })),
        ("logprobs", json!(true)),
    ] {
        assert_refused(&setup.ask(&with(key, value)).await, 400, "unsupported_parameter", Some(key));
    }
    assert_refused(
        &setup.ask(&with("temperature", json!(3))).await,
        400,
        "invalid_value",
        Some("temperature"),
    );
    assert_refused(&setup.ask(&with("messages", json!([]))).await, 400, "invalid_value", Some("messages"));
    let image = json!([{ "type": "image_url", "image_url": { "url": "http://127.0.0.1:9/a.png" } }]);
    let messages = json!([{ "role": "user", "content": image }]);
    let answer = setup.ask(&with("messages", messages)).await;
    assert_refused(&answer, 400, "unsupported_image_url", Some("messages"));
    let not_json = setup.call("/v1/chat/completions", TOKENS[0], "{").await;
    assert_refused(&not_json, 400, "invalid_json", None);
    assert_eq!(setup.asked(), (0, 0));
    for (key, value) in
        [("user", json!("u")), ("metadata", json!({})), ("seed", json!(1)), ("store", json!(true))]
    {
        assert_eq!(setup.ask(&with(key, value)).await.status, 200, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_refused_where_nobody_understands_it() {
    let Some(setup) = Setup::start().await else { return };
    let image = json!([
        { "type": "text", "text": "what is this?" },
        { "type": "image_url", "image_url": { "url": "data:image/png;base64,aGlkZGVu" } },
    ]);
    let body = json!({ "messages": [{ "role": "user", "content": image }] });
    for body in [body.clone(), streamed(body)] {
        assert_refused(&setup.ask(&body).await, 400, "unsupported_content", Some("messages"));
    }
    assert_eq!(setup.asked(), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_end_without_an_answer_has_its_status() {
    let Some(setup) = Setup::start().await else { return };
    let (local, cloud) = (&setup.local.simulator, &setup.cloud.simulator);
    let busy = || [Fault::RateLimited { reset_seconds: 40 }, Fault::RateLimited { reset_seconds: 40 }];
    let raw = |code: &str| {
        let body = json!({ "error": { "message": "hidden", "type": "invalid_request_error", "code": code } });
        Fault::Raw { status: 400, body: body.to_string() }
    };
    for body in [hello(), streamed(hello())] {
        local.script(Target::Model, [raw("content_filter")]);
        let answer = setup.ask(&body).await;
        assert_refused(&answer, 400, "content_filter", Some("messages"));
        assert!(!read(&answer).to_string().contains("hidden"));

        local.script(Target::Model, [raw("context_length_exceeded")]);
        cloud.script(Target::Model, [raw("context_length_exceeded")]);
        assert_refused(&setup.ask(&body).await, 400, "context_length_exceeded", Some("messages"));
    }
    local.script(Target::Model, busy());
    cloud.script(Target::Model, busy());
    let answer = setup.ask(&hello()).await;
    assert_refused(&answer, 429, "rate_limit_exceeded", None);
    assert_eq!(answer.headers[header::RETRY_AFTER], "40");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_503() {
    // Whoever is not there is waited for as long as a turn may take.
    let Some(setup) = Setup::routing("turn_timeout_seconds = 2").await else { return };
    let Setup { local, cloud, magpie, client } = setup;
    drop((local.served, cloud.served));
    let url = magpie.url.join("/v1/chat/completions").unwrap();
    let request = OutRequest::post_json(url, hello().to_string())
        .with_secret_header(header::AUTHORIZATION, &format!("Bearer {}", TOKENS[0]));
    let answer = client.call(request, LIMITS).await.unwrap();
    assert_refused(&answer, 503, "no_model_available", None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_programs_spend_counts_and_ends_in_a_refusal() {
    let Some(binary) = Component::Magpie.find() else { return };
    let cloud = Pretend::start().await.unwrap();
    // A million for a token: one answer spends it all.
    let config = format!(
        "[endpoints.far]\nplace = 'cloud'\nurl = '{}model/v1/chat/completions'\nmodel = 'm'\nmax_tokens = 20\n\
         price = {{ prompt = 1000000, completion = 1000000 }}\n\
         [gateway]\ntoken = 'env:WIKI'\n[gateway.tokens]\nbuilds = 'env:BUILDS'\n\
         [budgets]\nbot_month = 60\nmonth = 1000\nthen = 'stop'\n",
        cloud.served.url
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("magpie.toml"), config).unwrap();
    let env = [("WIKI", TOKENS[0]), ("BUILDS", TOKENS[1])];
    let magpie = Magpie::start_in(binary, folder, &env).await.unwrap();
    let client = Egress::new(EgressOptions::default()).unwrap();
    let ask = async |token: &str, body: Value| {
        let url = magpie.url.join("/v1/chat/completions").unwrap();
        let request = OutRequest::post_json(url, body.to_string())
            .with_secret_header(header::AUTHORIZATION, &format!("Bearer {token}"));
        client.call(request, LIMITS).await.unwrap()
    };
    // Eleven tokens each, and no more questions once those that are left might cost too much.
    let mut answered = 0;
    while ask(TOKENS[0], streamed(hello())).await.status == 200 {
        answered += 1;
        assert!(answered < 6, "the budget holds for no more than five answers of eleven");
    }
    assert!(answered >= 2, "{answered}");
    assert_refused(&ask(TOKENS[0], hello()).await, 429, "insufficient_quota", None);
    assert_eq!(ask(TOKENS[1], hello()).await.status, 200, "each program has a budget of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_up_ends_the_question() {
    let Some(mut setup) = Setup::start().await else { return };
    for (fault, body) in [
        (Fault::Hang(Duration::from_secs(600)), hello()),
        (Fault::Hang(Duration::from_secs(600)), streamed(hello())),
        (Fault::Stall(Duration::from_secs(600)), streamed(hello())),
    ] {
        let before = setup.asked().0;
        let begins = matches!(fault, Fault::Stall(_));
        setup.local.simulator.script(Target::Model, [fault]);
        let request = setup.request("/v1/chat/completions", TOKENS[0], body.to_string());
        let client = setup.client.clone();
        let (begun, begins_here) = tokio::sync::oneshot::channel();
        let asking = tokio::spawn(async move {
            let mut stream = client.stream(request, LIMITS).await.unwrap();
            stream.body.next().await.unwrap();
            begun.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        if begins {
            begins_here.await.unwrap();
        }
        let mut patience = tokio::time::interval(Duration::from_millis(20));
        while setup.asked().0 == before {
            patience.tick().await;
        }
        asking.abort();
        setup.magpie.process.line_with("a program hung up").await.unwrap();
    }
    assert_eq!(setup.asked(), (3, 0));
}
