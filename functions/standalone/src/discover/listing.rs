//! A server's list of its models: asking for it, and reading what servers make of it.
//!
//! OpenAI's list (`data`, entries with an `id`) is what most servers answer, with fields of their own beside it: LM Studio
//! says a `type` and a `state`, Xinference a `model_type`, Mistral and llama.cpp `capabilities`, llama.cpp's router a
//! `status`. Ollama's own list and Gemini's stand under `models`.

use std::time::Duration;

use http::{StatusCode, header};
use routing::{
    Endpoint, Prompt, Protocol,
    protocol::{self, Manner},
};
use serde_json::Value;
use transport::{Limits, NetError, OutRequest, Transport};
use url::Url;

use super::kind::{self, ModelKind};

/// What one list may take: a cloud's list of all its models is some hundred kilobytes.
const BYTES_MAX: usize = 1024 * 1024;

/// One model of a server's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// What to ask for.
    pub(crate) id: String,
    /// What it is for.
    pub(crate) kind: ModelKind,
    /// Whether it is in memory already, as far as the server says.
    pub(crate) loaded: bool,
}

/// A server's list of its models.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// In the server's order.
    pub(crate) models: Vec<Listed>,
    /// Whom the server names as their owner, which tells one server from another: `library`, `vllm`, `llamacpp`.
    pub(crate) owner: Option<String>,
    /// Whether it calls itself a list of models, as an answer of some other program would not.
    pub(crate) is_marked: bool,
    /// Whether there are more models than are listed.
    pub(crate) is_partial: bool,
}

/// Why there is no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoListing {
    /// The server did not answer.
    Net(NetError),
    /// It answered with this status.
    Status(StatusCode),
    /// It answered with something else than a list of models.
    Unreadable,
    /// The endpoint's protocol or address has no list.
    Unlisted,
}

/// Asks an endpoint's server for its models, with the endpoint's key, within `total`.
pub(crate) async fn list(
    transport: &dyn Transport,
    endpoint: &Endpoint,
    total: Duration,
) -> Result<Listing, NoListing> {
    let url = url(endpoint).ok_or(NoListing::Unlisted)?;
    let mut request = OutRequest::get(url).via(endpoint.place.via());
    // Whatever proves to the server who asks is the same as with a question.
    if let Some(question) = protocol::encode(endpoint, &Prompt::default(), Manner::Streamed) {
        request.headers = question.headers;
        request.headers.remove(header::CONTENT_TYPE);
    }
    get(transport, request, total).await.and_then(|value| read(&value).ok_or(NoListing::Unreadable))
}

/// What a call answers, as JSON.
pub(super) async fn get(
    transport: &dyn Transport,
    request: OutRequest,
    total: Duration,
) -> Result<Value, NoListing> {
    let limits = Limits { total, bytes: BYTES_MAX };
    let answer = transport.call(request, limits).await.map_err(NoListing::Net)?;
    if !answer.status.is_success() {
        return Err(NoListing::Status(answer.status));
    }
    serde_json::from_slice(&answer.body).map_err(|_| NoListing::Unreadable)
}

/// Where the list of an endpoint's server is: beside the address that questions go to.
fn url(endpoint: &Endpoint) -> Option<Url> {
    let path = endpoint.url.path().trim_end_matches('/');
    let (path, query) = match endpoint.protocol {
        Protocol::ChatCompletions => (format!("{}/models", path.strip_suffix("/chat/completions")?), None),
        Protocol::Completions => (format!("{}/models", path.strip_suffix("/completions")?), None),
        Protocol::Responses => (format!("{}/models", path.strip_suffix("/responses")?), None),
        Protocol::Messages => {
            (format!("{}/models", path.strip_suffix("/messages")?), Some(("limit", "1000")))
        }
        Protocol::Ollama => (format!("{}/tags", path.strip_suffix("/chat")?), None),
        Protocol::Gemini => (path.rsplit_once('/')?.0.to_owned(), Some(("pageSize", "1000"))),
        Protocol::Converse | Protocol::Echo => return None,
    };
    let mut url = endpoint.url.clone();
    url.set_path(&path);
    let kept: Vec<_> = endpoint.url.query_pairs().filter(|(name, _)| name != "alt").collect();
    let further = query.map(|(name, value)| (name.into(), value.into()));
    let pairs: Vec<_> = kept.into_iter().chain(further).collect();
    url.set_query(None);
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Some(url)
}

