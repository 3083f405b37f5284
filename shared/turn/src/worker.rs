//! The one function that takes a turn from claim to its end.

use std::{sync::Arc, time::Duration};

use chat::{Audience, Message, Reply, Timestamp, TurnKey};
use receive::QueuedMessage;
use settings::Bot;
use store::{Claim, ClaimRequest, DEAD_LETTERS_KEPT, Ending, ExchangeKind, Fence, ParkedTurn, TurnRecord};
use telemetry::{Asker, Step};
use transport::ThroughProxy;

use crate::{
    access::{Access, AccessError},
    alongside,
    attempts::Noting,
    compose::{Composed, Composer},
    content::Content,
    deliver::{Delivered, Delivery},
    handled::{AGAIN_SOON, Again, Handled, Parked},
    kept, merge,
    models::Models,
    ports::Ports,
    recall::Recall,
    spending::Spending,
    stop::Stops,
};

/// How long a turn's record is kept. Feishu delivers an event again for 7.1 hours, and no platform we know of for more
/// than four days; a day beyond the dead letters, so that an operator who brings a turn back finds it as it was left.
pub const TURN_KEPT: Duration = DEAD_LETTERS_KEPT.saturating_add(Duration::from_secs(86_400));

/// How much longer than the run a claim holds, so that the run has certainly ended when the next claim is granted.
const LEASE_MARGIN: Duration = Duration::from_secs(15);

/// What a run keeps back for sending, out of its time: twice what one send may take, since no send is begun that might
/// end after the run.
const SEND_RESERVE: Duration = Duration::from_secs(20);

/// Answers queued messages.
pub struct Worker {
    pub(crate) ports: Ports,
    access: Access,
}

/// A queued message, opened.
pub(crate) struct Queued<'a> {
    /// The sealed form: what a parked turn is brought back with.
    body: &'a str,
    opened: QueuedMessage,
    pub(crate) turn: TurnKey,
}

impl Queued<'_> {
    pub(crate) const fn message(&self) -> &Message {
        &self.opened.message
    }
}

/// A claimed turn, with what every step of it needs.
pub(crate) struct Claimed {
    pub(crate) bot: Arc<Bot>,
    /// The words that speak to the bot.
    pub(crate) text: String,
    pub(crate) record: TurnRecord,
    pub(crate) deadline: Timestamp,
}

impl Worker {
    /// A worker at these ports.
    #[must_use]
    pub fn new(mut ports: Ports) -> Self {
        // A worker calls platforms only; the models' calls are the router's.
        ports.transport = Arc::new(ThroughProxy(ports.transport));
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
        let Some(queued) = self.open(body) else { return Handled::Again { after: AGAIN_SOON } };
        match self.carry(&queued, budget).await {
            Ok(()) => Handled::Done,
            Err(Again::FenceLost) => {
                // Whoever holds the turn now will finish it; this delivery comes back only to see that it is over.
                self.note(&queued.turn, Step::Returned { cause: "another worker has the turn".to_owned() });
                Handled::Again { after: LEASE_MARGIN }
            }
            Err(Again::Later { after, cause }) => {
                self.note(&queued.turn, Step::Returned { cause });
                Handled::Again { after }
            }
        }
    }

