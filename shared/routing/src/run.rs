//! The loop: one question, its plan, its budget of time and of calls.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use chat::Timestamp;
use secrecy::ExposeSecret;

use crate::{
    Answer, Ask, Attempt, AttemptOutcome, Endpoint, Failure, Finish, NoAnswer, NoAnswerReason, Prompt,
    Router, ServerError, Usage,
    absent::Absent,
    attempt::{self, Begun, Failed, Heard, Means, Spoken},
    estimate,
    failure::Next,
    health::{
        Admission, Gate, Verdict,
        change::{self, Change},
    },
    hedge,
    plan::LeftOut,
    protocol::Manner,
    shrink::Shrunk,
    window,
};

/// The longest that one endpoint is waited for because it asked for it. Longer, and a person would rather hear from
/// another one or be told.
const WAIT_MOST: Duration = Duration::from_secs(5);

/// How long an endpoint is left alone that has too much to do and does not say for how long.
const BUSY_WAIT: Duration = Duration::from_secs(1);

/// How long until an endpoint is asked again that failed for a moment, and what chance may add, in milliseconds. Chance,
/// so that all who met the same failure do not come back together.
const MOMENT_MILLIS: u64 = 100;

/// One question on its way.
pub(crate) struct Run<'a> {
    router: &'a Router,
    ask: &'a Ask<'a>,
    means: Means<'a>,
    deadline: Timestamp,
    /// Who is still to be asked, first choice first.
    queue: VecDeque<usize>,
    /// Only what might cost too much was left.
    over_budget: bool,
    /// Who has been asked twice already.
    again: BTreeSet<usize>,
    /// Who was not there, and is waited for when nobody else is left to ask.
    absent: Absent,
    /// What each was sent of the conversation.
    shrunk: Shrunk,
    calls_left: u32,
    attempts: Vec<Attempt>,
}

/// A call that has begun, and what was held for it.
struct Call<'a> {
    index: usize,
    started: Timestamp,
    /// Tokens of the prompt, by estimate.
    tokens: u32,
    /// Held until the call is over.
    _admission: Admission,
    result: Result<Begun<'a>, Failed>,
}

/// What is written down of an attempt.
struct Books {
    outcome: AttemptOutcome,
    first_token: Option<Duration>,
    usage: Option<Usage>,
    error: Option<ServerError>,
}

impl Books {
    const fn of(outcome: AttemptOutcome, first_token: Option<Duration>, usage: Option<Usage>) -> Self {
        Self { outcome, first_token, usage, error: None }
    }

    fn failed(failed: &Failed, first_token: Option<Duration>) -> Self {
        let Failed { error, usage } = failed;
        let outcome = AttemptOutcome::Failed(error.failure);
        Self { error: Some(error.clone()), ..Self::of(outcome, first_token, *usage) }
    }
}

/// What an attempt came to.
enum Came {
    To(Box<Answer>),
    Nothing(Failure, Heard),
}

impl<'a> Run<'a> {
    pub(crate) fn new(router: &'a Router, ask: &'a Ask<'a>) -> Self {
        let plan = router.plan(ask);
        let ports = &router.ports;
        let means = Means {
            transport: &*ports.transport,
            signer: router.signer.as_deref(),
            clock: &*ports.clock,
            pause: &*ports.pause,
            clocks: router.clocks,
            prompt: ask.prompt,
            heard: ask.listener.hears(),
            is_final: ask.listener.is_final(),
        };
        router.hedging.asked();
        Self {
            router,
            ask,
            means,
            deadline: ports.clock.now().plus(ask.budget),
            queue: plan.choices.into(),
            over_budget: plan.left_out.iter().any(|(_, why)| *why == LeftOut::Allowance),
            again: BTreeSet::new(),
            absent: Absent::default(),
            shrunk: Shrunk::default(),
            calls_left: router.route.attempts.max(1),
            attempts: Vec::new(),
        }
    }

    /// Asks until somebody answers.
    pub(crate) async fn answer(mut self) -> Result<Answer, NoAnswer> {
        while let Some((index, admission)) = self.next().await {
            // Whoever was not there has cost nothing yet.
            if self.left().is_zero() || (self.calls_left == 0 && !self.absent.is_awaited(index)) {
                break;
            }
            let call = self.begin(index, admission).await;
            let index = call.index;
            match self.finish(call).await {
                Came::To(answer) => return Ok(*answer),
                Came::Nothing(failure, heard) => {
                    if !self.goes_on(index, failure, heard).await {
                        break;
                    }
                }
            }
        }
        Err(self.no_answer())
    }

    fn left(&self) -> Duration {
        self.deadline.since(self.means.clock.now())
    }

