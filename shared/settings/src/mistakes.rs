//! What is wrong with the configuration: all of it, told at once.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The key, for example `bots.helpdesk.keys`, or the name of an environment variable.
    pub key: String,
    /// What was found there. Never a secret's value.
    pub found: String,
    /// What would be right.
    pub wanted: String,
    /// The configuration file it stands in, where it stands in one.
    pub file: Option<PathBuf>,
    /// The line and the column, both from 1, where they are known.
    pub position: Option<Box<(usize, usize)>>,
    /// As much of that line as cannot be a secret.
    pub line: Option<Box<str>>,
}

impl Mistake {
    /// A mistake that stands in no file.
    #[must_use]
    pub fn new(key: impl Into<String>, found: impl Into<String>, wanted: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            found: found.into(),
            wanted: wanted.into(),
            file: None,
            position: None,
            line: None,
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.position.as_deref()) {
            (Some(file), Some((line, column))) => write!(f, "{}:{line}:{column}: ", file.display())?,
            (Some(file), None) => write!(f, "{}: ", file.display())?,
            (None, _) => {}
        }
        // A key that only says where the mistake stands is said already.
        if self.file.is_none() || self.position.is_none() || !self.key.starts_with("line ") {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "found {}; wanted {}", self.found, self.wanted)?;
        match (&self.line, self.position.as_deref()) {
            (Some(text), Some((line, _))) => write!(f, "\n    {line} | {text}"),
            _ => Ok(()),
        }
    }
}

/// All that is wrong with the configuration. Shown one line each, and the line of the file below it where that helps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl Mistakes {
    /// `value` when nothing is wrong.
    pub(crate) fn unless_any<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }

    pub(crate) fn push(
        &mut self,
        key: impl Into<String>,
        found: impl Into<String>,
        wanted: impl Into<String>,
    ) {
        self.0.push(Mistake::new(key, found, wanted));
    }

    /// Says of every mistake so far that it stands in this file.
    pub(crate) fn stand_in(&mut self, file: &Path) {
        for mistake in self.0.iter_mut().filter(|mistake| mistake.file.is_none()) {
            mistake.file = Some(file.to_owned());
        }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_is_one_line_with_its_file() {
        let mut mistakes = Mistakes::default();
        mistakes.push("bots.a.keys", "nothing", "a key reference");
        mistakes.stand_in(Path::new("magpie.toml"));
        mistakes.push("LOCAL_ENDPOINT", "`x`", "a URL");
        assert_eq!(
            mistakes.to_string(),
            "magpie.toml: bots.a.keys: found nothing; wanted a key reference\n\
             LOCAL_ENDPOINT: found `x`; wanted a URL"
        );
    }
}
