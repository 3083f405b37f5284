//! What is wrong with a line, and how it is meant.

use super::line::{assignment, closing, is_header, outside_of_texts, shown, without_comment};

/// Where keys and values are explained.
const FORM: &str = "`key = value`, `[table]` or a comment that begins with `#`";

/// Characters that Chinese input methods and word processors write in place of TOML's.
const LOOKALIKES: [(&str, &str); 12] = [
    ("“”„‟＂「」『』«»", "\""),
    ("‘’＇", "'"),
    ("＝", "="),
    ("，、", ","),
    ("：", ":"),
    ("［【", "["),
    ("］】", "]"),
    ("｛", "{"),
    ("｝", "}"),
    ("＃", "#"),
    ("\u{3000}\u{a0}\u{2007}\u{202f}", " "),
    ("\u{200b}\u{200c}\u{200d}\u{feff}\u{2060}", ""),
];

/// What is wrong with a line.
pub(super) struct Fault {
    /// Its index.
    pub(super) index: usize,
    pub(super) found: String,
    pub(super) wanted: String,
    pub(super) correction: Correction,
    /// The name of a table that is wrong, where that is the fault.
    pub(super) name: Option<String>,
}

/// What is done so that the rest of the file can be read.
pub(super) enum Correction {
    /// The line as it is meant.
    Line(String),
    /// The line is left out.
    LeaveOut,
    /// The table that begins here is left out.
    LeaveOutTable,
    /// Nothing: the rest cannot be read.
    None,
}

fn fault(index: usize, found: impl Into<String>, wanted: impl Into<String>, correction: Correction) -> Fault {
    Fault { index, found: found.into(), wanted: wanted.into(), correction, name: None }
}

/// A fault whose line is meant like this.
fn meant(index: usize, found: impl Into<String>, line: String) -> Fault {
    let wanted = format!("`{}`", shown(&line));
    fault(index, found, wanted, Correction::Line(line))
}

/// What is wrong with the line of this index, about which the parser says `message`.
pub(super) fn diagnose(lines: &[String], index: usize, message: &str) -> Fault {
    // At the end of a file the parser may point behind its last line.
    let index = index.min(lines.len().saturating_sub(1));
    let line = lines.get(index).map_or("", String::as_str);
    other_format(lines, index)
        .or_else(|| lookalikes(index, line))
        .or_else(|| (message == "duplicate key").then(|| duplicate(lines, index)))
        .or_else(|| open_list(lines, index, message))
        .or_else(|| is_header(line).then(|| header(index, line)))
        .or_else(|| backslash(index, line, message))
        .or_else(|| match assignment(line) {
            Some((key, value)) => value_of(index, line, key, value),
            None => Some(no_assignment(index, line)),
        })
        .unwrap_or_else(|| {
            let said = message.lines().collect::<Vec<_>>().join(", ");
            fault(index, format!("what TOML does not allow ({said})"), FORM, Correction::LeaveOut)
        })
}

/// A file in another format.
fn other_format(lines: &[String], index: usize) -> Option<Fault> {
    let first = lines.iter().map(|line| line.trim()).find(|line| !line.is_empty())?;
    let format = match first {
        _ if first.starts_with('{') => "JSON",
        "---" => "YAML",
        _ if first.starts_with("<?xml") || first.to_lowercase().starts_with("<!doctype") => "XML or HTML",
        _ => return None,
    };
    Some(fault(
        index,
        format!("a file in the format {format}"),
        "TOML, as in magpie.toml of the repository",
        Correction::None,
    ))
}

/// Full-width characters, typographic quotation marks and invisible spaces.
fn lookalikes(index: usize, line: &str) -> Option<Fault> {
    let of = |c: char| LOOKALIKES.iter().find(|(all, _)| all.contains(c)).map(|(_, ascii)| *ascii);
    let mut found = Vec::new();
    let mut corrected = String::new();
    let mut outside = outside_of_texts(line).peekable();
    for (at, c) in line.char_indices() {
        let is_outside = outside.next_if(|(other, _)| *other == at).is_some();
        match of(c).filter(|_| is_outside) {
            Some(ascii) => {
                let name = if c.is_whitespace() || ascii.is_empty() {
                    format!("U+{:04X}", u32::from(c))
                } else {
                    format!("`{c}`")
                };
                if !found.contains(&name) {
                    found.push(name);
                }
                corrected.push_str(ascii);
            }
            None => corrected.push(c),
        }
    }
    let names = found.join(", ");
    (!found.is_empty()).then(|| meant(index, format!("{names} in place of an ASCII character"), corrected))
}

