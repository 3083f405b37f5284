//! Access tokens and identities, shared by all instances of all functions.

use async_trait::async_trait;
use chat::{BotId, PlatformId, Timestamp};

use crate::StoreError;

/// What is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenSlot {
    /// The platform's access token.
    Access,
    /// The bot's own id on the platform.
    Identity,
}

impl TokenSlot {
    /// The slot as part of a stored key.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Identity => "identity",
        }
    }
}

/// A shared value, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedToken {
    /// The sealed value.
    pub sealed: Vec<u8>,
    /// When the platform stops taking it.
    pub ends_at: Timestamp,
}

/// The shared values of all bots.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// The value in a bot's slot, also one that has ended.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn token(
        &self,
        platform: &PlatformId,
        bot: &BotId,
        slot: TokenSlot,
    ) -> Result<Option<SealedToken>, StoreError>;

    /// Puts a value into a bot's slot. The last writer wins: all writers hold good tokens.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn put_token(
        &self,
        platform: &PlatformId,
        bot: &BotId,
        slot: TokenSlot,
        token: SealedToken,
    ) -> Result<(), StoreError>;
}
