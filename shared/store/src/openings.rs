//! Which model endpoints are to be left alone, as the instances tell each other.
//!
//! Each function instance finds out by itself that an endpoint is down, and each one pays for it: a person waits. So
//! whoever finds out tells the others. What is told ends by itself; nothing here is worth keeping longer.

use async_trait::async_trait;
use chat::Timestamp;

use crate::StoreError;

/// The most openings that are read at once. Each is some 100 bytes, so on DynamoDB this is one read of half a unit.
pub const OPENINGS_MAX: usize = 32;

/// An endpoint that is to be left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Its name in configuration; not empty.
    pub endpoint: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How often in a row it was opened.
    pub step: u32,
}

/// The openings of all endpoints.
#[async_trait]
pub trait Openings: Send + Sync {
    /// Tells an opening. Of two for one endpoint the one that ends later stands, whichever came first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it is not known whether it is told.
    async fn tell(&self, opening: &Opening) -> Result<(), StoreError>;

    /// Those that are not over, at most [`OPENINGS_MAX`], in any order. May lag behind a write for a moment: it is
    /// asked again and again, and a read that may lag is half the price.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Unreadable`].
    async fn openings(&self, now: Timestamp) -> Result<Vec<Opening>, StoreError>;
}
