//! Which model people chose, among those that their bot lets them choose.

use chat::{ConversationKey, Language, Timestamp};
use routing::{Endpoint, Router};
use store::{Choices, StoreError};

use crate::words;

/// How long a choice is kept after it was made.
const KEPT: std::time::Duration = std::time::Duration::from_secs(400 * 86_400);

/// What gives the choice back to the route.
const AUTO: [&str; 4] = ["auto", "default", "自动", "默认"];

/// The models of a bot, and what was chosen among them.
pub struct Models<'a> {
    /// Where choices are kept.
    pub choices: &'a dyn Choices,
    /// The models, or endpoints, that people may choose.
    pub allowed: &'a [String],
    /// Which there are.
    pub router: &'a Router,
}

impl Models<'_> {
    /// What was chosen for this conversation, if it may still be chosen and is there. A bot that offers nothing costs no
    /// reading.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn chosen(
        &self,
        conversation: &ConversationKey,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let offered = self.offered();
        if offered.is_empty() {
            return Ok(None);
        }
        let chosen = self.choices.choice(conversation, now).await?;
        Ok(chosen.filter(|chosen| offered.contains(&chosen.as_str())))
    }

    /// The reply to `/model`, or to `/model NAME`, which chooses. A number chooses from the list that was shown.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: whether it is chosen is not known, and choosing again does no harm.
    pub async fn command(
        &self,
        conversation: &ConversationKey,
        wanted: Option<&str>,
        language: Language,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        let offered = self.offered();
        if offered.is_empty() {
            return Ok(words::no_models(language).to_owned());
        }
        let Some(wanted) = wanted else {
            let chosen = self.chosen(conversation, now).await?;
            return Ok(words::models(&offered, chosen.as_deref(), language));
        };
        let model = if AUTO.contains(&wanted) {
            None
        } else {
            let Some(model) = pick(&offered, wanted) else {
                return Ok(words::unknown_model(&offered, language));
            };
            Some(model)
        };
        self.choices.choose(conversation, model, now.plus(KEPT)).await?;
        Ok(words::chosen(model, language))
    }

    /// What may be chosen and is there, in the configured order.
    fn offered(&self) -> Vec<&str> {
        let there = |name: &str| self.router.endpoints().iter().any(|endpoint| is(endpoint, name));
        self.allowed.iter().map(String::as_str).filter(|name| there(name)).collect()
    }
}

fn is(endpoint: &Endpoint, name: &str) -> bool {
    endpoint.name == name || endpoint.model == name
}

/// The one that is meant: by its name, whatever its case, or by its number in the list.
fn pick<'a>(offered: &[&'a str], wanted: &str) -> Option<&'a str> {
    let named = offered.iter().copied().find(|name| name.to_lowercase() == wanted.to_lowercase());
    let number = || offered.get(wanted.parse::<usize>().ok()?.checked_sub(1)?).copied();
    named.or_else(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_picked_by_name_or_number() {
        let offered = ["Qwen3-32B", "7", "deepseek-chat"];
        for (wanted, picked) in [
            ("qwen3-32b", Some("Qwen3-32B")),
            ("1", Some("Qwen3-32B")),
            ("3", Some("deepseek-chat")),
            // A name that is a number is a name.
            ("7", Some("7")),
            ("0", None),
            ("4", None),
            ("qwen", None),
            ("", None),
        ] {
            assert_eq!(pick(&offered, wanted), picked, "{wanted:?}");
        }
    }
}
