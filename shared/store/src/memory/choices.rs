//! Choices.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chat::{ConversationKey, Timestamp};

use super::{MemoryStore, lock};
use crate::{Choices, StoreError};

/// What was chosen for each conversation, and until when that is kept.
pub(super) type Table = BTreeMap<ConversationKey, (Option<String>, Timestamp)>;

#[async_trait]
impl Choices for MemoryStore {
    async fn choice(
        &self,
        conversation: &ConversationKey,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let table = lock(&self.inner.choices);
        let kept = table.get(conversation).filter(|(_, keep_until)| *keep_until > now);
        Ok(kept.and_then(|(model, _)| model.clone()))
    }

    async fn choose(
        &self,
        conversation: &ConversationKey,
        model: Option<&str>,
        keep_until: Timestamp,
    ) -> Result<(), StoreError> {
        let choice = (model.map(str::to_owned), keep_until);
        lock(&self.inner.choices).insert(conversation.clone(), choice);
        Ok(())
    }
}
