use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use host::SystemPause;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use routing::{Ask, Clocks, Context, NoAnswerReason, Prompt, Protocol, Route};
use serde_json::{Value, json};
use tokio::time::sleep;
use transport::{Limits, NetError, OutRequest, OutResponse};

use super::*;

const OLLAMA: &str = "http://127.0.0.1:11434";
const VLLM: &str = "http://127.0.0.1:8000";
const LLAMA: &str = "http://127.0.0.1:8080";
const STUDIO: &str = "http://127.0.0.1:1234";

/// What an address answers.
#[derive(Clone)]
enum Says {
    Json(Value),
    Text(u16, &'static str),
    /// Never anything, as long as the call may take.
    Nothing,
    /// More than the call may take.
    Flood,
}

/// Servers on this machine, as a test lays them out.
#[derive(Default)]
struct Machine {
    answers: Mutex<BTreeMap<String, Says>>,
    calls: AtomicUsize,
}

impl Machine {
    fn new(answers: impl IntoIterator<Item = (String, Says)>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() })
    }

    fn set(&self, url: &str, says: Says) {
        self.answers.lock().unwrap().insert(url.to_owned(), says);
    }

    fn clear(&self) {
        self.answers.lock().unwrap().clear();
    }
}

#[async_trait]
impl Transport for Machine {
    async fn call(&self, request: OutRequest, limits: Limits) -> Result<OutResponse, NetError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        // Ollama answers about the model that the body names.
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let model = body.get("model").and_then(Value::as_str).filter(|_| request.method == Method::POST);
        let url = format!("{}{}", request.url, model.map(|model| format!("#{model}")).unwrap_or_default());
        let says = self.answers.lock().unwrap().get(&url).cloned();
        let (status, body) = match says.ok_or(NetError::Unreachable)? {
            Says::Json(json) => (200, json.to_string()),
            Says::Text(status, text) => (status, text.to_owned()),
            Says::Flood => return Err(NetError::TooLarge),
            Says::Nothing => {
                sleep(limits.total).await;
                return Err(NetError::Timeout);
            }
        };
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))]);
        Ok(OutResponse { status: StatusCode::from_u16(status).unwrap(), headers, body: body.into() })
    }
}

fn finder(machine: &Arc<Machine>, configured: Vec<Endpoint>) -> Finder {
    Finder {
        configured,
        demo: vec![BotId::parse("demo").unwrap()],
        own_port: 18789,
        transport: machine.clone(),
        pause: Arc::new(SystemPause),
    }
}

/// OpenAI's list, as `owner` gives it.
fn list(owner: &str, ids: &[&str]) -> Says {
    let model = |id: &&str| json!({ "id": id, "object": "model", "created": 1, "owned_by": owner });
    Says::Json(json!({ "object": "list", "data": ids.iter().map(model).collect::<Vec<_>>() }))
}

fn models_at(base: &str, owner: &str, ids: &[&str]) -> (String, Says) {
    (format!("{base}/v1/models"), list(owner, ids))
}

async fn chosen(machine: &Arc<Machine>) -> Option<(String, String)> {
    let found = finder(machine, Vec::new()).find(&[]).await;
    found.endpoints.first().map(|endpoint| (endpoint.name.clone(), endpoint.model.clone()))
}

fn chose(name: &str, model: &str) -> Option<(String, String)> {
    Some((name.to_owned(), model.to_owned()))
}

