//! What to say: a command's words, a model's answer, or an apology.

use std::{future::Future, time::Duration};

use chat::{Clock, Command, Language, Message};
use routing::{Answer, Ask, Context, Finish, Listener, Meter, NoAnswer, NoAnswerReason, Router};
use store::{ExchangeKind, ParkReason, StoreError};
use telemetry::AnsweredBy;

use crate::{alongside, attempts, cut_off, models::Models, recall::Recall, spending::Spending, words};

/// A reply, before it is kept.
pub struct Composed {
    /// The reply as Markdown.
    pub reply: String,
    /// What it counts as in memory.
    pub kind: ExchangeKind,
    /// Set when it is an apology.
    pub parked: Option<ParkReason>,
    /// What caused an apology, for operators.
    pub cause: Option<String>,
    /// Who answered, when a model did.
    pub by: Option<AnsweredBy>,
    /// The attempts that failed before somebody answered, for operators.
    pub failed_over: Vec<String>,
}

impl Composed {
    /// No reply: the answer to a later message is for this one too.
    pub(crate) fn merged() -> Self {
        Self::said_by_us("", ExchangeKind::Merged)
    }

    /// Words in place of an answer that there is not; the turn is parked, so that an operator can have it asked again.
    fn apology(none: &NoAnswer, language: Language) -> Self {
        let apology = Self::said_by_us(words::apology(none.reason, language), ExchangeKind::Notice);
        let cause = attempts::last_cause(&none.attempts).unwrap_or_else(|| none.reason.as_str().to_owned());
        Self { parked: Some(ParkReason::NoAnswer), cause: Some(cause), ..apology }
    }

    fn said_by_us(reply: &str, kind: ExchangeKind) -> Self {
        Self { reply: reply.to_owned(), kind, parked: None, cause: None, by: None, failed_over: Vec::new() }
    }

    /// The word under which notes and metrics count this reply.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match (self.kind, self.parked) {
            (_, Some(_)) => "apology",
            (ExchangeKind::Answer, None) => "answer",
            (ExchangeKind::Notice, None) => "notice",
            (ExchangeKind::Reset, None) => "reset",
            (ExchangeKind::Merged, None) => "merged",
        }
    }
}

/// Composes replies: what it takes to know what to say.
pub struct Composer<'a> {
    /// What was said before.
    pub recall: Recall<'a>,
    /// Who answers.
    pub router: &'a Router,
    /// Which model people chose.
    pub models: Models<'a>,
    /// What an answer may cost.
    pub spending: Spending<'a>,
    /// What a model is told about itself.
    pub persona: Option<&'a str>,
    /// Hears the attempts.
    pub listener: &'a dyn Listener,
    /// The present.
    pub clock: &'a dyn Clock,
}

impl Composer<'_> {
    /// Composes the reply to `message`, whose words are `text` once the bot's own mention is taken out. Models are asked
    /// until `stopped` returns, at the longest for `budget`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the conversation or the books cannot be read: the turn is tried again rather than answered
    /// without memory.
    pub async fn compose(
        &self,
        message: &Message,
        text: &str,
        budget: Duration,
        stopped: impl Future<Output = ()>,
    ) -> Result<Composed, StoreError> {
        let known = self.language(message, text).await?;
        let language = known.unwrap_or(Language::En);
        if let Some(command) = Command::parse(text) {
            return self.obey(command, message, language).await;
        }
        let question = alongside::question(message, text);
        if question.trim().is_empty() {
            let reply = |language| match message.attachments.first() {
                Some(attachment) => words::cannot_read(attachment.kind, language),
                None => words::help(language),
            };
            return Ok(Composed::said_by_us(&in_language(known, reply), ExchangeKind::Notice));
        }
        let now = self.clock.now();
        let left = self.spending.left(now).await?;
        if self.spending.stops(left) {
            let none = NoAnswer { reason: NoAnswerReason::OverBudget, attempts: Vec::new() };
            return Ok(Composed::apology(&none, language));
        }
        let conversation = message.conversation.key();
        let model = self.models.chosen(&conversation, now).await?;
        let prompt = self.recall.prompt(&conversation, self.persona, &question, now).await?;
        let context = Context { model, allowance: left, ..context(message) };
        let meter = Meter::new(&prompt, self.listener);
        let ask = Ask { listener: &meter, ..Ask::whole(&prompt, &context, budget) };
        let answer = tokio::select! {
            // In this order, so that an answer that is there is not thrown away.
            biased;
            answer = self.router.ask(&ask) => answer,
            () = stopped => {
                self.spending.book(meter.count().cost(), self.clock.now()).await;
                return Ok(Composed::said_by_us(words::stopped(language), ExchangeKind::Notice));
            }
        };
        let cost = answer.as_ref().map_or_else(NoAnswer::cost, Answer::cost);
        self.spending.book(cost, self.clock.now()).await;
        Ok(match answer {
            Ok(answer) => answered(with_notice(answer, message, text, language), language),
            // Nothing is wrong that an operator could see to.
            Err(none) if none.reason == NoAnswerReason::Refused && none.is_too_long() => {
                let most = self.router.longest_question(&none, &prompt);
                Composed::said_by_us(&words::question_too_long(most, language), ExchangeKind::Notice)
            }
            Err(none) => Composed::apology(&none, language),
        })
    }

    /// The language to answer in, by the first of these that shows one: the words; the person's earlier questions, newest
    /// first; the person's client; the words of a command, which people of every language type.
    async fn language(&self, message: &Message, text: &str) -> Result<Option<Language>, StoreError> {
        let by_words = Language::detect(text);
        if by_words.is_some() && !alongside::is_neutral(text) {
            return Ok(by_words);
        }
        let conversation = message.conversation.key();
        let by_memory = self.recall.language(&conversation, self.clock.now()).await?;
        Ok(by_memory.or(message.client_language).or(by_words))
    }

    /// What a command does, and the reply to it.
    async fn obey(
        &self,
        command: Command,
        message: &Message,
        language: Language,
    ) -> Result<Composed, StoreError> {
        Ok(match command {
            Command::New => Composed::said_by_us(words::begun_anew(language), ExchangeKind::Reset),
            Command::Stop => Composed::said_by_us(words::stopping(language), ExchangeKind::Notice),
            Command::Help => Composed::said_by_us(words::help(language), ExchangeKind::Notice),
            Command::Model(wanted) => {
                let conversation = message.conversation.key();
                let now = self.clock.now();
                let reply = self.models.command(&conversation, wanted.as_deref(), language, now).await?;
                Composed::said_by_us(&reply, ExchangeKind::Notice)
            }
        })
    }
}

