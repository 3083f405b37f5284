//! What a model is asked.

use bytes::Bytes;

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
    /// Pictures that came with it; only endpoints with vision are asked about them.
    pub pictures: Vec<Picture>,
}

impl Line {
    /// Words of a person.
    #[must_use]
    pub fn user(text: impl Into<String>) -> Self {
        Self { role: Role::User, text: text.into(), pictures: Vec::new() }
    }

    /// Words of the model.
    #[must_use]
    pub fn assistant(text: impl Into<String>) -> Self {
        Self { role: Role::Assistant, text: text.into(), pictures: Vec::new() }
    }
}

/// Shows the role and the size, not the words.
impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line")
            .field("role", &self.role)
            .field("bytes", &self.text.len())
            .field("pictures", &self.pictures.len())
            .finish()
    }
}

/// A picture, whole: no endpoint is told to fetch one.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its media type, for example `image/png`.
    pub media_type: String,
    /// Its bytes.
    pub data: Bytes,
}

/// Shows the kind and the size, not the picture.
impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture")
            .field("media_type", &self.media_type)
            .field("bytes", &self.data.len())
            .finish()
    }
}

/// How a model is to choose its words. What is absent is left to the server.
#[derive(Clone, Default, PartialEq)]
pub struct Sampling {
    /// From 0, always the likeliest word, to 2.
    pub temperature: Option<f64>,
    /// Only among the likeliest words of this share, from 0 to 1.
    pub top_p: Option<f64>,
    /// The longest answer, in tokens; an endpoint's own limit holds as well.
    pub max_tokens: Option<u32>,
    /// Texts before which the answer ends.
    pub stop: Vec<String>,
}

/// Shows the numbers, not the texts: these are somebody's words.
impl std::fmt::Debug for Sampling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sampling")
            .field("temperature", &self.temperature)
            .field("top_p", &self.top_p)
            .field("max_tokens", &self.max_tokens)
            .field("stop", &self.stop.len())
            .finish()
    }
}

/// What a model is asked: who it is to be, and the conversation so far, oldest line first.
#[derive(Clone, Default, PartialEq)]
pub struct Prompt {
    /// The operator's instruction.
    pub system: Option<String>,
    /// The conversation; the last line is the one to answer.
    pub lines: Vec<Line>,
    /// How many of the first lines are memory, of which the oldest exchanges may be left out where a model's context has no
    /// room for all. None of what a caller sends itself.
    pub history: usize,
    /// How the answer is to be worded.
    pub sampling: Sampling,
}

impl Prompt {
    /// A question without a conversation before it.
    #[must_use]
    pub fn question(text: impl Into<String>) -> Self {
        Self { lines: vec![Line::user(text)], ..Self::default() }
    }
}

impl Prompt {
    /// The same for a server without a place for the operator's instruction: it stands before the first question.
    #[must_use]
    pub(crate) fn with_system_in_question(&self) -> Self {
        let mut prompt = self.clone();
        let Some(system) = prompt.system.take().filter(|system| !system.trim().is_empty()) else {
            return prompt;
        };
        match prompt.lines.iter_mut().find(|line| line.role == Role::User) {
            Some(question) => question.text = format!("{system}\n\n{}", question.text),
            None => prompt.lines.insert(0, Line::user(system)),
        }
        prompt
    }
}

/// Shows sizes, not words.
impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prompt")
            .field("system_bytes", &self.system.as_ref().map(String::len))
            .field("lines", &self.lines)
            .field("history", &self.history)
            .field("sampling", &self.sampling)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_words() {
        let picture = Picture { media_type: "image/png".into(), data: Bytes::from_static(b"hidden") };
        let mut prompt = Prompt::question("hidden words");
        prompt.system = Some("hidden persona".into());
        prompt.sampling.stop = vec!["hidden stop".into()];
        prompt.lines[0].pictures.push(picture.clone());
        let shown = format!("{prompt:?} {picture:?}");
        assert!(!shown.contains("hidden"), "{shown}");
    }
}