    /// Who is asked next, with a place among its questions. When all that are left have as many as they may, the first
    /// of them is waited for; when nobody is left, whoever was not there.
    async fn next(&mut self) -> Option<(usize, Admission)> {
        self.absent.go_on();
        if self.queue.is_empty() {
            if !self.ask.waits {
                return None;
            }
            let Means { clock, pause, .. } = self.means;
            let returned = self.absent.returned(&self.router.health, clock, pause, self.deadline);
            self.queue.push_back(returned.await?);
        }
        loop {
            let now = self.means.clock.now();
            let health = &self.router.health;
            let full = |index: &usize| !matches!(health.gate(*index, now), Gate::Open { .. });
            let full = self.queue.iter().copied().find(full);
            let free = self.take(|index| health.admit(index, now)).or_else(|| {
                // Who works and is only busy is worth waiting for; else whoever is to be left alone is asked after all.
                full.is_none().then(|| self.take(|index| health.admit_anyway(index)))?
            });
            if free.is_some() {
                return free;
            }
            let busy = full.or_else(|| self.queue.front().copied())?;
            let left = self.left();
            if left.is_zero() {
                return None;
            }
            tokio::select! {
                biased;
                () = health.room(busy) => {}
                () = self.means.pause.pause(self.until_a_probe(now).unwrap_or(left).min(left)) => {}
            }
        }
    }

    /// Whether it would be asked without need: who is to be left alone is no reason to give up on another.
    fn is_ready(&self, index: usize) -> bool {
        !matches!(self.router.health.gate(index, self.means.clock.now()), Gate::Open { .. })
    }

    /// Takes the first in the queue that admits a question.
    fn take(&mut self, admit: impl Fn(usize) -> Option<Admission>) -> Option<(usize, Admission)> {
        let admitted = |(at, &index): (usize, &usize)| Some((at, index, admit(index)?));
        let (at, index, admission) = self.queue.iter().enumerate().find_map(admitted)?;
        self.queue.remove(at);
        Some((index, admission))
    }

    /// How long until the next of those that are left alone may be tried.
    fn until_a_probe(&self, now: Timestamp) -> Option<Duration> {
        let wait = |&index: &usize| match self.router.health.gate(index, now) {
            Gate::Open { until } => Some(until.since(now)).filter(|wait| !wait.is_zero()),
            Gate::Closed | Gate::Probing => None,
        };
        self.queue.iter().filter_map(wait).min()
    }

