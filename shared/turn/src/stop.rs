//! Whether the person still wants the answer.
//!
//! `stop` and `/new` wait in the queue behind the very turn that they are to end, so their word comes another way
//! ([`store::Signals`]), and whoever asks a model looks for it now and then.

use std::time::Duration;

use chat::{ConversationKey, Timestamp};
use settings::Bot;
use store::{Signal, SignalKind};

use crate::{access::Access, ports::Ports};

/// How long after the first look the second one comes; each further one twice as long after the one before it. A look
/// costs half a read unit on DynamoDB, and most answers are there within a few seconds.
const FIRST_REST: Duration = Duration::from_secs(2);

/// The longest between two looks: who says stop wants to see it happen.
const LONGEST_REST: Duration = Duration::from_secs(8);

/// Looks for a stop of one turn.
pub(crate) struct Stops<'a> {
    pub(crate) ports: &'a Ports,
    pub(crate) access: &'a Access,
    pub(crate) bot: &'a Bot,
    pub(crate) conversation: ConversationKey,
    /// When the question was sent: only what was sent later can stop it.
    pub(crate) sent_at: Timestamp,
}

impl Stops<'_> {
    /// Returns once the person has asked to stop, and never otherwise. A look that fails is left to the next one.
    pub(crate) async fn asked(self) {
        let mut rest = FIRST_REST;
        while !self.look().await {
            self.ports.pause.pause(rest).await;
            rest = (rest * 2).min(LONGEST_REST);
        }
    }

    async fn look(&self) -> bool {
        let now = self.ports.clock.now();
        // Planted: a stop ends what was asked after it, too.
        let after = if cfg!(planted = "stop_ends_later") { Timestamp::from_millis(0) } else { self.sent_at };
        let Ok(signals) = self.ports.signals.signals(&self.conversation, after, now).await else {
            return false;
        };
        for signal in signals.iter().filter(|signal| signal.kind == SignalKind::Stop) {
            if self.means_us(signal).await {
                return true;
            }
        }
        false
    }

    /// As for any message in a group: who the bot is must be asked, and where the platform does not say, it is meant.
    async fn means_us(&self, signal: &Signal) -> bool {
        if signal.mentions.is_empty() {
            return true;
        }
        match self.access.identity(self.bot).await {
            Ok(Some(identity)) => signal.mentions.iter().any(|id| id == identity.as_str()),
            Ok(None) => true,
            Err(_) => false,
        }
    }
}
