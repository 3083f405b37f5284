//! What a model is asked.

/// Who said a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A person.
    User,
    /// The model.
    Assistant,
}

/// One line of a conversation.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub text: String,
}

/// Shows the role and the size, not the words.
impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("role", &self.role).field("bytes", &self.text.len()).finish()
    }
}

/// What a model is asked: who it is to be, and the conversation so far, oldest line first.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    /// The operator's instruction.
    pub system: Option<String>,
    /// The conversation; the last line is the one to answer.
    pub lines: Vec<Line>,
}

/// Shows sizes, not words.
impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prompt")
            .field("system_bytes", &self.system.as_ref().map(String::len))
            .field("lines", &self.lines)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_words() {
        let prompt = Prompt {
            system: Some("hidden persona".into()),
            lines: vec![Line { role: Role::User, text: "hidden words".into() }],
        };
        let shown = format!("{prompt:?}");
        assert!(!shown.contains("hidden"), "{shown}");
    }
}
