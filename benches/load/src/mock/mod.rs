//! The model server and the platform's API, in one process beside the server that is measured.
//!
//! The model server answers each question after the same time; the API takes replies and records when the first one to
//! each question arrived. Both do as little as they can, because they share the machine with what is measured.
//!
//! # Layout
//!
//! - this file: the server and its routes
//! - [`record`]: what arrived, and how the load test reads it

pub mod record;

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use gateways::answer;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;

use crate::webhook;
use record::Record;

/// The name of the one model.
pub const MODEL: &str = "load";

/// Where the load test reads what arrived.
pub const RECORD_PATH: &str = "/record";

/// Where it reads how many questions are answered.
pub const ANSWERED_PATH: &str = "/answered";

/// How the mock behaves.
#[derive(Debug, Clone, Copy)]
pub struct Behaviour {
    /// How long the model takes for an answer.
    pub model_time: Duration,
    /// How many questions there will be.
    pub questions: usize,
}

/// What every connection needs.
struct Mock {
    model_time: Duration,
    record: Record,
    /// The chunks of an answer that are the same for every question.
    words: String,
    end: String,
}

/// Serves on a port of loopback until the task ends.
///
/// # Errors
///
/// When the port is taken.
pub async fn serve(listener: TcpListener, behaviour: Behaviour) -> anyhow::Result<()> {
    let words: String = answer::numbers().split_inclusive(' ').map(|word| chunk(word, None)).collect();
    let end = chunk("", Some("stop")) + "data: [DONE]\n\n";
    let record = Record::of(behaviour.questions);
    let mock = Arc::new(Mock { model_time: behaviour.model_time, record, words, end });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let mock = Arc::clone(&mock);
        tokio::spawn(async move {
            let service = service_fn(move |request| respond(Arc::clone(&mock), request));
            // A server that is ended breaks its connections off.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Listens on a port of loopback.
///
/// # Errors
///
/// When it is taken.
pub async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    Ok(TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?)
}

fn chunk(text: &str, finish: Option<&str>) -> String {
    let delta = if text.is_empty() { json!({}) } else { json!({ "content": text }) };
    answer::chunk(MODEL, &delta, finish)
}

async fn respond(mock: Arc<Mock>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    // A body that breaks off holds no question and is answered as such.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let path = parts.uri.path();
    Ok(match (parts.method, path) {
        (Method::POST, "/v1/chat/completions") => complete(&mock, &body).await,
        (Method::GET, "/v1/models") => {
            ok(json!({"object": "list", "data": [{"id": MODEL, "object": "model"}]}).to_string())
        }
        (_, RECORD_PATH) => ok(mock.record.report().to_string()),
        (_, ANSWERED_PATH) => ok(mock.record.answered().to_string()),
        (method, path) => api(&mock, &method, path, &body),
    })
}

/// An answer that names the question, in twenty chunks that come together once the time is over.
async fn complete(mock: &Mock, body: &[u8]) -> Response<Full<Bytes>> {
    let Some(question) = webhook::question_in(body) else { return status(StatusCode::BAD_REQUEST) };
    let asked = mock.record.ask();
    tokio::time::sleep(mock.model_time).await;
    drop(asked);
    let named = chunk(&format!("{} ", webhook::answer(question)), None);
    let text = [&named, mock.words.as_str(), &mock.end].concat();
    typed(text.into(), "text/event-stream; charset=utf-8")
}

/// Feishu's API, as far as a bot that answers uses it.
fn api(mock: &Mock, method: &Method, path: &str, body: &[u8]) -> Response<Full<Bytes>> {
    let Some(call) = path.strip_prefix("/open-apis/") else { return status(StatusCode::NOT_FOUND) };
    match call {
        "auth/v3/tenant_access_token/internal" => {
            ok(json!({"code": 0, "msg": "ok", "tenant_access_token": "t-load", "expire": 7200}).to_string())
        }
        "bot/v3/info" => {
            ok(json!({"code": 0, "msg": "ok", "bot": {"open_id": "ou_magpie", "app_name": "Magpie", "activate_status": 2}})
                .to_string())
        }
        _ => match call.strip_prefix("im/v1/messages").filter(|_| method == Method::POST) {
            Some(rest) => {
                let to = rest.strip_prefix('/').and_then(|rest| rest.strip_suffix("/reply"));
                mock.record.reply(to.and_then(webhook::question_of), webhook::question_in(body));
                ok(SENT.to_owned())
            }
            None => status(StatusCode::NOT_FOUND),
        },
    }
}

const SENT: &str =
    r#"{"code":0,"msg":"success","data":{"message_id":"om_dc13264520392913993dd051dba21dcf"}}"#;

fn ok(text: String) -> Response<Full<Bytes>> {
    typed(text.into(), "application/json; charset=utf-8")
}

fn typed(body: Bytes, media_type: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = ok("{}".to_owned());
    *response.status_mut() = status;
    response
}
