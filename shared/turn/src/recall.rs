//! The conversation as a prompt, within limits.

use chat::{ConversationKey, Timestamp};
use routing::{Line, Prompt, Role, estimate_tokens};
use settings::MemorySettings;
use store::{Conversations, ExchangeKind, StoreError};
use vault::Vault;

use crate::content::Content;

/// What a recall needs.
pub struct Recall<'a> {
    /// Where exchanges are kept.
    pub conversations: &'a dyn Conversations,
    /// Opens them.
    pub vault: &'a Vault,
    /// How far back memory goes.
    pub limits: &'a MemorySettings,
}

impl Recall<'_> {
    /// The prompt for `question`: the persona, what was said before, and the question itself.
    ///
    /// Memory goes back until one of the limits is reached; an exchange is remembered whole or not at all. An exchange
    /// that can no longer be opened (its key was retired) ends the memory there: that the person is answered matters
    /// more than how far back we remember.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the conversation cannot be read.
    pub async fn prompt(
        &self,
        conversation: &ConversationKey,
        persona: Option<&str>,
        question: &str,
        now: Timestamp,
    ) -> Result<Prompt, StoreError> {
        let exchanges = self.conversations.recent(conversation, now, self.limits.turns).await?;
        let mut left = self.limits.tokens.saturating_sub(estimate_tokens(question));
        let mut lines = vec![line(Role::User, question.to_owned())];
        for exchange in exchanges {
            let Ok(content) = Content::open(&exchange, self.vault, conversation) else { break };
            if exchange.kind == ExchangeKind::Merged {
                let cost = estimate_tokens(&content.question);
                if cost > left {
                    break;
                }
                left -= cost;
                join(&mut lines, &content.question);
                continue;
            }
            let cost = estimate_tokens(&content.question).saturating_add(estimate_tokens(&content.reply));
            if cost > left {
                break;
            }
            left -= cost;
            lines.push(line(Role::Assistant, content.reply));
            lines.push(line(Role::User, content.question));
        }
        lines.reverse();
        Ok(Prompt { system: persona.map(str::to_owned), lines, ..Prompt::default() })
    }
}

/// Puts an earlier question of the same burst before the one that the newest line holds, so that people and model still
/// speak in turns.
fn join(lines: &mut [Line], question: &str) {
    if let Some(newest) = lines.last_mut() {
        newest.text = [question, &newest.text].join("\n");
    }
}

const fn line(role: Role, text: String) -> Line {
    Line { role, text, pictures: Vec::new() }
}