/// A table or a key that is there already.
fn duplicate(lines: &[String], index: usize) -> Fault {
    let line = lines[index].trim();
    let same = |other: &String| {
        let plain = |line: &str| without_comment(line).0.replace([' ', '\t'], "");
        if is_header(line) {
            plain(other) == plain(line)
        } else {
            assignment(other).is_some_and(|(key, _)| Some(key) == assignment(line).map(|(key, _)| key))
        }
    };
    let earlier = &lines[..index];
    // A key is looked for in its own table.
    let table =
        if is_header(line) { 0 } else { earlier.iter().rposition(|line| is_header(line)).unwrap_or(0) };
    let first =
        earlier.iter().enumerate().skip(table).find(|(_, line)| same(line)).map(|(first, _)| first + 1);
    let place = first.map_or("earlier in the file".to_owned(), |first| format!("in line {first}"));
    if is_header(line) {
        let name = without_comment(line).0.to_owned();
        let found = format!("the table `{name}` a second time; the first is {place}");
        return fault(
            index,
            found,
            "one table of this name: put both into one, or give this one another name",
            Correction::LeaveOutTable,
        );
    }
    let key = assignment(line).map_or("", |(key, _)| key);
    let found = format!("the key `{key}` a second time; the first is {place}");
    fault(index, found, "the key once in its table", Correction::LeaveOut)
}

/// A list that is not closed: the parser notices it lines later.
fn open_list(lines: &[String], index: usize, message: &str) -> Option<Fault> {
    if !message.contains("array") {
        return None;
    }
    let is_open = |line: &String| {
        let value = assignment(line).map(|(_, value)| value).filter(|value| value.starts_with('['))?;
        let count = |c: char| outside_of_texts(value).filter(|&(_, other)| other == c).count();
        (count('[') > count(']')).then_some(())
    };
    let begins = lines[..=index].iter().rposition(|line| is_open(line).is_some())?;
    let (code, comment) = without_comment(&lines[begins]);
    let next = lines.get(begins + 1).map_or("", |line| line.trim());
    let is_alone = next.is_empty() || is_header(next) || assignment(next).is_some();
    let line = format!("{}]{comment}", code.trim_end_matches([',', ' ']));
    let found = "a list without its closing `]`";
    Some(if is_alone {
        meant(begins, found, line)
    } else {
        fault(begins, found, "`]` at the end of the list", Correction::None)
    })
}

fn header(index: usize, line: &str) -> Fault {
    let (code, comment) = without_comment(line);
    let code = code.trim();
    let (open, close) = if code.starts_with("[[") { ("[[", "]]") } else { ("[", "]") };
    let name = code.trim_matches(['[', ']']).trim();
    if !code.ends_with(close) && !name.contains([']', ' ']) {
        return meant(
            index,
            format!("a table without its closing `{close}`"),
            format!("{open}{name}{close}{comment}"),
        );
    }
    let parts: Vec<_> = name.split('.').map(|part| part.trim().trim_matches(['"', '\''])).collect();
    let is_plain = |part: &&&str| {
        part.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) && !part.is_empty()
    };
    let unusual = parts
        .iter()
        .find(|part| !is_plain(part))
        .filter(|part| !part.is_empty() && !part.contains([']', '[', '"']));
    match unusual {
        Some(part) => {
            let quoted: Vec<_> = parts
                .iter()
                .map(|part| if is_plain(&part) { (*part).to_owned() } else { format!("\"{part}\"") })
                .collect();
            let corrected = format!("{open}{}{close}", quoted.join("."));
            let wanted = "a name of 1 to 64 lower-case letters, digits and inner hyphens";
            let fault = fault(index, format!("the name `{part}`"), wanted, Correction::Line(corrected));
            Fault { name: Some((*part).to_owned()), ..fault }
        }
        None => {
            fault(index, "a table whose name cannot be read", "`[table]` or `[table.name]`", Correction::None)
        }
    }
}

/// A backslash in double quotes, as in a path of Windows.
fn backslash(index: usize, line: &str, message: &str) -> Option<Fault> {
    let about = ["escape", "unicode", "hexadecimal"].iter().any(|word| message.contains(word));
    if !about || !line.contains('\\') {
        return None;
    }
    let (key, value) = assignment(line)?;
    let inner = value.trim_matches('"');
    let wanted = if inner.contains(['"', '\'']) {
        "`\\\\` for each backslash".to_owned()
    } else {
        format!("single quotes: `{}`, or `/` in place of `\\`", shown(&format!("{key} = '{inner}'")))
    };
    let found = "a backslash in double quotes, where it begins a special character";
    Some(fault(index, found, wanted, Correction::Line(line.replace('\\', "\\\\"))))
}

/// A line with a key and something that is no value.
fn value_of(index: usize, line: &str, key: &str, value: &str) -> Option<Fault> {
    let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    let put = |key: &str, value: &str| format!("{indent}{key} = {value}");
    let (plain, comment) = without_comment(value);
    let comment = if comment.is_empty() { String::new() } else { format!(" {comment}") };
    if let Some(rest) = plain.strip_prefix('=') {
        return Some(meant(index, "`=` twice", put(key, &format!("{}{comment}", literal(rest.trim())))));
    }
    if let Some(key) = key.strip_suffix(':') {
        return Some(meant(
            index,
            "`:=` between key and value",
            put(key.trim(), &format!("{}{comment}", literal(plain))),
        ));
    }
    if key.is_empty() {
        return Some(fault(index, "a value without a key", FORM, Correction::LeaveOut));
    }
    if plain.is_empty() {
        return Some(fault(
            index,
            format!("`{key}` without a value"),
            "a value, or the line left out",
            Correction::LeaveOut,
        ));
    }
    if let Some(quote) = plain.chars().next().filter(|c| "\"'".contains(*c)) {
        return quoted(index, plain, quote, &|value| put(key, &format!("{value}{comment}")));
    }
    bare(index, plain, &|value| put(key, &format!("{value}{comment}")))
}

