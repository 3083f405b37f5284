//! The routes.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Query, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use chat::Clock;
use platform::{HookAnswer, RawRequest};
use receive::{BODY_MAX, Receiver};
use serde_json::{Value, json};
use store::Dequeue;

use crate::{
    health,
    unread::{self, Unread},
};

/// What the routes need.
#[derive(Clone)]
pub(crate) struct Web {
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) queue: Arc<dyn Dequeue>,
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

/// `200` while the store answers, with how much waits in the queue and how the endpoints fare; `503` when it does not.
/// Endpoints that are down change nothing of the status: messages are kept until one is back.
async fn healthz(State(web): State<Web>) -> (StatusCode, Json<Value>) {
    match web.queue.depth().await {
        Ok(depth) => {
            let version = env!("CARGO_PKG_VERSION");
            let endpoints = health::of(web.router.current().signs(), web.clock.now());
            let said = json!({
                "status": "ok", "version": version, "queue_depth": depth, "endpoints": endpoints,
            });
            (StatusCode::OK, Json(said))
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "store unavailable" }))),
    }
}
