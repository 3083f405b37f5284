//! The way of a webhook.

use std::sync::Arc;

use chat::{BotId, Clock, ConversationKey, Entropy, Message, PlatformId, Timestamp, TurnKey};
use http::StatusCode;
use platform::{Event, Heard, HookAnswer, Moment, RawRequest, Rejection};
use settings::{Bot, Bots};
use store::{Enqueue, QueueItem, Signal, Signals};
use telemetry::{Note, Observer, Step};
use vault::Vault;

use crate::{QueuedMessage, UnknownBots, signal};

/// The largest webhook body, in bytes. The platforms' own limits are below 200 KB; whatever is larger is not theirs,
/// and hashing it would be work done for a stranger.
pub const BODY_MAX: usize = 1024 * 1024;

/// Stands behind `/webhook/{platform}/{bot}`.
pub struct Receiver {
    /// The bots that are served.
    pub bots: Arc<Bots>,
    /// Where messages become durable.
    pub queue: Arc<dyn Enqueue>,
    /// Where word is left that is to reach a worker past the queue.
    pub signals: Arc<dyn Signals>,
    /// Seals them on the way.
    pub vault: Arc<Vault>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// Nonces for encrypted answers.
    pub entropy: Arc<dyn Entropy>,
    /// Hears every step.
    pub observer: Arc<dyn Observer>,
    /// Which webhooks for bots that are not configured are noted.
    pub unknown: UnknownBots,
}

impl Receiver {
    /// Takes one webhook and says what to answer. Never fails: every failure has an answer.
    pub async fn receive(&self, platform: &str, bot: &str, request: RawRequest) -> HookAnswer {
        let now = self.clock.now();
        let Some(bot) = self.bots.find(platform, bot, now).await else {
            self.note_unknown(platform, bot, now);
            return HookAnswer::empty(StatusCode::NOT_FOUND);
        };
        if request.body.len() > BODY_MAX {
            self.reject(&bot, now, "body too large");
            return HookAnswer::empty(StatusCode::PAYLOAD_TOO_LARGE);
        }
        match self.hear(&bot, &request, now).await {
            Ok(heard) => self.act(&bot, heard, now).await,
            Err(Rejection::Unverified(cause)) => {
                self.reject(&bot, now, cause);
                HookAnswer::empty(StatusCode::UNAUTHORIZED)
            }
            // Nothing shows that the platform sent it.
            Err(Rejection::Malformed(cause)) => {
                self.reject(&bot, now, cause);
                HookAnswer::empty(StatusCode::BAD_REQUEST)
            }
        }
    }

    /// Verifies and parses. A webhook that fails verification gets a second look when the bot's keys turn out to have
    /// changed meanwhile: the platform may sign with a key that is newer than the one in memory.
    async fn hear(&self, bot: &Arc<Bot>, request: &RawRequest, now: Timestamp) -> Result<Heard, Rejection> {
        let mut moment = Moment { bot: bot.settings.bot.clone(), now, nonce: [0; 16] };
        self.entropy.fill(&mut moment.nonce);
        match bot.platform.verify(request, now) {
            Ok(event) => bot.platform.parse(event, &moment),
            Err(rejection @ Rejection::Malformed(_)) => Err(rejection),
            Err(rejection @ Rejection::Unverified(_)) => {
                let (platform, name) = (bot.settings.platform.as_str(), bot.settings.bot.as_str());
                let Some(renewed) = self.bots.refreshed(platform, name, now).await else {
                    return Err(rejection);
                };
                let event = renewed.platform.verify(request, now)?;
                renewed.platform.parse(event, &moment)
            }
        }
    }

    async fn act(&self, bot: &Bot, heard: Heard, now: Timestamp) -> HookAnswer {
        let answered = matches!(heard.event, Event::Message(_));
        for what in heard.unknown {
            let (platform, bot) = (platform_of(bot), bot_of(bot));
            self.note(None, now, Step::UnknownShape { platform, bot, what, answered });
        }
        match heard.event {
            Event::Handshake => {
                let step = Step::UrlVerified { platform: platform_of(bot), bot: bot_of(bot) };
                self.note(None, now, step);
            }
            Event::Ignored(what) => self.ignore(bot, now, what),
            Event::Message(message) => {
                if self.queue(bot, *message, now).await.is_err() {
                    return HookAnswer::empty(StatusCode::SERVICE_UNAVAILABLE);
                }
            }
        }
        heard.answer
    }

    async fn queue(&self, bot: &Bot, message: Message, now: Timestamp) -> Result<(), store::StoreError> {
        let turn = message.turn();
        let step = Step::Verified { platform: platform_of(bot), bot: bot_of(bot) };
        self.note(Some(&turn), now, step);
        let (conversation, signal) = (message.conversation.key(), signal::of(&message, merges(bot)));
        // Planted: the signal is left although its message may never come into the queue.
        if cfg!(planted = "signal_before_queue") {
            self.signal(&conversation, signal.as_ref(), now).await;
        }
        let item = QueueItem {
            group: conversation.clone(),
            dedup: turn.clone(),
            body: QueuedMessage { message, accepted_at: now }.seal(&self.vault),
        };
        let queued = self.queue.enqueue(item, now).await;
        let after = self.clock.now();
        match &queued {
            Ok(()) => {
                let millis = after.millis_since(now);
                self.note(Some(&turn), after, Step::Queued { millis });
                self.signal(&conversation, signal.as_ref(), now).await;
            }
            Err(error) => self.note(Some(&turn), after, Step::NotQueued { cause: error.to_string() }),
        }
        queued
    }

    /// Leaves the signal, once its message is in the queue: whoever acts on it relies on the message being dealt with. One
    /// that cannot be left costs a comfort; the message itself is safe, so the platform hears 200 all the same.
    async fn signal(&self, conversation: &ConversationKey, signal: Option<&Signal>, now: Timestamp) {
        let Some(signal) = signal else { return };
        if let Err(error) = self.signals.signal(conversation, signal, now.plus(signal::KEPT)).await {
            tracing::warn!(%error, "a stop or a short message could not be signalled to the worker");
        }
    }

    /// What the path names is noted only as far as it is a name: everything else may be anything.
    fn note_unknown(&self, platform: &str, bot: &str, now: Timestamp) {
        let Some(unreported) = self.unknown.admit(now) else { return };
        let (platform, bot) = (PlatformId::parse(platform).ok(), BotId::parse(bot).ok());
        self.note(None, now, Step::UnknownBot { platform, bot, unreported });
    }

    fn ignore(&self, bot: &Bot, at: Timestamp, what: &'static str) {
        self.note(None, at, Step::Ignored { platform: platform_of(bot), bot: bot_of(bot), what });
    }

    fn reject(&self, bot: &Bot, at: Timestamp, cause: &'static str) {
        self.note(None, at, Step::Rejected { platform: platform_of(bot), bot: bot_of(bot), cause });
    }

    fn note(&self, turn: Option<&TurnKey>, at: Timestamp, step: Step) {
        self.observer.note(&Note { turn: turn.cloned(), at, step });
    }
}

const fn merges(bot: &Bot) -> bool {
    bot.settings.merge.is_some()
}

fn platform_of(bot: &Bot) -> PlatformId {
    bot.settings.platform.clone()
}

fn bot_of(bot: &Bot) -> BotId {
    bot.settings.bot.clone()
}
