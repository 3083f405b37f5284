//! Segments to the platform, each at most once where that can be had.

use std::time::Duration;

use chat::{Reply, ReplyTo, Segment, SendKey, Timestamp, TurnKey};
use platform::{AccessToken, SendGuarantee, SendOutcome};
use settings::Bot;
use store::{Fence, ParkReason, TurnRecord};
use telemetry::Step;
use transport::Limits;

use crate::{
    access::Access,
    handled::{AGAIN_SOON, Again, Parked},
    ports::Ports,
};

/// How often one segment is tried in one run of a turn. The queue brings the turn back for more.
const TRIES: u32 = 4;

/// How often the token is renewed for one segment. The first time may bring one that somebody else fetched and that
/// ended along with ours; the second brings a fresh one.
const RENEWALS: u32 = 2;

/// How long to wait before a segment whose fate is unknown is sent again under the same key.
const UNKNOWN_PAUSE: Duration = Duration::from_secs(1);

/// The longest wait that a platform may impose within a run; beyond it the turn goes back to the queue.
const PAUSE_MAX: Duration = Duration::from_secs(20);

/// The largest answer to a send. Platforms answer with well below 10 KB.
const ANSWER_MAX: usize = 256 * 1024;

/// What one send may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// A claimed turn on its way to the platform.
pub(crate) struct Delivery<'a> {
    pub(crate) ports: &'a Ports,
    pub(crate) access: &'a Access,
    pub(crate) bot: &'a Bot,
    pub(crate) turn: &'a TurnKey,
    pub(crate) record: TurnRecord,
    /// The round of the reply: part of each segment's key.
    pub(crate) round: u32,
    pub(crate) to: ReplyTo,
    pub(crate) deadline: Timestamp,
    /// The token in use, once one was needed.
    pub(crate) token: Option<AccessToken>,
    /// Since when a send of the current segment may have been taken without our knowing.
    pub(crate) unaccounted: Option<Timestamp>,
}

/// What became of one segment.
enum Fate {
    Sent,
    Parked(Parked),
}

