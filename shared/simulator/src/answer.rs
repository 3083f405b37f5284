//! An HTTP answer as a value, with the ways it can get lost on the road.

use std::{convert::Infallible, io, time::Duration};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;
use tokio_stream::StreamExt as _;

/// How an answer travels.
#[derive(Clone, Copy)]
enum Travel {
    Whole,
    /// The connection closes before the first byte.
    Lost,
    /// The connection closes after this many pieces.
    CutAfter(usize),
    /// Nothing comes for a while after this many pieces.
    StallAfter(usize, Duration),
    /// Nothing comes for a while before each piece.
    Paced(Duration),
}

/// What to answer.
pub(crate) struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    pieces: Vec<Bytes>,
    travel: Travel,
}

impl Answer {
    fn new(status: StatusCode, kind: &'static str, pieces: Vec<Bytes>) -> Self {
        let headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static(kind))];
        Self { status, headers, pieces, travel: Travel::Whole }
    }

    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", vec![body.to_string().into()])
    }

    /// A body of somebody's choice: an event stream when it begins like one, else called JSON, whatever it is.
    pub(crate) fn text(status: StatusCode, body: String) -> Self {
        let stream = body.starts_with("data:");
        let kind = if stream { "text/event-stream" } else { "application/json; charset=utf-8" };
        Self::new(status, kind, vec![body.into()])
    }

    /// Server-sent events, one piece each.
    pub(crate) fn events(events: impl IntoIterator<Item = String>) -> Self {
        let pieces = events.into_iter().map(|data| Bytes::from(format!("data: {data}\n\n"))).collect();
        Self::new(StatusCode::OK, "text/event-stream", pieces)
    }

    /// The page of a gateway that knows nothing of the API behind it.
    pub(crate) fn page(status: u16) -> Self {
        let status = crate::faults::status_of(status);
        let page = format!("<html><body><h1>{status}</h1></body></html>\n");
        Self::new(status, "text/html", vec![page.into()])
    }

    /// No answer.
    pub(crate) fn lost() -> Self {
        Self { travel: Travel::Lost, ..Self::new(StatusCode::OK, "text/plain", Vec::new()) }
    }

    /// The same with one more header; a value that no header may hold is left out.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    pub(crate) fn cut(self) -> Self {
        let (answer, half) = self.halved();
        Self { travel: Travel::CutAfter(half), ..answer }
    }

    pub(crate) fn stall(self, time: Duration) -> Self {
        let (answer, half) = self.halved();
        Self { travel: Travel::StallAfter(half, time), ..answer }
    }

    pub(crate) fn paced(self, every: Duration) -> Self {
        Self { travel: Travel::Paced(every), ..self }
    }

    /// In at least two pieces, and how many of them make the first half.
    fn halved(mut self) -> (Self, usize) {
        if let [only] = self.pieces.as_mut_slice() {
            let first = only.split_to(only.len() / 2);
            self.pieces.insert(0, first);
        }
        let half = self.pieces.len() / 2;
        (self, half)
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(match self.travel {
            Travel::Whole if self.pieces.len() <= 1 => {
                Body::from(self.pieces.into_iter().next().unwrap_or_default())
            }
            Travel::Whole => {
                Body::from_stream(tokio_stream::iter(self.pieces.into_iter().map(Ok::<_, Infallible>)))
            }
            Travel::Lost => Body::from_stream(tokio_stream::once(Err::<Bytes, _>(broken()))),
            Travel::CutAfter(half) => broken_off(self.pieces, half),
            Travel::StallAfter(half, time) => slow(self.pieces, move |index| (index == half).then_some(time)),
            Travel::Paced(every) => slow(self.pieces, move |_| Some(every)),
        });
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }
}

/// The error that makes the server drop the connection. Its text reaches nobody.
fn broken() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionReset)
}

fn broken_off(pieces: Vec<Bytes>, half: usize) -> Body {
    let first = pieces.into_iter().take(half).map(Some).chain([None]);
    Body::from_stream(tokio_stream::iter(first).then(|piece| async move {
        // Letting the server run once between the pieces makes it flush what it has; else the error would
        // overtake the bytes before it.
        tokio::task::yield_now().await;
        piece.ok_or_else(broken)
    }))
}

/// Each piece after its time, where it has one.
fn slow(pieces: Vec<Bytes>, wait: impl Fn(usize) -> Option<Duration> + Send + 'static) -> Body {
    let timed = pieces.into_iter().enumerate().map(move |(index, piece)| (wait(index), piece));
    Body::from_stream(tokio_stream::iter(timed.collect::<Vec<_>>()).then(|(wait, piece)| async move {
        if let Some(time) = wait {
            tokio::time::sleep(time).await;
        }
        Ok::<_, Infallible>(piece)
    }))
}
