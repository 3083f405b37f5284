//! Reading an answer no further than its limit.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use transport::{NetError, Pieces};

use crate::failure;

/// The whole body, when it is no larger than `most` bytes. A body whose length is announced is refused unread; one that
/// comes in chunks is given up at the chunk that passes the limit, and its connection with it.
pub(crate) async fn read(response: &mut reqwest::Response, most: usize) -> Result<Bytes, NetError> {
    let announced =
        usize::try_from(response.content_length().unwrap_or(0)).map_err(|_| NetError::TooLarge)?;
    if announced > most {
        return Err(NetError::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure::direct(&error))? {
        if body.is_empty() && chunk.len() == announced {
            return Ok(chunk);
        }
        if chunk.len() > most - body.len() {
            return Err(NetError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// A body that is handed out as it comes, no further than its limit.
pub(crate) struct Coming {
    response: reqwest::Response,
    left: usize,
}

impl Coming {
    pub(crate) const fn new(response: reqwest::Response, most: usize) -> Self {
        Self { response, left: most }
    }
}

#[async_trait]
impl Pieces for Coming {
    async fn next(&mut self) -> Result<Option<Bytes>, NetError> {
        while let Some(chunk) = self.response.chunk().await.map_err(|error| failure::direct(&error))? {
            self.left = self.left.checked_sub(chunk.len()).ok_or(NetError::TooLarge)?;
            if !chunk.is_empty() {
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }
}
