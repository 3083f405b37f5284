//! `.env` in the working directory: its variables, and all that is wrong with it, by line. No value is ever shown.

use std::{
    cell::Cell,
    collections::BTreeSet,
    io::{self, Read},
    path::Path,
    rc::Rc,
};

use serde_json::Value;
use settings::{KeySource, Mistake, Mistakes, file_text, placeholder, secrets};

/// What a line must look like; part of every mistake about one.
const FORM: &str =
    "`NAME='value'`, in single quotes when the value holds spaces, quotation marks, `#` or `$`";

/// What `.env` holds.
#[derive(Debug, Default)]
pub(crate) struct DotEnv {
    /// What is wrong with it.
    pub(crate) mistakes: Mistakes,
    /// The variables that something is wrong with.
    faulty: BTreeSet<String>,
}

impl DotEnv {
    /// Puts what the file says into the environment; what stands there already stays. Called before the runtime starts,
    /// while there is one thread. A file that is not there holds nothing.
    pub(crate) fn load(path: &Path) -> Self {
        let text = match file_text::read(path) {
            Ok(text) => text,
            Err(unreadable) if unreadable.is_missing => return Self::default(),
            Err(unreadable) => {
                let mistake = Mistake::new("the file", unreadable.found, unreadable.wanted);
                return Self {
                    mistakes: Mistakes(vec![in_file(mistake, path, None)]),
                    faulty: BTreeSet::new(),
                };
            }
        };
        let (dot_env, good) = Self::read(&text, path);
        // What cannot be read is no part of what is good, and a variable that is set stays as it is.
        drop(dotenvy::from_read(good.as_bytes()));
        dot_env
    }

    /// Whether what is wrong with a secret stands among the mistakes already.
    pub(crate) fn explains(&self, source: &KeySource) -> bool {
        match source {
            KeySource::Env(name) => self.faulty.contains(name),
            KeySource::Secret(name) => self.faulty.contains(&secrets::variable(name)),
            KeySource::File(_) | KeySource::Demo => false,
        }
    }

    /// What is wrong with this text, and the lines of it that are good.
    fn read(text: &str, path: &Path) -> (Self, String) {
        let lines: Vec<&str> = text.lines().collect();
        let (mut dot_env, mut good) = (Self::default(), String::new());
        let mut from = 0;
        while from < lines.len() {
            let Some(First { read, variable }) = first(&lines[from..]) else { break };
            let end = from + read;
            match variable {
                Ok((name, value)) => {
                    let begins =
                        (from..end).rev().find(|&line| begins_with(lines[line], &name)).unwrap_or(from);
                    if let Some(found) = fault_of_value(&value) {
                        let wanted = if found.starts_with("the placeholder") {
                            "the real value".to_owned()
                        } else {
                            FORM.to_owned()
                        };
                        dot_env.note(Some(&name), found, wanted, begins, path);
                    }
                    lines[begins..end].iter().for_each(|line| good.extend([line, "\n"]));
                    from = end;
                }
                Err(length) => {
                    let begins = end.saturating_sub(length);
                    let line = lines.get(begins).copied().unwrap_or_default();
                    let (name, found) = fault_of_line(line);
                    dot_env.note(name, found.to_owned(), FORM.to_owned(), begins, path);
                    // A quote that is not closed swallows what follows: the lines behind it are read by themselves.
                    from = begins + 1;
                }
            }
        }
        (dot_env, good)
    }

    fn note(&mut self, name: Option<&str>, found: String, wanted: String, line: usize, path: &Path) {
        self.faulty.extend(name.map(str::to_owned));
        let key = name.map_or_else(|| format!("line {}", line + 1), str::to_owned);
        self.mistakes.0.push(in_file(Mistake::new(key, found, wanted), path, Some((line + 1, 1))));
    }
}

fn in_file(mistake: Mistake, path: &Path, position: Option<(usize, usize)>) -> Mistake {
    Mistake { file: Some(path.to_owned()), position: position.map(Box::new), ..mistake }
}

/// What stands first in some lines.
struct First {
    /// How many lines were read for it.
    read: usize,
    /// Its name and its value; in place of one that cannot be read, how many lines that takes.
    variable: Result<(String, String), usize>,
}

/// The first variable of these lines.
fn first(lines: &[&str]) -> Option<First> {
    let read = Rc::new(Cell::new(0));
    let reader = ByLine { lines, read: Rc::clone(&read), left: Vec::new() };
    let variable = dotenvy::from_read_iter(reader).next()?;
    let variable = variable.map_err(|error| {
        let dotenvy::Error::LineParse(text, _) = error else { return 1 };
        text.lines().count().max(1)
    });
    Some(First { read: read.get(), variable })
}