/// A value that does not begin with a quote.
fn bare(index: usize, plain: &str, put: &dyn Fn(&str) -> String) -> Option<Fault> {
    if let Some((value, _)) = plain.split_once(" //") {
        return Some(meant(index, "a comment that begins with `//`", put(&literal(value.trim()))));
    }
    if let Some(value) = plain.strip_suffix([',', ';']) {
        return Some(meant(index, "a comma or semicolon behind the value", put(&literal(value.trim_end()))));
    }
    if let Some(items) = plain.strip_prefix('[') {
        let items = items.strip_suffix(']')?;
        let items: Vec<_> = items.split(',').map(|item| literal(item.trim())).collect();
        return Some(meant(
            index,
            "a list with texts without quotes",
            put(&format!("[{}]", items.join(", "))),
        ));
    }
    if plain.starts_with('{') {
        return None;
    }
    let found = match plain.to_lowercase().as_str() {
        "null" | "none" | "nil" => {
            let found = format!("`{plain}`, which TOML does not have");
            return Some(fault(
                index,
                found,
                "the line left out, which means the default",
                Correction::LeaveOut,
            ));
        }
        "true" | "false" | "yes" | "no" | "on" | "off" => format!("`{plain}`"),
        _ if number_with_unit(plain).is_some() => "a number with a unit".to_owned(),
        _ => "a text without quotes".to_owned(),
    };
    Some(meant(index, found, put(&literal(plain))))
}

/// A text that is not closed, or with something behind it.
fn quoted(index: usize, value: &str, quote: char, put: &dyn Fn(&str) -> String) -> Option<Fault> {
    if value.starts_with("\"\"\"") || value.starts_with("'''") {
        let found = "a text of several lines without its end";
        return Some(fault(index, found, "three quotes again at its end", Correction::None));
    }
    let Some(end) = closing(&value[1..], quote) else {
        let text = value[1..].trim_end_matches(['"', '\'', ',']);
        let found = "a text without its closing quote";
        return Some(meant(index, found, put(&format!("{quote}{text}{quote}"))));
    };
    let (text, rest) = value.split_at(end + 2);
    match rest.trim() {
        "," | ";" => Some(meant(index, "a comma or semicolon behind the value", put(text))),
        rest if rest.starts_with("//") => Some(meant(index, "a comment that begins with `//`", put(text))),
        "" => None,
        _ => Some(fault(
            index,
            "something behind the closing quote",
            "one value on a line; a quote inside of a text is written `\\\"` in double quotes",
            Correction::Line(put(text)),
        )),
    }
}

/// A line without `=`.
fn no_assignment(index: usize, line: &str) -> Fault {
    let text = line.trim();
    if text.starts_with("//") || text.starts_with(';') || text.starts_with("--") || text.starts_with("/*") {
        return fault(index, "a comment that does not begin with `#`", "`#` before it", Correction::LeaveOut);
    }
    let key =
        |key: &str| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if let Some((name, value)) = text.split_once(':').filter(|(name, _)| key(name.trim())) {
        let line = format!("{} = {}", name.trim(), literal(value.trim()));
        return meant(index, "`:` between key and value", line);
    }
    if let Some((name, value)) = text.split_once([' ', '\t']).filter(|(name, _)| key(name)) {
        return meant(index, "a key without `=`", format!("{name} = {}", literal(value.trim())));
    }
    fault(index, "a line that is no key with a value", FORM, Correction::LeaveOut)
}

/// A value as TOML writes it.
fn literal(value: &str) -> String {
    let lower = value.to_lowercase();
    if matches!(lower.as_str(), "true" | "yes" | "on") {
        return "true".to_owned();
    }
    if matches!(lower.as_str(), "false" | "no" | "off") {
        return "false".to_owned();
    }
    let is_literal = value.parse::<f64>().is_ok() || value.starts_with(['"', '\'', '[', '{']);
    if is_literal {
        return value.to_owned();
    }
    if let Some(number) = number_with_unit(value) {
        return number.to_owned();
    }
    if value.contains(['"', '\\']) {
        format!("'{}'", value.replace('\'', ""))
    } else {
        format!("\"{value}\"")
    }
}

/// The number of a value such as `60s` or `5 min`.
fn number_with_unit(value: &str) -> Option<&str> {
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = value.split_at(end);
    let is_unit =
        unit.trim().chars().all(|c| c.is_alphabetic() || c == '%') && unit.trim().chars().count() <= 7;
    (number.parse::<f64>().is_ok() && is_unit).then_some(number)
}
