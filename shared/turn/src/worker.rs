//! The one function that takes a turn from claim to its end.

use std::{sync::Arc, time::Duration};

use chat::{Audience, Message, Reply, Timestamp, TurnKey};
use receive::QueuedMessage;
use settings::Bot;
use store::{Claim, ClaimRequest, Ending, Exchange, Kept, ParkReason, TurnRecord};
use telemetry::Step;

use crate::{
    access::{Access, AccessError},
    compose::{Composed, compose},
    content::Content,
    deliver::Delivery,
    handled::{AGAIN_SOON, Again, Handled},
    ports::Ports,
    recall::Recall,
};

/// How long a turn's record is kept. Feishu delivers an event again for 7.1 hours, and no platform we know of for more
/// than four days.
pub const TURN_KEPT: Duration = Duration::from_secs(7 * 86_400);

/// How much longer than the run a claim holds, so that the run has certainly ended when the next claim is granted.
const LEASE_MARGIN: Duration = Duration::from_secs(15);

/// What a run keeps back for sending, out of its time.
const SEND_RESERVE: Duration = Duration::from_secs(10);

/// Answers queued messages.
pub struct Worker {
    ports: Ports,
    access: Access,
}

impl Worker {
    /// A worker at these ports.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        let access = Access::new(
            Arc::clone(&ports.tokens),
            Arc::clone(&ports.transport),
            Arc::clone(&ports.vault),
            Arc::clone(&ports.clock),
        );
        Self { ports, access }
    }

    /// Answers one queued message within `budget`. Never fails: what cannot be done now is handed out again.
    pub async fn answer(&self, body: &str, budget: Duration) -> Handled {
        let Ok(queued) = QueuedMessage::open(body, &self.ports.vault) else {
            tracing::error!("a queued message cannot be opened; it goes to the dead letters after its tries");
            return Handled::Again { after: AGAIN_SOON };
        };
        let turn = queued.message.turn();
        match self.carry(&queued, &turn, budget).await {
            Ok(()) => Handled::Done,
            Err(Again::FenceLost) => {
                // Whoever holds the turn now will finish it; this delivery comes back only to see that it is over.
                self.note(&turn, Step::Returned { cause: "another worker has the turn".to_owned() });
                Handled::Again { after: LEASE_MARGIN }
            }
            Err(Again::Later { after, cause }) => {
                self.note(&turn, Step::Returned { cause });
                Handled::Again { after }
            }
        }
    }

    /// From the queue to the claim: is it ours, and is it still to be done?
    async fn carry(&self, queued: &QueuedMessage, turn: &TurnKey, budget: Duration) -> Result<(), Again> {
        let now = self.ports.clock.now();
        let conversation = &queued.message.conversation;
        let found =
            self.ports.bots.find(conversation.platform.as_str(), conversation.bot.as_str(), now).await;
        let Some(bot) = found else {
            return Err(Again::later(AGAIN_SOON, "the bot is not configured here"));
        };
        let Some(text) = self.words_for_us(&bot, &queued.message).await? else {
            let (platform, bot) = (conversation.platform.clone(), conversation.bot.clone());
            self.note(turn, Step::Ignored { platform, bot, what: "mentions others only" });
            return Ok(());
        };
        let request = ClaimRequest {
            now,
            lease: budget + LEASE_MARGIN,
            accepted_at: queued.accepted_at,
            keep_until: now.plus(TURN_KEPT),
        };
        match self.ports.turns.claim(turn, request).await? {
            Claim::Ended(_) => Ok(()),
            Claim::Held { until } => {
                let after = until.since(now).max(Duration::from_secs(1));
                Err(Again::later(after, "another worker has the turn"))
            }
            Claim::Granted(record) => {
                self.note(turn, Step::Claimed { fence: record.fence.0 });
                let fence = record.fence;
                let result = self.finish(&bot, queued, turn, &text, record, now.plus(budget)).await;
                if let Err(Again::Later { .. }) = &result {
                    // Should this fail too, the lease ends by itself.
                    let _ = self.ports.turns.release(turn, fence).await;
                }
                result
            }
        }
    }

    /// The words that speak to the bot, its own mention taken out; `None` when the message mentions others only.
    async fn words_for_us(&self, bot: &Bot, message: &Message) -> Result<Option<String>, AccessError> {
        let Audience::Mentions(mentions) = &message.audience else {
            return Ok(Some(message.text.clone()));
        };
        let Some(identity) = self.access.identity(bot).await? else { return Ok(Some(message.text.clone())) };
        let Some(own) = mentions.iter().find(|mention| mention.id == identity) else { return Ok(None) };
        Ok(Some(message.text.replacen(&own.shown, "", 1).trim().to_owned()))
    }

    /// From the claim to the end: reply kept, sent, recorded.
    async fn finish(
        &self,
        bot: &Bot,
        queued: &QueuedMessage,
        turn: &TurnKey,
        text: &str,
        record: TurnRecord,
        deadline: Timestamp,
    ) -> Result<(), Again> {
        let content = match self.kept(&queued.message, turn, &record).await? {
            Some(content) => content,
            None => self.compose_and_keep(bot, &queued.message, turn, text, &record, deadline).await?,
        };
        let (to, fence) = (queued.message.reply_to.clone(), record.fence);
        let delivery = Delivery {
            ports: &self.ports,
            access: &self.access,
            bot,
            turn,
            record,
            to,
            deadline,
            token: None,
            unaccounted: None,
        };
        let parked = delivery.run(&Reply { markdown: content.reply }).await?.or(content.parked);
        let ending = parked.map_or(Ending::Done, Ending::Parked);
        self.ports.turns.end(turn, fence, ending).await?;
        self.note(turn, ended(parked));
        Ok(())
    }

    /// The reply that an earlier run kept. The first run has none to look for.
    async fn kept(
        &self,
        message: &Message,
        turn: &TurnKey,
        record: &TurnRecord,
    ) -> Result<Option<Content>, Again> {
        if record.fence.0 == 1 {
            return Ok(None);
        }
        let conversation = message.conversation.key();
        let found = self.ports.conversations.find(&conversation, record.accepted_at, turn).await?;
        found.map(|exchange| self.open(&exchange, message)).transpose()
    }

    async fn compose_and_keep(
        &self,
        bot: &Bot,
        message: &Message,
        turn: &TurnKey,
        text: &str,
        record: &TurnRecord,
        deadline: Timestamp,
    ) -> Result<Content, Again> {
        let started = self.ports.clock.now();
        let recall = Recall {
            conversations: self.ports.conversations.as_ref(),
            vault: &self.ports.vault,
            limits: &self.ports.policy.memory,
        };
        let budget = deadline.minus(SEND_RESERVE).since(started).min(self.ports.policy.turn_timeout);
        let persona = bot.settings.persona.as_deref();
        let composed =
            compose(message, text, persona, &recall, &self.ports.router, (started, budget)).await?;
        self.note_composed(turn, &composed, started);
        let content = Content { question: text.to_owned(), reply: composed.reply, parked: composed.parked };
        let conversation = message.conversation.key();
        let days = Duration::from_secs(u64::from(self.ports.policy.memory.days) * 86_400);
        let exchange = Exchange {
            turn: turn.clone(),
            at: record.accepted_at,
            kind: composed.kind,
            sealed: content.seal(&self.ports.vault, &conversation, turn),
            keep_until: started.plus(days),
        };
        match self.ports.conversations.keep(&conversation, &exchange).await? {
            Kept::New => Ok(content),
            Kept::Already(standing) => self.open(&standing, message),
        }
    }

    fn open(&self, exchange: &Exchange, message: &Message) -> Result<Content, Again> {
        Content::open(exchange, &self.ports.vault, &message.conversation.key())
            .map_err(|error| Again::later(AGAIN_SOON, &error.to_string()))
    }

    fn note_composed(&self, turn: &TurnKey, composed: &Composed, started: Timestamp) {
        for step in &composed.asked {
            self.note(turn, step.clone());
        }
        let millis = u64::try_from(self.ports.clock.now().since(started).as_millis()).unwrap_or(u64::MAX);
        self.note(turn, Step::Answered { kind: composed.label(), by: composed.by.clone(), millis });
    }

    fn note(&self, turn: &TurnKey, step: Step) {
        self.ports.note(turn, step);
    }
}

const fn ended(parked: Option<ParkReason>) -> Step {
    match parked {
        None => Step::Ended { ending: "done", reason: None },
        Some(reason) => Step::Ended {
            ending: "parked",
            reason: Some(match reason {
                ParkReason::NoAnswer => "no_answer",
                ParkReason::SendRefused => "send_refused",
                ParkReason::SendUncertain => "send_uncertain",
                ParkReason::TriesExhausted => "tries_exhausted",
            }),
        },
    }
}
