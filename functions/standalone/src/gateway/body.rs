//! A request's body, no further than its limit.

use axum::body::{Body, HttpBody as _};
use http::HeaderMap;
use http_body_util::BodyExt as _;

use super::refusal::Refusal;
use crate::unread::pour_away;

/// The largest body, in bytes: a long conversation is a few hundred KiB, and pictures in Base64 are the rest.
const MOST: usize = 16 << 20;

/// The whole body. Each piece is copied as it comes, so that the connection reads the next one into the same memory;
/// axum's `to_bytes` keeps all of them until the last is there.
pub(crate) async fn read(headers: &HeaderMap, mut body: Body) -> Result<Vec<u8>, Refusal> {
    let too_large = || Refusal::too_large(MOST);
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > MOST {
        pour_away(headers, body).await;
        return Err(too_large());
    }
    let mut whole = Vec::with_capacity(announced);
    while let Some(frame) = body.frame().await {
        // What is no data is trailers, which nobody needs.
        let piece = frame.map_err(|_| Refusal::half_a_body())?.into_data().unwrap_or_default();
        if piece.len() > MOST - whole.len() {
            drop(whole);
            pour_away(headers, body).await;
            return Err(too_large());
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use bytes::Bytes;
    use futures_util::stream;

    use super::*;

    async fn read(body: Body) -> Result<Vec<u8>, Refusal> {
        super::read(&HeaderMap::new(), body).await
    }

    fn in_pieces(pieces: Vec<io::Result<Vec<u8>>>) -> Body {
        Body::from_stream(stream::iter(pieces.into_iter().map(|piece| piece.map(Bytes::from))))
    }

    #[tokio::test]
    async fn a_body_is_its_pieces_together() {
        let body = in_pieces(vec![Ok(b"{\"a\"".to_vec()), Ok(Vec::new()), Ok(b":1}".to_vec())]);
        assert_eq!(read(body).await.unwrap(), b"{\"a\":1}");
        assert!(read(Body::empty()).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_body_is_taken_up_to_its_limit_announced_or_not() {
        assert_eq!(read(Body::from(vec![b' '; MOST])).await.unwrap().len(), MOST);
        let half = || Ok(vec![b' '; MOST / 2]);
        assert_eq!(read(in_pieces(vec![half(), half()])).await.unwrap().len(), MOST);
        let too_large = Err(Refusal::too_large(MOST));
        assert_eq!(read(Body::from(vec![b' '; MOST + 1])).await, too_large);
        assert_eq!(read(in_pieces(vec![half(), half(), Ok(vec![b' '])])).await, too_large);
    }

    #[tokio::test]
    async fn half_a_body_is_none() {
        let broken = Err(io::Error::from(io::ErrorKind::ConnectionReset));
        assert_eq!(read(in_pieces(vec![Ok(b"{}".to_vec()), broken])).await, Err(Refusal::half_a_body()));
    }

    #[tokio::test]
    async fn what_is_refused_is_taken_off_the_connection_up_to_a_limit() {
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        let pieces = (0..9).map(move |_| {
            count.fetch_add(MOST, Ordering::Relaxed);
            io::Result::Ok(Bytes::from_static(&[b' '; MOST]))
        });
        let refused = read(Body::from_stream(stream::iter(pieces))).await;
        assert_eq!(refused, Err(Refusal::too_large(MOST)));
        assert_eq!(taken.load(Ordering::Relaxed), 6 * MOST);
    }
}
