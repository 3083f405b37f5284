//! The codecs: what goes to an endpoint, and what comes back. Pure functions, one module for each wire format.
//!
//! A codec has `encode(&Endpoint, &Prompt) -> OutRequest` and `decode(&OutResponse) -> Result<Completion, Failure>`;
//! [`echo`] needs neither, since nobody is called.

pub mod chat_completions;
pub mod completions;
pub mod echo;
mod reasoning;
mod refusal;
mod wire;

/// What an endpoint said.
#[derive(Clone, PartialEq, Eq)]
pub struct Completion {
    /// The words, without reasoning and without blanks around them; never empty.
    pub text: String,
    /// The model that answered, where the server names it.
    pub model: Option<String>,
    /// Tokens of prompt and answer, where the server counts them.
    pub tokens: Option<(u32, u32)>,
}

/// Shows the size of the words, not the words.
impl std::fmt::Debug for Completion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Completion")
            .field("bytes", &self.text.len())
            .field("model", &self.model)
            .field("tokens", &self.tokens)
            .finish()
    }
}
