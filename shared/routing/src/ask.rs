//! One question to a router: what, from whom, and for how long.

use std::time::Duration;

use chat::{AttachmentKind, BotId, ChatKind, ConversationKey, UserId};

use crate::{Attempt, Endpoint, Micros, Prompt};

/// One question to a router.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// What is asked.
    pub prompt: &'a Prompt,
    /// From whom and whereabouts, for rules, affinity and budgets.
    pub context: &'a Context,
    /// How long all attempts together may take.
    pub budget: Duration,
    /// Who hears the answer while it comes.
    pub listener: &'a dyn Listener,
    /// Whether endpoints that are not there are waited for within the budget when no other is left. An operator at a
    /// terminal wants to read what failed instead.
    pub waits: bool,
}

impl<'a> Ask<'a> {
    /// A question whose answer is wanted whole, and which waits for endpoints that are not there.
    #[must_use]
    pub fn whole(prompt: &'a Prompt, context: &'a Context, budget: Duration) -> Self {
        Self { prompt, context, budget, listener: &Nobody, waits: true }
    }
}

/// From whom and whereabouts a question comes. What is not known is absent, and no rule about it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The bot that was spoken to.
    pub bot: Option<BotId>,
    /// Alone with the bot, or among others.
    pub chat: Option<ChatKind>,
    /// Who asks.
    pub user: Option<UserId>,
    /// Where memory lives: what affinity goes by.
    pub conversation: Option<ConversationKey>,
    /// What came besides words.
    pub attachments: Vec<AttachmentKind>,
    /// The model or endpoint that the person chose; asked first where rules and strategy allow it.
    pub model: Option<String>,
    /// What may be spent on the answer; endpoints that might cost more are not asked. No limit when absent.
    pub allowance: Option<Micros>,
}

/// Hears an answer while it comes.
pub trait Listener: Send + Sync {
    /// The words that follow are this endpoint's.
    fn begins(&self, _endpoint: &Endpoint) {}

    /// More of the answer, in order: never blank at the start, never a model's reasoning.
    fn words(&self, more: &str);

    /// Whether it matters when words come. Where it does not, an endpoint may be asked for the answer in one piece.
    fn hears(&self) -> bool {
        true
    }

    /// Whether what was heard can be taken back. Where it cannot, an attempt that breaks off is the last one.
    fn takes_back(&self) -> bool;

    /// Whether the first words are the last that can be taken back: reasoning that has lost its opening mark shows only by
    /// its end, so an answer that may begin inside of some is held back until it is clear.
    fn is_final(&self) -> bool {
        false
    }

    /// All that was heard so far is void: its endpoint broke off, and another begins anew. Told only to who can take it
    /// back.
    fn restarted(&self) {}

    /// An attempt has ended, whether or not it answered. Told at once: a question that is dropped takes what it knows of
    /// its attempts along.
    fn attempted(&self, _attempt: &Attempt) {}
}

impl<L: Listener + ?Sized> Listener for &L {
    fn begins(&self, endpoint: &Endpoint) {
        (**self).begins(endpoint);
    }

    fn words(&self, more: &str) {
        (**self).words(more);
    }

    fn hears(&self) -> bool {
        (**self).hears()
    }

    fn takes_back(&self) -> bool {
        (**self).takes_back()
    }

    fn is_final(&self) -> bool {
        (**self).is_final()
    }

    fn restarted(&self) {
        (**self).restarted();
    }

    fn attempted(&self, attempt: &Attempt) {
        (**self).attempted(attempt);
    }
}

/// Hears nothing, and so can take back everything.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl Listener for Nobody {
    fn words(&self, _: &str) {}

    fn hears(&self) -> bool {
        false
    }

    fn takes_back(&self) -> bool {
        true
    }
}
