//! How far an answer has come, in what every protocol tells of one.

use super::{Ending, Finish, json::Count};
use crate::Failure;

/// The longest model name that is believed; a longer one is taken for noise.
const MODEL_NAME_BYTES: usize = 200;

/// What is known of an answer so far.
#[derive(Default)]
pub(super) struct Course {
    model: Option<String>,
    prompt_tokens: Option<u32>,
    answer_tokens: Option<u32>,
    finish: Option<Finish>,
    /// Whether the protocol's end mark has come.
    pub(super) over: bool,
    /// Whether an event was passed over because it is no JSON.
    pub(super) garbled: bool,
    /// Whether an event was passed over because the protocol does not know it, and whether it knew one.
    pub(super) unknown: bool,
    pub(super) known: bool,
    /// Whether characters of the answer stand for halves.
    pub(super) halves: bool,
}

impl Course {
    /// The server names the model that answers.
    pub(super) fn model(&mut self, name: &str) {
        if self.model.is_none() {
            let name = name.trim();
            self.model = (!name.is_empty() && name.len() <= MODEL_NAME_BYTES).then(|| name.to_owned());
        }
    }

    /// The server counts the prompt. A prompt of no tokens is a server that does not count.
    pub(super) fn prompt_tokens(&mut self, count: Count) {
        self.prompt_tokens = count.0.filter(|&tokens| tokens > 0).or(self.prompt_tokens);
    }

    /// The server counts the answer, reasoning included.
    pub(super) fn answer_tokens(&mut self, count: Count) {
        self.answer_tokens = count.0.or(self.answer_tokens);
    }

    /// The server tells why the answer ends.
    pub(super) const fn finish(&mut self, finish: Finish) {
        self.finish = Some(finish);
    }

    /// Whether a reason for the end has come.
    pub(super) const fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// What is known now that no more comes.
    pub(super) fn ending(&mut self) -> Result<Ending, Failure> {
        let finish = match self.finish {
            Some(finish) => finish,
            None if self.over => Finish::Complete,
            // The reason for the end may have been what could not be read.
            None if self.garbled || self.unknown && !self.known => return Err(Failure::Malformed),
            // Neither the end mark nor a reason for the end: the answer was cut off.
            None => return Err(Failure::Broken),
        };
        let tokens = self.prompt_tokens.zip(self.answer_tokens);
        Ok(Ending { model: self.model.take(), tokens, finish, garbled: self.garbled })
    }
}
