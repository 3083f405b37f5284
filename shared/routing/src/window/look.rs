//! Asking a server how large its model's context is.
//!
//! vLLM and SGLang say so in their list of models (`max_model_len`), and so do most clouds (`context_length`,
//! `context_window`); llama.cpp in `/props` (`n_ctx`), Ollama in `/api/show` and `/api/ps`, LM Studio in `/api/v0/models`.
//! Some say how long a context the model was trained for and elsewhere how much of it is loaded; the least counts.

use std::time::Duration;

use bytes::Bytes;
use http::header;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use transport::{Limits, OutRequest, Transport};

use crate::{Endpoint, Place, Protocol};

/// What one call may take. Each is answered from memory.
const LIMITS: Limits = Limits { total: Duration::from_millis(800), bytes: 4 << 20 };

/// Where a list of models or the state of one holds the size of its context.
const PLACES: [&str; 9] = [
    "/loaded_context_length",
    "/max_model_len",
    "/context_length",
    "/context_window",
    "/max_context_length",
    "/meta/n_ctx",
    "/meta/n_ctx_train",
    "/default_generation_settings/n_ctx",
    "/n_ctx",
];

/// The least window that the server names for this endpoint's model.
pub(crate) async fn look(transport: &dyn Transport, endpoint: &Endpoint) -> Option<u32> {
    let mut least = None;
    for request in requests(endpoint) {
        let Ok(answer) = transport.call(request, LIMITS).await else { continue };
        let Some(body) =
            answer.status.is_success().then(|| serde_json::from_slice(&answer.body).ok()).flatten()
        else {
            continue;
        };
        least = least.into_iter().chain(window(&body, &endpoint.model)).min();
    }
    least
}

/// The questions to the server. A cloud is asked for its models only: the rest is what people run themselves.
fn requests(endpoint: &Endpoint) -> Vec<OutRequest> {
    let path = endpoint.url.path().trim_end_matches('/');
    let ends = match endpoint.protocol {
        Protocol::ChatCompletions => "/chat/completions",
        Protocol::Completions => "/completions",
        Protocol::Responses => "/responses",
        Protocol::Ollama => "/api/chat",
        Protocol::Messages | Protocol::Converse | Protocol::Gemini | Protocol::Echo => return Vec::new(),
    };
    let Some(base) = path.strip_suffix(ends) else { return Vec::new() };
    let at = |path: String| {
        let mut url = endpoint.url.clone();
        url.set_path(&path);
        url
    };
    let root = base.strip_suffix("/v1").unwrap_or(base);
    let get = |path| keyed(endpoint, OutRequest::get(at(path)));
    let mut requests = Vec::new();
    if endpoint.protocol != Protocol::Ollama {
        requests.push(get(format!("{base}/models")));
    }
    if endpoint.place == Place::Local {
        requests.push(get(format!("{root}/props")));
        requests.push(get(format!("{root}/api/v0/models")));
        requests.push(get(format!("{root}/api/ps")));
        let body = Bytes::from(json!({ "model": endpoint.model }).to_string());
        requests.push(keyed(endpoint, OutRequest::post_json(at(format!("{root}/api/show")), body)));
    }
    requests
}

fn keyed(endpoint: &Endpoint, request: OutRequest) -> OutRequest {
    let request = request.via(endpoint.place.via());
    match &endpoint.key {
        Some(key) => {
            request.with_secret_header(header::AUTHORIZATION, &format!("Bearer {}", key.expose_secret()))
        }
        None => request,
    }
}

/// The window of this model in one of the answers.
fn window(body: &Value, model: &str) -> Option<u32> {
    let lists = [body.get("data"), body.get("models")];
    match lists.into_iter().flatten().find_map(Value::as_array) {
        Some(list) => {
            let entry = list.iter().find(|entry| is_named(entry, model));
            // A server of one model answers whatever it is called.
            let only = || list.first().filter(|_| list.len() == 1);
            least(entry.or_else(only)?)
        }
        None => least(body).into_iter().chain(shown(body)).min(),
    }
}

fn is_named(entry: &Value, model: &str) -> bool {
    let names = ["id", "name", "model"].into_iter().filter_map(|key| entry.get(key)?.as_str());
    names.into_iter().any(|name| name == model || name.strip_suffix(":latest") == Some(model))
}

fn least(entry: &Value) -> Option<u32> {
    PLACES.iter().filter_map(|place| tokens(entry.pointer(place)?)).min()
}

fn tokens(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok().filter(|&tokens| tokens > 0)
}

/// Ollama's `/api/show`: what the model was trained for, under the name of its architecture, and what its file sets.
fn shown(body: &Value) -> Option<u32> {
    let trained = body.get("model_info").and_then(Value::as_object).into_iter().flatten();
    let trained =
        trained.filter(|(key, _)| key.ends_with(".context_length")).filter_map(|(_, value)| tokens(value));
    let lines = body.get("parameters").and_then(Value::as_str).unwrap_or_default().lines();
    let set = lines.filter_map(|line| line.trim().strip_prefix("num_ctx")?.trim().parse().ok());
    trained.chain(set).min()
}

#[cfg(test)]
mod tests;
