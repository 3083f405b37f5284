//! What a server says about an error, made fit for a log line.
//!
//! Servers quote requests in their errors: vLLM and every FastAPI server echo the `input` of a field that fails validation,
//! and some gateways echo the key. Everything that a server can quote was sent to it, so the message is compared with what
//! was sent, and what occurs in both is cut out.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    ops::Range,
};

/// The longest message that is kept, in characters.
const MESSAGE_CHARS: usize = 300;

/// How much of a server's message is looked at, in bytes. What says why it failed comes first.
const RAW_BYTES: usize = 4096;

/// How many bytes of letters and digits in a row are taken for a quotation: two English words, or four Chinese characters.
const SHARED_BYTES: usize = 12;

/// The longest quoted part that is kept, in bytes: names of models and parameters are shorter.
const QUOTED_BYTES: usize = 80;

/// The longest word that is kept, in bytes: a longer one is encoded data or a key.
const WORD_BYTES: usize = 96;

/// Stands for what was cut out.
const CUT: char = '…';

/// A server's message as it came. It may quote the prompt or a key, so it is neither displayed nor logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Unredacted(String);

impl Unredacted {
    /// The beginning of a message; nothing if there are no words in it.
    #[must_use]
    pub fn new(message: &str) -> Option<Self> {
        let kept = &message[..message.floor_char_boundary(RAW_BYTES)];
        kept.chars().any(char::is_alphanumeric).then(|| Self(kept.to_owned()))
    }

    /// The message without anything that occurs in one of `sent`: the texts and secrets of the request.
    #[must_use]
    pub fn redact<'t>(&self, sent: impl IntoIterator<Item = &'t str>) -> Option<ServerMessage> {
        // Twice, for a quotation of JSON inside JSON.
        let line = one_line(&unescaped(&unescaped(&self.0)));
        let mut cut = vec![false; line.len()];
        let letters = Letters::of(&line);
        for text in sent {
            letters.mark(text, &line, &mut cut);
        }
        for range in suspicious(&line) {
            cut[range].fill(true);
        }
        ServerMessage::new(&without(&line, cut))
    }
}

/// Shows the size, not the words.
impl fmt::Debug for Unredacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unredacted").field("bytes", &self.0.len()).finish()
    }
}

/// What a server said about an error: one line of at most 300 characters, without control characters, without text
/// direction marks, and without anything that was sent to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerMessage(String);

impl ServerMessage {
    fn new(line: &str) -> Option<Self> {
        if !line.chars().any(char::is_alphanumeric) {
            return None;
        }
        let mut kept: String = line.chars().take(MESSAGE_CHARS).collect();
        if kept.len() < line.len() {
            kept.pop();
            kept.push(CUT);
        }
        Some(Self(kept))
    }

    /// The message.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text without the escapes of JSON and Python, in which a quotation differs from what is quoted.
fn unescaped(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut units = Vec::new();
        rest = after;
        while let Some((unit, next)) = hex_unit(rest) {
            units.push(unit);
            rest = next.strip_prefix('\\').filter(|next| next.starts_with('u')).unwrap_or(next);
        }
        plain.extend(char::decode_utf16(units.iter().copied()).flatten());
        if units.is_empty() && rest.starts_with(['n', 'r', 't']) {
            plain.push(' ');
            rest = &rest[1..];
        }
    }
    plain.push_str(rest);
    plain
}

/// A unit of UTF-16 behind `u`, and what comes after it.
fn hex_unit(text: &str) -> Option<(u16, &str)> {
    let (digits, rest) = text.strip_prefix('u')?.split_at_checked(4)?;
    Some((u16::from_str_radix(digits, 16).ok()?, rest))
}

/// One line: blanks and control characters in a row become one space, and invisible characters that change how a line
/// looks are left out.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars().filter(|&c| !is_invisible(c)) {
        if !(c.is_whitespace() || c.is_control()) {
            line.push(c);
        } else if !line.is_empty() && !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Marks and overrides of the text direction, and other characters without a width.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}'
            | '\u{f0000}'..='\u{10ffff}'
    )
}

/// The letters and digits of a line. Quotation marks, escapes and line breaks differ between a text and its quotation;
/// these do not.
struct Letters {
    /// Where each byte of a letter or digit stands in the line.
    at: Vec<usize>,
    /// Where each run of [`SHARED_BYTES`] begins, by its bytes.
    runs: HashMap<[u8; SHARED_BYTES], Vec<usize>>,
}

