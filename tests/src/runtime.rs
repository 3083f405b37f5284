//! A built `bootstrap` on a Runtime API of ours.
//!
//! The Runtime API is all that a function knows of Lambda: it asks for the next invocation and posts what came of it. Here
//! the function is a child of the test and of nobody else, so that the test can kill it at any moment, as Lambda does with
//! a function that is out of memory or of time.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, bail};
use axum::{
    Router,
    extract::{Path as Segments, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use bytes::Bytes;
use chat::Clock as _;
use host::SystemClock;
use serde_json::Value;
use simulator::Served;
use tokio::sync::{mpsc, oneshot};

use crate::{component::Component, process::Process};

/// What an invocation may take, as the function is told.
const TIMEOUT: Duration = Duration::from_secs(60);

/// One invocation on its way to the function.
struct Invocation {
    id: u64,
    event: Bytes,
}

/// What the function posted: its answer, or why it has none.
type Outcome = Result<Bytes, String>;

/// The state of the Runtime API.
struct Api {
    /// The function asks for one at a time, and waits for it.
    next: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Outcome>>>,
}

impl Api {
    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Outcome>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, id: u64, outcome: Outcome) -> StatusCode {
        let Some(waiting) = self.waiting().remove(&id) else { return StatusCode::NOT_FOUND };
        // Nobody may be waiting any more, and the function need not know.
        drop(waiting.send(outcome));
        StatusCode::ACCEPTED
    }
}

/// A running function.
pub struct Bootstrap {
    /// The process.
    pub process: Process,
    api: Arc<Api>,
    invocations: mpsc::UnboundedSender<Invocation>,
    _served: Served,
}

impl Bootstrap {
    /// The built bootstrap of the function of this name; `None` when Lambda was left out.
    #[must_use]
    pub fn find(name: &str) -> Option<PathBuf> {
        Component::Bootstraps.find().map(|folder| Path::new(&folder).join(name).join("bootstrap"))
    }

    /// Starts one in this folder.
    ///
    /// # Errors
    ///
    /// When it cannot be started. One that starts and ends again shows when it is invoked.
    pub async fn start(
        program: &Path,
        environment: &[(&'static str, String)],
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let (invocations, next) = mpsc::unbounded_channel();
        let api = Arc::new(Api { next: next.into(), waiting: Mutex::default() });
        let served = simulator::serve(router(Arc::clone(&api))).await?;
        let address = served.url.authority().to_owned();
        let mut env = vec![
            ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "function"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ];
        env.extend(environment.iter().map(|(name, value)| (*name, value.as_str())));
        let process = Process::start(program, &[], &env, folder)?;
        Ok(Self { process, api, invocations, _served: served })
    }

    /// Hands the function an event and returns its answer. Invocations at the same time wait for one another, as Lambda
    /// gives a process one at a time.
    ///
    /// # Errors
    ///
    /// When the function failed.
    pub async fn invoke(&self, event: &Value) -> anyhow::Result<Value> {
        let (sender, outcome) = oneshot::channel();
        let id = {
            let mut waiting = self.api.waiting();
            let id = waiting.keys().max().map_or(0, |id| id + 1);
            waiting.insert(id, sender);
            id
        };
        let event = Bytes::from(serde_json::to_vec(event)?);
        self.invocations.send(Invocation { id, event }).ok().context("the Runtime API is gone")?;
        match outcome.await.context("the function is gone")? {
            Ok(answer) => Ok(serde_json::from_slice(&answer)?),
            Err(error) => bail!("the function failed: {error}"),
        }
    }
}

fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
        .with_state(api)
}

async fn next(State(api): State<Arc<Api>>) -> Result<(HeaderMap, Bytes), StatusCode> {
    let invocation = api.next.lock().await.recv().await.ok_or(StatusCode::GONE)?;
    let deadline = SystemClock.now().plus(TIMEOUT).as_millis();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", invocation.id.to_string()),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:000000000000:function:f".to_owned(),
        ),
    ] {
        headers.insert(name, value.parse().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?);
    }
    Ok((headers, invocation.event))
}

async fn answered(State(api): State<Arc<Api>>, Segments(id): Segments<u64>, body: Bytes) -> StatusCode {
    api.settle(id, Ok(body))
}

async fn failed(State(api): State<Arc<Api>>, Segments(id): Segments<u64>, body: Bytes) -> StatusCode {
    api.settle(id, Err(String::from_utf8_lossy(&body).into_owned()))
}