/// Reads a list, whichever of the known forms it has. No models are a list too: Ollama says `"data": null` then.
pub(crate) fn read(value: &Value) -> Option<Listing> {
    let object = value.as_object()?;
    let is_list = object.get("object").and_then(Value::as_str) == Some("list");
    let of = |key: &str| object.get(key).and_then(Value::as_array);
    let entries = match (of("data"), of("models")) {
        (Some(data), _) => data.as_slice(),
        (None, Some(models)) => models.as_slice(),
        (None, None) if is_list => &[],
        (None, None) => return None,
    };
    let mut models: Vec<_> = entries.iter().filter_map(listed).collect();
    if models.len() < entries.len() {
        return None;
    }
    // llama.cpp says under `models` what those under `data` can do.
    if object.contains_key("data") {
        let further: Vec<_> = of("models").into_iter().flatten().filter_map(listed).collect();
        merge(&mut models, &further);
    }
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).map(str::to_lowercase);
    let is_model = |entry: &Value| text(entry, "object").as_deref() == Some("model");
    Some(Listing {
        models,
        owner: entries.iter().find_map(|entry| text(entry, "owned_by")),
        is_marked: is_list || entries.iter().any(is_model),
        is_partial: object.get("has_more").and_then(Value::as_bool) == Some(true)
            || object.get("nextPageToken").is_some_and(|token| !token.is_null()),
    })
}

fn listed(entry: &Value) -> Option<Listed> {
    let id = ["id", "name", "model"].iter().find_map(|key| entry.get(key)?.as_str())?;
    // Gemini lists `models/NAME` and is asked for NAME.
    let id = id.strip_prefix("models/").unwrap_or(id).trim();
    let by_name = kind::of_name(id);
    let is_remote = entry.get("remote_host").and_then(Value::as_str).is_some_and(|host| !host.is_empty());
    let kind = if is_remote {
        ModelKind::Remote
    } else if by_name == ModelKind::Chat {
        kind::of_words(words(entry).iter().copied()).unwrap_or(ModelKind::Chat)
    } else {
        by_name
    };
    (!id.is_empty()).then(|| Listed { id: id.to_owned(), kind, loaded: is_loaded(entry) })
}

/// What a server says a model is for, in its own words.
pub(super) fn words(entry: &Value) -> Vec<&str> {
    let mut words = Vec::new();
    for key in [
        "type",
        "model_type",
        "task",
        "pipeline_tag",
        "capabilities",
        "model_ability",
        "supportedGenerationMethods",
    ] {
        match entry.get(key) {
            Some(Value::String(word)) => words.push(word.as_str()),
            Some(Value::Array(list)) => words.extend(list.iter().filter_map(Value::as_str)),
            Some(Value::Object(flags)) => {
                words.extend(
                    flags.iter().filter(|(_, on)| **on == Value::Bool(true)).map(|(word, _)| word.as_str()),
                );
            }
            _ => {}
        }
    }
    // Ollama names the architecture, and embedding models have that of BERT.
    let family = entry.get("details").and_then(|details| details.get("family")).and_then(Value::as_str);
    words.extend(family.filter(|family| family.contains("bert")).map(|_| "embedding"));
    words
}

fn is_loaded(entry: &Value) -> bool {
    let state = |key: &str| {
        let value = entry.get(key)?;
        value.as_str().or_else(|| value.get("value")?.as_str())
    };
    ["state", "status"]
        .iter()
        .filter_map(|key| state(key))
        .any(|word| matches!(word, "loaded" | "running" | "ready"))
}

/// Adds what another list of the same server says of the same models.
pub(super) fn merge(models: &mut [Listed], further: &[Listed]) {
    for model in models {
        if let Some(more) = further.iter().find(|more| same(&more.id, &model.id)) {
            model.loaded |= more.loaded;
            if model.kind == ModelKind::Chat {
                model.kind = more.kind;
            }
        }
    }
}

/// Whether two names are those of one model: Ollama's `qwen3` is `qwen3:latest`.
pub(crate) fn same(a: &str, b: &str) -> bool {
    let short = |name: &str| name.strip_suffix(":latest").unwrap_or(name).to_lowercase();
    short(a) == short(b)
}
