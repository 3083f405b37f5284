//! The one client that asks every gateway: it times an answer's parts, keeps its bytes, and reads them afterwards.
//!
//! # Layout
//!
//! - this file: a connection, and what was heard on it
//! - [`read`]: what a careful program makes of an answer's bytes

pub mod read;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpStream, task::JoinHandle};

/// Where and how a gateway is asked.
#[derive(Debug, Clone)]
pub struct Address {
    /// Its socket.
    pub socket: SocketAddr,
    /// The path of chat completions.
    pub path: String,
    /// What goes with every question.
    pub headers: HeaderMap,
}

/// What was heard. The bytes are read only after the clock has stopped.
#[derive(Debug)]
pub struct Heard {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// From the question to the first byte of the body.
    pub first: Duration,
    /// From the question to the end.
    pub total: Duration,
    /// The body, as far as it came.
    pub body: Bytes,
    /// How it broke off, if it did.
    pub broken: Option<String>,
}

/// A kept connection, without Nagle's delay.
#[derive(Debug)]
pub struct Connection {
    socket: SocketAddr,
    line: Option<Open>,
}

#[derive(Debug)]
struct Open {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A question's body. A stream is asked to end with its usage.
#[must_use]
pub fn question(model: &str, text: &str, streamed: bool) -> Bytes {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": text}]});
    if streamed {
        body["stream"] = Value::Bool(true);
        body["stream_options"] = json!({"include_usage": true});
    }
    Bytes::from(body.to_string())
}

impl Connection {
    /// A connection that is opened when it is first needed.
    #[must_use]
    pub fn to(socket: SocketAddr) -> Self {
        Self { socket, line: None }
    }

    /// Opens it if it is not open, so that a question's time does not hold the opening's.
    ///
    /// # Errors
    ///
    /// When nobody listens.
    pub async fn open(&mut self) -> anyhow::Result<()> {
        if let Some(open) = &mut self.line
            && open.sender.ready().await.is_ok()
        {
            return Ok(());
        }
        let stream = TcpStream::connect(self.socket).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(async move {
            // How it ends is seen by whoever waits for the answer.
            let _ = connection.await;
        });
        self.line = Some(Open { sender, driver });
        Ok(())
    }

    /// Asks, and hears the answer to its end, or gives up after `patience` and hangs up.
    ///
    /// # Errors
    ///
    /// When there is no answer at all, or not the end of one in time.
    pub async fn ask_within(
        &mut self,
        patience: Duration,
        address: &Address,
        question: Bytes,
    ) -> anyhow::Result<Heard> {
        let heard = tokio::time::timeout(patience, self.ask(address, question)).await;
        heard.unwrap_or_else(|_| {
            self.line = None;
            Err(anyhow::anyhow!("no end after {} s", patience.as_secs()))
        })
    }

    /// Asks, and hears the answer to its end.
    ///
    /// # Errors
    ///
    /// When there is no answer at all: no connection, or one that ends before the headers.
    pub async fn ask(&mut self, address: &Address, question: Bytes) -> anyhow::Result<Heard> {
        self.open().await?;
        let open = self.line.as_mut().context("no connection")?;
        let mut request = Request::post(&address.path).body(Full::new(question))?;
        *request.headers_mut() = address.headers.clone();
        let began = Instant::now();
        let response = match open.sender.send_request(request).await {
            Ok(response) => response,
            Err(error) => {
                self.line = None;
                return Err(error).context("no answer");
            }
        };
        let (parts, mut body) = response.into_parts();
        let (mut first, mut bytes, mut broken) = (None, BytesMut::new(), None);
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => {
                    first.get_or_insert_with(|| began.elapsed());
                    if let Ok(data) = frame.into_data() {
                        bytes.extend_from_slice(&data);
                    }
                }
                Err(error) => {
                    broken = Some(error.to_string());
                    break;
                }
            }
        }
        let total = began.elapsed();
        if broken.is_some() {
            self.line = None;
        }
        Ok(Heard {
            status: parts.status,
            headers: parts.headers,
            first: first.unwrap_or(total),
            total,
            body: bytes.freeze(),
            broken,
        })
    }
}

impl Address {
    /// A gateway at this socket, asked with this token.
    ///
    /// # Errors
    ///
    /// When the token cannot stand in a header.
    pub fn with_token(socket: SocketAddr, token: &str) -> anyhow::Result<Self> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, socket.to_string().parse()?);
        headers.insert(header::CONTENT_TYPE, "application/json".parse()?);
        headers.insert(header::AUTHORIZATION, format!("Bearer {token}").parse()?);
        Ok(Self { socket, path: "/v1/chat/completions".to_owned(), headers })
    }
}
