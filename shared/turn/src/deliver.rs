//! Segments to the platform, each at most once where that can be had.

use std::{borrow::Cow, time::Duration};

use chat::{Language, Reply, ReplyTo, Segment, SendKey, Timestamp, TurnKey};
use platform::{AccessToken, Refusal, RefusalKind, SendGuarantee, SendOutcome};
use settings::Bot;
use store::{Fence, ParkReason, TurnRecord};
use telemetry::Step;
use transport::Limits;

use crate::{
    access::Access,
    handled::{AGAIN_SOON, Again, Parked},
    ports::Ports,
    words,
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
    /// What was asked, which no log may hold.
    pub(crate) question: &'a str,
    /// What is sent, which no log may hold either.
    pub(crate) reply: &'a Reply,
}

/// What became of a reply.
pub(crate) enum Delivered {
    /// All of it was sent.
    Whole,
    /// The turn is to be parked.
    Parked(Parked),
    /// There is nothing to answer any more: the question was withdrawn, or its chat is gone.
    Gone,
}

/// What became of one segment.
enum Fate {
    Sent,
    Parked(Parked),
    Gone,
}

/// A segment, and how it may still be changed when the platform refuses it. Every form of it goes out under the segment's
/// one key: a refused send took none of it, and whichever is taken first is the one that shows, also when a later run, that
/// knows nothing of a refusal, begins with the first form again.
struct Form<'a> {
    segment: Cow<'a, Segment>,
    /// Whether it is the notice already.
    is_notice: bool,
}

impl Delivery<'_> {
    /// Sends what is not yet sent.
    pub(crate) async fn run(mut self) -> Result<Delivered, Again> {
        let segments = self.bot.platform.render(self.reply, &self.to);
        for (index, segment) in (0_u32..).zip(&segments).skip(self.record.segments_sent as usize) {
            // An earlier run marked this segment and did not say what became of it. It was sent after the acceptance, so
            // a window that is counted from there is over before the platform's own.
            self.unaccounted = (self.record.sending == Some(index)).then_some(self.record.accepted_at);
            if !self.may_send() {
                return Ok(Delivered::Parked(ParkReason::SendUncertain.into()));
            }
            let started = self.now();
            match self.send_marked(segment, index).await? {
                Fate::Sent => {}
                Fate::Parked(parked) => return Ok(Delivered::Parked(parked)),
                Fate::Gone => return Ok(Delivered::Gone),
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
        Ok(Delivered::Whole)
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
        let mut form = Form { segment: Cow::Borrowed(segment), is_notice: false };
        let (mut tries, mut renewals) = (0, 0);
        while tries < TRIES {
            // Again before each try: the one before may have been told to wait until after the window.
            if !self.may_send() {
                return Ok(Fate::Parked(ParkReason::SendUncertain.into()));
            }
            let began = self.now();
            tries += 1;
            match self.attempt(&form.segment, &key).await? {
                SendOutcome::Accepted(_) => return Ok(Fate::Sent),
                SendOutcome::Refused(refusal) => match self.refused(&form, &refusal) {
                    // Another form is not another try of the same.
                    Ok(simpler) => (form, tries) = (simpler, 0),
                    Err(fate) => return Ok(fate),
                },
                SendOutcome::TokenExpired if renewals == RENEWALS => {
                    let cause = Some("the platform takes no access token, not even a fresh one".to_owned());
                    return Ok(Fate::Parked(Parked { reason: ParkReason::SendRefused, cause }));
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

    /// What follows from a refusal: another form to send, or the segment's fate. Each form comes once, so this ends.
    fn refused<'f>(&self, form: &Form<'_>, refusal: &Refusal) -> Result<Form<'f>, Fate> {
        let cause = refusal.sanitised(&[&self.reply.markdown, self.question]);
        let turn = self.turn.as_str();
        let parked = |cause| Fate::Parked(Parked { reason: ParkReason::SendRefused, cause: Some(cause) });
        match refusal.kind {
            RefusalKind::Gone => {
                tracing::info!(
                    cause,
                    turn,
                    "the question was withdrawn or its chat is gone; it gets no answer"
                );
                Err(Fate::Gone)
            }
            RefusalKind::Form => match self.bot.platform.plain(&form.segment) {
                Some(plain) => {
                    tracing::info!(
                        cause,
                        turn,
                        "the platform refused the form of an answer; it goes out as text"
                    );
                    Ok(Form { segment: Cow::Owned(plain), is_notice: form.is_notice })
                }
                None => Err(parked(cause)),
            },
            RefusalKind::Content if !form.is_notice => match self.notice() {
                Some(notice) => {
                    tracing::warn!(
                        cause,
                        turn,
                        "the platform refused the content of an answer; a notice goes out"
                    );
                    Ok(Form { segment: Cow::Owned(notice), is_notice: true })
                }
                None => Err(parked(cause)),
            },
            RefusalKind::Content | RefusalKind::Other => Err(parked(cause)),
        }
    }

    /// What stands in for a refused content.
    fn notice(&self) -> Option<Segment> {
        let language = Language::detect(self.question).unwrap_or_else(|| Language::of(&self.reply.markdown));
        let markdown = words::content_refused(language).to_owned();
        self.bot.platform.render(&Reply { markdown }, &self.to).into_iter().next()
    }

    async fn attempt(&mut self, segment: &Segment, key: &SendKey) -> Result<SendOutcome, Again> {
        let now = self.now();
        if self.token.is_none() && self.bot.platform.needs_token(&self.to, now) {
            self.token = Some(self.access.token(self.bot).await?);
        }
        let token = self.token.as_ref();
        let Ok(request) = self.bot.platform.send(&self.to, segment, key, token, now) else {
            return Ok(SendOutcome::Refused(Refusal::new(RefusalKind::Other, "no address", "")));
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