#[tokio::test(start_paused = true)]
async fn a_chat_model_is_chosen_and_never_another_kind() {
    for (ids, model) in [
        (&["nomic-embed-text:latest", "qwen3:latest"][..], Some("qwen3:latest")),
        (
            &["BAAI/bge-reranker-v2-m3", "whisper-1", "flux.1-dev", "llama-guard3:8b", "deepseek-ocr", "m"],
            Some("m"),
        ),
        (&["qwen2.5-coder:7b-base", "qwen2.5:7b-instruct"], Some("qwen2.5:7b-instruct")),
        (&["all-minilm", "bge-m3"], None),
        (&[], None),
    ] {
        let machine = Machine::new([models_at(VLLM, "someone", ids)]);
        let expected = model.and_then(|model| chose("vllm", model));
        assert_eq!(chosen(&machine).await, expected, "{ids:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn ollamas_own_words_go_before_names_and_a_loaded_model_before_others() {
    let machine = Machine::new([
        models_at(
            OLLAMA,
            "library",
            &["far:latest", "odd:latest", "plain:latest", "qwen3:latest", "llama3.2:latest"],
        ),
        (
            format!("{OLLAMA}/api/tags"),
            Says::Json(json!({ "models": [
                { "name": "far:latest", "model": "far:latest", "remote_host": "https://ollama.com:443" },
                { "name": "plain:latest", "model": "plain:latest", "details": { "family": "nomic-bert" } },
                { "name": "qwen3:latest", "model": "qwen3:latest", "details": { "family": "qwen3" } },
            ] })),
        ),
        (format!("{OLLAMA}/api/show#odd:latest"), Says::Json(json!({ "capabilities": ["embedding"] }))),
        (
            format!("{OLLAMA}/api/show#qwen3:latest"),
            Says::Json(json!({ "capabilities": ["completion", "tools"] })),
        ),
    ]);
    assert_eq!(chosen(&machine).await, chose("ollama", "qwen3:latest"));
    let running = json!({ "models": [{ "name": "llama3.2:latest", "model": "llama3.2:latest" }] });
    machine.set(&format!("{OLLAMA}/api/ps"), Says::Json(running));
    assert_eq!(chosen(&machine).await, chose("ollama", "llama3.2:latest"));
    // Without a model at all, Ollama says so with `null`.
    machine.set(&format!("{OLLAMA}/v1/models"), Says::Json(json!({ "object": "list", "data": null })));
    assert_eq!(chosen(&machine).await, None);
}

#[tokio::test(start_paused = true)]
async fn other_servers_words_are_read_too() {
    let machine = Machine::new([
        models_at(STUDIO, "organization_owner", &["first", "second", "third"]),
        (
            format!("{STUDIO}/api/v0/models"),
            Says::Json(json!({ "object": "list", "data": [
                { "id": "first", "type": "embeddings", "state": "loaded" },
                { "id": "second", "type": "llm", "state": "not-loaded" },
                { "id": "third", "type": "vlm", "state": "loaded" },
            ] })),
        ),
    ]);
    assert_eq!(chosen(&machine).await, chose("lm-studio", "third"));
    // llama.cpp: what a model can do stands in a second list; its router says which are loaded.
    let llama = json!({
        "object": "list",
        "models": [{ "name": "/m/a.gguf", "capabilities": ["embedding"] }, { "name": "b", "capabilities": ["completion"] }],
        "data": [
            { "id": "/m/a.gguf", "object": "model", "owned_by": "llamacpp" },
            { "id": "b", "object": "model", "owned_by": "llamacpp", "status": { "value": "unloaded" } },
            { "id": "c", "object": "model", "owned_by": "llamacpp", "status": { "value": "loaded" } },
        ],
    });
    let machine = Machine::new([(format!("{VLLM}/v1/models"), Says::Json(llama))]);
    assert_eq!(chosen(&machine).await, chose("llama-cpp", "c"), "named by what it is, not by its port");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_model_server_is_passed_over() {
    let url = format!("{VLLM}/v1/models");
    for says in [
        Says::Text(200, "<!doctype html><title>Hello</title>"),
        Says::Text(302, ""),
        Says::Text(401, r#"{"error":"unauthorized"}"#),
        Says::Text(404, ""),
        Says::Text(500, ""),
        Says::Text(200, ""),
        Says::Text(200, "[]"),
        Says::Text(200, "\u{0}\u{1}\u{2}"),
        Says::Json(json!({ "data": "none" })),
        Says::Json(json!({ "data": [{ "id": "golf", "name": "VW Golf" }] })),
        Says::Json(json!({ "data": [{ "id": 1, "object": "model" }] })),
        Says::Json(json!({ "object": "list", "data": [["x"]] })),
        Says::Json(json!({ "object": "list", "data": [{ "id": "  " }] })),
        Says::Flood,
        Says::Nothing,
    ] {
        let machine = Machine::new([(url.clone(), says), models_at(LLAMA, "llamacpp", &["qwen3"])]);
        assert_eq!(chosen(&machine).await, chose("llama-cpp", "qwen3"));
    }
}

#[tokio::test(start_paused = true)]
async fn everything_that_was_found_is_told() {
    let machine = Machine::new([
        models_at(OLLAMA, "library", &["bge-m3:latest", "qwen3:latest", "gemma3:4b"]),
        models_at(LLAMA, "llamacpp", &["/m/nomic-embed-text.gguf"]),
    ]);
    let found = finder(&machine, Vec::new()).find(&[]).await;
    assert_eq!(found.endpoints[0].model, "qwen3:latest");
    assert_eq!(
        report::others(&found),
        [
            "also found ollama at http://127.0.0.1:11434/v1/: gemma3:4b, bge-m3:latest (embedding)",
            "also found llama-cpp at http://127.0.0.1:8080/v1/: /m/nomic-embed-text.gguf (embedding)",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn this_process_does_not_look_at_itself() {
    let machine = Machine::new([models_at(LLAMA, "magpie", &["auto"])]);
    let itself = Finder { own_port: 8080, ..finder(&machine, Vec::new()) };
    assert!(itself.find(&[]).await.servers.is_empty());
    assert_eq!(machine.calls.load(Ordering::Relaxed), 3);
}

/// A watch that runs, the router it serves, and the machine it looks at.
async fn watching(machine: &Arc<Machine>, configured: Vec<Endpoint>) -> Arc<LiveRouter> {
    let finder = finder(machine, configured);
    let transport: Arc<dyn Transport> = machine.clone();
    let build = move |endpoints| {
        let ports = crate::serve::routing_ports(Arc::clone(&transport));
        Router::new(endpoints, Route::default(), Clocks::default(), ports)
    };
    let found = finder.find(&[]).await;
    let router = Arc::new(LiveRouter::new(build(finder.in_service(&found.endpoints)).unwrap()));
    tokio::spawn(Watch { finder, router: Arc::clone(&router), build }.run(found));
    router
}

fn models(router: &LiveRouter) -> Vec<String> {
    let router = router.current();
    let endpoints = router.endpoints().iter().filter(|endpoint| endpoint.bots.is_none());
    endpoints.map(|endpoint| endpoint.model.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_later_is_found_and_one_that_goes_is_replaced() {
    let machine = Machine::new([]);
    let router = watching(&machine, Vec::new()).await;
    assert!(!router.current().has_model());
    machine.set(&format!("{OLLAMA}/v1/models"), list("library", &["qwen3:latest"]));
    sleep(2 * LOOK_EVERY).await;
    assert_eq!(models(&router), ["qwen3:latest"]);
    // A better place, or another model, is no reason to change what works.
    machine.set(&format!("{VLLM}/v1/models"), list("vllm", &["llama"]));
    sleep(3 * CONFIRM_EVERY).await;
    assert_eq!(models(&router), ["qwen3:latest"]);
    // A server that is away stays in service while there is no other.
    let before = router.current();
    machine.clear();
    sleep(2 * CONFIRM_EVERY).await;
    assert!(Arc::ptr_eq(&before, &router.current()));
    machine.set(&format!("{VLLM}/v1/models"), list("vllm", &["llama"]));
    sleep(2 * LOOK_EVERY).await;
    assert_eq!(models(&router), ["llama"]);
}

#[tokio::test(start_paused = true)]
async fn looking_is_cheap() {
    let machine = Machine::new([]);
    let _router = watching(&machine, Vec::new()).await;
    sleep(Duration::from_secs(60)).await;
    let calls = machine.calls.load(Ordering::Relaxed);
    assert!((40..=56).contains(&calls), "four connections in five seconds, and not {calls} in a minute");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_without_a_model_asks_its_server_until_it_answers() {
    let url = "http://models.internal:9000/v1/chat/completions".parse().unwrap();
    let endpoint = Endpoint {
        key: Some("hidden".into()),
        ..Endpoint::new("local", Place::Local, url, Protocol::ChatCompletions, "")
    };
    let machine = Machine::new([]);
    let router = watching(&machine, vec![endpoint]).await;
    assert_eq!(models(&router), [""]);
    machine.set("http://models.internal:9000/v1/models", Says::Text(503, "loading"));
    sleep(2 * LOOK_EVERY).await;
    machine.set("http://models.internal:9000/v1/models", list("vllm", &["bge-m3", "qwen3-32b"]));
    sleep(2 * LOOK_EVERY).await;
    assert_eq!(models(&router), ["qwen3-32b"]);
    let calls = machine.calls.load(Ordering::Relaxed);
    sleep(10 * CONFIRM_EVERY).await;
    assert_eq!(machine.calls.load(Ordering::Relaxed), calls, "what is known is not asked again");
}

#[tokio::test(start_paused = true)]
async fn only_demo_bots_are_answered_with_an_echo() {
    let machine = Machine::new([]);
    let router = watching(&machine, Vec::new()).await.current();
    let ask = async |bot: Option<&str>| {
        let context = Context { bot: bot.map(|bot| BotId::parse(bot).unwrap()), ..Context::default() };
        let prompt = Prompt::question("hi");
        router.ask(&Ask::whole(&prompt, &context, Duration::from_secs(9))).await
    };
    assert_eq!(ask(Some("demo")).await.unwrap().text, "echo: hi");
    for bot in [Some("helpdesk"), None] {
        let failed = ask(bot).await.unwrap_err();
        assert_eq!((failed.reason, failed.attempts.len()), (NoAnswerReason::NoModel, 0));
    }
    assert!(router.signs().is_empty(), "an echo is no endpoint that is ready");
}