impl Delivery<'_> {
    /// Sends what is not yet sent. Returns why the turn is to be parked, if it is.
    pub(crate) async fn run(mut self, reply: &Reply) -> Result<Option<Parked>, Again> {
        let segments = self.bot.platform.render(reply, &self.to);
        for (index, segment) in (0_u32..).zip(&segments).skip(self.record.segments_sent as usize) {
            // An earlier run marked this segment and did not say what became of it. It was sent after the acceptance, so
            // a window that is counted from there is over before the platform's own.
            self.unaccounted = (self.record.sending == Some(index)).then_some(self.record.accepted_at);
            if !self.may_send() {
                return Ok(Some(ParkReason::SendUncertain.into()));
            }
            let started = self.now();
            if let Fate::Parked(parked) = self.send_marked(segment, index).await? {
                return Ok(Some(parked));
            }
            let step = Step::Sent {
                segment: index as usize + 1,
                of: segments.len(),
                millis: self.now().millis_since(started),
            };
            self.ports.note(self.turn, step);
            // The end of the turn records the last segment; a write less per turn.
            if index as usize + 1 < segments.len() {
                self.ports.turns.sent(self.turn, self.fence(), index + 1).await?;
            }
        }
        Ok(None)
    }

    const fn fence(&self) -> Fence {
        self.record.fence
    }

    /// Whether a send now shows the segment once, whatever became of earlier ones. A repetition is dropped where the
    /// platform takes a key, until its window has passed; else a person would see the answer twice.
    fn may_send(&self) -> bool {
        let Some(since) = self.unaccounted else { return true };
        let now = self.now();
        match self.bot.platform.guarantee(&self.to, now) {
            // The platform looks at its window when the call arrives, which may take this long.
            // Planted: a key is taken to be good for ever.
            SendGuarantee::Keyed { .. } if cfg!(planted = "window_forgotten") => true,
            SendGuarantee::Keyed { window } => now.plus(SEND_TIMEOUT).since(since) < window,
            // Planted: what may have been sent is sent again, with no key to drop it.
            SendGuarantee::Unkeyed => cfg!(planted = "resent_unkeyed"),
        }
    }

    /// Sends one segment under a mark. When the run gives up and the platform has certainly not taken the segment, the
    /// mark is taken back, so that the next run does not believe otherwise.
    async fn send_marked(&mut self, segment: &Segment, index: u32) -> Result<Fate, Again> {
        let turns = &self.ports.turns;
        // Planted: the mark comes after the send that it is to announce.
        if cfg!(planted = "marked_after") {
            let result = self.send(segment, index).await;
            turns.sending(self.turn, self.fence(), index).await?;
            return result;
        }
        turns.sending(self.turn, self.fence(), index).await?;
        let result = self.send(segment, index).await;
        // Planted: the mark stays although nothing was sent, or goes although something may have been.
        let untouched =
            self.unaccounted.is_none() && !cfg!(planted = "mark_left") || cfg!(planted = "mark_lost");
        if matches!(result, Err(Again::Later { .. })) && untouched {
            turns.sent(self.turn, self.fence(), index).await?;
        }
        result
    }

    async fn send(&mut self, segment: &Segment, index: u32) -> Result<Fate, Again> {
        // Planted: the key changes with the run.
        let run = if cfg!(planted = "key_per_run") { u32::try_from(self.fence().0).unwrap_or(0) } else { 0 };
        let key = SendKey::in_round(self.turn, self.round + run, index);
        let mut renewals = 0;
        for _ in 0..TRIES {
            // Again before each try: the one before may have been told to wait until after the window.
            if !self.may_send() {
                return Ok(Fate::Parked(ParkReason::SendUncertain.into()));
            }
            let began = self.now();
            match self.attempt(segment, &key).await? {
                SendOutcome::Accepted(_) => return Ok(Fate::Sent),
                SendOutcome::Refused(code) => {
                    tracing::error!(code, turn = self.turn.as_str(), "the platform refused an answer");
                    return Ok(Fate::Parked(Parked { reason: ParkReason::SendRefused, cause: Some(code) }));
                }
                SendOutcome::TokenExpired if renewals == RENEWALS => {
                    return Ok(Fate::Parked(ParkReason::SendRefused.into()));
                }
                SendOutcome::TokenExpired => {
                    renewals += 1;
                    if let Some(refused) = self.token.take() {
                        self.token = Some(self.access.renewed(self.bot, &refused).await?);
                    }
                }
                SendOutcome::Retry { after } => self.pause(after).await?,
                SendOutcome::Moved(to) => self.to = to,
                SendOutcome::Unknown => {
                    self.unaccounted.get_or_insert(began);
                    if !self.may_send() {
                        return Ok(Fate::Parked(ParkReason::SendUncertain.into()));
                    }
                    self.pause(UNKNOWN_PAUSE).await?;
                }
            }
        }
        Err(Again::later(UNKNOWN_PAUSE, "the platform did not take the answer yet"))
    }

    async fn attempt(&mut self, segment: &Segment, key: &SendKey) -> Result<SendOutcome, Again> {
        let now = self.now();
        if self.token.is_none() && self.bot.platform.needs_token(&self.to, now) {
            self.token = Some(self.access.token(self.bot).await?);
        }
        let token = self.token.as_ref();
        let Ok(request) = self.bot.platform.send(&self.to, segment, key, token, now) else {
            return Ok(SendOutcome::Refused("no address".to_owned()));
        };
        // A worker that stood still may have lost the turn long ago. The claim outlasts the deadline by more than a send,
        // so whatever goes out before this line's moment has arrived before anybody else can have the turn.
        // Planted: nobody looks.
        if self.now().plus(SEND_TIMEOUT) > self.deadline && !cfg!(planted = "deadline_forgotten") {
            return Err(Again::later(AGAIN_SOON, "this run is too near its end for another send"));
        }
        let limits = Limits { total: SEND_TIMEOUT, bytes: ANSWER_MAX };
        let answer = self.ports.transport.call(request, limits).await;
        Ok(self.bot.platform.outcome(&self.to, answer))
    }

    /// Waits inside the run, or gives the turn back when the wait is too long for it.
    async fn pause(&self, wait: Duration) -> Result<(), Again> {
        let fits = wait <= PAUSE_MAX && self.now().plus(wait + SEND_TIMEOUT) <= self.deadline;
        if !fits {
            return Err(Again::later(wait, "the platform asked to wait longer than this run lasts"));
        }
        self.ports.pause.pause(wait).await;
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }
}