impl Letters {
    fn of(line: &str) -> Self {
        let letters = line.char_indices().filter(|(_, c)| c.is_alphanumeric());
        let at: Vec<usize> = letters.flat_map(|(at, c)| at..at + c.len_utf8()).collect();
        let bytes: Vec<u8> = at.iter().map(|&at| line.as_bytes()[at]).collect();
        let mut runs: HashMap<_, Vec<_>> = HashMap::new();
        for (start, run) in bytes.windows(SHARED_BYTES).enumerate() {
            if let Ok(run) = run.try_into() {
                runs.entry(run).or_default().push(start);
            }
        }
        Self { at, runs }
    }

    /// Marks what the line has in common with a text.
    fn mark(&self, text: &str, line: &str, cut: &mut [bool]) {
        let mut run = [0; SHARED_BYTES];
        let mut filled = 0;
        let mut found = HashSet::new();
        let mut buffer = [0; 4];
        for c in text.chars().filter(|c| c.is_alphanumeric()) {
            for &byte in c.encode_utf8(&mut buffer).as_bytes() {
                run.rotate_left(1);
                run[SHARED_BYTES - 1] = byte;
                filled += 1;
                if filled >= SHARED_BYTES && self.runs.contains_key(&run) {
                    found.insert(run);
                }
            }
        }
        if filled < SHARED_BYTES {
            return mark_word(text.trim(), line, cut);
        }
        for start in found.iter().filter_map(|run| self.runs.get(run)).flatten() {
            if let (Some(&from), Some(&to)) = (self.at.get(*start), self.at.get(start + SHARED_BYTES - 1)) {
                cut[from..=to].fill(true);
            }
        }
    }
}

/// Marks a short text where it stands as a word of its own.
fn mark_word(word: &str, line: &str, cut: &mut [bool]) {
    if word.chars().filter(|c| c.is_alphanumeric()).count() < 2 {
        return;
    }
    for (at, _) in line.match_indices(word) {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let ascii = |c: char| c.is_ascii_alphanumeric();
        if !before.ends_with(ascii) && !after.starts_with(ascii) {
            cut[at..at + word.len()].fill(true);
        }
    }
}

/// Parts that look like quotations, encoded data or secrets, whatever was sent.
fn suspicious(line: &str) -> Vec<Range<usize>> {
    let mut ranges = quoted(line);
    let mut at = 0;
    for word in line.split(' ') {
        let bare = word.trim_start_matches(|c: char| !c.is_alphanumeric());
        let from = at + word.len() - bare.len();
        let is_key = bare.starts_with("sk-") || bare.starts_with("Bearer") && bare.len() > 8;
        let is_address = bare.contains("://") && bare.contains(['?', '@']);
        if is_key || is_address || bare.len() > WORD_BYTES && bare.is_ascii() {
            ranges.push(from..at + word.len());
        }
        at += word.len() + 1;
    }
    ranges
}

/// What stands between quotation marks and is too long for a name.
fn quoted(line: &str) -> Vec<Range<usize>> {
    const MARKS: [(char, char); 6] =
        [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('「', '」'), ('‘', '’')];
    let mut ranges = Vec::new();
    let mut rest = 0;
    while let Some((open, close)) = line[rest..].char_indices().find_map(|(at, c)| {
        let close = MARKS.iter().find(|(open, _)| *open == c)?.1;
        // An apostrophe opens nothing.
        let inside = line[..rest + at].ends_with(char::is_alphanumeric);
        (!inside || c != '\'').then_some((rest + at + c.len_utf8(), close))
    }) {
        let ends = |(at, c): (usize, char)| {
            let follows = line[open + at + c.len_utf8()..].starts_with(char::is_alphanumeric);
            (c == close && !(c == '\'' && follows)).then_some(open + at)
        };
        let end = line[open..].char_indices().find_map(ends).unwrap_or(line.len());
        if end - open > QUOTED_BYTES {
            ranges.push(open..end);
        }
        rest = (end + close.len_utf8()).min(line.len());
    }
    ranges
}

/// The line without what is marked.
fn without(line: &str, mut cut: Vec<bool>) -> String {
    // What stands between two marked words is part of the quotation.
    let mut marked_to = None;
    for (at, c) in line.char_indices().filter(|(_, c)| c.is_alphanumeric()) {
        if !cut[at] {
            marked_to = None;
            continue;
        }
        if let Some(from) = marked_to {
            cut[from..at].fill(true);
        }
        marked_to = Some(at + c.len_utf8());
    }
    let mut kept = String::with_capacity(line.len());
    for (at, c) in line.char_indices() {
        if !cut[at..at + c.len_utf8()].contains(&true) {
            kept.push(c);
        } else if !kept.ends_with(CUT) {
            kept.push(CUT);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
