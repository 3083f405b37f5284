//! Everything a worker touches, and the limits it keeps.

use std::{sync::Arc, time::Duration};

use chat::{Clock, Pause, TurnKey};
use routing::LiveRouter;
use settings::{Bots, BudgetSettings, MemorySettings};
use store::{Budgets, Choices, Conversations, Park, Signals, Tokens, Turns};
use telemetry::{Note, Observer, Step};
use transport::Transport;
use vault::Vault;

/// Everything a worker touches.
pub struct Ports {
    /// The bots that are answered for.
    pub bots: Arc<Bots>,
    /// Who works on what.
    pub turns: Arc<dyn Turns>,
    /// What was said.
    pub conversations: Arc<dyn Conversations>,
    /// Word that comes past the queue.
    pub signals: Arc<dyn Signals>,
    /// What was spent on models.
    pub budgets: Arc<dyn Budgets>,
    /// Which models people chose.
    pub choices: Arc<dyn Choices>,
    /// Where parked turns are kept for the operators.
    pub parked: Arc<dyn Park>,
    /// Shared access tokens.
    pub tokens: Arc<dyn Tokens>,
    /// The model endpoints.
    pub router: Arc<LiveRouter>,
    /// Calls to the platforms.
    pub transport: Arc<dyn Transport>,
    /// Seals what is stored.
    pub vault: Arc<Vault>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// How to wait.
    pub pause: Arc<dyn Pause>,
    /// Hears every step.
    pub observer: Arc<dyn Observer>,
    /// The limits.
    pub policy: Policy,
}

/// The limits of a turn.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How far back a conversation is remembered.
    pub memory: MemorySettings,
    /// What may be spent on models.
    pub budgets: BudgetSettings,
    /// The longest that models are asked for one turn.
    pub turn_timeout: Duration,
}

impl Ports {
    /// Notes a step of a turn.
    pub(crate) fn note(&self, turn: &TurnKey, step: Step) {
        self.observer.note(&Note { turn: Some(turn.clone()), at: self.clock.now(), step });
    }
}