/// Gives one line at a time, so that what was read for a variable is known.
struct ByLine<'t> {
    lines: &'t [&'t str],
    read: Rc<Cell<usize>>,
    left: Vec<u8>,
}

impl Read for ByLine<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.is_empty()
            && let Some(line) = self.lines.get(self.read.get())
        {
            self.left = format!("{line}\n").into_bytes();
            self.read.set(self.read.get() + 1);
        }
        let length = self.left.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.left[..length]);
        self.left.drain(..length);
        Ok(length)
    }
}

/// Whether the line gives this variable.
fn begins_with(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
}

/// What is wrong with a value that could be read.
fn fault_of_value(value: &str) -> Option<String> {
    let left = placeholder::placeholders(value);
    if !left.is_empty() {
        return Some(placeholder::told(&left));
    }
    let is_object = value.trim_start().starts_with('{') && serde_json::from_str::<Value>(value).is_err();
    is_object.then(|| {
        "a JSON object that cannot be read; without single quotes around it, its quotation marks are lost"
            .to_owned()
    })
}

/// The variable of a line that cannot be read, and what is wrong with it.
fn fault_of_line(line: &str) -> (Option<&str>, &'static str) {
    let trimmed = line.trim();
    let Some((name, value)) = trimmed.split_once('=') else {
        return (
            None,
            if trimmed.contains(':') { "`:` between name and value" } else { "a line without `=`" },
        );
    };
    let name = name.trim();
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    if !is_name || name.starts_with(|c: char| c.is_ascii_digit()) {
        return (None, "a name with characters other than letters, digits and `_`");
    }
    let value = value.trim();
    let is_open = |quote: char| value.starts_with(quote) && value.matches(quote).count() == 1;
    let found = if is_open('\'') || is_open('"') {
        "a quote that is not closed"
    } else if value.starts_with(['“', '”', '‘', '’', '＂', '＇']) {
        "full-width or typographic quotes"
    } else if value.starts_with(['"', '\'']) {
        "something behind the closing quote"
    } else if value.contains(char::is_whitespace) {
        "a value with spaces, without quotes"
    } else {
        "a value that cannot be read"
    };
    (Some(name), found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let (dot_env, _) = DotEnv::read(text, Path::new(".env"));
        let told: Vec<_> = dot_env.mistakes.0.iter().map(|mistake| mistake.to_string()).collect();
        assert!(told.iter().all(|line| !line.contains("hidden")), "{told:?}");
        told.into_iter().map(|line| line.split("; wanted").next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn every_faulty_line_is_told_with_its_number_and_never_a_value() {
        let text = "# keys\n\
                    GOOD='{\"a\": \"b\"}'\n\
                    SPACES=hidden hidden\n\
                    \n\
                    OPEN='hidden\n\
                    hidden\n\
                    YAML: hidden\n\
                    WIDE=“hidden words”\n\
                    JSON={\"app_id\":\"hidden\"}\n\
                    export LEFT='{\"app_id\": \"cli_…\", \"app_secret\": \"...\", \"token\": \"hidden\"}'\n\
                    TOKEN=changeme\n\
                    ALSO_GOOD=1\n";
        assert_eq!(
            told(text),
            [
                ".env:3:1: SPACES: found a value with spaces, without quotes",
                ".env:5:1: OPEN: found a quote that is not closed",
                ".env:6:1: found a line without `=`",
                ".env:7:1: found `:` between name and value",
                ".env:8:1: WIDE: found full-width or typographic quotes",
                ".env:9:1: JSON: found a JSON object that cannot be read; without single quotes around it, its quotation marks are lost",
                ".env:10:1: LEFT: found the placeholder of an example for `app_id`, `app_secret`",
                ".env:11:1: TOKEN: found the placeholder of an example",
            ]
        );
    }

    #[test]
    fn a_good_file_has_no_mistakes_and_all_its_variables() {
        let text = "A=1\r\n# comment\r\n\r\nexport B='two words'\r\nC=\"line\nline\"\nD=\n";
        let (dot_env, good) = DotEnv::read(text, Path::new(".env"));
        assert_eq!(dot_env.mistakes, Mistakes::default());
        let names: Vec<_> = dotenvy::from_read_iter(good.as_bytes()).map(|item| item.unwrap().0).collect();
        assert_eq!(names, ["A", "B", "C", "D"]);
    }

    #[test]
    fn a_variable_that_was_explained_is_not_missing_as_well() {
        let (dot_env, _) = DotEnv::read("MAGPIE_HELPDESK=…\nOPEN='x\n", Path::new(".env"));
        for (reference, explained) in
            [("secret:magpie/helpdesk", true), ("env:OPEN", true), ("env:OTHER", false), ("file:x", false)]
        {
            assert_eq!(dot_env.explains(&reference.parse().unwrap()), explained, "{reference}");
        }
    }
}
