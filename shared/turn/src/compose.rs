//! What to say: a command's words, a model's answer, or an apology.

use std::{future::Future, time::Duration};

use chat::{Command, Message, Timestamp};
use routing::{Answer, Ask, Attempt, Context, Router};
use store::{ExchangeKind, ParkReason, StoreError};
use telemetry::{AnsweredBy, Step};

use crate::{recall::Recall, words};

/// A reply, before it is kept.
pub struct Composed {
    /// The reply as Markdown.
    pub reply: String,
    /// What it counts as in memory.
    pub kind: ExchangeKind,
    /// Set when it is an apology.
    pub parked: Option<ParkReason>,
    /// Who answered, when a model did.
    pub by: Option<AnsweredBy>,
    /// Every endpoint that was asked.
    pub asked: Vec<Step>,
}

impl Composed {
    /// No reply: the answer to a later message is for this one too.
    pub(crate) fn merged() -> Self {
        Self::said_by_us("", ExchangeKind::Merged)
    }

    fn said_by_us(reply: &str, kind: ExchangeKind) -> Self {
        Self { reply: reply.to_owned(), kind, parked: None, by: None, asked: Vec::new() }
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

/// Composes the reply to `message`, whose words are `text` once the bot's own mention is taken out. Models are asked until
/// `stopped` returns, at the longest.
///
/// # Errors
///
/// [`StoreError`] when the conversation cannot be read: the turn is tried again rather than answered without memory.
pub async fn compose(
    message: &Message,
    text: &str,
    persona: Option<&str>,
    recall: &Recall<'_>,
    router: &Router,
    (now, budget): (Timestamp, Duration),
    stopped: impl Future<Output = ()>,
) -> Result<Composed, StoreError> {
    let language = chat::Language::of(text);
    match Command::parse(text) {
        Some(Command::New) => {
            return Ok(Composed::said_by_us(words::begun_anew(language), ExchangeKind::Reset));
        }
        Some(Command::Stop) => {
            return Ok(Composed::said_by_us(words::stopping(language), ExchangeKind::Notice));
        }
        Some(Command::Help) => return Ok(Composed::said_by_us(words::help(language), ExchangeKind::Notice)),
        None => {}
    }
    if text.trim().is_empty() {
        let reply = match message.attachments.first() {
            Some(attachment) => words::cannot_read(attachment.kind, language),
            None => words::help(language),
        };
        return Ok(Composed::said_by_us(reply, ExchangeKind::Notice));
    }
    let prompt = recall.prompt(&message.conversation.key(), persona, text, now).await?;
    let context = context(message);
    let ask = Ask::whole(&prompt, &context, budget);
    let answer = tokio::select! {
        // In this order, so that an answer that is there is not thrown away.
        biased;
        answer = router.ask(&ask) => answer,
        () = stopped => return Ok(Composed::said_by_us(words::stopped(language), ExchangeKind::Notice)),
    };
    Ok(match answer {
        Ok(answer) => answered(answer),
        Err(none) => Composed {
            parked: Some(ParkReason::NoAnswer),
            asked: none.attempts.iter().map(asked).collect(),
            ..Composed::said_by_us(words::apology(none.reason, language), ExchangeKind::Notice)
        },
    })
}

fn answered(answer: Answer) -> Composed {
    Composed {
        reply: answer.text,
        kind: ExchangeKind::Answer,
        parked: None,
        asked: answer.attempts.iter().map(asked).collect(),
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

fn asked(attempt: &Attempt) -> Step {
    Step::Asked {
        endpoint: attempt.endpoint.clone(),
        place: attempt.place.as_str(),
        model: attempt.model.clone(),
        outcome: attempt.outcome.as_str(),
        millis: attempt.millis,
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
