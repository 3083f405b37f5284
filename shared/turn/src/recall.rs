//! The conversation as a prompt, within limits.
//!
//! What is remembered is read again for every turn, and reading costs: a unit for four kilobytes, half of one where a
//! moment's delay may be suffered. So the newest exchanges are read as they are now, and those behind them in portions no
//! larger than what the limits have room for, as they were some seconds ago.
//!
//! What the turn cannot do without is in the first part, whatever the delay: the exchange before this one, however soon it
//! was followed, and all the questions of a burst that the answer is for. What may be missing is an exchange with
//! `FRESH` newer ones before it that was written within the last seconds. Turns of a conversation are answered one after
//! the other, so this takes a turn that was late (one that an operator brought back), or turns that take no time; such an
//! exchange is there again when the next question comes.

use chat::{ConversationKey, Language, Timestamp};
use routing::{Line, Prompt, Role, estimate_tokens};
use settings::MemorySettings;
use store::{Conversations, Exchange, ExchangeKind, ReadFrom, StoreError};
use vault::Vault;

use crate::{alongside, content::Content, cut_off};

/// How many of the newest exchanges are read as they are now. Two are within one read unit, unless answers are longer than a
/// thousand characters.
const FRESH: usize = 2;

/// How many of the newest questions are looked at for a language.
const FOR_LANGUAGE: usize = 4;

/// What part of the limit of tokens is not worth a reading of its own, if nothing so far was so short.
const REMNANT: u32 = 8;

/// What a recall needs.
pub struct Recall<'a> {
    /// Where exchanges are kept.
    pub conversations: &'a dyn Conversations,
    /// Opens them.
    pub vault: &'a Vault,
    /// How far back memory goes.
    pub limits: &'a MemorySettings,
}

impl Recall<'_> {
    /// The prompt for `question`: the persona, what was said before, and the question itself.
    ///
    /// Memory goes back until one of the limits is reached; an exchange is remembered whole or not at all. An exchange
    /// that can no longer be opened (its key was retired) ends the memory there: that the person is answered matters
    /// more than how far back we remember.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the conversation cannot be read.
    pub async fn prompt(
        &self,
        conversation: &ConversationKey,
        persona: Option<&str>,
        question: &str,
        now: Timestamp,
    ) -> Result<Prompt, StoreError> {
        let mut memory = Memory::new(self.limits, question);
        let mut wanted = FRESH;
        let mut portion = self.conversations.recent(conversation, now, ReadFrom::Newest, wanted).await?;
        while let Some(last) = portion.last().filter(|_| portion.len() == wanted) {
            let last = last.clone();
            if !self.remember(conversation, portion, &mut memory) {
                return Ok(memory.prompt(persona));
            }
            let from =
                if memory.settled() { ReadFrom::SettledBehind(&last) } else { ReadFrom::Behind(&last) };
            wanted = memory.room();
            if wanted == 0 {
                return Ok(memory.prompt(persona));
            }
            portion = self.conversations.recent(conversation, now, from, wanted).await?;
        }
        self.remember(conversation, portion, &mut memory);
        Ok(memory.prompt(persona))
    }

    /// The language of the newest questions that show one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the conversation cannot be read.
    pub async fn language(
        &self,
        conversation: &ConversationKey,
        now: Timestamp,
    ) -> Result<Option<Language>, StoreError> {
        let newest = self.conversations.recent(conversation, now, ReadFrom::Newest, FOR_LANGUAGE).await?;
        let questions = newest.iter().filter_map(|exchange| {
            let content = Content::open(exchange, self.vault, conversation).ok()?;
            alongside::language_of(&content.question)
        });
        Ok(questions.into_iter().next())
    }

    /// Whether all of these could be remembered.
    fn remember(
        &self,
        conversation: &ConversationKey,
        portion: Vec<Exchange>,
        memory: &mut Memory<'_>,
    ) -> bool {
        portion.into_iter().all(|exchange| {
            let content = Content::open(&exchange, self.vault, conversation);
            content.is_ok_and(|content| memory.take(exchange.kind, content))
        })
    }
}

/// What is remembered so far, newest first.
struct Memory<'a> {
    limits: &'a MemorySettings,
    lines: Vec<Line>,
    /// Answers among them.
    turns: usize,
    /// All exchanges among them.
    exchanges: u32,
    /// Tokens of the limit beside the question.
    all: u32,
    /// Of `all`, what is not used.
    left: u32,
    /// What the shortest exchange took.
    shortest: u32,
    /// Whether all of them are merged questions.
    burst: bool,
}

impl<'a> Memory<'a> {
    fn new(limits: &'a MemorySettings, question: &str) -> Self {
        let all = limits.tokens.saturating_sub(estimate_tokens(question));
        let lines = vec![line(Role::User, question.to_owned())];
        Self { limits, lines, turns: 0, exchanges: 0, all, left: all, shortest: u32::MAX, burst: true }
    }

    /// Adds an exchange that is older than all before, if there is room for it.
    fn take(&mut self, kind: ExchangeKind, mut content: Content) -> bool {
        cut_off::unmarked(&mut content.reply);
        let merged = kind == ExchangeKind::Merged;
        let reply = if merged { 0 } else { estimate_tokens(&content.reply) };
        let cost = estimate_tokens(&content.question).saturating_add(reply);
        // The questions of a burst are what is to be answered, and no memory: no limit cuts them off.
        let own = merged && self.burst;
        if !own && (cost > self.left || (!merged && self.turns == self.limits.turns)) {
            return false;
        }
        self.left = self.left.saturating_sub(cost);
        self.exchanges += 1;
        self.shortest = self.shortest.min(cost);
        self.burst &= merged;
        if merged {
            join(&mut self.lines, &content.question);
        } else {
            self.turns += 1;
            self.lines.push(line(Role::Assistant, content.reply));
            self.lines.push(line(Role::User, content.question));
        }
        true
    }

    /// Whether an answer is among them, so that what stands behind it was written before a model was asked for that one. A burst
    /// of short messages has none among them, and is written in one moment.
    const fn settled(&self) -> bool {
        !self.burst
    }

    /// How many more exchanges there is probably room for, if they are as long as those so far.
    fn room(&self) -> usize {
        if self.burst {
            return FRESH;
        }
        if self.left < self.shortest.min(self.limits.tokens / REMNANT) {
            return 0;
        }
        let each = ((self.all - self.left) / self.exchanges.max(1)).max(1);
        let tokens = usize::try_from(self.left / each).unwrap_or(usize::MAX);
        // None when the last turn is there: behind it there may be questions that were merged into it, which are not worth a
        // reading.
        self.limits.turns.saturating_sub(self.turns).min(tokens.max(1))
    }

    fn prompt(mut self, persona: Option<&str>) -> Prompt {
        self.lines.reverse();
        // All but the question, and what it answers of a burst.
        let history = self.lines.len().saturating_sub(1);
        Prompt { system: persona.map(str::to_owned), lines: self.lines, history, ..Prompt::default() }
    }
}

/// Puts an earlier question of the same burst before the one that the newest line holds, so that people and model still
/// speak in turns.
fn join(lines: &mut [Line], question: &str) {
    if let Some(newest) = lines.last_mut() {
        newest.text = [question, &newest.text].join("\n");
    }
}

const fn line(role: Role, text: String) -> Line {
    Line { role, text, pictures: Vec::new() }
}

#[cfg(test)]
mod tests;
