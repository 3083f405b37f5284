//! A pretend model server that breaks on purpose. The model's name says how.
//!
//! It speaks the chat completions protocol, streaming and not, on loopback, and writes down who was asked when and what
//! came of it. `router-…` models answer without delay and are not written down: they are for measuring.
//!
//! # Layout
//!
//! - this file: the server
//! - `fault`: from a question to an error, a silence, or an answer
//! - `reply`: an answer with its flaw
//! - `script`: an answer's bytes, waits and breaks, as a body
//! - [`measured`]: answers for measuring
//! - [`ledger`]: who was asked when, and what came of it
//! - `line`: a connection that can be reset

mod fault;
pub mod ledger;
mod line;
pub mod measured;
mod reply;
mod script;

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::scale::Scale;
use ledger::Ledger;
use line::{Line, Resetter};
use measured::Measured;

/// An answer's body. Sent by one task, so it need not be shared between several.
type Body = UnsyncBoxBody<Bytes, Broken>;

/// Why an answer ends where it should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("broken on purpose")]
pub struct Broken;

/// A running mock. Stops when dropped.
#[derive(Debug)]
pub struct Mock {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it was asked.
    pub ledger: Arc<Ledger>,
    serving: JoinHandle<()>,
}

/// What every connection needs.
#[derive(Debug)]
struct Shop {
    scale: Scale,
    ledger: Arc<Ledger>,
    measured: Measured,
}

impl Mock {
    /// Starts one on a free port of loopback, in the current runtime.
    ///
    /// # Errors
    ///
    /// When there is no port.
    pub async fn start(scale: Scale) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let ledger = Arc::new(Ledger::default());
        let shop = Arc::new(Shop { scale, ledger: Arc::clone(&ledger), measured: Measured::default() });
        Ok(Self { address, ledger, serving: tokio::spawn(accept(listener, shop)) })
    }

    /// Its base address, as gateways want it.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, shop: Arc<Shop>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Without this, a small chunk waits for the other side's acknowledgement: 40 ms that look like the gateway's.
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        let (line, resetter) = Line::new(stream);
        let shop = Arc::clone(&shop);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&shop), resetter.clone(), request));
            // A connection that ends badly is what this server is for.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(line), service).await;
        });
    }
}

async fn answer(
    shop: Arc<Shop>,
    resetter: Resetter,
    request: Request<Incoming>,
) -> Result<Response<Body>, Broken> {
    match (request.method(), request.uri().path()) {
        (&Method::POST, path) if path.ends_with("/chat/completions") => {
            let question = request.into_body().collect().await.map_err(|_| Broken)?.to_bytes();
            match shop.measured.answer(&question) {
                Some(answer) => Ok(answer),
                None => fault::answer(&shop, &resetter, &question).await,
            }
        }
        (&Method::GET, path) if path.ends_with("/models") => Ok(json(StatusCode::OK, MODELS)),
        // What routers look at before they send anything.
        (&Method::GET, _) => Ok(json(StatusCode::OK, "{}")),
        _ => Ok(json(StatusCode::NOT_FOUND, "{}")),
    }
}

const MODELS: &str = r#"{"object":"list","data":[{"id":"router-now","object":"model","created":1700000000,"owned_by":"mock"}]}"#;

/// An answer of JSON.
fn json(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let body = Full::new(text.into()).map_err(|never: Infallible| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let kind = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// A stream's headers.
fn events(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let kind = http::HeaderValue::from_static("text/event-stream; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
