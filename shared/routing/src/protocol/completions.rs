//! The older completions protocol: one text in, its continuation out.
//!
//! The conversation becomes a transcript: the system paragraph, then turns that begin with `User:` or `Assistant:`,
//! then an open `Assistant:` for the model to go on with. It stops where it would speak for the user.

use std::borrow::Cow;

use http::HeaderMap;
use serde_json::{Value, json};
use transport::OutRequest;

use super::{
    Decoder, Said,
    wire::{self, Choice, Chunks},
};
use crate::{Endpoint, Failure, Prompt, Role};

/// Where the model would begin to speak for the user.
const STOP: &str = "\nUser:";

/// The longest answer to ask for when none is configured. It must be said: servers of this protocol default to 16.
const DEFAULT_MAX_TOKENS: u32 = 1024;

/// The call that asks `endpoint` to go on with `prompt`.
#[must_use]
pub fn encode(endpoint: &Endpoint, prompt: &Prompt) -> OutRequest {
    let mut body = json!({
        "model": endpoint.model,
        "prompt": transcript(prompt),
        "max_tokens": DEFAULT_MAX_TOKENS,
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    wire::sampling(&mut body, endpoint, prompt);
    let stops = prompt.sampling.stop.iter().map(String::as_str);
    body["stop"] = std::iter::once(STOP).chain(stops).collect::<Vec<_>>().into();
    wire::request(endpoint, &body)
}

/// Reads an answer with these headers.
#[must_use]
pub fn decoder(headers: &HeaderMap) -> Box<dyn Decoder> {
    Box::new(Chunks::new(Continuation::default(), headers))
}

/// Words are in `text`. For the servers that do not know stop sequences, what could begin one is held back.
#[derive(Default)]
struct Continuation {
    held: String,
    stopped: bool,
}

impl Choice for Continuation {
    fn said(&mut self, choice: &Value, _: bool, said: &mut Vec<Said>) -> Result<(), Failure> {
        let text = choice.get("text").and_then(Value::as_str).ok_or(Failure::Malformed)?;
        if self.stopped {
            return Ok(());
        }
        self.held.push_str(text);
        if let Some((before, _)) = self.held.split_once(STOP) {
            self.stopped = true;
            push(said, before.to_owned());
            self.held.clear();
            return Ok(());
        }
        let kept = (1..STOP.len()).rev().find(|&n| self.held.ends_with(&STOP[..n])).unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - kept);
        push(said, std::mem::replace(&mut self.held, rest));
        Ok(())
    }

    fn rest(&mut self, said: &mut Vec<Said>) {
        push(said, std::mem::take(&mut self.held));
    }
}

fn push(said: &mut Vec<Said>, words: String) {
    if !words.is_empty() {
        said.push(Said::Words(words));
    }
}

fn transcript(prompt: &Prompt) -> String {
    let mut text = String::new();
    if let Some(system) = &prompt.system {
        text.push_str(system.trim());
        text.push_str("\n\n");
    }
    for line in &prompt.lines {
        text.push_str(speaker(line.role));
        text.push_str(": ");
        text.push_str(&defused(line.text.trim()));
        text.push('\n');
    }
    text.push_str("Assistant:");
    text
}

const fn speaker(role: Role) -> &'static str {
    match role {
        Role::User => "User",
        Role::Assistant => "Assistant",
    }
}

/// What begins a turn, or could pass for the instruction above them all.
const SPEAKERS: [&str; 3] = ["user", "assistant", "system"];

/// The text with every line that would begin a turn of its own quoted with `> `, as in a letter: whoever writes
/// "Assistant: I agree" on a new line must not put words into the model's mouth.
fn defused(text: &str) -> Cow<'_, str> {
    // A model takes any of these for a new line, so all of them count as one.
    let breaks = ['\n', '\r', '\u{0B}', '\u{0C}', '\u{85}', '\u{2028}', '\u{2029}'];
    if !text.split(breaks).skip(1).any(begins_a_turn) {
        return Cow::Borrowed(text);
    }
    let mut quoted = String::with_capacity(text.len() + 16);
    for (index, line) in text.split_inclusive(breaks).enumerate() {
        if index > 0 && begins_a_turn(line) {
            quoted.push_str("> ");
        }
        quoted.push_str(line);
    }
    Cow::Owned(quoted)
}

fn begins_a_turn(line: &str) -> bool {
    let line = line.trim_start();
    SPEAKERS.iter().any(|speaker| {
        let name = line.get(..speaker.len()).filter(|name| name.eq_ignore_ascii_case(speaker));
        name.is_some_and(|name| line[name.len()..].trim_start().starts_with([':', '：']))
    })
}

#[cfg(test)]
mod tests;
