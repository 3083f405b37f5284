//! Gateways in this process, in front of the mock: two bad ones, and one that does everything right.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use gateways::{
    answer::{self, ANSWER},
    client::{Address, Connection, Heard, read},
    failures::{Manner, against},
    gateway::{Stand, TOKEN, every_scenario},
    judge::Verdict,
    mock::Mock,
    scale::Scale,
};
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What a gateway does with a question.
pub(crate) trait Gateway: Send + Sync + 'static {
    /// Answers it, with the help of the model server at this address.
    fn answer(&self, mock: &Address, question: Value) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

/// All scenarios against this gateway.
pub(crate) async fn verdicts(gateway: impl Gateway, scale: f64, streamed: bool) -> Vec<Verdict> {
    let scale = Scale::new(scale).unwrap();
    let mock = Mock::start(scale).await.unwrap();
    let socket = serve(Arc::new(gateway), Address::with_token(mock.address, TOKEN).unwrap()).await;
    let stand = Stand::at(socket, &every_scenario(), Vec::new()).unwrap();
    against(&stand, true, &mock, Manner { scale, streamed }, |_| ()).await.unwrap()
}

async fn serve(gateway: Arc<impl Gateway>, mock: Address) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (gateway, mock) = (Arc::clone(&gateway), mock.clone());
            tokio::spawn(async move {
                let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| async {
                    let question = request.into_body().collect().await.unwrap().to_bytes();
                    let question = serde_json::from_slice(&question).unwrap();
                    Ok::<_, Infallible>(gateway.answer(&mock, question).await)
                });
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

fn respond(status: StatusCode, streamed: bool, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let kind = if streamed { "text/event-stream" } else { "application/json" };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// A whole answer in the manner that the question asks for.
fn whole(question: &Value, model: &str) -> Response<Full<Bytes>> {
    let usage = answer::usage(&question["messages"], ANSWER);
    if question["stream"] != true {
        return respond(StatusCode::OK, false, answer::completion(model, ANSWER, &usage).to_string());
    }
    let said = answer::chunk(model, &json!({"content": ANSWER}), Some("stop"));
    let counted = answer::usage_chunk(model, &usage);
    respond(StatusCode::OK, true, format!("{said}{counted}data: [DONE]\n\n"))
}

/// Answers everything with the right words, without asking anybody.
pub(crate) struct Parrot;

impl Gateway for Parrot {
    async fn answer(&self, _: &Address, question: Value) -> Response<Full<Bytes>> {
        whole(&question, question["model"].as_str().unwrap())
    }
}

/// Asks the first model once and hands on whatever came before a break, as though it were all.
pub(crate) struct Careless;

impl Gateway for Careless {
    async fn answer(&self, mock: &Address, question: Value) -> Response<Full<Bytes>> {
        let streamed = question["stream"] == true;
        match Connection::to(mock.socket).ask(mock, question.to_string().into()).await {
            Ok(heard) => respond(heard.status, streamed, heard.body),
            Err(error) => respond(StatusCode::BAD_GATEWAY, false, error.to_string()),
        }
    }
}

/// Asks for streams, keeps what comes to itself until it is whole, and knows when to ask again, and whom.
pub(crate) struct Careful {
    pub(crate) scale: f64,
}

/// What to do after a question that was not answered.
enum Next {
    Again(Duration),
    Other,
    Stop,
}

impl Gateway for Careful {
    async fn answer(&self, mock: &Address, question: Value) -> Response<Full<Bytes>> {
        let first = question["model"].as_str().unwrap().to_owned();
        let models = [first.clone(), first.replace("primary", "fallback")];
        for model in models {
            for _ in 0..3 {
                let heard = self.ask(mock, &question, &model).await;
                if matches!(&heard, Some(heard) if is_whole(heard)) {
                    return whole(&question, &model);
                }
                match self.next(heard.as_ref()) {
                    Next::Again(pause) => tokio::time::sleep(pause).await,
                    Next::Other => break,
                    Next::Stop => {
                        let heard = heard.unwrap();
                        return respond(heard.status, false, heard.body);
                    }
                }
            }
        }
        respond(StatusCode::BAD_GATEWAY, false, "{}")
    }
}

impl Careful {
    /// One question. Nothing after ten seconds, which every whole answer here keeps by far: a clock of its own for each
    /// silence would find the same.
    async fn ask(&self, mock: &Address, question: &Value, model: &str) -> Option<Heard> {
        let mut question = question.clone();
        question["model"] = json!(model);
        question["stream"] = json!(true);
        let mut connection = Connection::to(mock.socket);
        let asked = connection.ask(mock, question.to_string().into());
        match tokio::time::timeout(self.seconds(10.0), asked).await {
            Ok(Ok(heard)) => Some(heard),
            // A connection that broke: worth another try, like an error.
            Ok(Err(_)) => Some(Heard {
                status: StatusCode::BAD_GATEWAY,
                first: Duration::ZERO,
                total: Duration::ZERO,
                headers: http::HeaderMap::new(),
                body: Bytes::new(),
                broken: None,
            }),
            Err(_) => None,
        }
    }

    fn next(&self, heard: Option<&Heard>) -> Next {
        // Silence: never the same model again.
        let Some(heard) = heard else { return Next::Other };
        let body = String::from_utf8_lossy(&heard.body);
        let hint = heard.headers.get(header::RETRY_AFTER).and_then(|hint| hint.to_str().ok()?.parse().ok());
        match heard.status.as_u16() {
            429 => Next::Again(hint.map_or(self.seconds(0.5), Duration::from_secs)),
            500.. => Next::Again(self.seconds(0.5)),
            400 if body.contains("content_policy") => Next::Stop,
            _ => Next::Other,
        }
    }

    fn seconds(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds * self.scale)
    }
}

/// Whether it is an answer that says why it ended.
fn is_whole(heard: &Heard) -> bool {
    matches!(read::read(heard, true), read::Reading::Answer(answer) if answer.finished)
}
