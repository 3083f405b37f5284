//! The routes.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use chat::Clock;
use platform::{HookAnswer, RawRequest};
use receive::{BODY_MAX, Receiver};
use serde_json::{Value, json};
use store::Dequeue;

use crate::{
    gateway::tokens::Tokens,
    health,
    unread::{self, Unread},
    write_probe::WriteProbe,
};

/// What the routes need.
#[derive(Clone)]
pub(crate) struct Web {
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) queue: Arc<dyn Dequeue>,
    pub(crate) probe: Arc<WriteProbe>,
    /// Who sees the details of the health check.
    pub(crate) operators: Arc<Tokens>,
    pub(crate) router: Arc<routing::LiveRouter>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Web {
    /// The webhooks, exactly as behind API Gateway, and the health check.
    pub(crate) fn routes(self) -> Router {
        Router::new()
            .route("/webhook/{platform}/{bot}", post(webhook))
            .route("/healthz", get(healthz))
            .with_state(self)
    }
}

async fn webhook(
    State(web): State<Web>,
    Path((platform, bot)): Path<(String, String)>,
    Query(query): Query<Vec<(String, String)>>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    let is_known = web.receiver.bots.has(&platform, &bot);
    // The receiver says what there is to say of an unknown bot, whatever its body is.
    let body = if unread::waits(headers) && !is_known { Body::empty() } else { body };
    // One byte more than allowed is read, so that the receiver sees that it is too much and says so.
    let body = match unread::read(headers, body, BODY_MAX + 1).await {
        Ok(body) => body,
        Err(_) if !is_known => return StatusCode::NOT_FOUND.into_response(),
        Err(Unread::TooLarge) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(Unread::Malformed) => return StatusCode::BAD_REQUEST.into_response(),
    };
    let request = RawRequest { headers: parts.headers, query, body };
    respond(web.receiver.receive(&platform, &bot, request).await)
}

fn respond(answer: HookAnswer) -> Response {
    if answer.body.is_empty() {
        return answer.status.into_response();
    }
    let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (answer.status, json, Body::from(answer.body)).into_response()
}

/// `200` while the store takes writes, `503` while it does not: no message could be accepted then. Endpoints that are down
/// change nothing of the status: messages are kept until one is back. Operators see more than the status.
async fn healthz(State(web): State<Web>, headers: HeaderMap) -> (StatusCode, Json<Value>) {
    let written = web.probe.check().await;
    let (code, status) = match written {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    if web.operators.program(&headers).is_none() {
        return (code, Json(json!({ "status": status })));
    }
    let mut said = json!({
        "status": status,
        "version": env!("CARGO_PKG_VERSION"),
        "queue_depth": web.queue.depth().await.ok(),
        "endpoints": health::of(web.router.current().signs(), web.clock.now()),
    });
    if let (Err(error), Some(said)) = (written, said.as_object_mut()) {
        said.insert("error".to_owned(), error.to_string().into());
    }
    (code, Json(said))
}