/// Says it in the language that is known, else in both.
fn in_language(known: Option<Language>, say: impl Fn(Language) -> &'static str) -> String {
    known.map_or_else(|| [say(Language::Zh), say(Language::En)].join("\n\n"), |known| say(known).to_owned())
}

/// An answer, with what of the message it could not use.
fn with_notice(answer: Answer, message: &Message, text: &str, language: Language) -> Answer {
    match alongside::notice(message, text, language) {
        Some(notice) if !answer.text.is_empty() => {
            Answer { text: [&answer.text, "\n\n", &notice].concat(), ..answer }
        }
        _ => answer,
    }
}

fn answered(answer: Answer, language: Language) -> Composed {
    let (reply, kind) = match (answer.finish, answer.text.is_empty()) {
        // Not the model's words, so no part of what it is told of the conversation.
        (Finish::TimedOut, true) => (words::only_reasoned(language).to_owned(), ExchangeKind::Notice),
        (Finish::Length, true) => (words::spent_on_reasoning(language).to_owned(), ExchangeKind::Notice),
        (Finish::TimedOut, false) => (cut_off::mark(&answer.text, language), ExchangeKind::Answer),
        (Finish::Complete | Finish::Length, _) => (answer.text, ExchangeKind::Answer),
    };
    Composed {
        reply,
        kind,
        parked: None,
        cause: None,
        failed_over: attempts::failed(&answer.attempts),
        by: Some(AnsweredBy {
            endpoint: answer.endpoint,
            place: answer.place.as_str(),
            model: answer.model,
            prompt_tokens: answer.usage.prompt,
            completion_tokens: answer.usage.completion,
            estimated: answer.usage.estimated,
        }),
    }
}

/// From whom and whereabouts a question comes.
fn context(message: &Message) -> Context {
    Context {
        bot: Some(message.conversation.bot.clone()),
        chat: Some(message.chat_kind),
        user: Some(message.sender.id.clone()),
        conversation: Some(message.conversation.key()),
        attachments: message.attachments.iter().map(|attachment| attachment.kind).collect(),
        ..Context::default()
    }
}

#[cfg(test)]
mod tests {
    use routing::{Finish, Place, Usage};

    use super::*;

    #[test]
    fn who_spent_all_tokens_on_reasoning_is_explained_and_not_remembered() {
        let answer = |text: &str, finish| Answer {
            text: text.to_owned(),
            endpoint: "e".to_owned(),
            place: Place::Local,
            model: "m".to_owned(),
            usage: Usage { prompt: 1, completion: 5, estimated: false },
            finish,
            attempts: Vec::new(),
        };
        for language in [Language::En, Language::Zh] {
            let spent = answered(answer("", Finish::Length), language);
            assert_eq!((spent.label(), spent.parked), ("notice", None));
            assert!(spent.reply.contains("max_tokens") && spent.by.is_some(), "{}", spent.reply);
        }
        let cut = answered(answer("half", Finish::Length), Language::En);
        assert_eq!((cut.reply.as_str(), cut.label()), ("half", "answer"));
    }
}
