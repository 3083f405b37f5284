//! The parts of a line of the file, and what of it may be shown.

/// Parts of keys whose values may be secrets that somebody wrote into the file.
const SECRET: [&str; 5] = ["key", "token", "secret", "password", "_aes"];

/// What begins a reference to a secret, which may be shown.
const REFERENCES: [&str; 4] = ["secret:", "env:", "file:", "demo"];

/// Whether the line begins a table.
pub(super) fn is_header(line: &str) -> bool {
    line.trim_start().starts_with('[')
}

/// The key and the value of a line, divided at its first `=` outside of quotes.
pub(super) fn assignment(line: &str) -> Option<(&str, &str)> {
    let at = outside_of_texts(line).find(|&(_, c)| c == '=')?.0;
    Some((line[..at].trim(), line[at + 1..].trim()))
}

/// The key of a line, where it has one.
pub(super) fn key_of(line: &str) -> Option<String> {
    let key = assignment(line).map(|(key, _)| key).or_else(|| line.split([':', ' ']).next())?;
    let last = key.rsplit('.').next()?.trim().trim_matches(['"', '\'']);
    (!last.is_empty()).then(|| last.to_owned())
}

/// The characters of a line that stand in no quoted text, with where they stand. A text that is not closed counts as
/// none: what follows its quote is looked at too.
pub(super) fn outside_of_texts(line: &str) -> impl Iterator<Item = (usize, char)> {
    let mut outside = Vec::new();
    let mut rest = line.char_indices();
    while let Some((at, c)) = rest.next() {
        outside.push((at, c));
        if c == '"' || c == '\'' {
            let inside = line.get(at + 1..).unwrap_or_default();
            if let Some(length) = closing(inside, c) {
                let end = at + 1 + length;
                while rest.next().is_some_and(|(at, _)| at < end) {}
            }
        } else if c == '#' {
            break;
        }
    }
    outside.into_iter()
}

/// Where the text that begins here is closed.
pub(super) fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote == '"' {
            escaped = true;
        } else if c == quote {
            return Some(at);
        }
    }
    None
}

/// The line without its comment, and the comment.
pub(super) fn without_comment(line: &str) -> (&str, &str) {
    let comment = outside_of_texts(line).find(|&(_, c)| c == '#');
    let (code, comment) = comment.map_or((line, ""), |(at, _)| line.split_at(at));
    (code.trim_end(), comment)
}

/// As much of a line as cannot be a secret.
pub(super) fn shown(line: &str) -> String {
    let trimmed = line.trim();
    if is_header(line) {
        return trimmed.chars().take(120).collect();
    }
    let divided = trimmed.find(['=', ':', '＝', '：', ' ']);
    let Some(at) = divided else { return "…".to_owned() };
    let (key, value) = trimmed.split_at(at);
    let name = key.trim().to_lowercase();
    let bare = value.trim_start_matches(|c: char| !c.is_alphanumeric());
    let is_reference = REFERENCES.iter().any(|form| bare.starts_with(form)) && bare.len() < 80;
    let may_be_secret =
        SECRET.iter().any(|part| name.contains(part)) && !is_reference && name != "max_tokens";
    let has_credentials = value.contains("://") && value.contains(['@', '?']);
    if may_be_secret || has_credentials || name.is_empty() {
        return format!(
            "{}{} …",
            key,
            value
                .chars()
                .take_while(|c| !c.is_alphanumeric() && !"\"'“‘".contains(*c))
                .collect::<String>()
                .trim_end()
        );
    }
    trimmed.chars().take(120).collect()
}
