//! Bodies that are refused, or cannot be read to their end.
//!
//! A client may ask first whether its body is wanted: `Expect: 100-continue`. Reading from a body is the answer yes, so
//! what the head alone decides is answered without touching the body.

use axum::body::{Body, Bytes, HttpBody as _};
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

/// The most that is poured away of a body that is refused, in bytes: beyond it, the connection is closed.
const POURED_MOST: usize = 64 << 20;

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is longer than allowed.
    TooLarge,
    /// It is no HTTP: its chunks are broken, or it ended before its announced length.
    Malformed,
}

/// Whether the client sends its body only once it is asked to.
pub(crate) fn waits(headers: &HeaderMap) -> bool {
    let expected = headers.get(header::EXPECT).map(http::HeaderValue::as_bytes);
    expected.is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(b"100-continue"))
}

/// The whole body, when it is no longer than `most` bytes. One that announces more is not asked for.
pub(crate) async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, Unread> {
    if usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX) > most {
        pour_away(headers, body).await;
        return Err(Unread::TooLarge);
    }
    match Limited::new(body, most).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
        Err(_) => Err(Unread::Malformed),
    }
}

/// Takes what nobody reads off the connection. If it were closed instead, a program that still sends would be told of a
/// broken connection and never see why it was refused. One that waits to be asked is not asked.
pub(crate) async fn pour_away(headers: &HeaderMap, mut body: Body) {
    let mut left = if waits(headers) { 0 } else { POURED_MOST };
    while left > 0
        && let Some(Ok(frame)) = body.frame().await
    {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, io};

    use futures_util::stream;

    use super::*;

    fn in_pieces(pieces: Vec<io::Result<&'static [u8]>>) -> Body {
        Body::from_stream(stream::iter(pieces))
    }

    fn waiting() -> HeaderMap {
        HeaderMap::from_iter([(header::EXPECT, http::HeaderValue::from_static("100-Continue"))])
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit_and_a_broken_one_is_not_too_large() {
        let headers = HeaderMap::new();
        let read = async |body, most| super::read(&headers, body, most).await;
        assert_eq!(read(in_pieces(vec![Ok(b"ab"), Ok(b"c")]), 3).await.unwrap(), "abc");
        assert_eq!(read(in_pieces(vec![Ok(b"ab"), Ok(b"cd")]), 3).await, Err(Unread::TooLarge));
        assert_eq!(read(Body::from("abcd"), 3).await, Err(Unread::TooLarge));
        let broken = Err(io::Error::from(io::ErrorKind::InvalidData));
        assert_eq!(read(in_pieces(vec![Ok(b"ab"), broken]), 3).await, Err(Unread::Malformed));
    }

    /// Asking for a body is what makes the server say `100 Continue`.
    #[tokio::test]
    async fn who_waits_to_be_asked_is_not_asked() {
        let never = || {
            Body::from_stream(stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, Infallible>>> {
                panic!("the body was asked for")
            }))
        };
        pour_away(&waiting(), never()).await;
        for other in [HeaderMap::new(), HeaderMap::from_iter([(header::EXPECT, "200-ok".parse().unwrap())])] {
            assert!(!waits(&other));
        }
    }
}
