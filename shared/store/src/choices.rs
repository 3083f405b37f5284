//! Which model people chose for a conversation.

use async_trait::async_trait;
use chat::{ConversationKey, Timestamp};

use crate::StoreError;

/// Which model people chose for each conversation. The name of a model or endpoint is the operator's word and nobody's
/// secret, so it is not sealed.
#[async_trait]
pub trait Choices: Send + Sync {
    /// What was chosen last and is not taken back, as it stands now: who chooses asks at once.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Unreadable`].
    async fn choice(
        &self,
        conversation: &ConversationKey,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError>;

    /// Chooses a model; without one, the route decides again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it is not known whether it is chosen.
    async fn choose(
        &self,
        conversation: &ConversationKey,
        model: Option<&str>,
        keep_until: Timestamp,
    ) -> Result<(), StoreError>;
}