    pub(crate) fn open<'a>(&self, body: &'a str) -> Option<Queued<'a>> {
        let Ok(opened) = QueuedMessage::open(body, &self.ports.vault) else {
            tracing::error!("a queued message cannot be opened; it goes to the dead letters after its tries");
            return None;
        };
        let turn = opened.message.turn();
        // Planted: equal ids in two chats are taken for one message.
        #[cfg(planted = "conversation_forgotten")]
        let turn = TurnKey::new(
            &chat::Conversation {
                chat: chat::ChatId::parse("any").ok()?,
                user: None,
                ..opened.message.conversation.clone()
            },
            &opened.message.event,
        );
        Some(Queued { body, opened, turn })
    }

    async fn carry(&self, queued: &Queued<'_>, budget: Duration) -> Result<(), Again> {
        let Some(claimed) = self.claim(queued, budget).await? else { return Ok(()) };
        let fence = claimed.record.fence;
        let result = self.finish(queued, claimed).await;
        if let Err(Again::Later { .. }) = &result {
            // Should this fail too, the lease ends by itself.
            let _ = self.ports.turns.release(&queued.turn, fence).await;
        }
        result
    }

    /// From the queue to the claim: is it ours, and is it still to be done? Nothing when there is nothing to do.
    pub(crate) async fn claim(
        &self,
        queued: &Queued<'_>,
        budget: Duration,
    ) -> Result<Option<Claimed>, Again> {
        let now = self.ports.clock.now();
        let turn = &queued.turn;
        let conversation = &queued.message().conversation;
        let found =
            self.ports.bots.find(conversation.platform.as_str(), conversation.bot.as_str(), now).await;
        let Some(bot) = found else {
            return Err(Again::later(AGAIN_SOON, "the bot is not configured here"));
        };
        let Some(text) = self.words_for_us(&bot, queued.message()).await? else {
            let (platform, bot) = (conversation.platform.clone(), conversation.bot.clone());
            self.note(turn, Step::Ignored { platform, bot, what: "mentions others only" });
            return Ok(None);
        };
        let request = ClaimRequest {
            now,
            lease: budget + LEASE_MARGIN,
            accepted_at: queued.opened.accepted_at,
            keep_until: now.plus(TURN_KEPT),
        };
        match self.ports.turns.claim(turn, request).await? {
            Claim::Ended(_) => Ok(None),
            Claim::Held { until } => {
                let after = until.since(now).max(Duration::from_secs(1));
                Err(Again::later(after, "another worker has the turn"))
            }
            Claim::Granted(record) => {
                self.note(turn, Step::Claimed { fence: record.fence.0 });
                Ok(Some(Claimed { bot, text, record, deadline: now.plus(budget) }))
            }
        }
    }

    /// The words that speak to the bot, every mention of its own taken out; `None` when the message mentions others only.
    async fn words_for_us(&self, bot: &Bot, message: &Message) -> Result<Option<String>, AccessError> {
        let named = match &message.audience {
            Audience::Bot if message.mentioned.is_empty() => return Ok(Some(message.text.clone())),
            Audience::Bot => None,
            Audience::Mentions(mentions) => Some(mentions),
        };
        let Some(identity) = self.access.identity(bot).await? else { return Ok(Some(message.text.clone())) };
        if named.is_some_and(|named| named.iter().all(|mention| mention.id != identity)) {
            return Ok(None);
        }
        Ok(Some(message.text_without(|id| *id == identity)))
    }

    /// From the claim to the end: reply kept, sent, recorded.
    async fn finish(&self, queued: &Queued<'_>, mut claimed: Claimed) -> Result<(), Again> {
        let record = &mut claimed.record;
        let standing = kept::find(&self.ports, queued.message(), &queued.turn, record).await?;
        let reply = match standing {
            Some(reply) => reply,
            None => self.compose_and_keep(queued, &mut claimed).await?,
        };
        let fence = claimed.record.fence;
        if reply.kind == ExchangeKind::Merged {
            merge::keep_in_sight(&self.ports, queued, claimed.record.accepted_at).await?;
            return self.end(queued, fence, None).await;
        }
        let parked = self.send(&queued.turn, queued.message(), claimed, &reply).await?;
        self.end(queued, fence, parked).await
    }

    /// Sends what of the reply is not yet sent. Returns why the turn is to be parked, if it is.
    pub(crate) async fn send(
        &self,
        turn: &TurnKey,
        message: &Message,
        claimed: Claimed,
        reply: &kept::Reply,
    ) -> Result<Option<Parked>, Again> {
        let content = &reply.content;
        let apology = content.parked.map(|reason| Parked { reason, cause: content.cause.clone() });
        // Planted: the turn is parked without a word to anybody.
        if cfg!(planted = "apology_not_sent") && apology.is_some() {
            return Ok(apology);
        }
        let delivery = Delivery {
            ports: &self.ports,
            access: &self.access,
            bot: &claimed.bot,
            turn,
            record: claimed.record,
            round: reply.round,
            to: message.reply_to.clone(),
            deadline: claimed.deadline,
            token: None,
            unaccounted: None,
            question: &claimed.text,
            reply: &Reply { markdown: content.reply.clone() },
        };
        Ok(match delivery.run().await? {
            Delivered::Whole => apology,
            Delivered::Parked(parked) => Some(parked),
            // Nobody waits for an answer any more, so there is nothing to bring back either.
            Delivered::Gone => None,
        })
    }

    /// Ends the turn. One that is parked is kept for the operators first: a crash between the two leaves a turn that
    /// comes again, and not one that nobody hears of.
    pub(crate) async fn end(
        &self,
        queued: &Queued<'_>,
        fence: Fence,
        parked: Option<Parked>,
    ) -> Result<(), Again> {
        // Planted: the operators never hear of it.
        if let Some(Parked { reason, cause }) = parked.clone().filter(|_| !cfg!(planted = "parked_unheard")) {
            let parked = ParkedTurn {
                turn: queued.turn.clone(),
                conversation: queued.message().conversation.key(),
                reason,
                cause,
                body: queued.body.to_owned(),
                tries: u32::try_from(fence.0).unwrap_or(u32::MAX),
                at: self.ports.clock.now(),
            };
            self.ports.parked.park(parked).await?;
        }
        let ending = parked.as_ref().map_or(Ending::Done, |parked| Ending::Parked(parked.reason));
        self.ports.turns.end(&queued.turn, fence, ending).await?;
        self.note(&queued.turn, ended(parked));
        Ok(())
    }

    async fn compose_and_keep(
        &self,
        queued: &Queued<'_>,
        claimed: &mut Claimed,
    ) -> Result<kept::Reply, Again> {
        let started = self.ports.clock.now();
        let left_to = merge::joins_next(&self.ports, queued, claimed).await?;
        let composed = match left_to {
            Some(_) => Composed::merged(),
            None => self.compose(queued, claimed).await?,
        };
        self.note_composed(&queued.turn, &composed, started);
        if composed.kind == ExchangeKind::Reset {
            merge::carry_over(&self.ports, queued, claimed).await?;
        }
        let question = alongside::question(queued.message(), &claimed.text);
        let Composed { reply, parked, cause, .. } = composed;
        let content = Content { question, reply, parked, cause, left_to };
        kept::keep(&self.ports, queued.message(), &queued.turn, &mut claimed.record, (content, composed.kind))
            .await
    }

    async fn compose(&self, queued: &Queued<'_>, claimed: &Claimed) -> Result<Composed, Again> {
        let started = self.ports.clock.now();
        let budget = claimed.deadline.minus(SEND_RESERVE).since(started).min(self.ports.policy.turn_timeout);
        let (message, ports) = (queued.message(), &self.ports);
        let router = ports.router.current();
        let asker = Asker {
            platform: message.conversation.platform.clone(),
            bot: Some(message.conversation.bot.clone()),
            program: None,
        };
        let composer = Composer {
            recall: Recall {
                conversations: ports.conversations.as_ref(),
                vault: &ports.vault,
                limits: &ports.policy.memory,
            },
            router: &router,
            models: Models {
                choices: ports.choices.as_ref(),
                allowed: &claimed.bot.settings.models,
                router: &router,
            },
            spending: Spending::of(message, ports.budgets.as_ref(), &ports.policy.budgets),
            persona: claimed.bot.settings.persona.as_deref(),
            listener: &Noting { ports, turn: &queued.turn, asker },
            clock: ports.clock.as_ref(),
        };
        let stops = Stops {
            ports,
            access: &self.access,
            bot: &claimed.bot,
            conversation: message.conversation.key(),
            sent_at: message.sent_at,
        };
        Ok(composer.compose(message, &claimed.text, budget, stops.asked()).await?)
    }

    fn note_composed(&self, turn: &TurnKey, composed: &Composed, started: Timestamp) {
        let (by, failed_over) = (composed.by.clone(), composed.failed_over.clone());
        let millis = self.ports.clock.now().millis_since(started);
        self.note(turn, Step::Answered { kind: composed.label(), by, failed_over, millis });
    }

    fn note(&self, turn: &TurnKey, step: Step) {
        self.ports.note(turn, step);
    }
}

fn ended(parked: Option<Parked>) -> Step {
    match parked {
        None => Step::Ended { ending: "done", reason: None, cause: None },
        Some(Parked { reason, cause }) => {
            Step::Ended { ending: "parked", reason: Some(reason.as_str()), cause }
        }
    }
}