    /// Calls an endpoint, and another as well if it is silent for long and hedging allows it. Returns the one that spoke
    /// first, or that failed last.
    async fn begin(&mut self, index: usize, admission: Admission) -> Call<'a> {
        let started = self.means.clock.now();
        let first = self.call(index, admission);
        tokio::pin!(first);
        let Some(delay) = self.hedge_delay(index) else { return first.await };
        tokio::select! {
            biased;
            call = &mut first => return call,
            () = self.means.pause.pause(delay) => {}
        }
        let Some((other, admission)) = self.hedge_with() else { return first.await };
        let second_started = self.means.clock.now();
        let second = self.call(other, admission);
        tokio::pin!(second);
        let (call, outrun) = tokio::select! {
            biased;
            call = &mut first => (call, (other, second_started)),
            call = &mut second => (call, (index, started)),
        };
        let Err(failed) = &call.result else {
            self.outrun(outrun).await;
            return call;
        };
        // One of the two failed; the other goes on alone.
        self.record(call.index, call.started, Books::failed(failed, None)).await;
        if call.index == index { second.await } else { first.await }
    }

    /// One call, up to its first token.
    fn call(&mut self, index: usize, admission: Admission) -> impl Future<Output = Call<'a>> + use<'a> {
        self.calls_left = self.calls_left.saturating_sub(1);
        let (router, means) = (self.router, self.means);
        let started = means.clock.now();
        let until = self.deadline;
        // Whoever is the last that can be asked is waited for as long as there is time.
        let other = self.calls_left > 0 && self.queue.iter().any(|&other| self.is_ready(other));
        let patience = other.then_some(means.clocks.first_token);
        let has_neighbour = self.calls_left > 0 && self.has_neighbour(index);
        let asked = router.endpoints.get(index);
        let asked = asked.map(|endpoint| (endpoint, self.shrunk.fit(index, endpoint, means.prompt, started)));
        async move {
            let tokens = asked.as_ref().map_or(0, |(_, fitted)| fitted.tokens);
            let result = match asked {
                Some((endpoint, fitted)) => {
                    attempt::begin(means, endpoint, fitted.prompt, (patience, has_neighbour), until).await
                }
                None => Err(Failure::Unreachable.into()),
            };
            Call { index, started, tokens, _admission: admission, result }
        }
    }

    /// How long this endpoint may be silent before another is asked as well; nothing when none may be.
    fn hedge_delay(&self, index: usize) -> Option<Duration> {
        let hedge = self.router.route.hedge.filter(|_| self.has_first_token(index))?;
        (self.calls_left > 0 && !self.queue.is_empty()).then(|| hedge::delay(self.router, hedge, index))?
    }

    /// Whether its silence tells anything: an answer in one piece is silent until it is whole.
    fn has_first_token(&self, index: usize) -> bool {
        let endpoint = self.router.endpoints.get(index);
        endpoint.is_some_and(|endpoint| endpoint.manner(self.means.heard) == Manner::Streamed)
    }

    /// The endpoint to ask as well.
    fn hedge_with(&mut self) -> Option<(usize, Admission)> {
        let now = self.means.clock.now();
        let &other = self.queue.front()?;
        if self.router.health.gate(other, now) != Gate::Closed || !self.has_first_token(other) {
            return None;
        }
        let admission = self.router.health.admit(other, now)?;
        if !self.router.hedging.spend(self.router.route.hedge?.share) {
            return None;
        }
        self.queue.pop_front();
        Some((other, admission))
    }

    /// The rest of a call, and its place in the books.
    async fn finish(&mut self, call: Call<'a>) -> Came {
        let Call { index, started, tokens, result, _admission } = call;
        let begun = match result {
            Ok(begun) => begun,
            Err(failed) => {
                self.record(index, started, Books::failed(&failed, None)).await;
                return Came::Nothing(failed.error.failure, Heard(false));
            }
        };
        let (endpoint, first_token) = (begun.endpoint, begun.first_token);
        match begun.rest(self.ask.listener).await {
            Ok(spoken) => {
                endpoint.learned.took(spoken.usage, tokens);
                if spoken.finish == Finish::TimedOut {
                    let seconds = self.ask.budget.as_secs();
                    tracing::warn!(endpoint = %endpoint.name, seconds, "the turn timeout cut an answer off");
                }
                let books = Books::of(AttemptOutcome::Answered, first_token, Some(spoken.usage));
                self.record(index, started, books).await;
                Came::To(Box::new(self.answered(endpoint, spoken)))
            }
            Err((failed, heard)) => {
                self.record(index, started, Books::failed(&failed, first_token)).await;
                Came::Nothing(failed.error.failure, heard)
            }
        }
    }

    fn answered(&mut self, endpoint: &Endpoint, spoken: Spoken) -> Answer {
        if let Some(last) = self.attempts.last_mut() {
            last.model.clone_from(&spoken.model);
            self.ask.listener.attempted(last);
        }
        Answer {
            text: spoken.text,
            endpoint: endpoint.name.clone(),
            place: endpoint.place,
            model: spoken.model,
            usage: spoken.usage,
            finish: spoken.finish,
            attempts: std::mem::take(&mut self.attempts),
        }
    }

    /// Books a call that another outran: the server has read the prompt, and may charge for it.
    async fn outrun(&mut self, (index, started): (usize, Timestamp)) {
        let waited = self.means.clock.now().since(started);
        let usage = estimate::usage(self.ask.prompt, "");
        self.record(index, started, Books::of(AttemptOutcome::Outrun, Some(waited), Some(usage))).await;
    }

    /// Puts an attempt into the books, and what it says of the endpoint into its health.
    async fn record(&mut self, index: usize, started: Timestamp, books: Books) {
        let Books { outcome, first_token, usage, error } = books;
        let Some(endpoint) = self.router.endpoints.get(index) else { return };
        let now = self.means.clock.now();
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let attempt = Attempt {
            endpoint: endpoint.name.clone(),
            place: endpoint.place,
            model: endpoint.model.clone(),
            millis: now.millis_since(started),
            first_token_millis: first_token.filter(|_| outcome != AttemptOutcome::Outrun).map(millis),
            usage,
            cost: endpoint.price.zip(usage).map_or(0, |(price, usage)| price.of_usage(usage)),
            outcome,
            status: error.as_ref().and_then(|error| error.status),
            message: error.as_ref().and_then(|error| error.message.as_ref()?.redact(self.sent(endpoint))),
            overflow: error.map(|error| error.overflow).unwrap_or_default(),
        };
        let verdict = Verdict { outcome, started, first_token };
        let change = self.router.health.attempted(index, verdict, &attempt, now);
        // While a server starts there may be dozens of such attempts, and the first is in the books.
        let is_told = !self.absent.learn(index, verdict, now);
        // One that answered is told once it is known which model the server named.
        if is_told && outcome != AttemptOutcome::Answered {
            self.ask.listener.attempted(&attempt);
        }
        match change {
            Some(Change::Opened(opening)) => {
                change::log_opened(&opening, &attempt);
                self.router.tell(&opening).await;
            }
            Some(Change::Closed { after }) => change::log_closed(&attempt, after),
            None => {}
        }
        if is_told {
            self.attempts.push(attempt);
        }
    }

    /// Every text and secret that a call to this endpoint carries, which a server can quote.
    fn sent<'e>(&'e self, endpoint: &'e Endpoint) -> impl Iterator<Item = &'e str> {
        let Prompt { system, lines, sampling, .. } = self.ask.prompt;
        let texts = lines.iter().map(|line| &line.text).chain(system).chain(&sampling.stop);
        texts.map(String::as_str).chain(endpoint.key.as_ref().map(ExposeSecret::expose_secret))
    }

    /// Whether there is anybody left to ask after this failure, and when it is time to.
    async fn goes_on(&mut self, index: usize, failure: Failure, heard: Heard) -> bool {
        if heard.0 {
            if !self.ask.listener.takes_back() {
                return false;
            }
            self.ask.listener.restarted();
        }
        let again = match failure.next() {
            Next::Stop => return false,
            Next::LargerWindow => {
                if self.shrinks(index).await {
                    self.queue.push_front(index);
                } else {
                    self.keep_larger_windows(index);
                }
                None
            }
            Next::SameAfter(wait) => self.may_wait(index, wait.unwrap_or(BUSY_WAIT)),
            // It would break for longer than it can be heard, if others are left.
            Next::SameOnce if heard.0 && !self.queue.is_empty() => None,
            Next::SameOnce => Some(self.moment()),
            Next::OtherEndpoint => None,
        };
        // By then it may be asked: it was not closed off, or for no longer than it asks for itself.
        let now = self.means.clock.now();
        let may = |wait| !matches!(self.router.health.gate(index, now.plus(wait)), Gate::Open { .. });
        if let Some(wait) = again.filter(|&wait| may(wait) && wait < self.left())
            && self.again.insert(index)
        {
            self.means.pause.pause(wait).await;
            self.queue.push_front(index);
        }
        true
    }

    /// The wait that an endpoint asks for, unless another of its place can be asked at once, or it is too long.
    fn may_wait(&self, index: usize, wait: Duration) -> Option<Duration> {
        (!self.has_neighbour(index) && wait <= WAIT_MOST).then_some(wait)
    }

    /// Whether another endpoint of the same place can be asked at once.
    fn has_neighbour(&self, index: usize) -> bool {
        let place = |index: usize| self.router.endpoints.get(index).map(|endpoint| endpoint.place);
        let mut others = self.queue.iter().copied();
        others.any(|other| place(other) == place(index) && self.is_ready(other))
    }

    /// Whether an endpoint that found the prompt too long can be asked again at once, with less of the conversation. That
    /// call is none of those that one question may cost: the first was refused before it cost anything.
    async fn shrinks(&mut self, index: usize) -> bool {
        let Some(endpoint) = self.router.endpoints.get(index) else { return false };
        let overflow = self.attempts.last().map(|attempt| attempt.overflow).unwrap_or_default();
        let Means { transport, prompt, clock, .. } = self.means;
        let now = clock.now();
        let shrinks = self.shrunk.too_long(index, endpoint, prompt, overflow, (transport, now)).await;
        self.calls_left += u32::from(shrinks);
        shrinks
    }

    /// Leaves only endpoints that can take a longer prompt than this one, as far as that is known.
    fn keep_larger_windows(&mut self, index: usize) {
        let now = self.means.clock.now();
        let endpoint = |index: usize| self.router.endpoints.get(index);
        let window = |index: usize| endpoint(index).and_then(|endpoint| window::known(endpoint, now));
        let Some(too_small) = window(index) else { return };
        self.queue.retain(|&other| window(other).is_none_or(|window| window > too_small));
    }

    fn moment(&self) -> Duration {
        let mut chance = [0];
        self.router.ports.entropy.fill(&mut chance);
        Duration::from_millis(MOMENT_MILLIS + u64::from(chance[0]))
    }

    fn no_answer(self) -> NoAnswer {
        let (out_of_time, over_budget) = (self.left().is_zero(), self.over_budget);
        // Who waited for a server in vain has not to shorten the question.
        let waited = !self.absent.is_empty();
        let none = NoAnswer { reason: NoAnswerReason::AllFailed, attempts: self.attempts };
        let filtered = AttemptOutcome::Failed(Failure::ContentFiltered);
        let reason = if out_of_time && !none.attempts.is_empty() && !waited {
            NoAnswerReason::OutOfTime
        } else if none.is_too_long() || none.attempts.iter().any(|attempt| attempt.outcome == filtered) {
            NoAnswerReason::Refused
        } else if !none.attempts.is_empty() {
            NoAnswerReason::AllFailed
        } else if over_budget {
            NoAnswerReason::OverBudget
        } else if out_of_time {
            NoAnswerReason::OutOfTime
        } else {
            NoAnswerReason::NoEndpoint
        };
        NoAnswer { reason, ..none }
    }
}
