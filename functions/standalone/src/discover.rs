//! A model server on one of the usual ports.

use std::time::Duration;

use futures_util::future::join_all;
use routing::{Endpoint, Place, Protocol};
use serde::Deserialize;
use transport::{Limits, OutRequest, Transport};
use url::Url;

/// Where the usual servers listen, in the order of preference.
const USUAL: [(&str, u16); 4] = [("vllm", 8000), ("ollama", 11434), ("llama-cpp", 8080), ("lm-studio", 1234)];

/// What a look may take. A server on this machine answers in milliseconds or is not there.
const LIMITS: Limits = Limits { total: Duration::from_millis(800), bytes: 1024 * 1024 };

/// `GET /v1/models`, as all four answer it.
#[derive(Deserialize)]
struct Models {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
}

/// The first model server found on this machine, with the first model that it lists.
pub(crate) async fn model_server(transport: &dyn Transport) -> Option<Endpoint> {
    let looks = USUAL.map(|(name, port)| look(transport, name, port));
    join_all(looks).await.into_iter().flatten().next()
}

async fn look(transport: &dyn Transport, name: &str, port: u16) -> Option<Endpoint> {
    let base = Url::parse(&format!("http://127.0.0.1:{port}/v1/")).ok()?;
    let request = OutRequest::get(base.join("models").ok()?);
    let answer = transport.call(request, LIMITS).await.ok().filter(|answer| answer.status.is_success())?;
    let models: Models = serde_json::from_slice(&answer.body).ok()?;
    let url = base.join("chat/completions").ok()?;
    let model = models.data.into_iter().next()?.id;
    Some(Endpoint::new(name, Place::Local, url, Protocol::ChatCompletions, model))
}
